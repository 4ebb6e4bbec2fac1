"""Observing and editing routers of six selection rules: hand-checkable edits, contexts that leave nothing behind."""

import pytest
import torch
import transformers
from torch.overrides import _get_current_function_mode_stack

from models.tiny_models import EXPERTS, TOP_K, Zoo, tiny
from polyroute.models.contract import check_contract
from polyroute.models.routers import Router, RouterCall, RouterError, edit, find_routers, observe

RULES = {
    "qwen3_moe": "softmax>topk",
    "gpt_oss": "softmax>topk>renormalise",
    "phimoe": "sparsemixer",
    "deepseek_v3": "sigmoid+bias+groups>topk>renormalise",
    "mixtral": "softmax>topk>renormalise",
    "olmoe": "softmax>topk",
}
TOKENS_BS = torch.tensor([[5, 9, 33, 7, 60], [11, 2, 40, 21, 3]])


ZOO = Zoo(tiny)


@pytest.fixture(params=RULES)
def architecture(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model(architecture: str) -> transformers.PreTrainedModel:
    return ZOO[architecture][0]


@pytest.fixture
def routers(architecture: str) -> tuple[Router, ...]:
    return ZOO[architecture][1]


@torch.no_grad()
def run(model: transformers.PreTrainedModel, **inputs: torch.Tensor) -> torch.Tensor:
    return model(**(inputs or {"input_ids": TOKENS_BS})).logits


def recorded(
    model: transformers.PreTrainedModel, routers: tuple[Router, ...], **inputs: torch.Tensor
) -> list[RouterCall]:
    calls: list[RouterCall] = []
    with observe(routers, lambda _router, call: calls.append(call)):
        run(model, **inputs)
    return calls


def assert_clean(model: transformers.PreTrainedModel, routers: tuple[Router, ...]) -> None:
    for router in routers:
        assert "forward" not in router.module.__dict__
    for module in model.modules():
        assert not [hook for hook in module._forward_pre_hooks.values() if "polyroute" in hook.__module__]
        assert not [hook for hook in module._forward_hooks.values() if "polyroute" in hook.__module__]
    assert _get_current_function_mode_stack() == []


# ------------------------------------------------------------------------------------------------- find


def test_routers_carry_layer_name_sizes_and_rule(architecture, model, routers) -> None:
    first = 1 if architecture == "deepseek_v3" else 0  # its first layer is dense
    assert [router.layer for router in routers] == list(range(first, 3))
    for router in routers:
        assert model.get_submodule(router.name) is router.module
        assert f".layers.{router.layer}." in router.name
        assert (router.experts, router.top_k) == (EXPERTS, TOP_K)
        assert router.selection == RULES[architecture]


def test_finding_leaves_the_model_as_it_was(architecture) -> None:
    model = tiny(architecture).train()
    model.get_submodule("model").eval()
    flags = [module.training for module in model.modules()]
    random_state = torch.get_rng_state()
    routers = find_routers(model)
    check_contract(model, routers)
    assert [module.training for module in model.modules()] == flags
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert_clean(model, routers)


def test_renormalised_and_plain_softmax_are_told_apart() -> None:
    model = tiny("qwen3_moe", norm_topk_prob=True)
    assert {router.selection for router in find_routers(model)} == {"softmax>topk>renormalise"}


def test_bias_without_groups_is_told_apart() -> None:
    model = tiny("deepseek_v3", n_group=1, topk_group=1)
    assert {router.selection for router in find_routers(model)} == {"sigmoid+bias>topk>renormalise"}


# ------------------------------------------------------------------------------------------------- observe


def test_observed_logits_are_those_transformers_reports(model, routers) -> None:
    calls = recorded(model, routers)
    with torch.no_grad():
        reported = model(input_ids=TOKENS_BS, output_router_logits=True, labels=None).router_logits
    for call, logits in zip(calls, reported, strict=True):
        assert torch.equal(call.logits_TE, logits.float().view(-1, EXPERTS))


def test_observed_choice_follows_from_the_logits_by_hand() -> None:
    model, routers = ZOO["olmoe"]
    for call in recorded(model, routers):
        weights_TK, ids_TK = call.logits_TE.softmax(-1).topk(TOP_K)
        assert torch.equal(call.ids_TK, ids_TK)
        torch.testing.assert_close(call.weights_TK, weights_TK)
    model, routers = ZOO["gpt_oss"]
    for call in recorded(model, routers):
        chosen_TK, ids_TK = call.logits_TE.topk(TOP_K)
        assert torch.equal(call.ids_TK, ids_TK)
        torch.testing.assert_close(call.weights_TK, chosen_TK.softmax(-1))
    model, routers = ZOO["deepseek_v3"]
    for router, call in zip(routers, recorded(model, routers), strict=True):
        score_TE = call.logits_TE.sigmoid()
        biased_TGE = (score_TE + router.module.e_score_correction_bias).view(-1, 4, 2)
        groups_TG = biased_TGE.sum(-1)
        kept_TG = groups_TG >= groups_TG.topk(2).values[:, -1:]
        ids_TK = biased_TGE.masked_fill(~kept_TG[..., None], -torch.inf).view(-1, EXPERTS).topk(TOP_K).indices
        assert torch.equal(call.ids_TK.sort(-1).values, ids_TK.sort(-1).values)


def test_tokens_are_batch_major(model, routers) -> None:
    whole = recorded(model, routers)
    rows = [recorded(model, routers, input_ids=row_S[None]) for row_S in TOKENS_BS]
    for call, *parts in zip(whole, *rows, strict=True):
        torch.testing.assert_close(call.logits_TE, torch.cat([part.logits_TE for part in parts]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_does_not_change_what_real_tokens_see(architecture, model, routers, side) -> None:
    alone = recorded(model, routers, input_ids=TOKENS_BS[:1])
    pad = torch.full((1, 3), 1)
    padded = torch.cat([pad, TOKENS_BS[:1]] if side == "left" else [TOKENS_BS[:1], pad], dim=1)
    mask = (padded != 1).long()
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    calls = recorded(model, routers, input_ids=padded, attention_mask=mask, position_ids=positions)
    for call, reference in zip(calls, alone, strict=True):
        real_TE = call.logits_TE[mask.flatten().bool()]
        torch.testing.assert_close(real_TE, reference.logits_TE, rtol=1e-4, atol=1e-4)


def test_observation_is_detached_and_leaves_gradients_alone(model, routers) -> None:
    model.zero_grad()
    with observe(routers, lambda _router, call: all_detached.extend(not t.requires_grad for t in call)):
        all_detached: list[bool] = []
        model(input_ids=TOKENS_BS).logits.sum().backward()
    assert all(all_detached)
    assert next(routers[0].module.parameters()).grad is not None
    model.zero_grad()


# ------------------------------------------------------------------------------------------------- edit


def test_pushed_experts_are_chosen_by_every_token_in_prefill_and_in_decoding(architecture, model, routers) -> None:
    target = routers[-1]

    def push(_router: Router, logits_TE: torch.Tensor) -> torch.Tensor:
        # The others go down too: a sigmoid saturates, and then a correction bias may still prefer another expert.
        return torch.full_like(logits_TE, -30.0).index_fill(-1, torch.tensor([2, 3]), 30.0)

    calls: list[tuple[Router, RouterCall]] = []
    with edit([target], push) as edits, observe(routers, lambda router, call: calls.append((router, call))) as counter:
        model.generate(input_ids=TOKENS_BS, max_new_tokens=4, do_sample=False, eos_token_id=None, pad_token_id=1)
    assert edits[target] == 4
    assert counter.total == 4 * len(routers)
    tokens = [call.ids_TK.shape[0] for router, call in calls if router == target]
    assert tokens == [10, 2, 2, 2]  # the prompt, then one token a sequence from the cache
    for router, call in calls:
        if router == target:
            assert set(call.ids_TK.unique().tolist()) == {2, 3}
            if architecture != "phimoe":  # sparsemixer weighs each choice by itself
                torch.testing.assert_close(call.weights_TK[:, 0], call.weights_TK[:, 1])
        else:
            assert set(call.ids_TK.unique().tolist()) != {2, 3}


@pytest.mark.parametrize("low", [-1e9, -torch.inf])
def test_removed_expert_is_chosen_by_no_token(model, routers, low) -> None:
    def remove(_router: Router, logits_TE: torch.Tensor) -> torch.Tensor:
        return logits_TE.index_fill(-1, torch.tensor([3]), low)

    before, after = recorded(model, routers), []
    with edit(routers, remove), observe(routers, lambda _router, call: after.append(call)):
        output = run(model)
    assert any(3 in call.ids_TK for call in before)
    assert not any(3 in call.ids_TK for call in after)
    assert bool(torch.isfinite(output).all())


def test_edit_of_one_layer_leaves_earlier_layers_alone(model, routers) -> None:
    before, after = recorded(model, routers), []
    with (
        edit(routers[-1:], lambda _router, logits_TE: -logits_TE),
        observe(routers, lambda _r, call: after.append(call)),
    ):
        run(model)
    for reference, call in zip(before[:-1], after[:-1], strict=True):
        assert torch.equal(reference.logits_TE, call.logits_TE)
    assert torch.equal(-before[-1].logits_TE, after[-1].logits_TE)


def test_rule_sees_its_router_and_float32_logits(model, routers) -> None:
    seen = []

    def rule(router: Router, logits_TE: torch.Tensor) -> torch.Tensor:
        seen.append((router, logits_TE.dtype, tuple(logits_TE.shape)))
        return logits_TE

    with edit(routers, rule):
        run(model)
    assert seen == [(router, torch.float32, (10, EXPERTS)) for router in routers]


def test_gradient_flows_through_a_rule(model, routers) -> None:
    strength = torch.zeros(EXPERTS, requires_grad=True)
    with edit(routers, lambda _router, logits_TE: logits_TE + strength):
        model(input_ids=TOKENS_BS).logits.square().sum().backward()
    assert strength.grad is not None
    assert float(strength.grad.abs().sum()) > 0
    model.zero_grad()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_dtypes_are_observed_in_float32_and_left_bit_identical(architecture, dtype) -> None:
    model = tiny(architecture).to(dtype)
    model.set_experts_implementation("eager")  # grouped products know no float64
    routers = find_routers(model)
    plain = run(model)
    with edit(routers, lambda _router, logits_TE: logits_TE * 1.0):
        assert torch.equal(run(model), plain)
    calls = []
    with (
        edit(routers, lambda _router, logits_TE: logits_TE + 20 * (torch.arange(EXPERTS) == 3)),
        observe(routers, lambda _router, call: calls.append(call)),
    ):
        assert run(model).dtype == dtype
    for call in calls:
        assert call.logits_TE.dtype == torch.float32
        assert int((call.logits_TE.argmax(-1) == 3).sum()) == 10
    check_contract(model, routers)


def test_in_place_rules_work_in_bfloat16_too() -> None:
    model = tiny("mixtral").to(torch.bfloat16)
    routers = find_routers(model)
    with edit(routers, lambda _router, logits_TE: logits_TE.index_fill_(-1, torch.tensor([3]), 50.0)):
        calls = recorded(model, routers)
    assert all(bool((call.ids_TK == 3).any(-1).all()) for call in calls)


@pytest.mark.parametrize("experts", ["eager", "batched_mm", "grouped_mm"])
def test_every_experts_implementation_gives_the_same_routing(architecture, experts) -> None:
    model = tiny(architecture)
    model.set_experts_implementation(experts)
    routers = find_routers(model)
    check_contract(model, routers)
    reference = recorded(*ZOO[architecture])
    for call, expected in zip(recorded(model, routers), reference, strict=True):
        torch.testing.assert_close(call.logits_TE, expected.logits_TE, rtol=1e-3, atol=1e-3)


def test_accelerate_offloading_is_seen_through_and_left_in_place() -> None:
    accelerate = pytest.importorskip("accelerate")
    model = tiny("mixtral")
    reference = recorded(*ZOO["mixtral"])
    accelerate.cpu_offload(model, execution_device=torch.device("cpu"))
    patched = model.model.layers[0].mlp.gate.forward
    routers = find_routers(model)
    check_contract(model, routers)
    for call, expected in zip(recorded(model, routers), reference, strict=True):
        assert torch.equal(call.logits_TE, expected.logits_TE)
    assert model.model.layers[0].mlp.gate.forward is patched


# ------------------------------------------------------------------------------------------------- contexts


def test_edits_apply_in_the_order_entered_and_observers_see_the_result(model, routers) -> None:
    plain = recorded(model, routers)
    outer, inner = [], []
    with (
        observe(routers, lambda _router, call: outer.append(call)),
        edit(routers, lambda _router, logits_TE: logits_TE + 1),
        edit(routers, lambda _router, logits_TE: logits_TE * 2),
        observe(routers, lambda _router, call: inner.append(call)),
    ):
        run(model)
    assert torch.equal(outer[0].logits_TE, (plain[0].logits_TE + 1) * 2)
    for a, b in zip(outer, inner, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert_clean(model, routers)


def test_contexts_may_be_left_in_any_order(model, routers) -> None:
    plain = run(model)
    first = edit(routers, lambda _router, logits_TE: logits_TE.flip(-1))
    second = edit(routers, lambda _router, logits_TE: logits_TE.flip(-1))
    first.__enter__()
    second.__enter__()
    assert torch.equal(run(model), plain)
    first.__exit__(None, None, None)
    assert not torch.equal(run(model), plain)
    second.__exit__(None, None, None)
    assert torch.equal(run(model), plain)
    assert_clean(model, routers)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_behind_after_an_exception(model, routers, error) -> None:
    plain = run(model)

    def fail(*_anything: object) -> torch.Tensor:
        raise error("from the rule")

    def run_and_fail() -> None:
        run(model)
        raise error("from the body")

    for context in (edit(routers, fail), observe(routers, fail), edit(routers, lambda _router, logits_TE: logits_TE)):
        with pytest.raises(error), context:
            run_and_fail()
        assert_clean(model, routers)
    assert torch.equal(run(model), plain)


def test_routers_that_never_fired_are_an_error() -> None:
    model, routers = ZOO["mixtral"]

    def run_all_but_the_first_layer() -> None:
        with observe(routers, lambda _router, _call: None) as counter:
            for layer in model.model.layers[1:]:
                layer.mlp(torch.ones(1, 2, 32))
        pytest.fail(f"{counter.silent} went unnoticed")

    def run_nothing() -> None:
        with edit(routers, lambda _router, logits_TE: logits_TE):
            pass

    with pytest.raises(
        RouterError, match=r"1 of 3 routers were never called.* observe them: model\.layers\.0\.mlp\.gate"
    ):
        run_all_but_the_first_layer()
    with pytest.raises(RouterError, match="3 of 3 routers were never called while you were trying to edit"):
        run_nothing()
    with edit(routers, lambda _router, logits_TE: logits_TE, require_calls=False) as counter:
        pass
    assert (counter.total, len(counter.silent)) == (0, 3)
    assert_clean(model, routers)


def test_no_routers_is_an_error() -> None:
    with pytest.raises(RouterError, match="No routers to observe were given"), observe([], lambda _router, _call: None):
        pass


@pytest.mark.parametrize("wrong", [None, torch.zeros(1)])
def test_rule_must_keep_the_shape(wrong) -> None:
    model, routers = ZOO["mixtral"]
    said = r"got logits of shape \(10, 8\) and returned"
    with pytest.raises(RouterError, match=said), edit(routers, lambda _router, _logits_TE: wrong):
        run(model)
