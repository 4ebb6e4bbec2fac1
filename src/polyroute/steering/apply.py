"""A plan, or a plan a row of the batch, applied to any mixture-of-experts model of transformers.

    plan = Plan.load("plans/qwen3-30b-a3b/mgsm.json")
    with steer(model, plan):
        model.generate(**batch)
    with steer(model, [plan, other], rows=[None, 0, 1, 1]):  # a batch of four; its first row is not steered
        model(**batch)

What moves is the raw logits, ahead of whatever selection the architecture has (`polyroute.models.taps`): so prefill and
decoding, caches, batches and device maps need nothing of their own.

What moving logits can promise depends on that selection. Where the K highest logits are chosen (softmax, top-k then
softmax, sparsemixer) an activated expert is chosen but for the draws of eps that `polyroute.steering.rules.activate`
tells of. Where a router adds a correction bias to saturating scores, or first chooses groups of experts (DeepSeek-V3
and its heirs), the highest logit guarantees nothing: the bias of another expert can outweigh it, and the group of the
activated one may be left out. `count_selected=True` shows what was chosen in fact.

Shapes: T tokens, E experts, K chosen experts a token, N experts to move in one layer, B rows of a batch, S positions
(T = B * S), P plans.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from polyroute.models.routers import CallCounter, Router, RouterCall, RouterError, edit, find_routers, observe
from polyroute.steering.plan import Plan, PlanError
from polyroute.steering.rules import Push, SteeringRule
from polyroute.steering.tables import Table, tables_of


@dataclass(frozen=True)
class Selected:
    """How often the experts that a plan moves in one layer were among the chosen K."""

    tokens: int
    """Tokens that passed the router, padding among them."""
    share: dict[int, float]
    """Expert -> share of these tokens that were sent to it; NaN without tokens."""
    all: float
    """Share of the tokens that were sent to all of the layer's planned experts."""


class Steering:
    """What happened inside `steer`; complete when the context is left."""

    def __init__(
        self, plans: Sequence[Plan], routers: Sequence[Router], calls: CallCounter, pushes: _Pushes,
        counts: _Counts | None,
    ):  # fmt: skip
        self.plans = tuple(plans)
        self.routers = tuple(routers)
        """Those of the planned layers: no other is touched."""
        self.calls = calls
        """How often each of them was called: once a forward pass, the first of a generation and every later one."""
        self._pushes = pushes
        self._counts = counts

    def assign(self, rows: Sequence[int | None]) -> None:
        """Say anew which plan each row of the batch has: after rows were added, sorted or left out.

        Args:
            rows: for each row of the batches to come the number of its plan, from 0; None for no plan.

        Raises:
            PlanError: there is no such plan, or one plan was given for all rows.
        """
        self._pushes.assign(rows)

    def edited(self, router: Router, logits_TE: Tensor, rows: Sequence[int | None]) -> Tensor:
        """What the plans would make of a router's unedited logits, if its rows had these plans; runs no model.

        Args:
            router: one of `routers`, which was called before.
            logits_TE: float32 (float64 of a float64 model), T a multiple of the rows.
            rows: as in `assign`.

        Returns:
            (T, E), rounded to the dtype in which the router makes its logits.
        """
        dtype = self.calls.dtypes[router.name]
        return self._pushes.edited(router, logits_TE, dtype, rows).to(dtype).to(logits_TE.dtype)

    @property
    def selected(self) -> dict[int, Selected]:
        """Layer -> what the model chose there after the plan's edit (and every other edit active).

        Raises:
            PlanError: it was not counted.
        """
        if self._counts is None:
            raise PlanError("what was selected was not counted: call steer(..., count_selected=True)")
        return self._counts.selected()


@contextmanager
def steer(
    model: nn.Module,
    plan: Plan | Sequence[Plan],
    *,
    rows: Sequence[int | None] | None = None,
    routers: Sequence[Router] | None = None,
    model_digest: str | None = None,
    count_selected: bool = False,
    require_calls: bool = True,
) -> Iterator[Steering]:
    """Steer every token that passes the model inside the context; outside it the model is what it was.

    With several plans, each row of a batch follows its own or none: all conditions of a study in one pass. A row gets
    the logits to the bit that it gets when its plan steers alone, whatever the other rows' rules are.

    Only routers of planned layers are touched, and nothing is left behind, after an exception neither. A plan of
    strength 0 leaves the model bit-identical. Logits move in float32 (float64 in a float64 model) and are cast to the
    dtype in which the router makes them, or are moved in that dtype where the plan's arithmetic is `model`; where that
    dtype would lose eps, experts move by a step of it instead (`polyroute.steering.rules.activate`).

    eps is drawn on the CPU from the plan's seed, once for each layer and expert, and is the same for every token: so
    which of two nearly equal logits is the higher depends on neither device, batch, padding, cache nor what ran before.
    It matters: sparsemixer weighs its first choice otherwise than its second.

    Plans may be stacked, and apply in the order in which they are entered: a mask belongs last, since std(z) and min(z)
    of a later rule would see it. Find the routers once, before the first of them, and pass them: finding runs the
    model.

    Args:
        model: a transformers model.
        plan: what to move; or several plans, of which each row of the batch has one.
        rows: where several plans are given, for each row of the batch the number of its plan, from 0, or None for no
            plan; see `Steering.assign`. A row to each plan if left out.
        routers: all routers of the model, where they have been found before; found here if None.
        model_digest: the model's, where known, to be held against the plan's.
        count_selected: count how often the planned experts were chosen.
        require_calls: raise on leaving if some planned router was never called.

    Yields:
        A `Steering`, with calls by router and, where asked, the share of tokens sent to the planned experts.

    Raises:
        PlanError: a plan is for another model; names every difference. A row has a plan that there is not; what was
            selected is to be counted, of several plans.
        RouterError: the model has no routers that can be found, or the routers are another model's; a batch of another
            number of rows; a planned router that was never called, on leaving without another exception.
    """
    found = find_routers(model) if routers is None else tuple(routers)
    plans = (plan,) if isinstance(plan, Plan) else tuple(plan)
    for one in plans:
        one.check(found, model_digest=model_digest)
    own = set(model.modules())
    planned = [router for router in found if any(router.layer in one.experts for one in plans)]
    for router in planned:
        if router.module not in own:
            raise RouterError(
                f"Router {router.name} is not a part of this {type(model).__name__}. Pass the routers that "
                "find_routers(model) returns for it, or none."
            )
    pushes = _Pushes(plans, isinstance(plan, Plan))
    if not isinstance(plan, Plan):
        pushes.assign(range(len(plans)) if rows is None else rows)
    elif rows is not None:
        raise PlanError("rows say which of several plans each row has: give a list of plans, steer(model, [plan])")
    if count_selected and not isinstance(plan, Plan):
        raise PlanError("what was selected is counted of one plan alone: call steer(model, plan, count_selected=True)")

    def rule(router: Router, logits_TE: Tensor) -> Tensor:
        return pushes(router, logits_TE, calls.dtypes[router.name])

    counts = _Counts(plans[0]) if count_selected else None
    if not planned:  # no plans: nothing to move
        yield Steering(plans, (), CallCounter(()), pushes, None)
        return
    with (
        edit(planned, rule, require_calls=require_calls) as calls,
        nullcontext() if counts is None else observe(planned, counts.add, require_calls=require_calls),
    ):
        yield Steering(plans, planned, calls, pushes, counts)


class _Pushes:
    """What each call of a router is steered with; tables are kept on the device that used them last."""

    def __init__(self, plans: Sequence[Plan], for_all: bool) -> None:
        self._plans = plans
        self._rows: list[int] | None = None
        self._for_all = for_all
        self._tables: dict[tuple[int, torch.device, torch.dtype, torch.dtype], list[Table]] = {}
        self._pushed: dict[tuple[int, torch.device, torch.dtype, torch.dtype], list[tuple[SteeringRule, Push]]] = {}

    def assign(self, rows: Sequence[int | None]) -> None:
        if self._for_all:
            raise PlanError("one plan steers every row: give steer a list of plans to say which row has which")
        if unknown := sorted({row for row in rows if row is not None and not 0 <= row < len(self._plans)}):
            raise PlanError(
                f"a row is to have plan {unknown[0]}, and there are {len(self._plans)} plans, counted from 0; "
                "a row without a plan has None"
            )
        numbered = [len(self._plans) if row is None else row for row in rows]
        if numbered != self._rows:
            self._rows = numbered
            self._pushed.clear()

    def __call__(self, router: Router, logits_TE: Tensor, dtype: torch.dtype) -> Tensor:
        key = (router.layer, logits_TE.device, dtype, logits_TE.dtype)
        if key not in self._pushed:
            self._pushed[key] = self._pushes(key, self._rows)
        return self._moved(router, logits_TE, self._pushed[key], self._rows)

    def edited(self, router: Router, logits_TE: Tensor, dtype: torch.dtype, rows: Sequence[int | None]) -> Tensor:
        numbered = [len(self._plans) if row is None else row for row in rows]
        pushes = self._pushes((router.layer, logits_TE.device, dtype, logits_TE.dtype), numbered)
        return self._moved(router, logits_TE, pushes, numbered)

    @staticmethod
    def _moved(
        router: Router, logits_TE: Tensor, pushes: list[tuple[SteeringRule, Push]], rows: list[int] | None
    ) -> Tensor:
        moved = logits_TE
        if rows is not None:
            if not rows or logits_TE.shape[0] % len(rows):
                raise RouterError(
                    f"Router {router.name} got {logits_TE.shape[0]} tokens, which is not a multiple of the "
                    f"{len(rows)} rows that have plans. Say with rows= or Steering.assign what each row of this batch "
                    "has."
                )
            moved = logits_TE.view(len(rows), -1, logits_TE.shape[1])
        for rule, push in pushes:  # of different rows: a row has one plan, so no rule sees what another moved
            moved = rule.move(moved, push)
        return moved if rows is None else moved.reshape(logits_TE.shape)

    def _pushes(
        self, key: tuple[int, torch.device, torch.dtype, torch.dtype], rows: list[int] | None
    ) -> list[tuple[SteeringRule, Push]]:
        layer, device, dtype, computed = key
        # Tensors made in inference mode could not serve a later call that takes gradients.
        with torch.inference_mode(False):
            if key not in self._tables:
                made = tables_of(self._plans, layer, dtype, computed)
                self._tables[key] = [table.to(device) for table in made]
            plan_B = None if rows is None else torch.tensor(rows, device=device)
            return [(table.rule, table.push(plan_B, dtype)) for table in self._tables[key]]


class _Counts:
    """Counts choices on the device where they are made; nothing waits for a GPU until the numbers are read."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._experts: dict[int, Tensor] = {}
        self._tokens = dict.fromkeys(plan.experts, 0)
        self._by_expert: dict[int, Tensor] = {}
        self._all: dict[int, Tensor] = {}

    def add(self, router: Router, call: RouterCall) -> None:
        layer, device = router.layer, call.ids_TK.device
        if layer not in self._experts:
            experts_N = self._experts[layer] = torch.tensor(self._plan.experts[layer], device=device)
            self._by_expert[layer] = torch.zeros_like(experts_N)
            self._all[layer] = torch.zeros((), dtype=torch.int64, device=device)
        # A weight of exactly 0 marks a choice that the model dropped.
        kept_TK1 = (call.weights_TK != 0).unsqueeze(-1)
        chosen_TN = ((call.ids_TK.unsqueeze(-1) == self._experts[layer]) & kept_TK1).any(1)
        self._tokens[layer] += chosen_TN.shape[0]
        self._by_expert[layer] = self._by_expert[layer] + chosen_TN.sum(0)
        self._all[layer] = self._all[layer] + chosen_TN.all(-1).sum()

    def selected(self) -> dict[int, Selected]:
        return {layer: self._selected(layer) for layer in self._plan.experts}

    def _selected(self, layer: int) -> Selected:
        tokens, experts = self._tokens[layer], self._plan.experts[layer]
        if tokens == 0:
            return Selected(0, dict.fromkeys(experts, float("nan")), float("nan"))
        shares = (self._by_expert[layer].double() / tokens).tolist()
        return Selected(tokens, dict(zip(experts, shares, strict=True)), float(self._all[layer]) / tokens)
