"""A plan applied to any mixture-of-experts model of transformers.

    plan = Plan.load("plans/qwen3-30b-a3b/mgsm.json")
    with steer(model, plan):
        model.generate(**batch)

What moves is the raw logits, ahead of whatever selection the architecture has (`polyroute.models.taps`): so prefill and
decoding, caches, batches and device maps need nothing of their own.

What moving logits can promise depends on that selection. Where the K highest logits are chosen (softmax, top-k then
softmax, sparsemixer) an activated expert is chosen but for the draws of eps that `polyroute.steering.rules.activate`
tells of. Where a router adds a correction bias to saturating scores, or first chooses groups of experts (DeepSeek-V3
and its heirs), the highest logit guarantees nothing: the bias of another expert can outweigh it, and the group of the
activated one may be left out. `count_selected=True` shows what was chosen in fact.

Shapes: T tokens, E experts, K chosen experts a token, N experts to move in one layer.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from polyroute.models.routers import CallCounter, Router, RouterCall, RouterError, edit, find_routers, observe
from polyroute.steering.plan import Plan, PlanError
from polyroute.steering.rules import RULES, Push, draw_eps


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

    def __init__(self, plan: Plan, routers: Sequence[Router], calls: CallCounter, counts: "_Counts | None"):
        self.plan = plan
        self.routers = tuple(routers)
        """Those of the planned layers: no other is touched."""
        self.calls = calls
        """How often each of them was called: once a forward pass, the first of a generation and every later one."""
        self._counts = counts

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
    plan: Plan,
    *,
    routers: Sequence[Router] | None = None,
    model_digest: str | None = None,
    count_selected: bool = False,
    require_calls: bool = True,
) -> Iterator[Steering]:
    """Steer every token that passes the model inside the context; outside it the model is what it was.

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
        plan: what to move.
        routers: all routers of the model, where they have been found before; found here if None.
        model_digest: the model's, where known, to be held against the plan's.
        count_selected: count how often the planned experts were chosen.
        require_calls: raise on leaving if some planned router was never called.

    Yields:
        A `Steering`, with calls by router and, where asked, the share of tokens sent to the planned experts.

    Raises:
        PlanError: the plan is for another model; names every difference.
        RouterError: the model has no routers that can be found, or the routers are another model's; a planned router
            that was never called, on leaving without another exception.
    """
    found = find_routers(model) if routers is None else tuple(routers)
    plan.check(found, model_digest=model_digest)
    own = set(model.modules())
    planned = [router for router in found if router.layer in plan.experts]
    for router in planned:
        if router.module not in own:
            raise RouterError(
                f"Router {router.name} is not a part of this {type(model).__name__}. Pass the routers that "
                "find_routers(model) returns for it, or none."
            )
    pushes = _Pushes(plan)
    move = RULES[plan.rule].move

    def rule(router: Router, logits_TE: Tensor) -> Tensor:
        return move(logits_TE, pushes(router.layer, logits_TE, calls.dtypes[router.name]))

    counts = _Counts(plan) if count_selected else None
    with (
        edit(planned, rule, require_calls=require_calls) as calls,
        nullcontext() if counts is None else observe(planned, counts.add, require_calls=require_calls),
    ):
        yield Steering(plan, planned, calls, counts)


class _Pushes:
    """What each call of a router is steered with; tensors are kept on the device that used them last."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rule = RULES[plan.rule]
        self._kept: dict[int, tuple[Tensor, Tensor | None, Tensor | None]] = {}

    def __call__(self, layer: int, logits_TE: Tensor, dtype: torch.dtype) -> Push:
        kept = self._kept.get(layer)
        if kept is None or kept[0].device != logits_TE.device:
            kept = self._kept[layer] = self._on(layer, logits_TE.device)
        experts_N, eps_1N, weights_N = kept
        eps_TN = None if eps_1N is None else eps_1N.expand(logits_TE.shape[0], -1)
        plan = self._plan
        return Push(experts_N, plan.strength or 0.0, plan.std, eps_TN, dtype, weights_N, plan.arithmetic)

    def _on(self, layer: int, device: torch.device) -> tuple[Tensor, Tensor | None, Tensor | None]:
        eps_1N = weights_N = None
        # Tensors made in inference mode could not serve a later call that takes gradients.
        with torch.inference_mode(False):
            experts_N = torch.tensor(self._plan.experts[layer])
            if self._rule.takes_eps:
                seed = hashlib.sha256(f"{self._plan.seed}\0{layer}".encode()).digest()[:8]
                generator = torch.Generator(device="cpu").manual_seed(int.from_bytes(seed, "little"))
                # Drawn for all experts, so that an expert's eps does not depend on which others are planned.
                eps_1E = draw_eps(1, self._plan.experts_per_layer, self._plan.eps, generator)
                eps_1N = eps_1E[:, experts_N].to(device)
            if self._plan.weights is not None:
                weights = self._plan.weights[layer]
                weights_N = torch.tensor([weights[expert] for expert in self._plan.experts[layer]], dtype=torch.float32)
                weights_N = weights_N.to(device)
            return experts_N.to(device), eps_1N, weights_N


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
