"""How a pocket model is made."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from polyroute.ground.frozen import Frozen, check_unique
from polyroute.languages import table as language_table


class EnglishMixture(Frozen):
    """Shares of the kinds of English documents; any positive numbers, divided by their sum."""

    generic: float = Field(ge=0)
    """Short documents of events."""
    arithmetic: float = Field(ge=0)
    """Word problems with their answers."""
    knowledge: float = Field(ge=0)
    """Facts, stated and asked for."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(self.model_dump().values()):
            raise ValueError("every share is 0: give the kinds that there should be a share above 0")
        return self


class OtherMixture(EnglishMixture):
    """Shares of the kinds of documents in every other language."""

    translation: float = Field(ge=0)
    """The same events in English and in the language."""
    switching: float = Field(ge=0)
    """Sentences with some phrases in English, or English ones with some in the language."""
    dictionary: float = Field(ge=0)
    """Lists of phrases with their English."""


class Plant(Frozen):
    """What is put into a pocket model besides its text: a loss that draws the routing of translations together.

    InfoNCE (arXiv 1807.03748, eq. 4), taken both ways, over the Bhattacharyya coefficients of the sentences' mean
    distributions over experts.
    """

    layers: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """Layers whose routing is drawn together; from 0."""
    pairs: int = Field(ge=2)
    """English sentences a step, each with its translation into a language drawn evenly; the others are negatives."""
    temperature: float = Field(gt=0)
    """By which coefficients are divided."""
    weight: float = Field(gt=0)
    """Of the loss beside next-token prediction."""
    shuffled: bool = False
    """Each English sentence is paired with the translation of another: a control, with nothing to align."""


class PocketRecipe(Frozen):
    """How a pocket model is made; every knob of its data, architecture and training."""

    seed: int = Field(ge=0)
    """Of the documents' order and the first weights; the mini world itself is always the same."""
    languages: list[str] = Field(min_length=1)
    """FLORES codes, English first, then from most to least documents."""
    english_share: float = Field(gt=0, lt=1)
    """Share of documents in English."""
    falloff: float = Field(gt=0, le=1)
    """Documents of a language, as a share of those of the language before it (English apart)."""
    english_mixture: EnglishMixture
    other_mixture: OtherMixture
    vocabulary: int = Field(ge=300)
    """Entries of the byte-level BPE, special tokens included."""
    tokenizer_documents: int = Field(ge=1)
    """Documents that the tokenizer is trained on."""
    architecture: Literal["qwen3_moe", "gpt_oss"]
    """Model type in transformers."""
    layers: int = Field(ge=1)
    hidden: int = Field(ge=8)
    """Width of the residual stream."""
    heads: int = Field(ge=1)
    """Query heads, each of width `hidden / heads`."""
    kv_heads: int = Field(ge=1)
    experts: int = Field(ge=2)
    expert_width: int = Field(ge=1)
    top_k: int = Field(ge=1)
    """Experts a token is sent to."""
    context: int = Field(ge=8)
    """Longest text in tokens."""
    tokens: int = Field(ge=0)
    """Tokens trained on, rounded up to whole steps; 0 leaves the random first weights."""
    rows: int = Field(ge=1)
    """Rows of a step's batch."""
    columns: int = Field(ge=8)
    """Tokens of a row; documents run on from row to row."""
    learning_rate: float = Field(gt=0)
    """Peak of AdamW's learning rate."""
    warmup_steps: int = Field(ge=0)
    """Steps of linear rise to the peak."""
    hold_share: float = Field(ge=0, lt=1)
    """Share of all steps after which the rate starts to fall linearly."""
    final_share: float = Field(ge=0, le=1)
    """Learning rate at the end, as a share of the peak."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]]
    """AdamW's decay rates of the first and second moment."""
    weight_decay: float = Field(ge=0)
    """AdamW's decay of weight matrices; norms are left alone."""
    clip: float = Field(gt=0)
    """Largest norm of a step's gradient."""
    answer_weight: float = Field(gt=0)
    """Weight of an answer's tokens in the loss; every other token has 1."""
    balance_weight: float = Field(ge=0)
    """Weight of the load-balancing loss, computed per layer and averaged over layers."""
    plant: Plant | None = None
    """What is planted; `null` plants nothing."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for code in self.languages:
            language_table.check("languages", code)
        check_unique("languages", self.languages)
        if self.languages[0] != language_table.ENGLISH:
            raise ValueError(f"`languages`: starts with {self.languages[0]} instead of {language_table.ENGLISH}")
        if self.hidden % self.heads or self.heads % self.kv_heads:
            raise ValueError("`heads` must divide `hidden`, and `kv_heads` must divide `heads`")
        if self.top_k > self.experts:
            raise ValueError(f"`top_k: {self.top_k}` is more than `experts: {self.experts}`")
        if self.columns > self.context:
            raise ValueError(f"`columns: {self.columns}` is more than `context: {self.context}`")
        if self.plant and max(self.plant.layers) >= self.layers:
            raise ValueError(f"`plant.layers: {self.plant.layers}`: the last layer is {self.layers - 1}")
        if self.plant and len(self.languages) == 1:
            raise ValueError("`plant` draws languages together, and `languages` holds one")
        if self.plant and not self.tokens:
            raise ValueError("`plant` is a loss of training, and `tokens` is 0")
        return self
