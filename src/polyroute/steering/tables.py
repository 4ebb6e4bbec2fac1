"""Plans as tables with a column an expert: what every engine steers with, whoever runs the model.

In a layer, the plans of one way (rule, divisor of std(z), arithmetic) share a table with a row a plan. A row of a batch
has one plan, so no rule sees what another has moved, and their order does not matter.

Shapes: P plans, B rows of a batch, E experts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from polyroute.steering.plan import Plan
from polyroute.steering.rules import RULES, Arithmetic, Push, Std, SteeringRule, draw_eps, push_sizes


class Way(NamedTuple):
    """How a plan moves experts, but for which and how far."""

    rule: str
    """A key of `RULES`."""
    std: Std
    arithmetic: Arithmetic


def way_of(plan: Plan) -> Way:
    """The way in which a plan moves experts."""
    return Way(plan.rule, plan.std, plan.arithmetic)


@dataclass(frozen=True)
class Table:
    """The plans of one way in one layer: a row a plan, the last one for rows without such a plan."""

    way: Way
    moved_PE: Tensor
    amounts_PE: Tensor | None

    @property
    def rule(self) -> SteeringRule:
        """Its rule."""
        return RULES[self.way.rule]

    def to(self, device: torch.device) -> Table:
        """The same on a device."""
        amounts_PE = None if self.amounts_PE is None else self.amounts_PE.to(device)
        return Table(self.way, self.moved_PE.to(device), amounts_PE)

    def push(self, plan_B: Tensor | None, dtype: torch.dtype) -> Push:
        """What rows with these plans are steered with; None is one row, of the first plan."""
        moved_BE, amounts_BE = (
            None if table_PE is None else table_PE[:1] if plan_B is None else table_PE[plan_B].unsqueeze(1)
            for table_PE in (self.moved_PE, self.amounts_PE)
        )
        assert moved_BE is not None, "every rule moves experts"
        return Push(moved_BE, amounts_BE, self.way.std, dtype, self.way.arithmetic)


def tables_of(plans: Sequence[Plan], layer: int, dtype: torch.dtype, computed: torch.dtype) -> Iterator[Table]:
    """A table for each way in which plans move experts of a layer, on the CPU.

    Args:
        plans: P of them, for one model.
        layer: in the model's own numbering.
        dtype: in which the router makes its logits.
        computed: in which they are moved: float32, or float64 of a float64 model.
    """
    ways: dict[Way, list[int]] = {}
    for number, plan in enumerate(plans):
        # Adding a strength of 0 to -0.0 would change its sign.
        if layer in plan.experts and plan.strength != 0:
            ways.setdefault(way_of(plan), []).append(number)
    for way, numbers in ways.items():
        experts = plans[numbers[0]].experts_per_layer
        moved_PE = torch.zeros(len(plans) + 1, experts, dtype=torch.bool)
        of_rule = [_amounts(plans[number], layer, dtype, computed) for number in numbers]
        amounts_PE = None
        for number, amounts_E in zip(numbers, of_rule, strict=True):
            moved_PE[number, list(plans[number].experts[layer])] = True
            if amounts_E is not None:
                if amounts_PE is None:
                    amounts_PE = torch.zeros(len(plans) + 1, experts, dtype=amounts_E.dtype)
                amounts_PE[number] = amounts_E
        yield Table(way, moved_PE, amounts_PE)


def _amounts(plan: Plan, layer: int, dtype: torch.dtype, computed: torch.dtype) -> Tensor | None:
    """(E,) how far each expert of a layer is moved; what stands at those that are not is never read."""
    rule, experts = RULES[plan.rule], plan.experts_per_layer
    if rule.takes_eps:
        seed = hashlib.sha256(f"{plan.seed}\0{layer}".encode()).digest()[:8]
        generator = torch.Generator(device="cpu").manual_seed(int.from_bytes(seed, "little"))
        # Drawn for all experts, so that an expert's eps does not depend on which others are planned.
        return draw_eps(1, experts, plan.eps, generator)[0]
    if plan.weights is not None:
        weights_E = torch.zeros(experts)
        moved = list(plan.experts[layer])
        weights_E[moved] = torch.tensor([plan.weights[layer][expert] for expert in moved])
        return push_sizes(plan.strength or 0.0, weights_E, dtype if plan.arithmetic == "model" else computed)
    return None if plan.strength is None else torch.full((experts,), plan.strength, dtype=computed)
