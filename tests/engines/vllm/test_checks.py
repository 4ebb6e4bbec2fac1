"""What cannot be steered is refused by name, and plans for another model with every difference."""

from types import SimpleNamespace

import pytest

from polyroute.engines.vllm.checks import check_plans, refused_settings
from polyroute.engines.vllm.given import Held, ways_of
from polyroute.steering.plan import Plan, PlanError


def settings(**other):
    parallel = {
        "data_parallel_size": 1, "pipeline_parallel_size": 1, "use_ubatching": False,
        "use_sequence_parallel_moe": False,
    }  # fmt: skip
    model = SimpleNamespace(enable_sleep_mode=other.pop("enable_sleep_mode", False))
    mine = {name: other.pop(name, value) for name, value in parallel.items()}
    plain = {"use_v2_model_runner": False, "speculative_config": None, "lora_config": None} | other
    return SimpleNamespace(**plain, parallel_config=SimpleNamespace(**mine), model_config=model)


def test_a_plain_engine_is_taken() -> None:
    assert list(refused_settings(settings())) == []


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"use_v2_model_runner": True}, "set VLLM_USE_V2_MODEL_RUNNER=0"),
        ({"speculative_config": object()}, "speculative decoding"),
        ({"lora_config": object()}, "LoRA"),
        ({"data_parallel_size": 2}, "data parallelism"),
        ({"pipeline_parallel_size": 2}, "pipeline parallelism"),
        ({"use_ubatching": True}, "dual batch overlap"),
        ({"use_sequence_parallel_moe": True}, "sequence-parallel experts"),
        ({"enable_sleep_mode": True}, "sleep mode"),
    ],
)
def test_what_was_not_proved_is_refused_by_name(setting, said) -> None:
    (why,) = refused_settings(settings(**setting))
    assert said in why


def test_plans_for_another_model_are_refused_with_every_difference() -> None:
    fits = Plan(model="tiny", layers=2, experts_per_layer=8, top_k=2, rule="mask", experts={1: (1,)})
    wide = fits.model_copy(update={"experts_per_layer": 16})
    deep = fits.model_copy(update={"layers": 48, "experts": {7: (1,)}})
    shape = {0: (8, 2), 1: (8, 2)}
    check_plans(Held({"fits": fits}, None, 3, ways_of([fits])), shape)
    with pytest.raises(PlanError) as refused:
        check_plans(Held({"fits": fits, "wide": wide, "deep": deep}, None, 3, ways_of([fits])), shape)
    assert str(refused.value).splitlines() == [
        "plans do not fit this model:",
        "  wide: experts_per_layer and top_k are 16 and 2 in the plan, 8 and 2 in layer 1 here",
        "  deep: layers is 48 in the plan, 2 here",
        "  deep: experts.7: layer 7 has no router here",
    ]
