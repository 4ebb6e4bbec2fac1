"""Texts that a model writes after a prompt: greedy, or sampled in a way that does not depend on the batch.

Sampling adds Gumbel noise to the logits and takes the largest: that draws from the softmax (Gumbel 1954; Maddison et
al. 2014, arXiv:1411.0030). The noise comes from a generator of the prompt's own, so an item's draw is the same in any
batch, and the same in a baseline and in its steered run: what differs between them is the model's doing and not
chance. Temperature, top-k and top-p are applied before, in this order, as in transformers. Nothing else that
a checkpoint's `generation_config.json` asks for (repetition penalty, sampling) is applied; its end tokens are.

A text is finished if the model ended it or a stop string did, which is cut off with all that follows; else it was
truncated at `max_new_tokens`. Texts keep special tokens inside them (channels of GPT-OSS), for `scoring` to read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from transformers import GenerationConfig
from transformers.generation import (
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from polyroute.asking import prompts
from polyroute.asking.prompts import Chat
from polyroute.ground.errors import AnswerError
from polyroute.models.batches import plan_batches
from polyroute.models.trial import at_rest

COLUMNS = ["item_id", "language", "output", "tokens", "finished"]
"""Columns of raw generated answers."""


@dataclass(frozen=True)
class GenerationSettings:
    """How texts are generated."""

    max_new_tokens: int
    """Where a text that does not end is truncated."""
    batch_tokens: int
    """Tokens of a batch, padding and `max_new_tokens` of each row included. A larger prompt is a batch by itself."""
    stop: tuple[str, ...] = ()
    """Strings that end a text; they are not part of it."""
    temperature: float = 0.0
    """0 is greedy: the likeliest token each time, and the next three settings have no effect."""
    top_k: int = 0
    """Draw among the likeliest so many tokens; 0 among all."""
    top_p: float = 1.0
    """Draw among the fewest tokens whose probabilities add up to this."""
    seed: int = 0
    """With the prompt's text it determines what is drawn."""
    max_tokens: int = 4096
    """A longer prompt is an error; nothing is truncated."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1 or self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1:
            raise AnswerError(
                f"generation needs max_new_tokens of at least 1, a temperature and top_k of at least 0 and top_p above "
                f"0 and at most 1; got {self}"
            )
        if "" in self.stop:
            raise AnswerError("an empty stop string would end every text at its beginning")

    def determining(self) -> dict[str, Any]:
        """The settings that texts depend on: all but `max_tokens`, which only refuses prompts."""
        return {name: value for name, value in asdict(self).items() if name != "max_tokens"}


def generate(
    model: nn.Module,
    tokenizer: Any,
    items: pd.DataFrame,
    settings: GenerationSettings,
    *,
    conversation: Chat | None = None,
    on_items: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """What a model writes after every item's prompt.

    Args:
        model: a causal language model of transformers.
        tokenizer: its tokenizer.
        items: item_id, language, prompt; see `tasks`.
        settings: how.
        conversation: puts prompts into the tokenizer's chat template; None leaves them as they are.
        on_items: called with the number of items of each batch as it is finished.

    Returns:
        `COLUMNS`, one row an item, in the order of `items`: the text (empty where the model ended at once), its
        length in tokens with the one that ended it, and whether it is finished.

    Raises:
        AnswerError: a prompt without tokens or too long, or no chat template; names language and item.
    """
    texts = [
        prompt if conversation is None else prompts.question(tokenizer, prompt, conversation)
        for prompt in items["prompt"]
    ]
    rows = prompts.encode(tokenizer, texts, conversation)
    _check(model, items, rows, settings)
    runner = _Runner(model, tokenizer, settings)
    found: list[tuple[str, int, bool]] = [("", 0, False)] * len(rows)
    with at_rest(model), torch.inference_mode():
        for batch in plan_batches([len(row) + settings.max_new_tokens for row in rows], settings.batch_tokens):
            written = runner.run([rows[index] for index in batch], [texts[index] for index in batch])
            for index, told in zip(batch, written, strict=True):
                found[index] = told
            on_items(len(batch))
    frame = pd.DataFrame(found, columns=COLUMNS[2:])
    frame.insert(0, "item_id", items["item_id"].tolist())
    frame.insert(1, "language", items["language"].tolist())
    return frame


def _check(model: nn.Module, items: pd.DataFrame, rows: list[list[int]], settings: GenerationSettings) -> None:
    allowed = prompts.context(model)
    for item_id, language, row in zip(items["item_id"], items["language"], rows, strict=True):
        place = f"item {item_id} in {language}"
        if not row:
            raise AnswerError(f"{place}: its prompt gives no tokens, so there is nothing to go on from")
        if len(row) > settings.max_tokens:
            raise AnswerError(
                f"{place}: its prompt has {len(row)} tokens, more than max_tokens = {settings.max_tokens}: raise it; "
                "prompts are not truncated"
            )
        if len(row) + settings.max_new_tokens > allowed:
            raise AnswerError(
                f"{place}: its prompt has {len(row)} tokens, which with max_new_tokens = {settings.max_new_tokens} "
                f"are more than the {allowed} that the model can hold: lower max_new_tokens"
            )


class _Runner:
    def __init__(self, model: nn.Module, tokenizer: Any, settings: GenerationSettings):
        self.model, self.tokenizer, self.settings = model, tokenizer, settings
        self.device = prompts.device_of(model)
        self.ends = _end_tokens(model, tokenizer)
        pad = tokenizer.pad_token_id
        self.pad = int(pad) if pad is not None else min(self.ends, default=0)
        defaults = {
            # What the checkpoint's own configuration would otherwise fill in. Lengths and outputs are not its matter.
            name: value
            for name, value in GenerationConfig._get_default_generation_params().items()
            if value is not None and name not in ("max_length", "min_length")
        }
        self.config = GenerationConfig(
            **defaults,
            max_new_tokens=settings.max_new_tokens,
            eos_token_id=sorted(self.ends) or None,
            pad_token_id=self.pad,
        )

    def run(self, rows: list[list[int]], texts: list[str]) -> list[tuple[str, int, bool]]:
        """Text, tokens and whether it is finished, of each row."""
        width = max(map(len, rows))
        # On the left, so that every text goes on from its last column.
        ids_BS = torch.tensor([[self.pad] * (width - len(row)) + row for row in rows], device=self.device)
        real_BS = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=self.device)
        stops = _StopStrings(self.tokenizer, self.settings.stop, len(rows), width)
        written_BS = self.model.generate(  # type: ignore[operator]
            input_ids=ids_BS,
            attention_mask=real_BS,
            generation_config=self.config,
            logits_processor=self._processors(texts),
            stopping_criteria=StoppingCriteriaList([stops]),
        )
        return [
            self._told(ids_S.tolist(), stopped)
            for ids_S, stopped in zip(written_BS[:, width:].cpu(), stops.lengths, strict=True)
        ]

    def _told(self, ids: list[int], stopped: int | None) -> tuple[str, int, bool]:
        ids = ids[:stopped]
        end = next((place for place, token in enumerate(ids) if token in self.ends), None)
        text: str = self.tokenizer.decode(ids[:end], skip_special_tokens=False, clean_up_tokenization_spaces=False)
        cut = min((place for stop in self.settings.stop if (place := text.find(stop)) >= 0), default=None)
        finished = (end, stopped, cut) != (None, None, None)
        return text[:cut], len(ids) if end is None else end + 1, finished

    def _processors(self, texts: list[str]) -> LogitsProcessorList:
        settings = self.settings
        if settings.temperature == 0:
            return LogitsProcessorList()
        processors: list[LogitsProcessor] = [TemperatureLogitsWarper(settings.temperature)]
        if settings.top_k:
            processors.append(TopKLogitsWarper(settings.top_k))
        if settings.top_p < 1:
            processors.append(TopPLogitsWarper(settings.top_p))
        return LogitsProcessorList([*processors, _Gumbel(settings.seed, texts)])


class _Gumbel(LogitsProcessor):  # type: ignore[misc]
    """Adds noise of which the largest sum is a draw from the softmax; each row has a generator of its own."""

    def __init__(self, seed: int, texts: Sequence[str]):
        digests = [hashlib.sha256(f"{seed}/{text}".encode()).digest() for text in texts]
        # On the CPU: the same draws on every device.
        self.generators = [torch.Generator().manual_seed(int.from_bytes(digest[:7])) for digest in digests]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002
        noise_BV = torch.stack([torch.empty(scores.shape[1]).exponential_(generator=g) for g in self.generators])
        # A draw of exactly 0 would be infinite noise.
        return scores - noise_BV.clamp(min=torch.finfo(noise_BV.dtype).tiny).log().to(scores.device)


class _StopStrings(StoppingCriteria):  # type: ignore[misc]
    """Ends a row whose text holds a stop string.

    transformers' own criterion compares strings with tokens, and misses letters that a byte-level tokenizer cuts
    into several, as it does in most scripts.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str], rows: int, width: int):
        self.tokenizer, self.stops, self.width = tokenizer, stops, width
        self.lengths: list[int | None] = [None] * rows
        # A token has at least a byte, so the string's last token and these hold all of it, and a cut letter before.
        self.reach = max((len(stop.encode()) for stop in stops), default=0) + 8

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:  # noqa: ARG002
        if self.stops:
            length = input_ids.shape[1] - self.width
            for row, ids_S in enumerate(input_ids[:, self.width :][:, -self.reach :].tolist()):
                if self.lengths[row] is None:
                    tail = self.tokenizer.decode(ids_S, skip_special_tokens=False, clean_up_tokenization_spaces=False)
                    if any(stop in tail for stop in self.stops):
                        self.lengths[row] = length
        return torch.tensor([length is not None for length in self.lengths], device=input_ids.device)


def _end_tokens(model: nn.Module, tokenizer: Any) -> set[int]:
    """Every token that ends a text, by the checkpoint's generation configuration and by the tokenizer."""
    config: Any = model.generation_config
    named = config.eos_token_id if config is not None else None
    ends = set(named) if isinstance(named, (list, tuple)) else {named}
    return {int(token) for token in ends | {tokenizer.eos_token_id} if token is not None}
