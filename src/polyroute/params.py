"""params.yaml as frozen, validated types.

Every section and key is checked when the file is read, used or not: an unknown key, a missing one or a
value outside its range is a `ParamsError` that names the key and lists what would be right. A stage then
sees only the keys it declares (`Params.only`), so a key that a stage reads without telling DVC is an error too.
"""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from polyroute.ground.errors import PolyrouteError
from polyroute.languages import table as language_table

MIRROR_VARIABLE = "POLYROUTE_MIRROR"


ENGLISH_ONLY = ("gsm8k", "medinstruct")
"""Readers of in-task text that exists in no other language."""

_COMMIT = re.compile(r"/([0-9a-f]{40})/")


class ParamsError(PolyrouteError):
    """params.yaml says something that cannot be; the message names the key."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
"""Names are parts of paths and of DVC keys: lower case, digits and hyphens, no dot."""
TaskKind = Literal["choice", "number", "span", "translation"]
"""Whether options are compared by likelihood, or from what the model writes a number, a short answer or a translation
is scored."""
LayerRange = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
"""First and last layer, both included, counted from 0 in the model's own numbering."""


class Study(_Frozen):
    """What is studied."""

    name: str
    """Name of the MLflow experiment."""
    models: list[str] = Field(min_length=1)
    """Which entries of `models` the study runs."""
    pivot: str
    """FLORES code of the language that divergence is measured from."""
    seed: int = Field(ge=0)
    """Seed of token pairs, resampling and every other draw of the measurement."""


class Hub(_Frozen):
    """Where data sets and models come from."""

    mirror: Path | None
    """A folder that `polyroute mirror` fills, read instead of the network (`POLYROUTE_MIRROR` overrides it)."""

    def mirror_folder(self) -> Path | None:
        """The mirror in force: the environment variable, else the key."""
        override = os.environ.get(MIRROR_VARIABLE)
        return Path(override) if override else self.mirror


class HubFiles(_Frozen):
    """Files of one data set on the hub."""

    hub: str = Field(pattern=r"^[^/]+/[^/]+$")
    """`organisation/dataset`."""
    revision: str
    """Commit of the data set; `polyroute pin` turns a branch into one."""
    files: str
    """Path in the data set, with `{language}` and `{split}` where they vary."""
    splits: list[str] = Field(default=[""])
    """Values of `{split}`, read in this order as one corpus."""
    items: int = Field(ge=1)
    """Items in each language that the release holds; any other number is an error."""
    unicode: Literal["as-is", "NFC"] = "as-is"
    """Whether text is normalised to NFC on the way in."""
    take: int | None = Field(default=None, ge=1)
    """Keep the first so many items in order of id, read as text (null keeps all)."""


class SIB200(HubFiles):
    """FLORES-200 sentences with topics; see `polyroute.corpora.sib200`."""

    reader: Literal["sib200"]


class FloresPlus(HubFiles):
    """FLORES+ sentences, gated; see `polyroute.corpora.flores_plus`."""

    reader: Literal["flores_plus"]


class Belebele(HubFiles):
    """Belebele passages; see `polyroute.corpora.belebele`."""

    reader: Literal["belebele"]


class GSM8K(HubFiles):
    """English mathematical problems; see `polyroute.corpora.gsm8k`."""

    reader: Literal["gsm8k"]


class MedInstruct(HubFiles):
    """English medical instructions; see `polyroute.corpora.medinstruct`."""

    reader: Literal["medinstruct"]


class LocalFiles(_Frozen):
    """Text of the user's own."""

    reader: Literal["local"]
    files: str
    """Path of a file, or of a file a language with `{language}`; the ending tells the format: tsv, jsonl,
    parquet (columns below) or txt (one item a line, aligned across languages by line number)."""
    parallel: bool = True
    """Whether every item exists in every language; in-task text is English only."""
    id_column: str = "item_id"
    text_column: str = "text"
    language_column: str = "language"
    """Read where `files` has no `{language}`; holds FLORES codes."""
    items: int | None = Field(default=None, ge=1)
    """Expected number of items in each language (null takes what is there)."""
    unicode: Literal["as-is", "NFC"] = "as-is"
    take: int | None = Field(default=None, ge=1)


class PocketCorpus(_Frozen):
    """Text generated from the mini world of the pocket models."""

    reader: Literal["pocket"]
    content: Literal["generic", "arithmetic", "knowledge"]
    """`generic` is parallel; the tasks' text is in English only."""
    split: Literal["select", "report"]
    items: int = Field(ge=1)
    seed: int = Field(ge=0)


Corpus = Annotated[
    SIB200 | FloresPlus | Belebele | GSM8K | MedInstruct | LocalFiles | PocketCorpus,
    Field(discriminator="reader"),
]


class _Task(_Frozen):
    text: str | None = None
    """Which entry of `corpora` holds the English in-task text that identifies the task's experts."""
    pivots: list[str] = []
    """Other languages whose in-task text gives experts to steer toward, beside the English ones."""
    take: int | None = Field(default=None, ge=1)
    """Only so many items (the first of each split); `null` takes all."""


class HubTask(_Task):
    """Items on the hub."""

    hub: str = Field(pattern=r"^[^/]+/[^/]+$")
    """`organisation/dataset`."""
    revision: str
    """Commit; `polyroute pin` turns a branch into one."""
    files: str
    """Path of a language's file, with `{language}`."""
    items: int = Field(ge=1)
    """Items a language that the release has; another number is an error."""

    @field_validator("files")
    @classmethod
    def _by_language(cls, files: str) -> str:
        if "{language}" not in files:
            raise ValueError("no `{language}` in it: every language would be asked the items of one")
        return files


class BelebeleTask(HubTask):
    """Passages with a question and four options; see `polyroute.evaluation.tasks.belebele`."""

    reader: Literal["belebele"]
    kind: ClassVar[TaskKind] = "choice"


class MGSMTask(HubTask):
    """Word problems; see `polyroute.evaluation.tasks.mgsm`."""

    reader: Literal["mgsm"]
    prompt: Literal["direct", "cot"]
    """Whether the answer is asked for at once or after a chain of thought."""
    kind: ClassVar[TaskKind] = "number"


class GlobalMMLUTask(HubTask):
    """Questions with four options; see `polyroute.evaluation.tasks.global_mmlu`."""

    reader: Literal["global_mmlu"]
    splits: list[str] = Field(min_length=1)
    subjects: list[str] = Field(min_length=1)
    """Subjects to keep."""
    per_subject: int = Field(ge=1)
    """Questions of each, the first in the release's order."""
    kind: ClassVar[TaskKind] = "choice"


class XQuADTask(HubTask):
    """Questions whose answer stands in a passage; see `polyroute.evaluation.tasks.xquad`."""

    reader: Literal["xquad"]
    kind: ClassVar[TaskKind] = "span"


class PolyMathTask(HubTask):
    """Mathematical problems of several levels; see `polyroute.evaluation.tasks.polymath`."""

    reader: Literal["polymath"]
    levels: list[Literal["low", "medium", "high", "top"]] = Field(min_length=1)
    """Levels to keep, each in files of its own: `{level}` in `files`."""
    items: int = Field(ge=1)
    """Problems of each level that the release has; another number is an error."""
    kind: ClassVar[TaskKind] = "number"

    @model_validator(mode="after")
    def _by_level(self) -> Self:
        if "{level}" not in self.files:
            raise ValueError("no `{level}` in `files`: every level would be the problems of one")
        _check_unique("levels", list(self.levels))
        return self


class TranslationTask(HubTask):
    """English sentences to translate; see `polyroute.evaluation.tasks.translation`."""

    reader: Literal["translation"]
    layout: Literal["sib200", "flores_plus"]
    """Reader of `corpora` whose files these are."""
    splits: list[str] = Field(min_length=1)
    """Values of `{split}` in `files`, read in this order as one task."""
    kind: ClassVar[TaskKind] = "translation"


class PocketTask(_Task):
    """Problems and questions of the pocket models' mini world; see `polyroute.evaluation.tasks.pocket`."""

    reader: Literal["pocket"]
    content: Literal["arithmetic", "knowledge"]
    items: int = Field(ge=1)
    """Items of each split."""
    seed: int = Field(ge=0)
    kind: ClassVar[TaskKind] = "choice"


class LocalTask(_Task):
    """Items of the user's own; see `polyroute.evaluation.tasks.local`."""

    reader: Literal["local"]
    files: str
    """Path below `text/`, with `{language}` where each language has a file."""
    kind: TaskKind


Task = Annotated[
    BelebeleTask | MGSMTask | GlobalMMLUTask | XQuADTask | PolyMathTask | TranslationTask | PocketTask | LocalTask,
    Field(discriminator="reader"),
]


class Shape(_Frozen):
    """What the model's release says of its routers; checked against the model when it is loaded."""

    layers: int = Field(ge=1)
    experts: int = Field(ge=2)
    top_k: int = Field(ge=1)


class Zones(_Frozen):
    """Layer ranges that a summary compares."""

    early: LayerRange
    middle: LayerRange
    late: LayerRange


class _Model(_Frozen):
    corpora: list[str] = Field(min_length=1)
    """Parallel corpora whose routing is measured."""
    languages: str
    """Which entry of `languages` is measured; must hold the pivot."""
    shape: Shape | None = None
    """Layers, experts and top-k; `null` takes the model's word."""
    zones: Zones | None = None
    """Early, middle and late layers of summaries; `null` divides the depth in fixed shares."""

    @model_validator(mode="after")
    def _zones_forward(self) -> Self:
        for zone, span in self.zones or ():
            _check_range(f"zones.{zone}", span)
        return self


class PublishedSteering(_Frozen):
    """A paper's own setting for a task on a model, run as published."""

    layers: LayerRange
    tau: float = Field(ge=0, lt=1)
    rule: Literal["soft", "activate", "deactivate"]
    strength: float | None = None
    """lambda of soft steering."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_range("layers", self.layers)
        if (self.rule == "soft") != (self.strength is not None):
            raise ValueError(f"`strength`: {'is needed by soft' if self.rule == 'soft' else f'{self.rule} takes none'}")
        if self.strength is not None:
            _check_strength("strength", self.strength)
        return self


class PublishedShared(_Frozen):
    """Paper 2's own setting for a task on a model: steering toward experts that dominant languages share."""

    layers: LayerRange
    k: int = Field(ge=1)
    """Experts kept for each language and layer."""
    thr: float = Field(ge=0, lt=1)
    """Largest share of one language in a shared expert."""
    strengths: dict[str, float] = Field(min_length=1)
    """Source language, one of the model's `dominant` -> lambda."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_range("layers", self.layers)
        for source, strength in self.strengths.items():
            _check_strength(f"strengths.{source}", strength)
        return self


class Masked(_Frozen):
    """Which languages and tasks of a model meet masks of exclusive experts."""

    languages: str
    """Which entry of `languages`: each is a target and is asked, and experts are exclusive among these."""
    tasks: list[str] = Field(min_length=1)
    """Among the model's tasks."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _check_unique("tasks", self.tasks)
        return self


class TransformersModel(_Model):
    """A model that runs here, in transformers."""

    engine: Literal["transformers"]
    hub: str | None = None
    """`organisation/model` on the hub."""
    revision: str | None = None
    """Commit of the model on the hub; `polyroute pin` turns a branch into one."""
    folder: Path | None = None
    """A checkpoint folder on disk, instead of `hub`."""
    dtype: Literal["float32", "bfloat16", "float16"]
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """`auto` (every GPU there is, else CPU), `cpu`, `cuda:0`, ..."""
    experts: Literal["auto", "eager", "grouped_mm", "batched_mm"] = "auto"
    """Experts implementation of transformers."""
    batch_tokens: int = Field(ge=1)
    """Padded tokens in one batch."""
    max_tokens: int = Field(default=4096, ge=2)
    """Longer texts are an error, never truncated."""
    tasks: list[str] = []
    """Entries of `tasks` that the model is evaluated and steered on; their in-task text is traced too."""
    layers: LayerRange | None = None
    """Layers to trace; `null` traces all."""
    middle: LayerRange | None = None
    """Layers to steer; `null` chooses them from divergence (`polyroute.measures.middle`)."""
    published: dict[str, PublishedSteering] = {}
    """Task -> the setting of paper 1."""
    dominant: tuple[str, str] | None = None
    """Two languages toward whose shared experts tasks are steered; `null` leaves that out."""
    published_shared: dict[str, PublishedShared] = {}
    """Task -> the setting of paper 2."""
    mask: Masked | None = None
    """`null` masks nothing."""
    trust_remote_code: bool = False
    """Run code that the model repository ships. Only by naming it here."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.hub is None) == (self.folder is None):
            raise ValueError("give exactly one of `hub` and `folder`")
        if self.hub is not None and self.revision is None:
            raise ValueError("`hub` needs a `revision`: a commit, or a branch for `polyroute pin`")
        if self.folder is not None and self.revision is not None:
            raise ValueError("`revision` belongs to `hub`; a folder has none")
        if self.layers:
            _check_range("layers", self.layers)
            for zone, (first, last) in self.zones or ():
                if last < self.layers[0] or first > self.layers[1]:
                    raise ValueError(f"`zones.{zone}: [{first}, {last}]` holds no layer of `layers: {self.layers}`")
        return self


class RecordedModel(_Model):
    """A model whose expert counts were recorded elsewhere."""

    engine: Literal["recorded"]
    url: str | None = None
    """Where each language's counts lie, with `{language}`, at a pinned commit; null where they are yours."""
    files: str
    """Their path in a mirror folder or, without a `url`, below `text/`; with `{language}`."""
    codes: Literal["flores", "bcp47", "mgsm"]
    """How `{language}` is written in `url` and `files`."""
    sha256: dict[str, Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    """FLORES code -> checksum of its file."""
    shape: Shape

    @property
    def commit(self) -> str | None:
        """The commit that `url` is pinned at."""
        found = _COMMIT.search(self.url or "")
        return found[1] if found else None

    @model_validator(mode="after")
    def _zones_inside(self) -> Self:
        for zone, span in self.zones or ():
            _check_range(f"zones.{zone}", span, self.shape.layers)
        return self

    @field_validator("corpora")
    @classmethod
    def _one_corpus(cls, corpora: list[str]) -> list[str]:
        if len(corpora) != 1:
            raise ValueError("one name: `url` and `sha256` are of one recording; give another its own entry")
        return corpora

    @field_validator("url")
    @classmethod
    def _pinned(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not _COMMIT.search(url):
            raise ValueError("no commit of 40 hexadecimal digits in the path: a branch moves")
        if "{language}" not in url:
            raise ValueError("no `{language}` in it")
        if not url.startswith("https://"):
            raise ValueError("not an https address; for files on disk use `polyroute import-counts` or a mirror")
        return url


Model = Annotated[TransformersModel | RecordedModel, Field(discriminator="engine")]


class Trace(_Frozen):
    """How routing is traced."""

    pairs: int = Field(ge=1)
    """Token pairs sampled a sequence for routing consistency; all pairs where there are fewer."""
    special_tokens: Literal["exclude", "include"]
    """Whether tokens that the tokenizer adds by itself (BOS, EOS) count in statistics."""


class Align(_Frozen):
    """How alignment is measured."""

    resamples: int = Field(ge=100)
    """Bootstrap resamples over sentences."""
    confidence: float = Field(gt=0, lt=1)
    """Coverage of the intervals."""
    shuffles: int = Field(ge=1)
    """Other sentences that each sentence is compared with, to know how near its translation would be by chance."""


class Experts(_Frozen):
    """How task experts and multilingual experts are told."""

    taus: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=1)
    """Thresholds on Delta for which sets and their overlap are shown."""


class SharedExperts(_Frozen):
    """Which settings shared and exclusive experts are told under: every k with every thr."""

    k: list[Annotated[int, Field(ge=1, le=128)]] = Field(min_length=1)
    """Experts kept for each language in a layer of 128, paper 2's; a layer of E keeps the same share of them."""
    thr: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=1)
    """Share of an expert above which a language has it to itself."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        _check_unique("k", [str(k) for k in self.k])
        _check_unique("thr", [f"{thr:g}" for thr in self.thr])
        return self


class Similarity(_Frozen):
    """How languages are compared with one another."""

    resamples: int = Field(ge=100)
    """Bootstrap resamples over sentences."""
    confidence: float = Field(gt=0, lt=1)
    """Coverage of the intervals."""
    shuffles: int = Field(ge=100)
    """Shuffles of labels, and of languages, in each permutation test."""
    shared: SharedExperts
    """Settings of shared and exclusive experts."""


class Evaluate(_Frozen):
    """How models answer tasks."""

    chat: bool
    """Whether prompts go into the tokenizer's chat template, where there is one."""
    thinking: bool
    """Whether the template lets the model think before it answers."""
    likeliest: Literal["sum", "token", "character"]
    """Which likelihood decides a choice: its sum, or its mean by token or by character. All three are written."""
    span: Literal["inclusion", "inclusion_as_released", "exact_match", "f1"] = "inclusion"
    """Which score of a short answer is compared; see `polyroute.scoring.spans`. All four are written.
    `inclusion_as_released` is paper 2's to the letter, by which an empty answer is right."""
    max_new_tokens: int = Field(ge=1)
    """Where a generated answer that does not end is truncated; a number or short answer then counts as wrong."""
    temperature: float = Field(ge=0)
    """0 is greedy."""
    top_p: float = Field(gt=0, le=1)
    top_k: int = Field(ge=0)
    """0 draws among all tokens."""


class Magnitude(_Frozen):
    """Steering toward experts shared by dominant languages: z_e += strength s_e |z_e| (paper 2)."""

    k: int = Field(ge=1, le=128)
    """Experts kept for each language in a layer of 128, paper 2's; a layer of E keeps the same share of them."""
    thr: float = Field(ge=0, lt=1)
    """Largest share of one language in a shared expert."""
    strengths: list[float] = Field(min_length=1)
    """Strengths that are tried on the selection half, with each of the two languages as source."""

    @model_validator(mode="after")
    def _finite(self) -> Self:
        for strength in self.strengths:
            _check_strength("strengths", strength)
        _check_unique("strengths", [f"{strength:g}" for strength in self.strengths])
        return self


class MaskedSet(_Frozen):
    """Which experts are masked together (paper 2)."""

    k: int = Field(ge=1, le=128)
    """Experts kept for each language in a layer of 128, paper 2's; a layer of E keeps the same share of them."""
    thr: float = Field(ge=0, lt=1)
    """An expert is exclusive to a language that holds more than this share of it."""
    width: int = Field(ge=1, le=48)
    """Layers masked together at the start, in the centre and at the end of 48, paper 2's; others take the same share
    of their depth."""


class Mask(MaskedSet):
    """How experts that are exclusive to a language are masked (paper 2)."""

    tasks: dict[str, MaskedSet] = {}
    """Task -> what is masked there instead."""
    draws: int = Field(ge=1)
    """Random masks for each mask."""
    nearest: int = Field(ge=1)
    """Experts of about the same activation frequency among which a random one is drawn."""
    mechanism_items: int = Field(ge=1)
    """Items in each language on whose prompts it is measured what the masks do to routing."""


class Steer(_Frozen):
    """The intervention study."""

    taus: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=1)
    """Thresholds on Delta that are tried on the selection half."""
    strengths: list[float] = Field(min_length=1)
    """Strengths of soft steering that are tried on the selection half."""
    doses: list[float]
    """Strengths of soft steering that are reported beside the chosen plan."""
    draws: int = Field(ge=1)
    """Random control sets."""
    nearest: int = Field(ge=1)
    """Experts of about the same activation frequency among which a control is drawn."""
    std: Literal["population", "sample"]
    """Divisor of std(z) in soft steering; the paper leaves it open."""
    eps: Literal["variance", "std"]
    """What 1e-6 is in eps ~ N(0, 1e-6); the paper leaves it open."""
    allow_more_than_k: bool = False
    """Whether more experts of a layer may be activated than a token is sent to."""
    magnitude: Magnitude
    mechanism_items: int = Field(ge=1)
    """Items in each language on whose prompts it is measured what the plans do to routing."""

    @model_validator(mode="after")
    def _finite(self) -> Self:
        for key in ("strengths", "doses"):
            for strength in getattr(self, key):
                _check_strength(key, strength)
            _check_unique(key, [f"{strength:g}" for strength in getattr(self, key)])
        _check_unique("taus", [f"{tau:g}" for tau in self.taus])
        return self


class EnglishMixture(_Frozen):
    """Shares of the kinds of English documents; any positive numbers, divided by their sum."""

    generic: float = Field(ge=0)
    """Short documents of events."""
    arithmetic: float = Field(ge=0)
    """Word problems with their answers."""
    knowledge: float = Field(ge=0)
    """Facts, stated and asked for."""


class OtherMixture(EnglishMixture):
    """Shares of the kinds of documents in every other language."""

    translation: float = Field(ge=0)
    """The same events in English and in the language."""
    switching: float = Field(ge=0)
    """Sentences with some phrases in English, or English ones with some in the language."""
    dictionary: float = Field(ge=0)
    """Lists of phrases with their English."""


class Plant(_Frozen):
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


class PocketRecipe(_Frozen):
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
    betas: tuple[float, float]
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
            _check_known("languages", code, language_table.codes(), "a FLORES code")
        _check_unique("languages", self.languages)
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


class ParamsFile(_Frozen):
    """The whole of params.yaml, its cross-references checked."""

    study: Study
    hub: Hub
    languages: dict[Name, list[str]]
    corpora: dict[Name, Corpus]
    tasks: dict[Name, Task]
    models: dict[Name, Model]
    trace: Trace
    align: Align
    experts: Experts
    similarity: Similarity
    evaluate: Evaluate
    steer: Steer
    mask: Mask
    pocket: dict[Name, PocketRecipe]

    @model_validator(mode="after")
    def _references(self) -> Self:
        for group, codes in self.languages.items():
            for code in codes:
                _check_known(f"languages.{group}", code, language_table.codes(), "a FLORES code")
            _check_unique(f"languages.{group}", codes)
        _check_known("study.pivot", self.study.pivot, language_table.codes(), "a FLORES code")
        _check_unique("study.models", self.study.models)
        for model in self.study.models:
            _check_known("study.models", model, self.models, "an entry of `models`")
        for name, corpus in self.corpora.items():
            if isinstance(corpus, LocalFiles):
                _check_inside(f"corpora.{name}.files", Path(corpus.files), "text")
        for name, task in self.tasks.items():
            if task.text is not None:
                _check_known(f"tasks.{name}.text", task.text, self.corpora, "an entry of `corpora`")
                if task.pivots and self.corpora[task.text].reader in ENGLISH_ONLY:
                    raise ValueError(f"tasks.{name}.pivots: `{task.text}` is in English alone; leave them out")
            if isinstance(task, LocalTask):
                _check_inside(f"tasks.{name}.files", Path(task.files), "text")
        for name in self.mask.tasks:
            _check_known("mask.tasks", name, self.tasks, "an entry of `tasks`")
        for name, spec in self.models.items():
            self._model_references(f"models.{name}", spec)
        for name in self.study.models:
            listed = self.models[name].languages
            if self.study.pivot not in self.languages[listed]:
                raise ValueError(f"models.{name}.languages: group `{listed}` lacks the pivot {self.study.pivot}")
        return self

    def _model_references(self, key: str, spec: TransformersModel | RecordedModel) -> None:
        _check_known(f"{key}.languages", spec.languages, self.languages, "a group of `languages`")
        group = self.languages[spec.languages]
        if len(group) < 2:
            raise ValueError(f"{key}.languages: group `{spec.languages}` holds one language; add another to compare")
        if isinstance(spec, RecordedModel):
            if spec.url is None:
                _check_inside(f"{key}.files", Path(spec.files), "text")
            for code in group:
                _check_known(f"{key}.languages: {spec.languages}", code, spec.sha256, "among `sha256`")
            return
        if spec.folder is not None:
            _check_inside(f"{key}.folder", spec.folder, "models")
        for task in spec.tasks:
            _check_known(f"{key}.tasks", task, self.tasks, "an entry of `tasks`")
            for pivot in self.tasks[task].pivots:
                _check_known(f"tasks.{task}.pivots", pivot, group, f"a language of {key}")
            if self.tasks[task].text and language_table.ENGLISH not in group:
                raise ValueError(
                    f"{key}.languages: group `{spec.languages}` lacks {language_table.ENGLISH}, against whose generic "
                    f"text the experts of `{task}` are told; add it, or leave out `tasks.{task}.text`"
                )
        _check_unique(f"{key}.tasks", spec.tasks)
        layers = spec.shape.layers if spec.shape else None
        if spec.middle is not None:
            _check_range(f"{key}.middle", spec.middle, layers)
        for task, setting in spec.published.items():
            _check_known(f"{key}.published", task, spec.tasks, f"among `{key}.tasks`")
            _check_range(f"{key}.published.{task}.layers", setting.layers, layers)
        for code in spec.dominant or ():
            _check_known(f"{key}.dominant", code, group, f"a language of {key}")
        _check_unique(f"{key}.dominant", list(spec.dominant or ()))
        for task, shared in spec.published_shared.items():
            place = f"{key}.published_shared"
            _check_known(place, task, spec.tasks, f"among `{key}.tasks`")
            _check_range(f"{place}.{task}.layers", shared.layers, layers)
            for code in shared.strengths:
                _check_known(f"{place}.{task}.strengths", code, spec.dominant or (), f"one of `{key}.dominant`")
        if spec.mask is not None:
            self._mask_references(f"{key}.mask", spec.mask, group, spec.tasks)
        for corpus in spec.corpora:
            _check_known(f"{key}.corpora", corpus, self.corpora, "an entry of `corpora`")
            entry, reader = self.corpora[corpus], self.corpora[corpus].reader
            in_task = reader in ENGLISH_ONLY or getattr(entry, "content", "generic") != "generic"
            if in_task or not getattr(entry, "parallel", True):
                raise ValueError(f"{key}.corpora: `{corpus}` is in-task text, not parallel: name it in a task")
            for code in group:
                if reader not in ("local", "pocket"):
                    covered = language_table.covered(reader)
                    _check_known(f"{key}.languages: {spec.languages}", code, covered, f"a language of {corpus}")

    def _mask_references(self, key: str, mask: Masked, group: list[str], tasks: list[str]) -> None:
        _check_known(f"{key}.languages", mask.languages, self.languages, "a group of `languages`")
        masked = self.languages[mask.languages]
        for code in masked:
            _check_known(f"{key}.languages: {mask.languages}", code, group, "a language of the model")
        if len(masked) < 2:
            raise ValueError(f"{key}.languages: group `{mask.languages}` holds one language, to which all is exclusive")
        for task in mask.tasks:
            _check_known(f"{key}.tasks", task, tasks, "a task of the model")


class Params:
    """params.yaml, of which only declared keys can be read."""

    def __init__(self, file: ParamsFile, declared: tuple[str, ...] | None = None):
        self._file = file
        self._declared = declared

    def only(self, *keys: str, model: str = "") -> Params:
        """The same parameters with nothing but `keys` (dotted, as in dvc.yaml; `{model}` is filled in) readable.

        Raises:
            ParamsError: a key is not in params.yaml.
        """
        declared = tuple(key.replace("{model}", model) for key in keys)
        for key in declared:
            _resolve(self._file, key)
        return Params(self._file, declared)

    def __getitem__(self, key: str) -> Any:
        """The value at a dotted key such as `models.pocket-plain`.

        Raises:
            ParamsError: the key is unknown, or the stage did not declare it.
        """
        value = _resolve(self._file, key)
        if self._declared is not None and not any(
            key == declared or key.startswith(declared + ".") for declared in self._declared
        ):
            raise ParamsError(f"key `{key}` is read but not declared: add it to the stage's params in dvc.yaml")
        return value


def load(path: Path) -> Params:
    """Read and check params.yaml, for reading by key.

    Raises:
        ParamsError: as `read`.
    """
    return Params(read(path))


class _UniqueKeys(yaml.SafeLoader):
    """YAML takes the last of two equal keys in silence, which loses a section pasted at the end."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for name, _ in node.value:
            line = name.start_mark.line + 1
            if name.value in seen:
                raise ParamsError(
                    f"params.yaml has the key `{name.value}` twice, in lines {seen[name.value]} and {line}: "
                    "put both parts under one"
                )
            seen[name.value] = line
        return super().construct_mapping(node, deep)


def read(path: Path) -> ParamsFile:
    """Read and check params.yaml as a whole.

    Raises:
        ParamsError: the file is absent, is not YAML, or breaks a rule; names the key of every value that cannot
            be or, where all can, of the first reference to something that is not there.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path} is not UTF-8 ({error.reason} at byte {error.start}): save it as UTF-8") from None
    except FileNotFoundError:
        raise ParamsError(f"{path} is absent: run the command from the root of the study") from None
    except yaml.YAMLError as error:
        raise ParamsError(f"{path} is not valid YAML: {error}") from None
    return parse(raw, str(path))


def parse(raw: object, where: str = "params.yaml") -> ParamsFile:
    """Check parameters given as plain data.

    Raises:
        ParamsError: names every breach and its key.
    """
    try:
        return ParamsFile.model_validate(raw)
    except ValidationError as error:
        breaches = "\n".join(f"  {_sentence(breach)}" for breach in error.errors())
        raise ParamsError(f"{where} cannot be used:\n{breaches}") from None


def study_languages(params: Params, model: str) -> list[str]:
    """FLORES codes that a model is measured in, the pivot first."""
    pivot: str = params["study.pivot"]
    group: list[str] = params[f"languages.{params[f'models.{model}'].languages}"]
    return [pivot, *(code for code in group if code != pivot)]


def revision(spec: TransformersModel | RecordedModel) -> str | None:
    """The commit that a model's entry pins; None for a folder."""
    return spec.commit if isinstance(spec, RecordedModel) else spec.revision


def model_corpora(params: Params, model: str) -> dict[str, list[str]]:
    """Which corpora a model reads, and in which languages: corpus -> FLORES codes, the pivot first.

    The text of its tasks is among them, in the languages whose experts are wanted; nothing for counts recorded
    elsewhere.
    """
    spec = params[f"models.{model}"]
    if isinstance(spec, RecordedModel):
        return {}
    wanted = {corpus: study_languages(params, model) for corpus in spec.corpora}
    for task in spec.tasks:
        text = params[f"tasks.{task}"].text
        if text is None:
            continue
        listed = wanted.setdefault(text, [])
        listed += [language for language in text_languages(params, task) if language not in listed]
    return wanted


def text_languages(params: Params, task: str) -> list[str]:
    """Languages of a task's in-task text: English, as in paper 1, and the other pivots that are asked for."""
    return [language_table.ENGLISH, *params[f"tasks.{task}"].pivots]


def stage_settings(file: ParamsFile, model: str) -> dict[str, dict[str, Any]]:
    """What the stages that a model goes through are set to, as plain data: stage -> settings.

    `study` and `model` are among them: the seed and the pivot, and the model's own entry.
    """
    spec = file.models[model]
    sections = ["align", "similarity"]
    if isinstance(spec, TransformersModel):
        sections += ["trace"] + (["experts", "evaluate", "steer"] if spec.tasks else [])
    settings = {section: getattr(file, section).model_dump(mode="json") for section in sections}
    if isinstance(spec, TransformersModel) and spec.mask is not None:
        mask = file.mask.model_dump(mode="json")
        settings["mask"] = mask | {
            "tasks": {task: mask["tasks"][task] for task in spec.mask.tasks if task in mask["tasks"]}
        }
    study = {"pivot": file.study.pivot, "seed": file.study.seed}
    return {"study": study, "model": spec.model_dump(mode="json"), **settings}


def study_corpora(params: Params) -> dict[str, list[str]]:
    """Which corpora the study's models read, and in which languages: corpus -> FLORES codes, the pivot first."""
    wanted: dict[str, list[str]] = {}
    for model in params["study.models"]:
        for corpus, languages in model_corpora(params, model).items():
            listed = wanted.setdefault(corpus, [])
            listed += [language for language in languages if language not in listed]
    return wanted


def _check_range(key: str, layers: LayerRange, count: int | None = None) -> None:
    """First before last and, where the model's layers are numbered 0 to `count` - 1, inside it."""
    first, last = layers
    if first > last:
        raise ValueError(f"`{key}: [{first}, {last}]`: the first layer comes after the last")
    if count is not None and last >= count:
        raise ValueError(f"`{key}: [{first}, {last}]` is outside the model: both between 0 and {count - 1}")


def _check_strength(key: str, strength: float) -> None:
    if not math.isfinite(strength) or strength == 0:
        raise ValueError(f"`{key}`: {strength:g} is no strength; 0 is the baseline, which always runs")


def _check_inside(key: str, path: Path, folder: str) -> None:
    if path.is_absolute() or path.parts[0] != folder or ".." in path.parts:
        raise ValueError(
            f"{key}: `{path}` is not below `{folder}/`, where DVC sees it change; put it there, or a symbolic link"
        )


def _check_known(key: str, name: str, known: Iterable[str], what: str) -> None:
    known = list(known)
    if name not in known:
        raise ValueError(f"{key}: `{name}` is not {what}; {_suggest(name, known)}")


def _check_unique(key: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{key}: listed twice: {', '.join(twice)}")


def _suggest(name: str, known: list[str]) -> str:
    begun = [candidate for candidate in known if name and candidate.startswith(name)]
    close = (begun or difflib.get_close_matches(name, known))[:3]
    if close:
        return f"did you mean {' or '.join(close)}?"
    listed = ", ".join(known) if len(known) <= 30 else f"{len(known)} are known, such as {', '.join(known[:8])}"
    return listed if len(known) > 30 else f"there is {listed}"


def _resolve(file: ParamsFile, key: str) -> Any:
    value: Any = file
    walked: list[str] = []
    for part in key.split("."):
        known = list(value) if isinstance(value, dict) else list(getattr(type(value), "model_fields", ()))
        if part not in known:
            place = f"`{'.'.join(walked)}`" if walked else "params.yaml"
            raise ParamsError(f"{place} has no key `{part}`; {_suggest(part, known)}")
        value = value[part] if isinstance(value, dict) else getattr(value, part)
        walked.append(part)
    return value


_BY_TAG: dict[tuple[str, str], type[BaseModel]] = {
    ("corpora", "sib200"): SIB200, ("corpora", "flores_plus"): FloresPlus, ("corpora", "belebele"): Belebele,
    ("corpora", "gsm8k"): GSM8K, ("corpora", "medinstruct"): MedInstruct, ("corpora", "local"): LocalFiles,
    ("corpora", "pocket"): PocketCorpus, ("models", "transformers"): TransformersModel,
    ("models", "recorded"): RecordedModel, ("tasks", "belebele"): BelebeleTask, ("tasks", "mgsm"): MGSMTask,
    ("tasks", "global_mmlu"): GlobalMMLUTask, ("tasks", "xquad"): XQuADTask, ("tasks", "polymath"): PolyMathTask,
    ("tasks", "translation"): TranslationTask, ("tasks", "pocket"): PocketTask, ("tasks", "local"): LocalTask,
}  # fmt: skip
"""Types of the unions, by section and by the tag that pydantic puts into a location."""


def _sentence(breach: Any) -> str:
    """One breach as `key: what is wrong; what would be right`."""
    location = list(breach["loc"])
    # Pydantic puts the union's tag into the location; the file has no such key.
    path = [str(part) for i, part in enumerate(location) if not (i == 2 and (location[0], part) in _BY_TAG)]
    key = ".".join(path)
    message = breach["msg"].removeprefix("Value error, ")
    if breach["type"] == "extra_forbidden":
        known = _fields_at(location[:-1])
        return f"{key}: unknown key; {_suggest(str(location[-1]), known)}"
    if location and location[-1] == "[key]":
        return f"{'.'.join(path[:-1])}: a name is lower case letters, digits and hyphens, as part of paths and DVC keys"
    if breach["type"] == "missing":
        return f"{key}: missing key"
    if breach["type"] in ("union_tag_invalid", "union_tag_not_found"):
        tag = breach["ctx"]["discriminator"].strip("'")
        if "tag" not in breach["ctx"]:
            return f"{key}.{tag}: missing key"
        return f"{key}.{tag}: `{breach['ctx']['tag']}` is not known; there is {breach['ctx']['expected_tags']}"
    return f"{key}: {message}" if key else message


def _fields_at(location: list[Any]) -> list[str]:
    """Which keys the type at a location of a validation error knows."""
    by_section: dict[str, type[BaseModel]] = {
        "study": Study, "hub": Hub, "trace": Trace, "align": Align, "experts": Experts,
        "similarity": Similarity, "shared": SharedExperts, "evaluate": Evaluate, "steer": Steer, "pocket": PocketRecipe,
        "plant": Plant, "shape": Shape, "zones": Zones, "published": PublishedSteering,
    }  # fmt: skip
    for part in reversed(location):
        if part in by_section:
            return list(by_section[part].model_fields)
        if len(location) > 2 and part == location[2] and (location[0], part) in _BY_TAG:
            return list(_BY_TAG[location[0], part].model_fields)
    return list(ParamsFile.model_fields)
