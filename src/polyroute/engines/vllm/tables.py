"""Plans as tensors of fixed size, changed in place, and the edit that reads them: what a captured graph can hold.

Slot 0 moves nothing. The code path depends on the ways alone, never on a plan's numbers, layers or experts: every
layer is edited, by zeros where nothing is planned. The rules are those of `steering.rules`, on the same float32.

Shapes: T tokens, E experts, W ways, S slots for plans.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from polyroute.steering.plan import Plan
from polyroute.steering.rules import RULES, Push
from polyroute.steering.tables import Way, tables_of


def empty(ways: Sequence[Way], slots: int, experts: int) -> tuple[Tensor, Tensor]:
    """Tables that move nothing, on the default device.

    Returns:
        (W, S + 1, E) bool, which experts a slot moves; and float32, how far.
    """
    shape = (len(ways), slots + 1, experts)
    return torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.float32)


def fill(
    tables: tuple[Tensor, Tensor], ways: Sequence[Way], plans: Sequence[Plan], layer: int, dtype: torch.dtype
) -> None:
    """Write plans into the slots from 1 on, in place; slots beyond them move nothing.

    Args:
        tables: as `empty` makes them.
        ways: of the tables; every plan's is among them.
        plans: no more than there are slots.
        layer: whose experts they move.
        dtype: in which the router makes its logits.
    """
    moved_WSE, amounts_WSE = (torch.zeros_like(table, device="cpu") for table in tables)
    for table in tables_of(plans, layer, dtype, torch.float32):
        way = list(ways).index(table.way)
        moved_WSE[way, 1 : len(plans) + 1] = table.moved_PE[:-1]
        if table.amounts_PE is not None:
            amounts_WSE[way, 1 : len(plans) + 1] = table.amounts_PE[:-1].float()
    for held, new in zip(tables, (moved_WSE, amounts_WSE), strict=True):
        held.copy_(new)


def edited(
    product_TE: Tensor, slot_T: Tensor, ways: Sequence[Way], tables: tuple[Tensor, Tensor], experts: int
) -> Tensor:
    """Router logits after each token's plan.

    Args:
        product_TE: as the router makes them; columns beyond E (scores of shared experts) are left alone.
        slot_T: int64, the slot of each token's plan.
        ways: of the tables.
        tables: as `empty` makes them.
        experts: E.

    Returns:
        A new tensor of the same shape and dtype.
    """
    dtype = product_TE.dtype
    logits_TE = product_TE[:, :experts].float()
    for number, way in enumerate(ways):
        moved_TE, amounts_TE = (table[number].index_select(0, slot_T) for table in tables)
        rule = RULES[way.rule]
        if rule.takes_weights and way.arithmetic == "model":
            amounts_TE = amounts_TE.to(dtype)  # exact: they were rounded to it
        logits_TE = rule.move(logits_TE, Push(moved_TE, amounts_TE, way.std, dtype, way.arithmetic))
    logits_TE = logits_TE.to(dtype)
    if product_TE.shape[1] == experts:
        return logits_TE
    return torch.cat([logits_TE, product_TE[:, experts:]], 1)
