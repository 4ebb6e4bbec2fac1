"""A condition among others is the condition alone, whatever the architecture selects by."""

from collections.abc import Sequence

import pytest
import torch

from models.tiny_models import EXPERTS, LAYERS, TOP_K, tiny
from polyroute.models.routers import find_routers, observe
from polyroute.steering import sweep as module
from polyroute.steering.apply import steer
from polyroute.steering.plan import Plan
from polyroute.steering.sweep import Sweep, can_part, holds_keys_and_values

# Softmax then top-k, top-k then softmax, sparsemixer, sigmoid with bias and groups.
ARCHITECTURES = ["qwen3_moe", "gpt_oss", "phimoe", "deepseek_v3", "mixtral", "olmoe"]
IDS_BS = torch.tensor([[0, 0, 9, 33, 7, 60], [11, 2, 40, 21, 3, 17]])
REAL_BS = torch.tensor([[0, 0, 1, 1, 1, 1], [1] * 6]).bool()
NEXT_BS = torch.tensor([[4, 8], [15, 16]])
ZOO: dict = {}


def plan(rule: str, layers: Sequence[int], **more) -> Plan:
    """Two experts in each layer."""
    return Plan(
        model="tiny", experts_per_layer=EXPERTS, top_k=TOP_K, rule=rule, experts=dict.fromkeys(layers, (1, 6)),
        **more,
    )  # fmt: skip


def plans(last: int) -> list[Plan | None]:
    weights = {last: {1: 0.5, 6: 1.0}}
    return [
        None,
        plan("soft", [last], strength=2.0),
        plan("mask", [last - 1, last]),
        plan("soft", [last - 1], strength=1.0, std="sample"),
        plan("activate", [last]),
        plan("magnitude", [last], strength=1.5, weights=weights),
        plan("deactivate", [last - 1, last]),
        plan("soft", [last], strength=0.0),
    ]


def loaded(architecture: str):
    if architecture not in ZOO:
        model = tiny(architecture)
        routers = find_routers(model)
        ZOO[architecture] = model, routers, plans(max(router.layer for router in routers))
    return ZOO[architecture]


@pytest.fixture(params=ARCHITECTURES)
def found(request):
    return loaded(request.param)


def read(model) -> list[torch.Tensor]:
    """Logits after prompts that are padded on the left, and of two more tokens over their cache."""
    positions = (REAL_BS.long().cumsum(1) - 1).clamp(min=0)
    with torch.inference_mode():
        told = model(IDS_BS, attention_mask=REAL_BS.long(), position_ids=positions, use_cache=True)
        rest = model(
            NEXT_BS, attention_mask=torch.cat([REAL_BS, torch.ones_like(NEXT_BS).bool()], 1).long(),
            position_ids=positions[:, -1:] + torch.arange(1, 3), past_key_values=told.past_key_values,
        )  # fmt: skip
    return [told.logits[:, -1], rest.logits]


def read_together(model, routers, conditions) -> list[list[torch.Tensor]]:
    """The same of every condition, in one pass."""
    positions = (REAL_BS.long().cumsum(1) - 1).clamp(min=0)
    count = len(conditions)
    with torch.inference_mode(), Sweep(model, conditions, routers) as sweep:
        left = sweep.prefill(
            REAL_BS, input_ids=IDS_BS, attention_mask=REAL_BS.long(), position_ids=positions, use_cache=True
        )
        first_CBV = left.output.logits[left.row_CB, -1]
        left.spread()
        sweep.assign(sweep.conditions(2))
        rest = model(
            NEXT_BS.repeat(count, 1),
            attention_mask=torch.cat([REAL_BS, torch.ones_like(NEXT_BS).bool()], 1).long().repeat(count, 1),
            position_ids=(positions[:, -1:] + torch.arange(1, 3)).repeat(count, 1),
            past_key_values=left.output.past_key_values,
        ).logits
    return [[first_CBV[number], rest.view(count, 2, *rest.shape[1:])[number]] for number in range(count)]


def follow_together(model, routers, conditions) -> list[list[torch.Tensor]]:
    """The same, the two tokens by `follow`; each prompt goes on in two ways, of which the first is looked at."""
    positions = (REAL_BS.long().cumsum(1) - 1).clamp(min=0)
    ids_NW = torch.stack([NEXT_BS, NEXT_BS.flip(0)], 1).flatten(0, 1)
    real_NS = torch.cat([REAL_BS.repeat_interleave(2, 0), torch.ones_like(ids_NW).bool()], 1)
    with torch.inference_mode(), Sweep(model, conditions, routers) as sweep:
        left = sweep.prefill(
            REAL_BS, input_ids=IDS_BS, attention_mask=REAL_BS.long(), position_ids=positions, use_cache=True
        )
        first_CBV = left.output.logits[left.row_CB, -1]
        rest = sweep.follow(
            left, torch.ones_like(ids_NW).bool(), input_ids=ids_NW, attention_mask=real_NS.long(),
            position_ids=(positions[:, -1:] + torch.arange(1, 3)).repeat_interleave(2, 0),
        )  # fmt: skip
    rest_CNWV = rest.output.logits[rest.row_CB]
    return [[first_CBV[number], rest_CNWV[number, ::2]] for number in range(len(conditions))]


def alone(model, routers, condition: Plan | None) -> list[torch.Tensor]:
    if condition is None:
        return read(model)
    with steer(model, condition, routers=routers):
        return read(model)


@pytest.mark.parametrize("together", [read_together, follow_together])
def test_every_condition_is_what_it_is_alone(found, together) -> None:
    model, routers, conditions = found
    assert can_part(model, conditions[1], routers)
    together = together(model, routers, conditions)
    plain = read(model)
    for condition, ours in zip(conditions, together, strict=True):
        expected = alone(model, routers, condition)
        for one, other in zip(ours, expected, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
        if condition is not None and condition.strength != 0:
            assert not torch.allclose(expected[1], plain[1], atol=1e-4), "every plan does something"
    assert all(torch.equal(one, other) for one, other in zip(read(model), plain, strict=True)), "nothing is left behind"


def test_strength_0_is_the_baseline_to_the_bit(found) -> None:
    model, routers, conditions = found
    together = read_together(model, routers, conditions)
    assert conditions[-1].strength == 0
    assert torch.equal(together[0][0], together[-1][0])
    torch.testing.assert_close(together[0][1], together[-1][1], atol=1e-6, rtol=1e-6)


def test_models_whose_state_is_not_keys_and_values_run_every_row() -> None:
    model, routers, conditions = loaded("qwen3_next")  # most of its layers keep a recurrent state
    assert not can_part(model, conditions[1], routers)
    with torch.inference_mode(), Sweep(model, conditions, routers) as sweep:
        left = sweep.prefill(REAL_BS[1:], input_ids=IDS_BS[1:], attention_mask=REAL_BS[1:].long(), use_cache=True)
        assert left.row_CB.tolist() == [[number] for number in range(len(conditions))]
    assert not holds_keys_and_values(left.output.past_key_values)
    for number, condition in enumerate(conditions):
        with torch.inference_mode(), steer(model, [condition] if condition else [], routers=routers):
            expected = model(IDS_BS[1:], attention_mask=REAL_BS[1:].long(), use_cache=True).logits[:, -1]
        torch.testing.assert_close(left.output.logits[left.row_CB[number], -1], expected, atol=1e-5, rtol=1e-5)


@pytest.fixture
def rows_by_layer():
    """Rows that each layer's router got, by layer; of the plain Qwen3."""
    model, routers, _ = loaded("qwen3_moe")

    def rows(conditions: Sequence[Plan | None]) -> tuple[list[int], list[list[int]]]:
        seen: dict[int, int] = dict.fromkeys(range(LAYERS), 0)
        with torch.inference_mode(), Sweep(model, conditions, routers) as sweep:
            sweep.prefill(REAL_BS, input_ids=IDS_BS, attention_mask=REAL_BS.long())  # the trial is over after this
            with observe(routers, lambda router, call: seen.__setitem__(router.layer, call.logits_TE.shape[0])):
                left = sweep.prefill(REAL_BS, input_ids=IDS_BS, attention_mask=REAL_BS.long())
        return [seen[layer] // IDS_BS.shape[1] for layer in range(LAYERS)], left.row_CB.tolist()

    return rows


def test_conditions_share_every_layer_below_the_one_in_which_they_part(rows_by_layer) -> None:
    late = plan("soft", [2], strength=5.0)
    found, row_CB = rows_by_layer([None, late, late])
    # In layer 2 the unedited rows run, the selection of both conditions is tried, and their four rows run.
    assert found == [2, 2, 4]
    assert row_CB == [[0, 1], [2, 3], [4, 5]]


def test_a_condition_that_changes_nothing_costs_nothing(rows_by_layer) -> None:
    faint = plan("soft", [0, 1, 2], strength=1e-12)
    _, row_CB = rows_by_layer([None, faint])
    assert row_CB == [[0, 1], [0, 1]]


def test_only_the_prompts_that_change_get_rows(monkeypatch) -> None:
    model, routers, _ = loaded("qwen3_moe")
    changed = module._Parting._changed
    monkeypatch.setattr(
        module._Parting, "_changed", lambda self, *args: [pair for pair in changed(self, *args) if pair[1] == 1]
    )
    strong = plan("soft", [1], strength=5.0)
    with torch.inference_mode(), Sweep(model, [strong, None], routers) as sweep:
        left = sweep.prefill(REAL_BS, input_ids=IDS_BS, attention_mask=REAL_BS.long())
    assert left.row_CB.tolist() == [[0, 2], [0, 1]]
    with torch.inference_mode(), steer(model, strong, routers=routers):
        expected = model(IDS_BS, attention_mask=REAL_BS.long()).logits
    torch.testing.assert_close(left.output.logits[2], expected[1], atol=1e-5, rtol=1e-5)


def test_texts_share_the_layers_below_the_one_in_which_their_prompts_part() -> None:
    model, routers, _ = loaded("qwen3_moe")
    conditions = [None, plan("soft", [1], strength=5.0), plan("mask", [2])]
    expected = [alone(model, routers, condition) for condition in conditions]
    seen: dict[int, int] = {}
    follow = Sweep.follow

    def watched(self, *args, **kwargs):
        with observe(routers, lambda router, call: seen.__setitem__(router.layer, call.logits_TE.shape[0])):
            return follow(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Sweep, "follow", watched)
        found = follow_together(model, routers, conditions)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours[1], theirs[1], atol=1e-5, rtol=1e-5)
    # Four texts of two tokens: all conditions share layer 0.
    assert seen[0] == 4 * 2


def test_padding_decides_nothing() -> None:
    """A plan that moves experts of padding alone leaves its row with the baseline."""
    model, routers, _ = loaded("qwen3_moe")
    none_real = torch.zeros_like(REAL_BS)
    with torch.inference_mode(), Sweep(model, [None, plan("mask", [1])], routers) as sweep:
        left = sweep.prefill(none_real, input_ids=IDS_BS, attention_mask=REAL_BS.long())
        assert left.row_CB.tolist() == [[0, 1], [0, 1]]


def test_an_exception_leaves_the_model_as_it_was(monkeypatch) -> None:
    model, routers, conditions = loaded("qwen3_moe")
    plain = read(model)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module._Parting, "_changed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        read_together(model, routers, conditions)
    assert all(torch.equal(one, other) for one, other in zip(read(model), plain, strict=True))
    assert not any("forward" in block.__dict__ for block in model.modules())


def test_a_sweep_of_the_baseline_alone_is_the_model(found) -> None:
    model, routers, _ = found
    (told,) = read_together(model, routers, [None])
    assert all(torch.equal(one, other) for one, other in zip(told, read(model), strict=True))
