"""What an edit does to routing: the step between a plan and whatever it does to answers.

An edit that helps or hurts must do so by sending tokens to other experts, or by weighing the same ones otherwise. So
for every planned layer it is said how large the edit is, and for how many tokens the chosen experts are others than
the same router would have chosen from the same hidden state without the edit. That hidden state is the steered
model's: what edits in lower layers have done to it is theirs and not counted again here.

The choice without the edit is the router's own: its forward is run once more on the logits as they were, so biases,
groups and sparsemixer are what they are in the model. Only real tokens count, never padding.

Shapes: B sequences of a batch, S positions, T = B * S tokens, E experts, K chosen experts a token, N planned experts of
a layer.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from polyroute.ground.errors import PolyrouteError
from polyroute.models.batches import plan_batches
from polyroute.models.routers import Router, RouterCall, edit, find_routers, observe, replay
from polyroute.models.trial import at_rest
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from polyroute.steering.sweep import blocks_of

COLUMNS = ["layer", "experts", "tokens", "rerouted", "edit_size", "relative_size", "share_before", "share_after"]
"""Columns of `mechanism`."""


class MechanismError(PolyrouteError):
    """Batches on which the mechanism cannot be measured; the message says what was seen."""


def mechanism(
    model: nn.Module,
    plan: Plan,
    batches: Iterable[Mapping[str, Any]],
    *,
    routers: Sequence[Router] | None = None,
) -> pd.DataFrame:
    """Measure what a plan's edit does to routing, layer by layer.

    Runs the model once a batch up to the last planned layer, in evaluation mode, without gradients and without a cache,
    and the routers of planned layers (or the blocks around them, up to where these select) once more. The hidden states
    that enter them are kept until the batch is done. Call it outside `observe`, `edit` and `steer`.

    Args:
        model: a decoder of transformers.
        plan: what to move, by any rule.
        batches: keyword arguments of the model's forward on its device, with `input_ids` (B, S) and `attention_mask`
            (B, S), 1 at real tokens and 0 at padding on either side; see `padded_batches`.
        routers: all routers of the model, where they have been found before; found here if None.

    Returns:
        `COLUMNS`, a row a planned layer, ascending:

        - layer, experts: its number, and how many of its experts are moved (N).
        - tokens: real tokens that were seen.
        - rerouted: share of them that are sent to other experts (as a set) than without the edit.
        - edit_size: mean of |edited - unedited logit| over these tokens and the planned experts, in units of logits,
          after the cast to the router's dtype. Of a mask it is about 1e9 and says nothing.
        - relative_size: this divided by the mean of |unedited logit| over the same entries; NaN where that is 0.
        - share_before, share_after: planned experts among the K that a token is sent to, as a share of K, without and
          with the edit. 0 after a mask that reached the model.

    Raises:
        PlanError: the plan is for another model; names every difference.
        RouterError: the model has no routers that can be found, or a planned router was never called.
        MechanismError: batches without a mask, without a real token or without one row of logits for each position; a
            model with an encoder beside its decoder; a router that was called more than once in a forward.
    """
    if getattr(getattr(model, "config", None), "is_encoder_decoder", False):
        raise MechanismError(
            f"{type(model).__name__} has an encoder and a decoder, whose tokens have masks of their own: the mechanism "
            "is measured on decoders alone"
        )
    found = find_routers(model) if routers is None else tuple(routers)
    plan.check(found)
    planned = [router for router in found if router.layer in plan.experts]
    tallies = {router.layer: _Tally(len(plan.experts[router.layer]), router.top_k) for router in planned}
    known = inspect.signature(model.forward).parameters
    # Logits of all positions would be the largest tensor of the pass.
    settings = {key: value for key, value in (("use_cache", False), ("logits_to_keep", 1)) if key in known}
    with at_rest(model):
        for batch in batches:
            real_T = _real(batch)
            for router, seen in _steered(model, plan, planned, found, {**batch, **settings}).items():
                plain_TE = seen.unedited_TE
                if plain_TE.shape[0] != real_T.shape[0]:
                    raise MechanismError(
                        f"router {router.name} made logits for {plain_TE.shape[0]} tokens, and the attention mask has "
                        f"{real_T.shape[0]}: run the model without packing or dropping tokens"
                    )
                unedited = replay(router, seen.arguments, plain_TE)
                moved = list(plan.experts[router.layer])
                tallies[router.layer].add(plain_TE, unedited, seen.edited, real_T.to(plain_TE.device), moved)
    empty = [layer for layer, tally in tallies.items() if tally.tokens == 0]
    if empty:
        raise MechanismError(
            f"there was no real token to measure in layer {empty[0]}: give at least one batch whose attention mask "
            "holds a 1"
        )
    rows = [{"layer": layer, **tallies[layer].row()} for layer in sorted(tallies)]
    return pd.DataFrame(rows, columns=COLUMNS)


def padded_batches(
    rows: Sequence[Sequence[int]], *, batch_tokens: int, device: torch.device | str = "cpu"
) -> Iterator[dict[str, Tensor]]:
    """Batches for `mechanism` from token ids of texts.

    Args:
        rows: token ids of each text, as the model is to read them.
        batch_tokens: padded tokens a batch; a longer text is a batch by itself.
        device: the model's.

    Yields:
        `input_ids` and `attention_mask`, (B, S) int64, padded on the right; the longest texts first.

    Raises:
        MechanismError: a text without tokens; says which.
    """
    if empty := [number for number, row in enumerate(rows) if not row]:
        raise MechanismError(f"text {empty[0]} of {len(rows)}, counted from 0, has no tokens: leave it out")
    for indices in plan_batches([len(row) for row in rows], batch_tokens):
        longest = len(rows[indices[0]])
        # Any id will do for padding: it is masked.
        ids = [[*rows[index], *[0] * (longest - len(rows[index]))] for index in indices]
        mask = [[1] * len(rows[index]) + [0] * (longest - len(rows[index])) for index in indices]
        yield {
            "input_ids": torch.tensor(ids, device=device),
            "attention_mask": torch.tensor(mask, device=device),
        }


@dataclass
class _Seen:
    """One call of a planned router under the plan."""

    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    """Of the module that selects."""
    unedited_TE: Tensor
    edited: RouterCall


def _real(batch: Mapping[str, Any]) -> Tensor:
    """(T,) bool: whether a position holds a real token."""
    ids, mask = batch.get("input_ids"), batch.get("attention_mask")
    if not isinstance(ids, Tensor) or not isinstance(mask, Tensor) or ids.dim() != 2 or ids.shape != mask.shape:
        shapes = " and ".join(str(tuple(part.shape)) if isinstance(part, Tensor) else "none" for part in (ids, mask))
        raise MechanismError(
            "a batch needs input_ids and attention_mask of one shape (sequences, positions), so that padding is never "
            f"counted; this one has {shapes}"
        )
    return mask.reshape(-1).bool()


def _steered(
    model: nn.Module, plan: Plan, planned: Sequence[Router], routers: Sequence[Router], inputs: dict[str, Any]
) -> dict[Router, _Seen]:
    """One forward of the steered model."""
    arguments: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
    unedited: dict[str, Tensor] = {}
    edited: dict[str, RouterCall] = {}

    def keep(router: Router, logits_TE: Tensor) -> Tensor:
        # A copy: where the plan's rule returns what it got, the model may write into it.
        unedited[router.name] = logits_TE.clone()
        return logits_TE

    with ExitStack() as stack:
        for router in planned:
            selecting: nn.Module = getattr(router.site.reading, "block", router.module)

            def enter(_module: nn.Module, args: Any, kwargs: Any, name: str = router.name) -> None:
                arguments[name] = (args, kwargs)

            stack.callback(selecting.register_forward_pre_hook(enter, with_kwargs=True).remove)
        # Edits apply in the order in which they are entered: this one sees the logits before the plan.
        stack.enter_context(edit(planned, keep))
        stack.enter_context(steer(model, plan, routers=routers))
        calls = stack.enter_context(observe(planned, lambda router, call: edited.__setitem__(router.name, call)))
        blocks = blocks_of(model, routers)
        if blocks is not None:  # what comes after the last planned block does not matter here
            last = blocks[max(router.layer for router in planned)]
            stack.callback(last.register_forward_hook(_end).remove)
        with suppress(_Ended):
            model(**inputs)
    for router in planned:
        if calls[router] != 1:
            raise MechanismError(
                f"router {router.name} was called {calls[router]} times in one forward, and its calls cannot be told "
                "apart: turn off chunked or repeated forwards of this layer"
            )
    return {router: _Seen(arguments[router.name], unedited[router.name], edited[router.name]) for router in planned}


class _Ended(Exception):  # noqa: N818 - nothing went wrong
    """Ends a forward after the last layer that is looked at."""


def _end(*_called: Any) -> None:
    raise _Ended


class _Tally:
    """Sums over the real tokens of one layer, in float64."""

    def __init__(self, experts: int, top_k: int) -> None:
        self._experts, self._top_k = experts, top_k
        self.tokens = 0
        self._changed = self._before = self._after = 0
        self._moved = self._magnitude = 0.0

    def add(
        self, unedited_TE: Tensor, unedited: RouterCall, edited: RouterCall, real_T: Tensor, experts: list[int]
    ) -> None:
        """Add a batch.

        Args:
            unedited_TE: logits before the plan.
            unedited: what the router chooses from them.
            edited: what the model chose from the logits after the plan.
            real_T: which tokens count.
            experts: ids of the planned ones.
        """
        plain_TN = unedited_TE[real_T][:, experts].double()
        moved_TN = edited.logits_TE[real_T][:, experts].double()
        before_TE = unedited.chosen_TE()[real_T]
        after_TE = edited.chosen_TE()[real_T]
        self.tokens += plain_TN.shape[0]
        self._changed += int((before_TE != after_TE).any(-1).sum())
        self._before += int(before_TE[:, experts].sum())
        self._after += int(after_TE[:, experts].sum())
        self._moved += float((moved_TN - plain_TN).abs().sum())
        self._magnitude += float(plain_TN.abs().sum())

    def row(self) -> dict[str, float]:
        """All columns but the layer."""
        choices = self.tokens * self._top_k
        return {
            "experts": self._experts,
            "tokens": self.tokens,
            "rerouted": self._changed / self.tokens,
            "edit_size": self._moved / (self.tokens * self._experts),
            "relative_size": self._moved / self._magnitude if self._magnitude else float("nan"),
            "share_before": self._before / choices,
            "share_after": self._after / choices,
        }
