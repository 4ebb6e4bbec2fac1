"""Texts that a model writes after a prompt: greedy, or sampled in a way that does not depend on the batch.

Sampling adds Gumbel noise to the logits and takes the largest: that draws from the softmax (Gumbel 1954; Maddison et
al. 2014, arXiv:1411.0030). The noise comes from a generator of the prompt's own, so an item's draw is the same in any
batch, and the same under every condition: what differs between them is the model's doing and not chance. Temperature,
top-k and top-p are applied before, in this order, as in transformers. Of a checkpoint's `generation_config.json` the
end tokens alone act: the configuration that transformers sees is built anew.

Texts under all conditions are written together, a row each (`steering.sweep`); a text that has ended leaves the batch.

A text is finished if the model ended it or a stop string did, which is cut off with all that follows; else it was
truncated at `max_new_tokens`. In a conversation the token by which the template ends a turn ends a text too. A stop
string inside a thought ends nothing, and a text that ends inside one is not finished. Texts keep special tokens inside
them (channels of GPT-OSS), for `scoring` to read; where the template has opened the thought, its mark stands before
the text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from transformers import GenerationConfig
from transformers.generation import (
    LogitsProcessor,
    LogitsProcessorList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from polyroute.asking import marks, prompts
from polyroute.asking.prompts import Chat
from polyroute.asking.texts import Texts
from polyroute.ground.errors import AnswerError
from polyroute.models.batches import plan_batches
from polyroute.models.left_padding import left_padding_holds
from polyroute.models.limits import beyond, context, lost, padding_id, words_of
from polyroute.models.taps import Router
from polyroute.models.trial import at_rest
from polyroute.steering.plan import Plan
from polyroute.steering.sweep import Sweep, holds_keys_and_values, rows_of

COLUMNS = ["item_id", "language", "output", "tokens", "finished"]
"""Columns of raw generated answers."""
OnStep = Callable[[Sequence[int | None]], AbstractContextManager[None]]
"""From the item of each row, None where the row is of another condition or has ended, to what is active while the
model reads each row's last token."""
_FOR_ITS_LOOP = (
    "logits_processor", "stopping_criteria", "generation_config", "synced_gpus", "streamer", "assistant_model",
)  # fmt: skip
"""What transformers hands a loop beside the inputs of the model."""


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
) -> pd.DataFrame:
    """What a model writes after every item's prompt as it is: `generate_under` no plan."""
    (found,) = generate_under(model, tokenizer, items, [None], (), settings, conversation=conversation)
    return found


def generate_under(
    model: nn.Module,
    tokenizer: Any,
    items: pd.DataFrame,
    plans: Sequence[Plan | None],
    routers: Sequence[Router],
    settings: GenerationSettings,
    *,
    conversation: Chat | None = None,
    on_answers: Callable[[int], None] = lambda _: None,
    on_step: OnStep | None = None,
) -> list[pd.DataFrame]:
    """What a model writes after every item's prompt under every condition, conditions beside one another in each batch.

    Args:
        model: a causal language model of transformers.
        tokenizer: its tokenizer.
        items: item_id, language, prompt; see `tasks`.
        plans: of each condition; None for the model as it is.
        routers: all of the model's; none are needed where no condition has a plan.
        settings: how.
        conversation: puts prompts into the tokenizer's chat template; None leaves them as they are.
        on_answers: told how many answers were given, of all conditions, after each batch.
        on_step: active while the model reads what it has written without a plan, item by its place in `items`.

    Returns:
        For each condition `COLUMNS`, one row an item, in the order of `items`: the text (empty where the model ended at
        once), its length in tokens with the one that ended it, and whether it is finished.

    Raises:
        AnswerError: a prompt without tokens or too long, no chat template or one that loses the question; names
            language and item.
    """
    texts = texts_of(tokenizer, items, conversation)
    asked = dict(zip(texts, items["prompt"], strict=True))
    rows = prompts.encode(tokenizer, texts, conversation)
    places = check(tokenizer, items, rows, settings, context(model), words_of(model))
    found: list[list[tuple[str, int, bool]]] = [[("", 0, False)] * len(rows) for _ in plans]
    with at_rest(model), torch.inference_mode():
        alike = not left_padding_holds(model)
        for together, batches in _laid_out([len(row) for row in rows], len(plans), settings, alike=alike):
            with Sweep(model, [plans[condition] for condition in together], routers) as sweep:
                runner = _Runner(sweep, tokenizer, settings, places, on_step, conversation, asked)
                for batch in batches:
                    written = runner.run([rows[index] for index in batch], [texts[index] for index in batch], batch)
                    for condition, of_condition in zip(together, written, strict=True):
                        for index, told in zip(batch, of_condition, strict=True):
                            found[condition][index] = told
                    on_answers(len(batch) * len(together))
    return [frame(items, told) for told in found]


def texts_of(tokenizer: Any, items: pd.DataFrame, conversation: Chat | None) -> list[str]:
    """The prompts of items as text.

    Raises:
        AnswerError: no chat template or one that loses the question; names language and item.
    """
    texts = []
    for item_id, language, prompt in zip(items["item_id"], items["language"], items["prompt"], strict=True):
        with prompts.named(f"item {item_id} in {language}"):
            texts.append(prompt if conversation is None else prompts.question(tokenizer, prompt, conversation))
    return texts


def frame(items: pd.DataFrame, told: list[tuple[str, int, bool]]) -> pd.DataFrame:
    """`COLUMNS` of items from the text of each, its tokens and whether it is finished."""
    columns = pd.DataFrame(told, columns=COLUMNS[2:])
    return columns.assign(item_id=items["item_id"].tolist(), language=items["language"].tolist())[COLUMNS]


def _laid_out(
    lengths: list[int], conditions: int, settings: GenerationSettings, *, alike: bool = False
) -> Iterator[tuple[list[int], list[list[int]]]]:
    """Conditions that go together, and batches of items for them: all conditions, wherever an item has room for all."""
    every, budget = list(range(conditions)), settings.batch_tokens
    tokens = [length + settings.max_new_tokens for length in lengths]
    large = [index for index, count in enumerate(tokens) if conditions > 1 and count * conditions > budget]
    roomy = [index for index in range(len(tokens)) if index not in set(large)]
    if roomy:
        batches = plan_batches([tokens[index] * conditions for index in roomy], budget, alike=alike)
        yield every, [[roomy[place] for place in batch] for batch in batches]
    for index in large:
        group = max(1, budget // tokens[index])
        for start in range(0, conditions, group):
            yield every[start : start + group], [[index]]


def check(
    tokenizer: Any, items: pd.DataFrame, rows: list[list[int]], settings: GenerationSettings, allowed: int, words: int
) -> list[str]:
    """That a model can read every prompt; how errors name each.

    Args:
        tokenizer: of the model.
        items: item_id, language.
        rows: token ids of their prompts.
        settings: how texts are generated.
        allowed: tokens that the model can hold.
        words: how many ids its embedding has rows for.

    Raises:
        AnswerError: it cannot; names language and item.
    """
    places = []
    for item_id, language, row in zip(items["item_id"], items["language"], rows, strict=True):
        places.append(place := f"item {item_id} in {language}")
        if (why := beyond(tokenizer, row, words)) is not None:
            raise AnswerError(f"{place}: {why}")
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
    return places


class _Runner:
    """Runs batches of prompts under the conditions of a sweep.

    Shapes: B prompts, S positions, C conditions, R rows that are still written, V words.
    """

    def __init__(
        self, sweep: Sweep, tokenizer: Any, settings: GenerationSettings, places: Sequence[str],
        on_step: OnStep | None = None, conversation: Chat | None = None, asked: Mapping[str, str] | None = None,
    ):  # fmt: skip
        self.sweep, self.settings, self.on_step = sweep, settings, on_step
        self.places = places
        self.device = prompts.device_of(sweep.model)
        self.ends = end_tokens(sweep.model.generation_config, tokenizer) | marks.turn_ends(tokenizer, conversation)
        self.texts = Texts(tokenizer, settings.stop, self.ends, conversation, asked)
        self.pad = padding_id(tokenizer, words_of(sweep.model), min(self.ends, default=0))
        self.config = GenerationConfig(
            max_new_tokens=settings.max_new_tokens, eos_token_id=sorted(self.ends) or None, pad_token_id=self.pad
        )

    def run(self, rows: list[list[int]], texts: list[str], batch: Sequence[int]) -> list[list[tuple[str, int, bool]]]:
        """Text, tokens and whether it is finished, of each row under each condition; `batch` numbers the items."""
        width = max(map(len, rows))
        # On the left, so that every text goes on from its last column.
        ids_BS = torch.tensor([[self.pad] * (width - len(row)) + row for row in rows], device=self.device)
        real_BS = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=self.device)
        written: list[list[int]] = []
        opened = [self.texts.opened(text) for text in texts]

        def decode(model: Any, ids_BS: Tensor, *_prepared: Any, **kwargs: Any) -> Tensor:
            own = {name: value for name, value in kwargs.items() if name not in _FOR_ITS_LOOP}
            written.extend(self._written(model, ids_BS, real_BS.bool(), texts, opened, own, batch))
            return ids_BS

        # Preparing inputs and caches is the architecture's matter and stays with transformers; the loop is ours.
        with _nothing_of_its_own(self.sweep.model) as model:
            model.generate(
                input_ids=ids_BS, attention_mask=real_BS, generation_config=self.config, custom_generate=decode
            )
        told = [self.texts.told(ids, opened[place % len(rows)]) for place, ids in enumerate(written)]
        return [told[start : start + len(rows)] for start in range(0, len(told), len(rows))]

    def _written(
        self, model: Any, ids_BS: Tensor, real_BS: Tensor, texts: list[str], opened: list[str], kwargs: dict[str, Any],
        batch: Sequence[int],
    ) -> list[list[int]]:  # fmt: skip
        """Token ids after each prompt, prompts within conditions, up to what ends each."""
        items, sweep = len(ids_BS), self.sweep
        inputs = model.prepare_inputs_for_generation(ids_BS, is_first_iteration=True, **kwargs)
        left = sweep.prefill(real_BS, **inputs, return_dict=True)
        kwargs = model._update_model_kwargs_for_generation(left.output, kwargs)
        condition_of = sweep.conditions(items)
        everyone = torch.arange(items).repeat(len(sweep.plans))
        ids_RS, kwargs = rows_of((ids_BS, kwargs), everyone, items)
        cache = kwargs.get("past_key_values")
        if cache is not None:
            left.spread()
        sweep.assign(condition_of)
        scores_RV = left.output.logits[:, -1].float()
        scores_RV = scores_RV[left.row_CB.flatten().to(scores_RV.device)]
        del left
        warp, noise = self._warpers(), self._noise(texts)
        written: list[list[int]] = [[] for _ in condition_of]
        ended = [False] * len(written)
        places = list(range(len(condition_of)))
        """Of each row that is still written, its place among all."""
        while True:
            self._check_finite(scores_RV, [None if ended[place] else batch[place % items] for place in places])
            scores_RV = warp(ids_RS, scores_RV)
            if noise is not None:
                scores_RV = scores_RV + noise(scores_RV.shape[1])[torch.tensor(places) % items].to(scores_RV.device)
            next_R = scores_RV.argmax(-1).to(ids_RS.device)
            ids_RS = torch.cat([ids_RS, next_R[:, None]], 1)
            for place, token in zip(places, next_R.tolist(), strict=True):
                if not ended[place]:
                    written[place].append(token)
                    ended[place] = token in self.ends or self.texts.stops(written[place], opened[place % items])
            going = [row for row, place in enumerate(places) if not ended[place]]
            if not going or ids_RS.shape[1] == ids_BS.shape[1] + self.settings.max_new_tokens:
                return written
            if len(going) < len(places) and (cache is None or holds_keys_and_values(cache)):
                kept = torch.tensor(going)
                ids_RS, kwargs = rows_of((ids_RS, kwargs), kept, len(places))
                if cache is not None:
                    cache.batch_select_indices(kept.to(cache.layers[0].keys.device))
                places = [places[row] for row in going]
                sweep.assign([condition_of[place] for place in places])
            inputs = model.prepare_inputs_for_generation(
                ids_RS, next_sequence_length=1 if kwargs["use_cache"] else None, **kwargs
            )
            watched = (
                None if ended[place] or sweep.plans[condition_of[place]] is not None else batch[place % items]
                for place in places
            )
            with nullcontext() if self.on_step is None else self.on_step(list(watched)):
                output = model(**inputs, return_dict=True)
            kwargs = model._update_model_kwargs_for_generation(output, kwargs)
            scores_RV = output.logits[:, -1].float()

    def _check_finite(self, scores_RV: Tensor, asked: list[int | None]) -> None:
        for item, broken in zip(asked, lost(scores_RV).tolist(), strict=True):
            if broken and item is not None:
                raise AnswerError(
                    f"{self.places[item]}: the logits of its next token are NaN or infinite, so nothing can be "
                    "written: try `dtype: float32`, or `experts: eager`; if that does not help, the checkpoint's "
                    "weights are not whole"
                )

    def _warpers(self) -> LogitsProcessorList:
        settings = self.settings
        if settings.temperature == 0:
            return LogitsProcessorList()
        warpers: list[LogitsProcessor] = [TemperatureLogitsWarper(settings.temperature)]
        if settings.top_k:
            warpers.append(TopKLogitsWarper(settings.top_k))
        if settings.top_p < 1:
            warpers.append(TopPLogitsWarper(settings.top_p))
        return LogitsProcessorList(warpers)

    def _noise(self, texts: Sequence[str]) -> Callable[[int], Tensor] | None:
        """From the number of words to (B, V) noise of the next token, a row a prompt; None where nothing is drawn."""
        if self.settings.temperature == 0:
            return None
        digests = [hashlib.sha256(f"{self.settings.seed}/{text}".encode()).digest() for text in texts]
        # On the CPU: the same draws on every device.
        generators = [torch.Generator().manual_seed(int.from_bytes(digest[:7])) for digest in digests]

        def draw(words: int) -> Tensor:
            waits_BV = torch.stack([torch.empty(words).exponential_(generator=one) for one in generators])
            # A draw of exactly 0 would be infinite noise.
            return -waits_BV.clamp(min=torch.finfo(waits_BV.dtype).tiny).log()

        return draw


@contextmanager
def _nothing_of_its_own(model: nn.Module) -> Iterator[Any]:
    """A model whose generation configuration asks for nothing, as long as this lasts."""
    kept, model.generation_config = model.generation_config, GenerationConfig()
    try:
        yield model
    finally:
        model.generation_config = kept


def end_tokens(config: Any, tokenizer: Any) -> set[int]:
    """Every token that ends a text, by the checkpoint's generation configuration and by the tokenizer."""
    named = config.eos_token_id if config is not None else None
    ends = set(named) if isinstance(named, (list, tuple)) else {named}
    return {int(token) for token in ends | {tokenizer.eos_token_id} if token is not None}
