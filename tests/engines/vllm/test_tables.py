"""Slots of tables edit logits as `steer` edits them, to the bit, whatever shares the batch."""

import pytest
import torch

from polyroute.engines.vllm.given import ways_of
from polyroute.engines.vllm.tables import edited, empty, fill
from polyroute.models.routers import edit, find_routers
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from polyroute.steering.tables import Way
from tiny import make_model

EXPERTS, LAYER = 8, 1


def plan(rule: str, **more) -> Plan:
    if rule in ("soft", "magnitude"):
        more.setdefault("strength", 0.7)
    if rule == "magnitude":
        more["weights"] = {LAYER: {1: 0.41, 4: 0.58}}
    return Plan(model="tiny", experts_per_layer=EXPERTS, top_k=2, rule=rule, experts={LAYER: (1, 4)}, **more)


PLANS = [
    plan("soft"),
    plan("soft", std="sample", strength=-0.3),
    plan("soft", arithmetic="model"),
    plan("activate"),
    plan("deactivate", eps="std", seed=3),
    plan("mask"),
    plan("magnitude"),
    plan("magnitude", arithmetic="model", strength=0.034),
    plan("soft", strength=0.0),
]


def filled(plans, layer=LAYER, dtype=torch.float32, slots=None):
    ways = ways_of(plans)
    tables = empty(ways, slots or len(plans), EXPERTS)
    fill(tables, ways, plans, layer, dtype)
    return ways, tables


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_rule_moves_logits_as_steering_a_model_of_transformers_does(dtype) -> None:
    model = make_model().to(dtype)
    routers = find_routers(model)
    ids_BS = torch.arange(3, 3 + 4 * 7).view(4, 7)
    ways, tables = filled(PLANS, dtype=dtype)
    router = next(one for one in routers if one.layer == LAYER)
    seen: dict[str, torch.Tensor] = {}

    def before(_router, logits_TE):
        seen["before"] = logits_TE.clone()
        return logits_TE

    def after(_router, logits_TE):
        seen["after"] = logits_TE.clone()
        return logits_TE

    for slot, one in enumerate(PLANS, 1):
        with torch.inference_mode(), edit([router], before), steer(model, one, routers=routers), edit([router], after):
            model(ids_BS)
        product_TE = seen["before"].to(dtype)
        slot_T = torch.full((len(product_TE),), slot)
        found_TE = edited(product_TE, slot_T, ways, tables, EXPERTS)
        assert found_TE.dtype == dtype
        assert torch.equal(found_TE, seen["after"].to(dtype)), one.rule


def test_tokens_of_one_step_follow_their_own_plans_as_if_alone() -> None:
    ways, tables = filled(PLANS)
    logits_TE = torch.randn(30, EXPERTS, generator=torch.Generator().manual_seed(0))
    slot_T = torch.arange(30) % (len(PLANS) + 1)
    together_TE = edited(logits_TE, slot_T, ways, tables, EXPERTS)
    for slot, one in enumerate(PLANS, 1):
        own, own_tables = filled([one])
        alone_TE = edited(logits_TE, torch.ones(30, dtype=torch.int64), own, own_tables, EXPERTS)
        assert torch.equal(together_TE[slot_T == slot], alone_TE[slot_T == slot])


def test_slot_0_strength_0_and_layers_that_no_plan_names_change_no_bit() -> None:
    logits_TE = torch.randn(6, EXPERTS, generator=torch.Generator().manual_seed(0))
    logits_TE[0, 1] = -0.0
    zero = len(PLANS)
    for layer, slot in ((LAYER, 0), (LAYER, zero), (LAYER + 1, 1)):
        ways, tables = filled(PLANS, layer)
        found_TE = edited(logits_TE, torch.full((6,), slot), ways, tables, EXPERTS)
        assert torch.equal(found_TE.view(torch.int32), logits_TE.view(torch.int32))


def test_columns_beyond_the_experts_are_left_alone() -> None:
    logits_TE = torch.randn(5, EXPERTS + 2, generator=torch.Generator().manual_seed(0))
    ways, tables = filled(PLANS[:1])
    found_TE = edited(logits_TE, torch.ones(5, dtype=torch.int64), ways, tables, EXPERTS)
    assert torch.equal(found_TE[:, EXPERTS:], logits_TE[:, EXPERTS:])
    assert torch.equal(found_TE[:, 0], logits_TE[:, 0])
    assert not torch.equal(found_TE[:, 1], logits_TE[:, 1])


def test_filling_anew_leaves_nothing_of_the_plans_before_and_moves_no_tensor() -> None:
    ways, tables = filled(PLANS, slots=len(PLANS) + 2)
    held = [table.data_ptr() for table in tables]
    fill(tables, ways, PLANS[5:6], LAYER, torch.float32)
    again = filled(PLANS[5:6])[1]
    way = list(ways).index(Way("mask", "population", "float32"))
    assert torch.equal(tables[0][way, :2], again[0][0])
    assert not tables[0][:, 2:].any()
    assert tables[0].sum() == 2
    assert [table.data_ptr() for table in tables] == held
