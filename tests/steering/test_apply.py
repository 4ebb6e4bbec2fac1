"""Plans applied to real tiny models of four selection rules, held against what the baseline's logits say by hand."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor
from torch.overrides import _get_current_function_mode_stack

from models.tiny_models import EXPERTS, LAYERS, TOP_K, Zoo, tiny
from polyroute.models.routers import Router, RouterCall, RouterError, edit, find_routers, observe
from polyroute.steering.apply import Selected, steer
from polyroute.steering.plan import Plan, PlanError

TOKENS_BS = torch.tensor([[5, 9, 33, 7, 60], [11, 2, 40, 21, 3]])
LAYER = 1
BASE: dict[str, Any] = {"model": "tiny", "experts_per_layer": EXPERTS, "top_k": TOP_K, "eps": "std"}
SOFT: dict[str, Any] = {"rule": "soft", "strength": 0.5, "std": "sample", "experts": {LAYER: [0, 6]}}
ACTIVATE: dict[str, Any] = {"rule": "activate", "experts": {LAYER: [3]}}
DEACTIVATE: dict[str, Any] = {"rule": "deactivate", "experts": {LAYER: [1, 5, 6]}}
MASK: dict[str, Any] = {"rule": "mask", "experts": {LAYER: [1, 5, 6]}}
MAGNITUDE: dict[str, Any] = {
    "rule": "magnitude", "strength": 0.5, "experts": {LAYER: [0, 6]}, "weights": {LAYER: {0: 0.25, 6: 1.0}}
}  # fmt: skip
PLANS = [
    SOFT,
    {**SOFT, "strength": -1.0, "std": "population"},
    ACTIVATE,
    DEACTIVATE,
    MASK,
    {**MAGNITUDE, "strength": 3.0},
]


def plan(fields: dict[str, Any], **changes: Any) -> Plan:
    return Plan(**BASE | fields | changes)


def choose_highest(logits_TE: Tensor, _router: Router) -> Tensor:
    return logits_TE.topk(TOP_K).indices


def choose_sparsemixer(logits_TE: Tensor, _router: Router) -> Tensor:
    first_T1 = logits_TE.argmax(-1, keepdim=True)
    return torch.cat([first_T1, logits_TE.scatter(-1, first_T1, -torch.inf).argmax(-1, keepdim=True)], dim=-1)


def choose_by_bias_and_group(logits_TE: Tensor, router: Router) -> Tensor:
    biased_TGE = (logits_TE.sigmoid() + router.module.e_score_correction_bias).view(-1, 4, 2)
    groups_TG = biased_TGE.sum(-1)
    left_TG1 = (groups_TG < groups_TG.topk(2).values[:, -1:]).unsqueeze(-1)
    return biased_TGE.masked_fill(left_TG1, -torch.inf).view(-1, EXPERTS).topk(TOP_K).indices


CHOOSE: dict[str, Callable[[Tensor, Router], Tensor]] = {
    "qwen3_moe": choose_highest,
    "gpt_oss": choose_highest,
    "phimoe": choose_sparsemixer,
    "deepseek_v3": choose_by_bias_and_group,
}


def build(architecture: str) -> transformers.PreTrainedModel:
    return tiny(architecture, **({"norm_topk_prob": True} if architecture == "qwen3_moe" else {}))


ZOO = Zoo(build)


@pytest.fixture(params=CHOOSE)
def architecture(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model(architecture: str) -> transformers.PreTrainedModel:
    return ZOO[architecture][0]


@pytest.fixture
def routers(architecture: str) -> tuple[Router, ...]:
    return ZOO[architecture][1]


@torch.no_grad()
def run(model: transformers.PreTrainedModel, tokens_BS: Tensor = TOKENS_BS) -> Tensor:
    return model(input_ids=tokens_BS).logits


def recorded(model: transformers.PreTrainedModel, routers: Sequence[Router]) -> dict[int, RouterCall]:
    calls: dict[int, RouterCall] = {}
    with observe(routers, lambda router, call: calls.__setitem__(router.layer, call)):
        run(model)
    return calls


def steered(
    model: transformers.PreTrainedModel, routers: Sequence[Router], fields: dict[str, Any], **changes: Any
) -> dict[int, RouterCall]:
    with steer(model, plan(fields, **changes), routers=routers):
        return recorded(model, routers)


def assert_clean(model: transformers.PreTrainedModel, routers: Sequence[Router]) -> None:
    assert not [router for router in routers if "forward" in router.module.__dict__]
    for module in model.modules():
        hooks = [*module._forward_pre_hooks.values(), *module._forward_hooks.values()]
        assert not [hook for hook in hooks if "polyroute" in hook.__module__]
    assert _get_current_function_mode_stack() == []


# ------------------------------------------------------------------------------------------------- what moves


@pytest.mark.parametrize("std", ["population", "sample"])
@pytest.mark.parametrize("strength", [0.5, -1.0])
def test_soft_moves_the_models_logits_and_choice_as_worked_out(architecture, model, routers, std, strength) -> None:
    expected_TE = recorded(model, routers)[LAYER].logits_TE.clone()
    divisor = EXPERTS if std == "population" else EXPERTS - 1
    mean_T1 = expected_TE.sum(-1, keepdim=True) / EXPERTS
    spread_T = ((expected_TE - mean_T1).square().sum(-1) / divisor).sqrt()
    for expert in (0, 6):
        expected_TE[:, expert] += strength * spread_T
    call = steered(model, routers, SOFT, std=std, strength=strength)[LAYER]
    torch.testing.assert_close(call.logits_TE, expected_TE)
    chosen_TK = CHOOSE[architecture](expected_TE, routers[LAYER - routers[0].layer])
    assert torch.equal(call.ids_TK.sort(-1).values, chosen_TK.sort(-1).values)


@pytest.mark.parametrize(("fields", "highest"), [(ACTIVATE, True), (DEACTIVATE, False)])
def test_hard_rules_move_the_models_logits_and_choice_as_worked_out(
    architecture, model, routers, fields, highest
) -> None:
    plain_TE = recorded(model, routers)[LAYER].logits_TE
    moved = fields["experts"][LAYER]
    extreme_T1 = (plain_TE.max(-1) if highest else plain_TE.min(-1)).values.unsqueeze(-1)
    call = steered(model, routers, fields, eps="variance")[LAYER]
    eps_TN = call.logits_TE[:, moved] - extreme_T1
    assert 0 < float(eps_TN.abs().min()) <= float(eps_TN.abs().max()) < 5e-3
    # A draw for each expert, the same for every token.
    torch.testing.assert_close(eps_TN, eps_TN[:1].expand_as(eps_TN), rtol=0, atol=1e-6)
    assert len(eps_TN[0].unique()) == len(moved)
    others = [expert for expert in range(EXPERTS) if expert not in moved]
    assert torch.equal(call.logits_TE[:, others], plain_TE[:, others])
    chosen_TK = CHOOSE[architecture](call.logits_TE, routers[LAYER - routers[0].layer])
    assert torch.equal(call.ids_TK.sort(-1).values, chosen_TK.sort(-1).values)


@pytest.mark.parametrize("strength", [0.5, -1.0])
def test_magnitude_moves_the_models_logits_and_choice_as_worked_out(architecture, model, routers, strength) -> None:
    expected_TE = recorded(model, routers)[LAYER].logits_TE.clone()
    for expert, share in ((0, 0.25), (6, 1.0)):
        assert bool((expected_TE[:, expert] < 0).any())
        expected_TE[:, expert] += strength * share * expected_TE[:, expert].abs()
    call = steered(model, routers, MAGNITUDE, strength=strength)[LAYER]
    torch.testing.assert_close(call.logits_TE, expected_TE)
    chosen_TK = CHOOSE[architecture](expected_TE, routers[LAYER - routers[0].layer])
    assert torch.equal(call.ids_TK.sort(-1).values, chosen_TK.sort(-1).values)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_masked_experts_get_no_token(architecture, dtype) -> None:
    """Paper 2's release writes its mask for MGSM to a file that the model never reads: here the model is asked."""
    model = build(architecture).to(dtype)
    routers = find_routers(model)
    masked = {layer: [1, 5, 6] for layer in (1, 2)}
    before = recorded(model, routers)
    assert all(bool(torch.isin(before[layer].ids_TK, torch.tensor(masked[layer])).any()) for layer in masked)
    with steer(model, plan(MASK, experts=masked), routers=routers, count_selected=True) as steering:
        during = recorded(model, routers)
    assert steering.calls.calls == {router.name: 1 for router in routers if router.layer in masked}
    for layer, experts in masked.items():
        assert steering.selected[layer] == Selected(10, dict.fromkeys(experts, 0.0), 0.0)
        assert not bool(torch.isin(during[layer].ids_TK, torch.tensor(experts)).any())
        assert bool(torch.isfinite(during[layer].logits_TE).all())
        assert bool(torch.isfinite(during[layer].weights_TK).all())
        assert bool((during[layer].weights_TK > 0).all())


@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss", "phimoe"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_a_mask_of_all_but_k_leaves_these(architecture, dtype) -> None:
    model = build(architecture).to(dtype)
    call = steered(model, find_routers(model), MASK, experts={LAYER: [0, 1, 4, 5, 6, 7]})[LAYER]
    assert torch.equal(call.ids_TK.sort(-1).values, torch.tensor([[2, 3]]).expand(10, -1))


def test_a_masked_expert_that_a_bias_brings_in_has_no_weight() -> None:
    model = build("deepseek_v3")
    routers = find_routers(model)
    for router in routers:
        router.module.e_score_correction_bias[1] = 10.0
    with steer(model, plan(MASK), routers=routers, count_selected=True) as steering:
        call = recorded(model, routers)[LAYER]
    chosen_TK = call.ids_TK == 1
    assert bool(chosen_TK.any(-1).all())
    assert not bool(call.weights_TK[chosen_TK].any())
    assert steering.selected[LAYER].share[1] == 0


@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss", "phimoe"])
@pytest.mark.parametrize("fields", [SOFT, MAGNITUDE])
def test_both_arithmetics_of_a_bfloat16_model_can_be_had(architecture, fields) -> None:
    model = build(architecture).to(torch.bfloat16)
    routers = find_routers(model)
    plain_TE = recorded(model, routers)[LAYER].logits_TE
    z_TE = plain_TE.bfloat16()
    experts, share = list(range(EXPERTS)), 0.41994673
    if fields is MAGNITUDE:
        fields = {**fields, "weights": {LAYER: dict.fromkeys(experts, share)}}
        once_TE = plain_TE + 0.5 * share * plain_TE.abs()
        in_model_TE = z_TE + 0.5 * torch.tensor(share).bfloat16() * z_TE.abs()
    else:
        once_TE = plain_TE + 0.5 * plain_TE.std(-1, keepdim=True)
        in_model_TE = z_TE + 0.5 * z_TE.std(-1, keepdim=True)
    fields = {**fields, "experts": {LAYER: experts}}
    seen = {how: steered(model, routers, fields, arithmetic=how)[LAYER].logits_TE for how in ("float32", "model")}
    torch.testing.assert_close(seen["float32"], once_TE.bfloat16().float(), rtol=0, atol=0)
    torch.testing.assert_close(seen["model"], in_model_TE.float(), rtol=0, atol=0)
    assert not torch.equal(seen["float32"], seen["model"])


@pytest.mark.parametrize("fields", [SOFT, MAGNITUDE])
def test_a_float32_model_has_one_arithmetic(model, routers, fields) -> None:
    seen = [steered(model, routers, fields, arithmetic=how)[LAYER].logits_TE for how in ("float32", "model")]
    assert torch.equal(*seen)


@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss", "phimoe"])
def test_one_activated_expert_is_always_chosen_where_the_highest_logits_are(model, routers) -> None:
    call = steered(model, routers, ACTIVATE, eps="variance")[LAYER]
    assert bool((call.ids_TK == 3).any(-1).all())
    call = steered(model, routers, DEACTIVATE, eps="variance")[LAYER]
    assert not bool(torch.isin(call.ids_TK, torch.tensor([1, 5, 6])).any())


def test_renormalised_weights_follow_from_the_steered_logits() -> None:
    call = steered(*ZOO["qwen3_moe"], SOFT)[LAYER]
    chosen_TK = call.logits_TE.softmax(-1).gather(-1, call.ids_TK)
    torch.testing.assert_close(call.weights_TK, chosen_TK / chosen_TK.sum(-1, keepdim=True))
    call = steered(*ZOO["gpt_oss"], SOFT)[LAYER]
    torch.testing.assert_close(call.weights_TK, call.logits_TE.gather(-1, call.ids_TK).softmax(-1))


@pytest.mark.parametrize("fields", PLANS)
def test_only_planned_layers_are_touched(model, routers, fields) -> None:
    plain = recorded(model, routers)
    with steer(model, plan(fields), routers=routers) as steering:
        touched = [router.layer for router in routers if "forward" in router.module.__dict__]
        during = recorded(model, routers)
    assert touched == [LAYER] == [router.layer for router in steering.routers]
    assert steering.calls.calls == {steering.routers[0].name: 1}
    for layer, call in during.items():
        assert torch.equal(call.logits_TE, plain[layer].logits_TE) == (layer < LAYER)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("arithmetic", ["float32", "model"])
def test_strength_or_weights_of_zero_are_bit_identical(architecture, dtype, arithmetic) -> None:
    model = build(architecture).to(dtype)
    routers = find_routers(model)
    plain = run(model)
    experts = {1: [0, 6], 2: [4]}
    shares = {layer: dict.fromkeys(ids, 0.5) for layer, ids in experts.items()}
    none = {layer: dict.fromkeys(ids, 0.0) for layer, ids in experts.items()}
    for made in (
        plan(SOFT, strength=0.0, experts=experts, arithmetic=arithmetic),
        plan(MAGNITUDE, strength=0.0, experts=experts, weights=shares, arithmetic=arithmetic),
        plan(MAGNITUDE, experts=experts, weights=none, arithmetic=arithmetic),
    ):
        with steer(model, made, routers=routers):
            assert torch.equal(run(model), plain)


def test_routers_are_found_where_none_are_given(model, routers) -> None:
    with steer(model, plan(SOFT), routers=routers):
        given = run(model)
    with steer(model, plan(SOFT)) as steering:
        assert torch.equal(run(model), given)
    assert steering.calls.total == 1


def test_plans_stack_in_the_order_entered(model, routers) -> None:
    first, second = plan(SOFT, strength=1.0, experts={LAYER: [3]}), plan(ACTIVATE, experts={LAYER: [0]})
    alone_TE = steered(model, routers, SOFT, strength=1.0, experts={LAYER: [3]})[LAYER].logits_TE
    with steer(model, first, routers=routers), steer(model, second, routers=routers):
        both_TE = recorded(model, routers)[LAYER].logits_TE
    assert torch.equal(both_TE[:, 1:], alone_TE[:, 1:])
    torch.testing.assert_close(both_TE[:, 0], alone_TE.max(-1).values, rtol=0, atol=1e-5)


# ------------------------------------------------------------------------------------------------- coarse dtypes


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("architecture", ["qwen3_moe", "gpt_oss", "phimoe"])
def test_hard_rules_win_and_lose_the_selection_in_the_models_dtype(architecture, dtype) -> None:
    model = build(architecture).to(dtype)
    routers = find_routers(model)
    plain_TE = recorded(model, routers)[LAYER].logits_TE
    # Without a step of the dtype, eps would be gone.
    assert torch.equal((plain_TE.amax(-1) + 1e-6).to(dtype).float(), plain_TE.amax(-1))
    # As many as a token is sent to: a single tie with the former first would cost one its place.
    call = steered(model, routers, ACTIVATE, experts={LAYER: [2, 3]})[LAYER]
    assert torch.equal(call.ids_TK.sort(-1).values, torch.tensor([[2, 3]]).expand(10, -1))
    others = [0, 1, 4, 5, 6, 7]
    assert bool((call.logits_TE[:, [2, 3]].min(-1).values > plain_TE[:, others].max(-1).values).all())
    assert torch.equal(call.logits_TE[:, others], plain_TE[:, others])
    # All but as many as a token is sent to.
    call = steered(model, routers, DEACTIVATE, experts={LAYER: others})[LAYER]
    assert torch.equal(call.ids_TK.sort(-1).values, torch.tensor([[2, 3]]).expand(10, -1))
    assert bool((call.logits_TE[:, others].max(-1).values < plain_TE[:, [2, 3]].min(-1).values).all())


def test_a_router_in_float32_inside_a_bfloat16_model_follows_the_paper() -> None:
    model = build("deepseek_v3").to(torch.bfloat16)
    routers = find_routers(model)
    plain_TE = recorded(model, routers)[LAYER].logits_TE
    eps_T = steered(model, routers, ACTIVATE)[LAYER].logits_TE[:, 3] - plain_TE.max(-1).values
    assert float(eps_T.abs().max()) < 1e-5


def test_autocast_is_seen() -> None:
    model, routers = ZOO["qwen3_moe"]
    with torch.autocast("cpu", torch.bfloat16):
        call = steered(model, routers, ACTIVATE, experts={LAYER: [2, 3]})[LAYER]
    assert torch.equal(call.logits_TE, call.logits_TE.bfloat16().float())
    assert torch.equal(call.ids_TK.sort(-1).values, torch.tensor([[2, 3]]).expand(10, -1))


def test_float64_is_steered_in_float64() -> None:
    model = build("gpt_oss").double()
    model.set_experts_implementation("eager")  # grouped products know no float64
    logits: list[Tensor] = []
    with (
        steer(model, plan(SOFT)) as steering,
        edit(steering.routers, lambda _router, logits_TE: logits.append(logits_TE) or logits_TE),
    ):
        run(model)
    assert logits[0].dtype == torch.float64


# ------------------------------------------------------------------------------------------------- eps


@pytest.mark.parametrize("eps", ["variance", "std"])
def test_a_sequence_gets_the_same_eps_whatever_runs_before_and_beside_it(model, routers, eps) -> None:
    hard = plan(ACTIVATE, eps=eps, experts={LAYER: [3, 4], 2: [4]})
    with steer(model, hard, routers=routers):
        first = run(model)
    with steer(model, hard, routers=routers):
        run(model, TOKENS_BS.flip(0))
        assert torch.equal(run(model), first)
        torch.testing.assert_close(run(model, TOKENS_BS[1:]), first[1:], rtol=1e-3, atol=1e-3)


def eps_of(fields: dict[str, Any], **changes: Any) -> dict[int, Tensor]:
    model, routers = ZOO["gpt_oss"]
    seen: dict[int, Tensor] = {}

    def rule(router: Router, logits_TE: Tensor) -> Tensor:
        return torch.zeros_like(logits_TE)

    with (
        edit(routers, rule),
        steer(model, plan(fields, **changes), routers=routers) as steering,
        observe(steering.routers, lambda router, call: seen.__setitem__(router.layer, call.logits_TE)),
    ):
        run(model)
    return seen


def test_eps_goes_by_seed_layer_expert_and_kind() -> None:
    experts = {1: [3, 4], 2: [3, 4]}
    eps = eps_of(ACTIVATE, experts=experts)
    assert not torch.equal(eps[1], eps[2])
    assert torch.equal(eps_of(ACTIVATE, experts=experts)[1], eps[1])
    assert torch.equal(eps_of(ACTIVATE, experts={1: [4]})[1][:, 4], eps[1][:, 4])
    assert not torch.equal(eps_of(ACTIVATE, experts=experts, seed=1)[1], eps[1])
    wide = eps_of(ACTIVATE, experts=experts, eps="variance")
    torch.testing.assert_close(wide[1], 1000 * eps[1])
    assert not bool(eps[1][:, [0, 1, 2, 5, 6, 7]].any())


# ------------------------------------------------------------------------------------------------- generation


@torch.no_grad()
def generated_step_by_step(model: transformers.PreTrainedModel, steps: int) -> tuple[Tensor, list[Tensor]]:
    tokens_BS, logits = TOKENS_BS, []
    for _ in range(steps):
        logits.append(model(input_ids=tokens_BS, use_cache=False).logits[:, -1])
        tokens_BS = torch.cat([tokens_BS, logits[-1].argmax(-1, keepdim=True)], dim=1)
    return tokens_BS, logits


@pytest.mark.parametrize("fields", [*PLANS, {**ACTIVATE, "eps": "variance"}])
def test_generation_with_a_cache_equals_steps_without_one(model, routers, fields) -> None:
    steps = 5
    twice = {key: {1: fields[key][LAYER], 2: fields[key][LAYER]} for key in ("experts", "weights") if key in fields}
    hard = plan(fields, **twice)
    with steer(model, hard, routers=routers) as steering:
        cached = model.generate(
            input_ids=TOKENS_BS, max_new_tokens=steps, do_sample=False, eos_token_id=None, pad_token_id=1,
            return_dict_in_generate=True, output_logits=True,
        )  # fmt: skip
    assert steering.calls.calls == dict.fromkeys((router.name for router in steering.routers), steps)
    with steer(model, hard, routers=routers):
        tokens_BS, logits = generated_step_by_step(model, steps)
    assert torch.equal(cached.sequences, tokens_BS)
    for seen, expected in zip(cached.logits, logits, strict=True):
        torch.testing.assert_close(seen, expected, rtol=1e-3, atol=1e-3)
    plain = generated_step_by_step(model, 1)[1][0]
    assert not torch.allclose(cached.logits[0], plain, rtol=1e-3, atol=1e-3)


def test_offloaded_weights_are_steered_alike() -> None:
    accelerate = pytest.importorskip("accelerate")
    model, routers = ZOO["qwen3_moe"]
    with steer(model, plan(ACTIVATE), routers=routers):
        expected = run(model)
    offloaded = build("qwen3_moe")
    accelerate.cpu_offload(offloaded, execution_device=torch.device("cpu"))
    with steer(offloaded, plan(ACTIVATE)):
        assert torch.equal(run(offloaded), expected)


def test_gradients_may_follow_inference_mode_in_one_context() -> None:
    model, routers = ZOO["qwen3_moe"]
    with steer(model, plan(ACTIVATE), routers=routers, count_selected=True) as steering:
        with torch.inference_mode():
            model(input_ids=TOKENS_BS)
        model(input_ids=TOKENS_BS).logits.square().sum().backward()
    assert steering.selected[LAYER].tokens == 20
    model.zero_grad()


# ------------------------------------------------------------------------------------------------- what was selected


def test_selected_counts_what_the_model_chose(model, routers) -> None:
    experts = {1: [0, 6], 2: [1, 2, 5]}
    calls: list[tuple[int, Tensor]] = []
    with (
        steer(model, plan(SOFT, experts=experts), routers=routers, count_selected=True) as steering,
        observe(steering.routers, lambda router, call: calls.append((router.layer, call.ids_TK))),
    ):
        run(model)
        run(model, TOKENS_BS[:1, :3])
    assert steering.calls.total == 4
    for layer, planned in experts.items():
        chosen = [set(row) for at, ids_TK in calls for row in ids_TK.tolist() if at == layer]
        assert len(chosen) == 13
        share = {expert: sum(expert in row for row in chosen) / 13 for expert in planned}
        together = sum(set(planned) <= row for row in chosen) / 13
        seen = steering.selected[layer]
        assert (seen.tokens, seen.share) == (13, pytest.approx(share))
        assert seen.all == pytest.approx(together)


def test_a_bias_that_outweighs_the_highest_logit_is_seen() -> None:
    model = build("deepseek_v3")
    routers = find_routers(model)
    with steer(model, plan(ACTIVATE), routers=routers, count_selected=True) as steering:
        run(model)
    unbiased = steering.selected[LAYER].share[3]
    for router in routers:
        router.module.e_score_correction_bias[4:] = 10.0
    with steer(model, plan(ACTIVATE), routers=routers, count_selected=True) as steering:
        calls = recorded(model, routers)
    assert bool((calls[LAYER].logits_TE.argmax(-1) == 3).any())
    assert steering.selected == {LAYER: Selected(10, {3: 0.0}, 0.0)}
    assert unbiased > 0.5


def test_what_was_not_counted_is_not_told(model, routers) -> None:
    with steer(model, plan(SOFT), routers=routers) as steering:
        run(model)
    with pytest.raises(PlanError, match="count_selected=True"):
        _ = steering.selected


def test_without_tokens_a_share_is_no_number(model, routers) -> None:
    with steer(model, plan(SOFT), routers=routers, count_selected=True, require_calls=False) as steering:
        pass
    assert steering.selected[LAYER].tokens == 0
    assert all(share != share for share in [*steering.selected[LAYER].share.values(), steering.selected[LAYER].all])


# ------------------------------------------------------------------------------------------------- nothing left behind


@pytest.mark.parametrize("fields", PLANS)
def test_the_model_is_what_it_was_after_leaving(model, routers, fields) -> None:
    plain, weights = run(model), {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with steer(model, plan(fields), routers=routers, count_selected=True):
        assert not torch.equal(run(model), plain)
    assert torch.equal(run(model), plain)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    assert_clean(model, routers)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_the_model_is_what_it_was_after_an_exception(model, routers, error) -> None:
    plain = run(model)

    def fail(*_anything: object) -> None:
        raise error("from inside the forward")

    def steer_and_fail(inside: bool) -> None:
        with steer(model, plan(ACTIVATE), routers=routers, count_selected=True) as steering:
            if inside:
                with observe(steering.routers, fail):
                    run(model)
            raise error("from the body")

    for inside in (True, False):
        with pytest.raises(error):
            steer_and_fail(inside)
        assert_clean(model, routers)
        assert torch.equal(run(model), plain)


@pytest.mark.parametrize("architecture", ["qwen3_moe"])
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"experts": {LAYERS: [1]}}, rf"experts\.{LAYERS}: layer {LAYERS} has no router here"),
        ({"experts_per_layer": 16, "experts": {1: [12]}}, r"expert 12 is not here; layer 1 has 0 to 7"),
        ({"top_k": 4}, "top_k is 4 in the plan, 2 here"),
        ({"layers": 48}, "layers is 48 in the plan, 3 here"),
        ({"model_digest": "b" * 64}, "model_digest is b+ in the plan, a+ here"),
    ],
)
def test_a_plan_for_another_model_is_refused_before_anything_is_touched(model, routers, changes, said) -> None:
    with (
        pytest.raises(PlanError, match=said),
        steer(model, plan(SOFT, **changes), routers=routers, model_digest="a" * 64),
    ):
        pytest.fail("it was let in")
    assert_clean(model, routers)


def test_routers_of_another_model_are_refused(model, routers) -> None:
    other = ZOO["phimoe" if routers is not ZOO["phimoe"][1] else "gpt_oss"]
    with pytest.raises(RouterError, match="is not a part of this"), steer(model, plan(SOFT), routers=other[1]):
        pytest.fail("they were let in")


def test_a_context_in_which_nothing_ran_is_an_error(model, routers) -> None:
    with pytest.raises(RouterError, match="never called"), steer(model, plan(SOFT), routers=routers):
        pass
    assert_clean(model, routers)


# ------------------------------------------------------------------------------------------------- a plan a row


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_each_row_gets_the_logits_that_its_plan_gives_alone(dtype) -> None:
    model = build("qwen3_moe").to(dtype)
    routers = find_routers(model)
    (planned,) = (router for router in routers if router.layer == LAYER)
    plans = [plan(fields) for fields in PLANS] + [plan(MAGNITUDE, arithmetic="model"), plan(SOFT, arithmetic="model")]
    rows = [None, *range(len(plans)), 0, None]
    tokens_BS = torch.arange(len(rows) * 5).view(-1, 5) * 7 % 60

    def edited(ids_BS: Tensor, *given: Any, **how: Any) -> Tensor:
        """(B, S, E) logits of the planned layer after the edit."""
        seen: list[Tensor] = []
        with (
            torch.inference_mode(),
            observe([planned], lambda _, call: seen.append(call.logits_TE)),
            steer(model, *given, routers=routers, **how),
        ):
            model(ids_BS)
        return seen[0].view(*ids_BS.shape, -1)

    together_BSE = edited(tokens_BS, plans, rows=rows)
    plain_BSE = edited(tokens_BS, [], rows=[])
    for place, number in enumerate(rows):
        if number is None:
            assert torch.equal(together_BSE[place], plain_BSE[place])
        else:
            # The whole batch under one plan: the rows below the edited layer then run in the same company.
            assert torch.equal(together_BSE[place], edited(tokens_BS, plans[number])[place])
            assert not torch.equal(together_BSE[place], plain_BSE[place])


def test_rows_can_be_assigned_anew() -> None:
    model = build("qwen3_moe")
    routers = find_routers(model)
    plans = [plan(SOFT, strength=3.0), plan(MASK)]
    with torch.inference_mode(), steer(model, plans, routers=routers) as steering:
        both = model(TOKENS_BS).logits
        steering.assign([1, None])
        swapped = model(TOKENS_BS).logits
        steering.assign([1])
        one = model(TOKENS_BS[:1]).logits
    with torch.inference_mode():
        plain = model(TOKENS_BS).logits
        with steer(model, plans[1], routers=routers):
            masked = model(TOKENS_BS).logits
    torch.testing.assert_close(swapped, torch.stack([masked[0], plain[1]]), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(both[1], masked[1], atol=1e-6, rtol=1e-6)
    # Alone in its batch, in which some processors add up otherwise.
    torch.testing.assert_close(one[0], masked[0], atol=1e-5, rtol=1e-5)


def test_rows_that_do_not_fit_are_refused() -> None:
    model = build("qwen3_moe")
    routers = find_routers(model)
    plans = [plan(SOFT), plan(MASK)]
    with pytest.raises(RouterError, match="got 10 tokens, which is not a multiple of the 3 rows"):  # noqa: SIM117
        with steer(model, plans, rows=[0, 1, None], routers=routers, require_calls=False):
            model(TOKENS_BS)
    with pytest.raises(PlanError, match="to have plan 2, and there are 2 plans"), steer(model, plans, rows=[0, 2]):
        pass
    with pytest.raises(PlanError, match="give a list of plans"), steer(model, plans[0], rows=[0, 0]):
        pass
    with pytest.raises(PlanError, match="counted of one plan alone"), steer(model, plans, count_selected=True):
        pass
    with (
        steer(model, plans[0], routers=routers, require_calls=False) as steering,
        pytest.raises(PlanError, match="one plan steers every row"),
    ):
        steering.assign([0, 0])
