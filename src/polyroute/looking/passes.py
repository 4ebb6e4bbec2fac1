"""One text through a model: a trace of one sentence, and beside it the experts of every token.

Shapes: T counted tokens, L layers, E experts, K chosen experts a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from polyroute.artifacts.trace import Trace
from polyroute.models.routers import Router, RouterCall, observe
from polyroute.tracing.collect import TraceSettings, encode, trace

DROPPED = -1
"""Stands for a choice that the model dropped (a weight of exactly 0)."""


@dataclass(frozen=True)
class Token:
    """A counted token as it is shown."""

    text: str
    """The part of the text that it stands for, without blanks around it; `·` where the token before it already has that
    part, as pieces of one character do."""
    begins: bool
    """Whether a blank or a line's start is before it."""


@dataclass(frozen=True)
class Pass:
    """What became of a text."""

    tokens: tuple[Token, ...]
    ids_TLK: NDArray[np.int64]
    """Experts of each token by weight, the largest first; `DROPPED` where the model dropped the choice."""
    weights_TLK: NDArray[np.float64]
    """The model's own weights of these, as shares of a token's sum."""
    trace: Trace
    """Of the text as one sequence: what `polyroute.trace` gives."""

    def chosen_TLE(self) -> NDArray[np.bool_]:
        """Which experts each token is sent to."""
        tokens, layers, _ = self.ids_TLK.shape
        chosen = np.zeros((tokens, layers, self.trace.header.experts + 1), dtype=np.bool_)
        np.put_along_axis(chosen, self.ids_TLK, True, axis=-1)  # a dropped choice goes to the last column
        return chosen[..., :-1]


def follow(model: nn.Module, tokenizer: Any, text: str, routers: Sequence[Router]) -> Pass:
    """Run a text through a model once, its routers proved before, and keep what each of them chose.

    Args:
        model: a transformers model; where it is steered, its edited routing is what is kept.
        tokenizer: its tokenizer.
        text: of at least one token.
        routers: one a layer.

    Raises:
        TraceError: as `polyroute.tracing.collect.collect`.
    """
    calls: dict[str, RouterCall] = {}

    def keep(router: Router, call: RouterCall) -> None:
        calls[router.name] = call

    settings = TraceSettings()
    with observe(routers, keep):
        traced = trace(model, tokenizer, {"text": text}, settings=settings, routers=routers)
    counted_S = encode(tokenizer, {"text": text}, settings).counted[0]
    ids, weights = zip(*(_by_weight(calls[router.name], counted_S) for router in routers), strict=True)
    return Pass(_tokens(tokenizer, text, counted_S), np.stack(ids, axis=1), np.stack(weights, axis=1), traced)


def _by_weight(call: RouterCall, counted_S: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    ids_TK = call.ids_TK.cpu().numpy()[counted_S].astype(np.int64)
    weights_TK = call.weights_TK.double().cpu().numpy()[counted_S]
    order_TK = np.argsort(-weights_TK, axis=1, kind="stable")
    ids_TK, weights_TK = (np.take_along_axis(array, order_TK, axis=1) for array in (ids_TK, weights_TK))
    total_T1 = weights_TK.sum(axis=1, keepdims=True)
    shares_TK = np.divide(weights_TK, total_T1, out=np.zeros_like(weights_TK), where=total_T1 != 0)
    return np.where(weights_TK == 0, DROPPED, ids_TK), shares_TK


def _tokens(tokenizer: Any, text: str, counted_S: NDArray[np.bool_]) -> tuple[Token, ...]:
    fast = bool(getattr(tokenizer, "is_fast", False))
    encoding = tokenizer(text, return_offsets_mapping=True) if fast else tokenizer(text)
    spans = encoding["offset_mapping"] if fast else [(0, 0)] * len(encoding["input_ids"])
    found: list[Token] = []
    before = (0, 0)
    for token, (start, end), counted in zip(encoding["input_ids"], spans, counted_S, strict=True):
        if not counted:
            continue
        piece = text[start:end] or str(tokenizer.decode([token]))
        begins = not found or piece[:1].isspace() or text[:start][-1:].isspace()
        repeated = end > start and end <= before[1]
        shown = "·" if repeated else piece.strip() or ("⏎" if "\n" in piece else "␣")
        found.append(Token(shown, begins))
        before = (start, end)
    return tuple(found)
