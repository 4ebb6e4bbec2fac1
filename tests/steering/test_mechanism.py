"""The mechanism of an edit against a slow reference: the model run anew for every layer, sequence by sequence."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest
import torch
import transformers
from torch import Tensor
from torch.overrides import _get_current_function_mode_stack

from models.tiny_models import EXPERTS, TOP_K, Zoo, tiny
from polyroute.models.routers import Router, RouterCall, RouterError, edit, find_routers, observe
from polyroute.steering.apply import steer
from polyroute.steering.mechanism import COLUMNS, MechanismError, mechanism, padded_batches
from polyroute.steering.plan import Plan, PlanError

SELECTIONS = ["qwen3_moe", "gpt_oss", "phimoe", "deepseek_v3"]
"""One for each way of choosing: softmax, top-k before softmax, sparsemixer, sigmoid with bias and groups."""
ARCHITECTURES = [*SELECTIONS, "llama4", "dbrx", "jetmoe"]
"""And one for each way of reading the choice: a dense output, the experts' arguments, the trace of a forward."""


class OneRouterALayer(Zoo):
    """JetMoe also routes its attention heads; here the experts' routers are meant, which come later in a layer."""

    def __missing__(self, architecture: str) -> tuple[transformers.PreTrainedModel, tuple[Router, ...]]:
        model, routers = super().__missing__(architecture)
        self[architecture] = model, tuple({router.layer: router for router in routers}.values())
        return self[architecture]


ZOO = OneRouterALayer(tiny)
ROWS = [[5, 9, 33, 7, 60], [11, 2, 40], [21, 3, 8, 30, 12, 13, 50]]
SHARES = {0: 0.5, 6: 1.0}
EXPERT_SETS = {1: (0, 6), 2: (0, 6)}
RULES: dict[str, dict[str, Any]] = {
    "soft": {"strength": 0.5},
    "activate": {},
    "deactivate": {},
    "mask": {},
    "magnitude": {"strength": -0.5, "weights": dict.fromkeys(EXPERT_SETS, SHARES)},
}


def plan(rule: str, **changes: Any) -> Plan:
    fields = {"model": "tiny", "experts_per_layer": EXPERTS, "top_k": TOP_K, "experts": EXPERT_SETS, "rule": rule}
    return Plan(**fields | RULES[rule] | changes)


def below(whole: Plan, layer: int) -> Plan | None:
    """The plan without the layer and those after it."""
    experts = {number: ids for number, ids in whole.experts.items() if number < layer}
    if not experts:
        return None
    weights = None if whole.weights is None else {number: whole.weights[number] for number in experts}
    return whole.model_copy(update={"experts": experts, "weights": weights})


@torch.no_grad()
def called(model: transformers.PreTrainedModel, routers: tuple[Router, ...], row: list[int], under: Plan | None) -> Any:
    calls: dict[int, RouterCall] = {}

    def run() -> None:
        with observe(routers, lambda router, call: calls.__setitem__(router.layer, call)):
            model(input_ids=torch.tensor([row]), use_cache=False)

    if under is None:
        run()
    else:
        with steer(model, under, routers=routers):
            run()
    return calls


def slowly(model: transformers.PreTrainedModel, routers: tuple[Router, ...], whole: Plan) -> pd.DataFrame:
    """Token by token; the same hidden state is had by a run in which only lower layers are edited."""
    rows = []
    for layer, experts in whole.experts.items():
        changed, before, after, sizes, magnitudes = [], [], [], [], []
        for row in ROWS:
            plain = called(model, routers, row, below(whole, layer))[layer]
            edited = called(model, routers, row, whole)[layer]
            for token in range(len(row)):
                chosen = [
                    {
                        expert
                        for expert, weight in zip(
                            call.ids_TK[token].tolist(), call.weights_TK[token].tolist(), strict=True
                        )
                        if weight != 0
                    }
                    for call in (plain, edited)
                ]
                changed.append(chosen[0] != chosen[1])
                before.append(len(chosen[0] & set(experts)) / TOP_K)
                after.append(len(chosen[1] & set(experts)) / TOP_K)
                for expert in experts:
                    was, now = float(plain.logits_TE[token, expert]), float(edited.logits_TE[token, expert])
                    sizes.append(abs(now - was))
                    magnitudes.append(abs(was))
        size = sum(sizes) / len(sizes)
        rows.append(
            {
                "layer": layer, "experts": len(experts), "tokens": len(changed),
                "rerouted": sum(changed) / len(changed), "edit_size": size,
                "relative_size": size / (sum(magnitudes) / len(magnitudes)),
                "share_before": sum(before) / len(before), "share_after": sum(after) / len(after),
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def left_padded(rows: list[list[int]]) -> dict[str, Tensor]:
    longest = max(map(len, rows))
    mask_BS = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
    return {
        "input_ids": torch.tensor([[0] * (longest - len(row)) + row for row in rows]),
        "attention_mask": mask_BS,
        "position_ids": (mask_BS.cumsum(1) - 1).clamp(min=0),
    }


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_mechanism_is_that_of_the_slow_reference(architecture, rule) -> None:
    model, routers = ZOO[architecture]
    whole = plan(rule)
    found = mechanism(model, whole, padded_batches(ROWS, batch_tokens=14), routers=routers)
    pd.testing.assert_frame_equal(found, slowly(model, routers, whole), check_dtype=False, rtol=1e-4)


@pytest.mark.parametrize("architecture", SELECTIONS)
def test_padding_never_counts_on_either_side(architecture) -> None:
    model, routers = ZOO[architecture]
    whole = plan("soft")
    alone = mechanism(model, whole, padded_batches(ROWS, batch_tokens=1), routers=routers)
    right = mechanism(model, whole, padded_batches(ROWS, batch_tokens=100), routers=routers)
    left = mechanism(model, whole, [left_padded(ROWS)], routers=routers)
    assert alone["tokens"].tolist() == [15, 15]
    pd.testing.assert_frame_equal(right, alone, rtol=1e-4)
    pd.testing.assert_frame_equal(left, alone, rtol=1e-4)


def test_what_stands_at_padding_changes_nothing() -> None:
    model, routers = ZOO["qwen3_moe"]
    (batch,) = padded_batches(ROWS, batch_tokens=100)
    other = {**batch, "input_ids": batch["input_ids"].masked_fill(batch["attention_mask"] == 0, 47)}
    first, second = (mechanism(model, plan("mask"), [given], routers=routers) for given in (batch, other))
    pd.testing.assert_frame_equal(first, second)


@pytest.mark.parametrize("arithmetic", ["float32", "model"])
@pytest.mark.parametrize("architecture", SELECTIONS)
def test_an_edit_of_bfloat16_is_measured_after_the_cast(architecture, arithmetic) -> None:
    model = tiny(architecture).to(torch.bfloat16)
    routers = find_routers(model)
    experts = {1: (0, 6)}
    weights = {1: {0: 0.41994673, 6: 0.683}}
    whole = plan("magnitude", strength=0.022, experts=experts, weights=weights, arithmetic=arithmetic)
    found = mechanism(model, whole, padded_batches(ROWS, batch_tokens=1), routers=routers)
    # One planned layer: the hidden states are the plain model's.
    plain_TE = torch.cat([called(model, routers, row, None)[1].logits_TE for row in ROWS])
    z_TN = plain_TE[:, [0, 6]]
    s_N = torch.tensor([0.41994673, 0.683])
    if architecture == "deepseek_v3":  # its router is of float32 in a model of any dtype
        moved_TN = z_TN + 0.022 * s_N * z_TN.abs()
    elif arithmetic == "model":
        moved_TN = (z_TN.bfloat16() + 0.022 * s_N.bfloat16() * z_TN.bfloat16().abs()).float()
    else:
        moved_TN = (z_TN + 0.022 * s_N * z_TN.abs()).bfloat16().float()
    expected = float((moved_TN - z_TN).abs().double().mean())
    assert found["edit_size"].tolist() == [pytest.approx(expected, rel=1e-6)]
    assert found["relative_size"].tolist() == [pytest.approx(expected / float(z_TN.abs().double().mean()), rel=1e-6)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("architecture", SELECTIONS)
def test_an_edit_of_nothing_changes_no_token(architecture, dtype) -> None:
    model = tiny(architecture).to(dtype)
    routers = find_routers(model)
    none = dict.fromkeys(EXPERT_SETS, dict.fromkeys(SHARES, 0.0))
    for whole in (plan("soft", strength=0.0), plan("magnitude", strength=0.0), plan("magnitude", weights=none)):
        found = mechanism(model, whole, padded_batches(ROWS, batch_tokens=100), routers=routers)
        assert not found[["rerouted", "edit_size", "relative_size"]].any(axis=None)
        assert found["share_before"].equals(found["share_after"])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("architecture", SELECTIONS)
def test_a_mask_reaches_the_model_and_changes_who_was_there(architecture, dtype) -> None:
    model = tiny(architecture).to(dtype)
    whole = plan("mask", experts={1: (0, 1, 6)})
    found = mechanism(model, whole, padded_batches(ROWS, batch_tokens=100), routers=find_routers(model)).iloc[0]
    assert found["share_after"] == 0 < found["share_before"]
    # Whoever was sent to a masked expert is sent elsewhere, and nobody else is.
    calls = [called(model, find_routers(model), row, None)[1] for row in ROWS]
    hit = sum(int(torch.isin(call.ids_TK, torch.tensor([0, 1, 6])).any(-1).sum()) for call in calls)
    if architecture != "deepseek_v3":  # a mask may also empty a group, and so move tokens that were not in it
        assert found["rerouted"] == pytest.approx(hit / 15)


def test_a_choice_of_weight_zero_is_no_choice() -> None:
    """A bias makes DeepSeek's router choose expert 1 for every token; a mask leaves it chosen, with a weight of 0."""
    model = tiny("deepseek_v3")
    routers = find_routers(model)
    for router in routers:
        router.module.e_score_correction_bias[1] = 10.0
    whole = plan("mask", experts={1: (1,)})
    assert bool((called(model, routers, ROWS[0], whole)[1].ids_TK == 1).any(-1).all())
    found = mechanism(model, whole, padded_batches(ROWS, batch_tokens=100), routers=routers).iloc[0]
    assert (found["share_before"], found["share_after"], found["rerouted"]) == (1 / TOP_K, 0, 1)


def test_by_hand() -> None:
    """Logits 4 3 2 1 0 -1 -2 -3 for every token, K = 2: experts 0 and 1 are chosen."""
    model, routers = ZOO["qwen3_moe"]

    def fixed(_router: Router, logits_TE: Tensor) -> Tensor:
        return torch.arange(4.0, -4.0, -1.0).expand_as(logits_TE)

    fields: dict[str, Any] = {"experts": {1: (0, 2)}}
    (batch,) = padded_batches([ROWS[0]], batch_tokens=100)
    with edit(routers, fixed, require_calls=False):
        # 2 + 0.75 * 1 * 2 = 3.5 passes 3, and 4 + 0.75 * 0.5 * 4 = 5.5 stays first: 0 and 1 become 0 and 2.
        push = plan("magnitude", strength=0.75, weights={1: {0: 0.5, 2: 1.0}}, **fields)
        moved = mechanism(model, push, [batch], routers=routers).iloc[0].to_dict()
        less = plan("magnitude", strength=0.25, weights={1: {0: 0.5, 2: 1.0}}, **fields)
        stayed = mechanism(model, less, [batch], routers=routers).iloc[0].to_dict()
    assert moved == pytest.approx(
        {
            "layer": 1, "experts": 2, "tokens": 5, "rerouted": 1.0, "edit_size": (1.5 + 1.5) / 2,
            "relative_size": 1.5 / 3, "share_before": 0.5, "share_after": 1.0,
        }
    )  # fmt: skip
    assert (stayed["rerouted"], stayed["edit_size"], stayed["share_after"]) == (0, pytest.approx((0.5 + 0.5) / 2), 0.5)


def test_batches_add_up_and_leave_the_model_alone() -> None:
    model, routers = ZOO["qwen3_moe"]
    model.train()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    found = mechanism(model, plan("activate"), padded_batches(ROWS, batch_tokens=1))
    assert model.training
    model.eval()
    assert found["tokens"].tolist() == [15, 15]
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert _get_current_function_mode_stack() == []
    for module in model.modules():
        assert not [hook for hook in module._forward_pre_hooks.values() if "polyroute" in hook.__module__]
        assert "forward" not in module.__dict__
    assert found["layer"].tolist() == [1, 2]
    assert [router.layer for router in routers] == [0, 1, 2]


def test_logits_of_zero_have_no_relative_size() -> None:
    model = tiny("qwen3_moe")
    with torch.no_grad():
        model.model.layers[1].mlp.gate.weight.zero_()
    found = mechanism(model, plan("activate", experts={1: (3,)}), padded_batches(ROWS, batch_tokens=100))
    assert found["relative_size"].isna().all()
    assert found["share_after"].tolist() == [1 / TOP_K]


# ------------------------------------------------------------------------------------------------- errors

MASK_BS = torch.ones(1, 5, dtype=torch.int64)
BAD: list[tuple[list[Mapping[str, Any]], str]] = [
    ([{"input_ids": MASK_BS}], r"input_ids and attention_mask of one shape.*this one has \(1, 5\) and none"),
    ([{"input_ids": MASK_BS, "attention_mask": MASK_BS[:, :4]}], r"this one has \(1, 5\) and \(1, 4\)"),
    ([{"input_ids": MASK_BS[0], "attention_mask": MASK_BS[0]}], r"this one has \(5,\) and \(5,\)"),
    ([{"input_ids": MASK_BS, "attention_mask": 0 * MASK_BS}], "no real token to measure in layer 1"),
    ([], "no real token to measure in layer 1"),
]


@pytest.mark.parametrize(("batches", "said"), BAD, ids=[said[-25:] for _, said in BAD])
def test_batches_that_cannot_be_counted_are_refused(batches, said) -> None:
    model, routers = ZOO["qwen3_moe"]
    with pytest.raises(MechanismError, match=said):
        mechanism(model, plan("mask"), batches, routers=routers)


def test_a_plan_for_another_model_and_a_router_that_is_never_called_are_refused() -> None:
    model, routers = ZOO["qwen3_moe"]
    with pytest.raises(PlanError, match=r"experts\.7: layer 7 has no router here"):
        mechanism(model, plan("mask", experts={7: (1,)}), padded_batches(ROWS, batch_tokens=100), routers=routers)
    cut = tiny("qwen3_moe")
    found = find_routers(cut)
    blocks = cut.model.layers
    forward = blocks[2].forward
    blocks[2].forward = lambda hidden_states, **_kwargs: hidden_states
    with pytest.raises(RouterError, match="never called"):
        mechanism(cut, plan("mask"), padded_batches(ROWS, batch_tokens=100), routers=found)
    blocks[2].forward = forward


def test_a_router_that_is_called_twice_is_refused() -> None:
    model = tiny("qwen3_moe")
    routers = find_routers(model)
    block = model.model.layers[1].mlp
    once = block.forward
    block.forward = lambda hidden_states: (once(hidden_states.clone()), once(hidden_states))[1]
    with pytest.raises(MechanismError, match=r"model\.layers\.1\.mlp\.gate was called 2 times in one forward"):
        mechanism(model, plan("mask"), padded_batches(ROWS, batch_tokens=100), routers=routers)


def test_an_encoder_beside_the_decoder_is_refused() -> None:
    model = tiny("switch_transformers")
    with pytest.raises(MechanismError, match="has an encoder and a decoder"):
        mechanism(model, plan("mask"), padded_batches(ROWS, batch_tokens=100))


# ------------------------------------------------------------------------------------------------- batches


def test_every_text_is_in_one_batch_under_the_budget() -> None:
    batches = list(padded_batches(ROWS, batch_tokens=14))
    assert [tuple(batch["input_ids"].shape) for batch in batches] == [(2, 7), (1, 3)]
    back = [
        row[: int(mask.sum())].tolist()
        for batch in batches
        for row, mask in zip(batch["input_ids"], batch["attention_mask"], strict=True)
    ]
    assert sorted(back) == sorted(ROWS)
    assert all(bool((batch["attention_mask"].diff(dim=1) <= 0).all()) for batch in batches)


def test_a_text_without_tokens_is_named() -> None:
    with pytest.raises(MechanismError, match="text 1 of 2, counted from 0, has no tokens"):
        list(padded_batches([[3], []], batch_tokens=8))
