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

Each prompt runs once for all conditions as far as these do the same to it (`steering.sweep`), its choices on the keys
and values that it left, in one row behind it (`choice_tree`); choices of one token need no second run at all. Prompts
of several lengths run together, padded on the left, as in generation. Models that take no mask of ours, or see no
further than a window, have a row for each choice. Models whose cache cannot be shared (recurrent states) and those
that padding on the left moves (`models.left_padding`) run every prompt with every choice, padded on the right, where
causal models cannot see it. All ways give the same numbers but
for the last digits (1e-4 in float32).
"""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from polyroute.asking import prompts
from polyroute.asking.choice_tree import ChoiceTree, pack, tree_of
from polyroute.asking.prompts import Chat
from polyroute.ground.errors import AnswerError
from polyroute.models.left_padding import left_padding_holds
from polyroute.models.limits import beyond, context, words_of
from polyroute.models.taps import Router
from polyroute.models.trial import at_rest
from polyroute.steering.plan import Plan
from polyroute.steering.sweep import Read, Sweep, holds_keys_and_values

log = logging.getLogger(__name__)

Way = Literal["packed", "repeated", "whole"]
"""How choices go on from their prompt: all in one row behind it (`choice_tree`), each in a row with a copy of its keys
and values, or each with the whole prompt."""
CACHED = 8
"""Of choices in rows of their own: how many tokens the cache holds at most for each that runs through the model."""
_PACKS: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
COLUMNS = ["item_id", "language", "log_likelihoods", "tokens", "characters"]
"""Columns of raw answers to choices; the last three hold a list each, one entry a choice."""


@dataclass(frozen=True)
class Asked:
    """An item in tokens."""

    place: str
    """How errors name it."""
    prompt: list[int]
    choices: list[list[int]]

    @property
    def longest(self) -> int:
        """Tokens of the longest choice."""
        return max(map(len, self.choices))

    @cached_property
    def tree(self) -> ChoiceTree:
        """The choices behind the prompt as one text."""
        return tree_of(self.choices)


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
    """Log likelihoods of every item's choices by the model as it is: `score_under` no plan."""
    (found,) = score_under(
        model, tokenizer, items, [None], (), batch_tokens=batch_tokens, max_tokens=max_tokens,
        conversation=conversation, share_prompts=share_prompts,
    )  # fmt: skip
    return found


def score_under(
    model: nn.Module,
    tokenizer: Any,
    items: pd.DataFrame,
    plans: Sequence[Plan | None],
    routers: Sequence[Router],
    *,
    batch_tokens: int,
    max_tokens: int = 4096,
    conversation: Chat | None = None,
    share_prompts: bool = True,
    on_answers: Callable[[int], None] = lambda _: None,
) -> list[pd.DataFrame]:
    """Log likelihoods of every item's choices under every condition, conditions beside one another in each batch.

    Args:
        model: a causal language model of transformers.
        tokenizer: its tokenizer.
        items: item_id, language, prompt, choices (list of texts that follow the prompt); see `tasks`.
        plans: of each condition; None for the model as it is.
        routers: all of the model's; none are needed where no condition has a plan.
        batch_tokens: padded tokens that run together, of the prompts or of their choices; a condition has its own. An
            item that is larger with all its conditions goes with as many of them as the batch holds, and one at least.
        max_tokens: a longer prompt with choice is an error; nothing is truncated.
        conversation: puts prompts into the tokenizer's chat template; None leaves them as they are.
        share_prompts: False runs every prompt with every choice, as a reference.
        on_answers: told how many answers were given, of all conditions, after each batch.

    Returns:
        For each condition `COLUMNS`, one row an item, in the order of `items`; log likelihoods in nats.

    Raises:
        AnswerError: a prompt or choice without tokens or too long, no chat template, or a likelihood that is NaN
            or infinite; names language and item.
    """
    asked = encoded(tokenizer, items, conversation)
    check(tokenizer, asked, min(max_tokens, context(model)), words_of(model))
    found: list[list[list[float]]] = [[[] for _ in asked] for _ in plans]
    with at_rest(model):
        way = _way(model, asked) if share_prompts else "whole"
        for together, batches in _laid_out(asked, len(plans), batch_tokens, way):
            with Sweep(model, [plans[condition] for condition in together], routers) as sweep:
                scorer = _Scorer(sweep, way)
                for batch in batches:
                    nats_CBK = scorer.nats([asked[index] for index in batch])
                    for condition, nats_BK in zip(together, nats_CBK, strict=True):
                        for index, nats_K in zip(batch, nats_BK, strict=True):
                            found[condition][index] = finite(nats_K, asked[index]).tolist()
                    on_answers(len(batch) * len(together))
    return [frame(items, asked, nats) for nats in found]


def check(tokenizer: Any, asked: list[Asked], limit: int, words: int) -> None:
    """That a model can read every item.

    Args:
        tokenizer: of the model.
        asked: items in tokens.
        limit: tokens of a prompt with a choice, at most.
        words: how many ids the model's embedding has rows for.

    Raises:
        AnswerError: it cannot; names language and item.
    """
    for item in asked:
        if (why := beyond(tokenizer, [*item.prompt, *chain.from_iterable(item.choices)], words)) is not None:
            raise AnswerError(f"{item.place}: {why}")
        if len(item.prompt) + item.longest > limit:
            raise AnswerError(
                f"{item.place}: prompt and choice have {len(item.prompt) + item.longest} tokens, more than {limit} "
                "(the smaller of max_tokens and the model's context); they are not truncated"
            )


def frame(items: pd.DataFrame, asked: list[Asked], nats: list[list[float]]) -> pd.DataFrame:
    """`COLUMNS` of items from the log likelihoods of their choices."""
    columns = {
        "item_id": items["item_id"].tolist(),
        "language": items["language"].tolist(),
        "tokens": [[len(choice) for choice in item.choices] for item in asked],
        "characters": [[len(choice.strip()) for choice in told] for told in items["choices"]],
        "log_likelihoods": nats,
    }
    return pd.DataFrame(columns, columns=COLUMNS)


def finite(nats_K: NDArray[np.float64], item: Asked) -> NDArray[np.float64]:
    """The log likelihoods of an item's choices, or an `AnswerError` that names it."""
    if not np.isfinite(nats_K).all():
        raise AnswerError(
            f"{item.place}: the log likelihoods of its choices are {nats_K.tolist()}; the model's logits are NaN or "
            "infinite: try float32, or another experts implementation"
        )
    return nats_K


def encoded(tokenizer: Any, items: pd.DataFrame, conversation: Chat | None) -> list[Asked]:
    """Items in tokens, prompts and choices cut as the module's docstring says.

    Raises:
        AnswerError: a prompt or choice without tokens, or no chat template; names language and item.
    """
    texts, told = [], []
    for item_id, language, prompt, choices in zip(
        items["item_id"], items["language"], items["prompt"], items["choices"], strict=True
    ):
        if conversation is None:
            bare = prompt.rstrip()
            texts.append(bare)
            told.append([prompt[len(bare) :] + choice for choice in choices])
        else:
            with prompts.named(f"item {item_id} in {language}"):
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
        asked.append(Asked(place, ids, cut))
    if merged:
        log.warning(
            "in %d of %d items the tokenizer merges the prompt's end with a choice, such as %s: their choices are cut "
            "where the prompt alone would end",
            len(merged), len(asked), merged[0],
        )  # fmt: skip
    return asked


def _way(model: nn.Module, asked: list[Asked]) -> Way:
    """How choices go on from prompts: in the cheapest way that this model gives the right numbers in."""
    if not left_padding_holds(model):
        return "whole"
    config: Any = model.config.get_text_config()  # type: ignore[operator, union-attr]
    # A mask of our own takes the place of the model's, which sees no further than this.
    sees = min(getattr(config, name, None) or 2**62 for name in ("sliding_window", "attention_chunk_size"))
    if any(len(item.prompt) + len(item.tree.tokens) > sees for item in asked):
        return "repeated"
    if model not in _PACKS:
        _PACKS[model] = getattr(config, "_attn_implementation", None) in ("sdpa", "eager") and _packs(model)
    return "packed" if _PACKS[model] else "repeated"


def _packs(model: nn.Module) -> bool:
    """Whether a model heeds a mask and positions of ours, by a trial on a few tokens."""
    words: Any = model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    few = [[token * 7919 % words for token in row] for row in ([1, 2, 3, 4, 5, 6], [7, 8, 9])]
    choices = [[token * 104729 % words for token in row] for row in ([1, 2, 3], [1, 2, 4], [5, 6], [7, 8, 9])]
    batch = [Asked("", prompt, choices) for prompt in few]
    with Sweep(model, [None], ()) as sweep:
        repeated = _Scorer(sweep, "repeated")
        expected = repeated.nats(batch)
        if repeated.way != "repeated":
            return False
        try:
            found = _Scorer(sweep, "packed").nats(batch)
        # Whatever an architecture makes of a mask that it did not expect.
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError, KeyError) as error:
            log.info("%s: choices do not share a row: %s: %s", type(model).__name__, type(error).__name__, error)
            return False
    eps = torch.finfo(next(model.parameters()).dtype).eps
    return bool(np.abs(found - expected).max() <= max(1e-4, 16 * eps) * np.abs(expected).max())


def _laid_out(
    asked: list[Asked], conditions: int, budget: int, way: Way
) -> Iterator[tuple[list[int], list[list[int]]]]:
    """Conditions that go together, and batches of items for them: all conditions, wherever an item has room for all."""
    every = list(range(conditions))
    roomy: list[list[int]] = []
    large: list[list[int]] = []
    for batch in _batches(asked, max(1, budget // conditions), way):
        wide = _tokens(asked[batch[0]], max(_width(asked[index], way) for index in batch), way) * conditions > budget
        (large if wide and conditions > 1 else roomy).append(batch)
    if roomy:
        yield every, roomy
    for batch in large:  # one item
        (item,) = (asked[index] for index in batch)
        group = max(1, budget // _tokens(item, _width(item, way), way))
        for start in range(0, conditions, group):
            yield every[start : start + group], [batch]


def _width(item: Asked, way: Way) -> int:
    """How wide the choices of an item are behind its prompt."""
    return len(item.tree.tokens) if way == "packed" else item.longest


def _tokens(item: Asked, width: int, way: Way) -> int:
    """Padded tokens of an item among others with choices so wide, as a batch counts them."""
    prompt, choices = len(item.prompt), len(item.choices)
    if way == "packed":
        return max(prompt, width)
    if way == "whole":
        return choices * (prompt + width)
    if width == 1:
        return prompt
    return max(prompt, choices * (width - 1), math.ceil(choices * (prompt + width) / CACHED))


def _batches(asked: list[Asked], budget: int, way: Way) -> Iterator[list[int]]:
    """Indices of items with as many choices and about equally long prompts, the largest first: memory fails at once."""
    alike: dict[int, list[int]] = {}
    for index in sorted(range(len(asked)), key=lambda i: (-len(asked[i].prompt), -_width(asked[i], way), i)):
        alike.setdefault(len(asked[index].choices), []).append(index)
    for group in alike.values():
        batch: list[int] = []
        width = 0
        for index in group:
            wider = max(width, _width(asked[index], way))
            # The longest comes first.
            if batch and (len(batch) + 1) * _tokens(asked[batch[0]], wider, way) > budget:
                yield batch
                batch, wider = [], _width(asked[index], way)
            batch.append(index)
            width = wider
        yield batch


class _Scorer:
    """Runs batches of items with equally many choices under the conditions of a sweep.

    Shapes: C conditions, B items, K choices of an item, N = B * K texts, R rows, P positions of prompts, W of choices,
    Q of trees, V words.
    """

    def __init__(self, sweep: Sweep, way: Way):
        self.sweep, self.way = sweep, way
        self.device = prompts.device_of(sweep.model)
        self.takes = inspect.signature(sweep.model.forward).parameters

    def nats(self, batch: list[Asked]) -> NDArray[np.float64]:
        """(C, B, K) log likelihood of each item's choices."""
        width = max(item.longest for item in batch)
        rows = [choice for item in batch for choice in item.choices]
        # Padding comes last, where causal attention cannot see it.
        ids_BKW = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=self.device)
        ids_BKW = ids_BKW.view(len(batch), -1, width)
        real_NW = torch.arange(width) < torch.tensor([len(row) for row in rows])[:, None]
        with torch.inference_mode():
            nats_CBKW = None if self.way == "whole" else self._shared(batch, ids_BKW)
            if nats_CBKW is None:
                nats_CBKW = self._whole(batch, ids_BKW)
        return torch.where(real_NW.view(ids_BKW.shape), nats_CBKW.cpu().double(), 0).sum(-1).numpy()

    def _shared(self, batch: list[Asked], ids_BKW: Tensor) -> Tensor | None:
        """Each prompt once; None where its cache cannot serve several choices."""
        width = ids_BKW.shape[2]
        lengths_B = torch.tensor([len(item.prompt) for item in batch], device=self.device)
        longest = int(lengths_B.max())
        # On the left, so that every choice goes on from the last column.
        prompts_BP = torch.tensor([[0] * (longest - len(item.prompt)) + item.prompt for item in batch]).to(self.device)
        real_BP = torch.arange(longest, device=self.device) >= longest - lengths_B[:, None]
        left = self.sweep.prefill(
            real_BP, input_ids=prompts_BP, attention_mask=real_BP.long(), use_cache=width > 1,
            **self._known(position_ids=_positions(real_BP), logits_to_keep=1),
        )  # fmt: skip
        first_RV = left.output.logits[:, -1].float().log_softmax(-1)
        first_CBK: Tensor = first_RV[left.row_CB.to(first_RV.device)].gather(
            -1, ids_BKW[..., 0].to(first_RV.device).expand(len(left.row_CB), -1, -1)
        )
        if width == 1:
            return first_CBK[..., None]
        cache = left.output.past_key_values
        if not holds_keys_and_values(cache):
            name = type(self.sweep.model).__name__
            log.info("%s: its cache cannot be shared, so prompts run with every choice", name)
            self.way = "whole"
            return None
        rest_CBKW = (self._packed if self.way == "packed" else self._repeated)(batch, ids_BKW, real_BP, left)
        return torch.cat([first_CBK[..., None].to(rest_CBKW.device), rest_CBKW], -1)

    def _packed(self, batch: list[Asked], ids_BKW: Tensor, real_BP: Tensor, left: Read) -> Tensor:
        """(C, B, K, W - 1) of all but the first tokens of choices, those of an item in one row behind its prompt."""
        width = ids_BKW.shape[2]
        # As attention computes it: weights may be kept in fewer bits.
        dtype = left.output.past_key_values.layers[0].keys.dtype
        packed = pack([item.tree for item in batch], real_BP, width, dtype)
        rest = self.sweep.follow(
            left, packed.real_BQ, input_ids=packed.ids_BQ, attention_mask=packed.mask_B1QS,
            **self._known(position_ids=packed.positions_BQ),
        )  # fmt: skip
        logits_RQV = rest.output.logits
        text_R = rest.text_R.to(logits_RQV.device)
        # Over the last axis it takes half the time of `logsumexp`.
        nats_RQV = logits_RQV.float().log_softmax(-1)
        node_RKW = packed.node_BKW.to(logits_RQV.device)[text_R]
        ids_RKW = ids_BKW[..., 1:].to(logits_RQV.device)[text_R]
        rows_R11 = torch.arange(len(text_R), device=logits_RQV.device)[:, None, None]
        nats_RKW: Tensor = nats_RQV[rows_R11, node_RKW, ids_RKW]
        return nats_RKW[rest.row_CB.to(nats_RKW.device)]

    def _repeated(self, _batch: list[Asked], ids_BKW: Tensor, real_BP: Tensor, left: Read) -> Tensor:
        """The same, each choice in a row of its own, with a copy of what its prompt left."""
        items, choices, width = ids_BKW.shape
        before_NW = ids_BKW[..., :-1].flatten(0, 1)
        real_NW = torch.ones_like(before_NW, dtype=torch.bool)
        real_NS = torch.cat([real_BP.repeat_interleave(choices, 0), real_NW], 1)
        rest = self.sweep.follow(
            left, real_NW, input_ids=before_NW, attention_mask=real_NS.long(),
            **self._known(position_ids=_positions(real_NS)[:, real_BP.shape[1] :]),
        )  # fmt: skip
        ids_RW = ids_BKW[..., 1:].flatten(0, 1)[rest.text_R.to(ids_BKW.device)]
        nats_RW = _log_probabilities(rest.output.logits, ids_RW)
        return nats_RW[rest.row_CB.to(nats_RW.device)].view(-1, items, choices, width - 1)

    def _whole(self, batch: list[Asked], ids_BKW: Tensor) -> Tensor:
        """Every prompt with every choice."""
        _, choices, width = ids_BKW.shape
        lengths = [len(item.prompt) for item in batch]
        shortest, longest = min(lengths), max(lengths)
        prompts_BP = torch.tensor([item.prompt + [0] * (longest - len(item.prompt)) for item in batch])
        ids_NS = torch.nn.functional.pad(prompts_BP, (0, width)).to(self.device).repeat_interleave(choices, dim=0)
        lengths_N = torch.tensor(lengths, device=self.device).repeat_interleave(choices)
        places_NW = lengths_N[:, None] + torch.arange(width, device=self.device)
        ids_NS.scatter_(1, places_NW, ids_BKW.flatten(0, 1))
        kept = longest + width - shortest + 1
        real_NS = torch.arange(longest + width, device=self.device) < lengths_N[:, None] + width
        told = self.sweep.prefill(real_NS, input_ids=ids_NS, use_cache=False, **self._known(logits_to_keep=kept))
        logits_RKV = told.output.logits[:, -kept:]
        text_R = told.text_R.to(logits_RKV.device)
        before_RW = (places_NW - shortest).to(logits_RKV.device)[text_R]
        rows_R1 = torch.arange(len(text_R), device=logits_RKV.device)[:, None]
        ids_RW = ids_BKW.flatten(0, 1).to(logits_RKV.device)[text_R]
        nats_RW = _log_probabilities(logits_RKV[rows_R1, before_RW], ids_RW)
        return nats_RW[told.row_CB.to(nats_RW.device)].view(-1, *ids_BKW.shape)

    def _known(self, **arguments: Any) -> dict[str, Any]:
        """Those of the arguments that this architecture takes. Logits of all positions would be the largest tensor."""
        return {name: value for name, value in arguments.items() if name in self.takes}


def _positions(real_RS: Tensor) -> Tensor:
    """Of tokens in rows that are padded on the left."""
    return (real_RS.long().cumsum(1) - 1).clamp(min=0)


def _log_probabilities(logits_RWV: Tensor, ids_RW: Tensor) -> Tensor:
    """(R, W) natural log of the probability of each token, in float32."""
    # As rows of one vocabulary each: over any other axis the CPU adds up 150,000 exponentials one by one in float32,
    # which costs up to 3e-4 nats and ten times the seconds.
    logits_NV = logits_RWV.float().flatten(0, 1)
    ids_N = ids_RW.flatten().to(logits_NV.device)
    return -torch.nn.functional.cross_entropy(logits_NV, ids_N, reduction="none").view(ids_RW.shape)
