"""Choices scored by likelihood: how probable a model finds each text after the prompt.

A choice's log likelihood is the sum over its tokens t of ln p(t | prompt, tokens of the choice before t), in nats.
Three readings of which choice is likeliest are kept: the sum, the sum by the choice's tokens and the sum by its
characters (blanks at its ends apart). Longer choices lose by the first, choices of rare words by the second.

Where prompt ends and choice begins, lm-evaluation-harness is followed (`lm_eval/api/model.py`, `_encode_pair`): blanks
at the prompt's end move to the choice; prompt and choice are cut into tokens together; the first n of these tokens,
n being the prompt's own number of tokens, are the prompt and the rest is the choice. A tokenizer that cuts the last
letters of the prompt otherwise when the choice follows (it merges over the boundary) makes this differ from the text
by a few letters: it is counted and told as a warning. Unlike the harness, tokens that the tokenizer adds after a text
(EOS) are left out. In a chat, blanks before a choice are left out too, since its template ends in a line break or
a special token.

Each prompt runs once, its choices on the keys and values that it left; choices of one token need no second run at all.
Prompts of several lengths run together, padded on the left, as in generation. Models whose cache cannot be shared
(recurrent states) run every prompt with every choice, padded on the right, where causal models cannot see it. Both ways
give the same numbers but for the last digits (1e-4 in float32).
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from polyroute.asking import prompts
from polyroute.asking.prompts import Chat
from polyroute.ground.errors import AnswerError
from polyroute.models.trial import at_rest

log = logging.getLogger(__name__)

COLUMNS = ["item_id", "language", "log_likelihoods", "tokens", "characters"]
"""Columns of raw answers to choices; the last three hold a list each, one entry a choice."""


@dataclass(frozen=True)
class _Asked:
    """An item in tokens."""

    place: str
    """How errors name it."""
    prompt: list[int]
    choices: list[list[int]]

    @property
    def longest(self) -> int:
        """Tokens of the longest choice."""
        return max(map(len, self.choices))


def score(
    model: nn.Module,
    tokenizer: Any,
    items: pd.DataFrame,
    *,
    batch_tokens: int,
    max_tokens: int = 4096,
    conversation: Chat | None = None,
    share_prompts: bool = True,
) -> pd.DataFrame:
    """Log likelihoods of every item's choices.

    Args:
        model: a causal language model of transformers.
        tokenizer: its tokenizer.
        items: item_id, language, prompt, choices (list of texts that follow the prompt); see `tasks`.
        batch_tokens: padded tokens of a batch: those of the prompts, or where a choice has several tokens those of
            every choice with its prompt, which is what the cache then holds. A larger item is a batch by itself.
        max_tokens: a longer prompt with choice is an error; nothing is truncated.
        conversation: puts prompts into the tokenizer's chat template; None leaves them as they are.
        share_prompts: False runs every prompt with every choice, as a reference.

    Returns:
        `COLUMNS`, one row an item, in the order of `items`; log likelihoods in nats.

    Raises:
        AnswerError: a prompt or choice without tokens or too long, no chat template, or a likelihood that is NaN
            or infinite; names language and item.
    """
    asked = _encoded(tokenizer, items, conversation)
    limit = min(max_tokens, prompts.context(model))
    for item in asked:
        if len(item.prompt) + item.longest > limit:
            raise AnswerError(
                f"{item.place}: prompt and choice have {len(item.prompt) + item.longest} tokens, more than {limit} "
                "(the smaller of max_tokens and the model's context); they are not truncated"
            )
    scorer = _Scorer(model, share_prompts)
    found: list[NDArray[np.float64] | None] = [None] * len(asked)
    with at_rest(model):
        for batch in _batches(asked, batch_tokens, share_prompts):
            nats_BC = scorer.nats([asked[index] for index in batch])
            for index, nats_C in zip(batch, nats_BC, strict=True):
                if not np.isfinite(nats_C).all():
                    raise AnswerError(
                        f"{asked[index].place}: the log likelihoods of its choices are {nats_C.tolist()}; the model's "
                        "logits are NaN or infinite: try float32, or another experts implementation"
                    )
                found[index] = nats_C
    return pd.DataFrame(
        {
            "item_id": items["item_id"].tolist(),
            "language": items["language"].tolist(),
            "log_likelihoods": [[] if nats_C is None else nats_C.tolist() for nats_C in found],
            "tokens": [[len(choice) for choice in item.choices] for item in asked],
            "characters": [[len(choice.strip()) for choice in told] for told in items["choices"]],
        },
        columns=COLUMNS,
    )


def _encoded(tokenizer: Any, items: pd.DataFrame, conversation: Chat | None) -> list[_Asked]:
    texts, told = [], []
    for prompt, choices in zip(items["prompt"], items["choices"], strict=True):
        if conversation is None:
            bare = prompt.rstrip()
            texts.append(bare)
            told.append([prompt[len(bare) :] + choice for choice in choices])
        else:
            texts.append(prompts.answer_place(tokenizer, prompt, conversation))
            told.append([choice.lstrip() for choice in choices])
    encoded = prompts.encode(tokenizer, texts, conversation)
    joined = [prompt + choice for prompt, choices in zip(texts, told, strict=True) for choice in choices]
    whole = iter(prompts.encode(tokenizer, joined, conversation))
    asked, merged = [], []
    for item_id, language, ids, choices in zip(items["item_id"], items["language"], encoded, told, strict=True):
        place = f"item {item_id} in {language}"
        if not ids:
            raise AnswerError(f"{place}: its prompt gives no tokens, so nothing predicts a choice's first one")
        rows = list(islice(whole, len(choices)))
        cut = [row[len(ids) :] for row in rows]
        for choice, row in zip(choices, cut, strict=True):
            if not row:
                raise AnswerError(
                    f"{place}: the choice `{choice}` leaves no token of its own after the prompt; it is empty, or this "
                    "tokenizer merges it with the prompt's end: begin it with a blank"
                )
        if any(row[: len(ids)] != ids for row in rows):
            merged.append(place)
        asked.append(_Asked(place, ids, cut))
    if merged:
        log.warning(
            "in %d of %d items the tokenizer merges the prompt's end with a choice, such as %s: their choices are cut "
            "where the prompt alone would end",
            len(merged), len(asked), merged[0],
        )  # fmt: skip
    return asked


def _batches(asked: list[_Asked], budget: int, shared: bool) -> Iterator[list[int]]:
    """Indices of items with as many choices and about equally long prompts, the largest first: memory fails at once."""
    alike: dict[int, list[int]] = {}
    for index in sorted(range(len(asked)), key=lambda i: (-len(asked[i].prompt), -asked[i].longest, i)):
        alike.setdefault(len(asked[index].choices), []).append(index)
    for choices, group in alike.items():
        batch: list[int] = []
        width = 0
        for index in group:
            length = len(asked[batch[0] if batch else index].prompt)  # the longest comes first
            wider = max(width, asked[index].longest)
            tokens = length if shared and wider == 1 else choices * (length + wider)
            if batch and (len(batch) + 1) * tokens > budget:
                yield batch
                batch, wider = [], asked[index].longest
            batch.append(index)
            width = wider
        yield batch


class _Scorer:
    """Runs batches of items with equally many choices."""

    def __init__(self, model: nn.Module, share_prompts: bool):
        self.model, self.share_prompts = model, share_prompts
        self.device = prompts.device_of(model)
        self.takes = inspect.signature(model.forward).parameters

    def nats(self, batch: list[_Asked]) -> NDArray[np.float64]:
        """(B, C) log likelihood of each item's choices."""
        width = max(item.longest for item in batch)
        rows = [choice for item in batch for choice in item.choices]
        # Padding comes last, where causal attention cannot see it.
        choices_RW = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=self.device)
        real_RW = torch.arange(width) < torch.tensor([len(row) for row in rows])[:, None]
        with torch.inference_mode():
            nats_RW = self._shared(batch, choices_RW) if self.share_prompts else None
            if nats_RW is None:
                nats_RW = self._whole(batch, choices_RW)
        nats_R = torch.where(real_RW, nats_RW.cpu().double(), 0).sum(1)
        return nats_R.view(len(batch), -1).numpy()

    def _shared(self, batch: list[_Asked], choices_RW: Tensor) -> Tensor | None:
        """Each prompt once; None where its cache cannot serve several choices."""
        count, width = len(batch[0].choices), choices_RW.shape[1]
        lengths_B = torch.tensor([len(item.prompt) for item in batch], device=self.device)
        longest = int(lengths_B.max())
        # On the left, so that every choice goes on from the last column.
        prompts_BP = torch.tensor([[0] * (longest - len(item.prompt)) + item.prompt for item in batch]).to(self.device)
        real_BP = torch.arange(longest, device=self.device) >= longest - lengths_B[:, None]
        output = self._run(prompts_BP, real_BP, use_cache=width > 1, **self._known(logits_to_keep=1))
        logits_RV = output.logits[:, -1].repeat_interleave(count, dim=0)
        first_R1 = _log_probabilities(logits_RV[:, None], choices_RW[:, :1])
        if width == 1:
            return first_R1
        cache = output.past_key_values
        del output
        if not _serves_several(cache):
            log.info("%s: its cache cannot be shared, so prompts run with every choice", type(self.model).__name__)
            self.share_prompts = False
            return None
        cache.batch_repeat_interleave(count)
        before_RW = choices_RW[:, :-1]
        real_RS = torch.cat([real_BP.repeat_interleave(count, dim=0), torch.ones_like(before_RW, dtype=torch.bool)], 1)
        rest = self._run(before_RW, real_RS, past_key_values=cache, use_cache=True)
        return torch.cat([first_R1, _log_probabilities(rest.logits, choices_RW[:, 1:])], dim=1)

    def _run(self, ids: Tensor, real_RS: Tensor, **more: Any) -> Any:
        """The model on the last columns of rows that are padded on the left."""
        positions = (real_RS.long().cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        known = self._known(position_ids=positions)
        return self.model(input_ids=ids, attention_mask=real_RS.long(), **known, **more)

    def _whole(self, batch: list[_Asked], choices_RW: Tensor) -> Tensor:
        count, width = len(batch[0].choices), choices_RW.shape[1]
        lengths = [len(item.prompt) for item in batch]
        shortest, longest = min(lengths), max(lengths)
        prompts_RP = torch.tensor([item.prompt + [0] * (longest - len(item.prompt)) for item in batch])
        ids_RS = torch.nn.functional.pad(prompts_RP, (0, width)).to(self.device).repeat_interleave(count, dim=0)
        lengths_R = torch.tensor(lengths, device=self.device).repeat_interleave(count)
        places_RW = lengths_R[:, None] + torch.arange(width, device=self.device)
        ids_RS.scatter_(1, places_RW, choices_RW)
        kept = longest + width - shortest + 1
        output = self.model(input_ids=ids_RS, use_cache=False, **self._known(logits_to_keep=kept))
        logits_RKV = output.logits[:, -kept:]
        before_RW = (places_RW - shortest).to(logits_RKV.device)
        rows_R1 = torch.arange(len(lengths_R), device=logits_RKV.device)[:, None]
        return _log_probabilities(logits_RKV[rows_R1, before_RW], choices_RW)

    def _known(self, **arguments: Any) -> dict[str, Any]:
        """Those of the arguments that this architecture takes. Logits of all positions would be the largest tensor."""
        return {name: value for name, value in arguments.items() if name in self.takes}


def _log_probabilities(logits_RWV: Tensor, ids_RW: Tensor) -> Tensor:
    """(R, W) natural log of the probability of each token, in float32."""
    # As rows of one vocabulary each: over any other axis the CPU adds up 150,000 exponentials one by one in float32,
    # which costs up to 3e-4 nats and ten times the seconds.
    logits_NV = logits_RWV.float().flatten(0, 1)
    ids_N = ids_RW.flatten().to(logits_NV.device)
    return -torch.nn.functional.cross_entropy(logits_NV, ids_N, reduction="none").view(ids_RW.shape)


def _serves_several(cache: object) -> bool:
    """Whether a cache holds keys and values alone, which can be repeated for rows that go on differently."""
    return isinstance(cache, DynamicCache) and all(
        type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in cache.layers
    )
