import numpy as np
import pytest

from asking.seated import preferring
from polyroute.experts.specialised import ExpertsError, size
from polyroute.interventions.mask_plans import MaskPlans, Masks
from polyroute.interventions.plans import Target
from polyroute.interventions.settings import Mask
from polyroute.steering.condition import AskedConditions

LAYERS = 10
# Twenty tokens, top-2 of 8 experts. English and Swahili choose expert 0 most, German expert 2; the second are 1, 4, 1.
# In the last layer all choose expert 7 most.
ALIKE = {9: [0, 1, 2, 3, 4, 5, 6, 19]}
TRACES = {
    trace.header.language: trace
    for trace in (
        preferring("eng_Latn", [14, 12, 1, 2, 3, 3, 3, 2], LAYERS, ALIKE),
        preferring("deu_Latn", [1, 12, 14, 2, 3, 3, 3, 2], LAYERS, ALIKE),
        preferring("swh_Latn", [14, 1, 2, 3, 12, 3, 3, 2], LAYERS, ALIKE),
    )
}


def settings(**changes) -> Mask:
    return Mask.model_validate({"k": 15, "thr": 0.4, "width": 5, "draws": 2, "mechanism_items": 1} | changes)


def target(task: str = "arithmetic", layers: int = LAYERS, experts: int = 8, top_k: int = 2) -> Target:
    return Target("tiny", "a" * 64, task, tuple(range(layers)), experts, top_k)


def masks(seed: int = 0, task: str = "arithmetic", **changes) -> Masks:
    return Masks(target(task), settings(**changes), TRACES, {}, seed=seed)


def plans(made: Masks, *languages: str) -> dict:
    return {mask.name: mask.plan for mask in made.of(languages or list(TRACES))}


def test_the_experts_of_a_language_are_masked_in_each_range() -> None:
    made = masks()
    assert (made.k, made.thr, dict(made.ranges)) == (1, 0.4, {"early": (0, 0), "middle": (5, 5), "late": (9, 9)})
    found = plans(made)
    # Half of expert 0 is more than 0.4 of it: below thr = 0.5 an expert can be exclusive to two.
    assert {name: plan.experts for name, plan in found.items() if "random" not in name} == {
        "early-eng_Latn": {0: (0,)}, "early-deu_Latn": {0: (2,)}, "early-swh_Latn": {0: (0,)},
        "middle-eng_Latn": {5: (0,)}, "middle-deu_Latn": {5: (2,)}, "middle-swh_Latn": {5: (0,)},
    }  # fmt: skip
    plan = found["middle-deu_Latn"]
    assert (plan.rule, plan.strength, plan.layers, plan.model_digest) == ("mask", None, LAYERS, "a" * 64)
    assert plan.source == {
        "task": "arithmetic", "condition": "middle-deu_Latn", "exclusive": "deu_Latn", "among": list(TRACES), "k": 1,
        "thr": 0.4,
    }  # fmt: skip


def test_masks_say_whose_experts_they_take_and_where() -> None:
    first, random, _ = masks().of(["deu_Latn"])[:3]
    assert (first.target, first.range, size(first.plan.experts)) == ("deu_Latn", "early", 1)
    assert (first.kind, first.layers, first.draw) == ("exclusive", (0, 0), None)
    assert (random.target, random.range, size(random.plan.experts)) == ("deu_Latn", "early", 1)
    assert (random.name, random.kind, random.draw) == ("early-deu_Latn-random0", "random", 0)


def test_a_language_without_experts_of_its_own_is_left_out() -> None:
    made = masks()
    plans(made, "eng_Latn", "swh_Latn")
    assert [(left.name, left.reason) for left in made.left_out] == [
        (f"late-{code}", "no exclusive expert in layers 9 to 9") for code in ("eng_Latn", "swh_Latn")
    ]
    assert made.exclusive["late"] == {code: {} for code in TRACES}


def test_a_task_with_a_setting_of_its_own_changes_that_task_alone() -> None:
    tasks = {"xquad": {"k": 32, "thr": 0.5, "width": 10}}
    made = masks(task="xquad", tasks=tasks)
    assert (made.k, made.thr, dict(made.ranges)) == (2, 0.5, {"early": (0, 1), "middle": (4, 5), "late": (8, 9)})
    # Experts 0 and 1 are each half and half, and half is not more than thr.
    found = {name: plan.experts for name, plan in plans(made).items() if "random" not in name}
    assert found == {
        "early-deu_Latn": {0: (2,), 1: (2,)}, "early-swh_Latn": {0: (4,), 1: (4,)},
        "middle-deu_Latn": {4: (2,), 5: (2,)}, "middle-swh_Latn": {4: (4,), 5: (4,)},
        "late-deu_Latn": {8: (2,)}, "late-swh_Latn": {8: (4,)},
    }  # fmt: skip
    other = masks(tasks=tasks)
    assert (other.k, other.thr, other.ranges) == (1, 0.4, masks().ranges)
    assert plans(other) == plans(masks())


def test_random_masks_are_as_many_and_none_of_the_language() -> None:
    made = masks(width=20, draws=3, k=32, thr=0.6)  # four layers together
    found = plans(made, "deu_Latn")
    for name in ("early", "middle"):
        exclusive = found[f"{name}-deu_Latn"].experts
        assert list(exclusive.values()) == [(2,)] * 4
        drawn = [found[f"{name}-deu_Latn-random{draw}"] for draw in range(3)]
        for plan in drawn:
            assert plan.rule == "mask"
            assert {layer: len(chosen) for layer, chosen in plan.experts.items()} == dict.fromkeys(exclusive, 1)
            assert not any(set(chosen) & set(exclusive[layer]) for layer, chosen in plan.experts.items())
        # Expert 2 is chosen by 14 of twenty tokens and expert 1 by 12; no other is nearly as frequent.
        assert {plan.experts[layer] for plan in drawn for layer in exclusive} == {(1,)}
        assert {(row.layer, row.matched) for row in made.balance[f"{name}-deu_Latn"]} == {
            (layer, False) for layer in exclusive
        }


def test_random_masks_match_on_prompts_where_there_are_some() -> None:
    frequency_LE = np.tile([0.1, 0.2, 0.3, 0.3, 0.1, 0.3, 0.1, 0.1], (LAYERS, 1))
    made = Masks(target(), settings(width=20, k=32, thr=0.6, draws=30), TRACES, {"deu_Latn": frequency_LE}, seed=0)
    drawn = [plan.experts for name, plan in plans(made, "deu_Latn").items() if name.startswith("early-deu_Latn-random")]
    assert {experts[layer] for experts in drawn for layer in experts} == {(3,), (5,)}
    assert all(row.matched for row in made.balance["early-deu_Latn"])


def test_random_masks_depend_on_the_seed_and_the_mask_alone() -> None:
    wide = {"width": 20, "k": 32, "thr": 0.6}
    all_of_them, again, alone = plans(masks(7, **wide)), plans(masks(7, **wide)), plans(masks(7, **wide), "deu_Latn")
    assert all_of_them == again
    assert alone == {name: plan for name, plan in all_of_them.items() if "deu_Latn" in name}
    other = plans(masks(8, **wide))
    assert other["early-deu_Latn"] == all_of_them["early-deu_Latn"]


# English has three of four experts mostly to itself.
CROWDED = {
    "eng_Latn": preferring("eng_Latn", [13, 13, 13, 1], 1),
    "deu_Latn": preferring("deu_Latn", [6, 7, 7, 20], 1),
}


def crowded(top_k: int) -> Masks:
    return Masks(target(layers=1, experts=4, top_k=top_k), settings(k=96, thr=0.6), CROWDED, {}, seed=0)


def test_a_mask_that_leaves_too_few_experts_is_left_out() -> None:
    made = crowded(top_k=2)
    assert made.exclusive["early"] == {"eng_Latn": {0: (0, 1, 2)}, "deu_Latn": {0: (3,)}}
    assert not plans(made, "eng_Latn")
    assert made.left_out[0].name == "early-eng_Latn"
    assert made.left_out[0].reason == "it would leave 1 of 4 experts in layer 0 and a token is sent to 2"
    assert [mask.name for mask in made.of(["deu_Latn"])][:2] == ["early-deu_Latn", "early-deu_Latn-random0"]


def test_more_than_half_of_a_layer_is_masked_without_random_masks() -> None:
    made = crowded(top_k=1)
    assert list(plans(made, "eng_Latn")) == ["early-eng_Latn", "middle-eng_Latn", "late-eng_Latn"]
    assert [left.name for left in made.left_out] == [f"{name}-eng_Latn-random" for name, _ in made.ranges]
    assert "layer 0: the set holds 3 of 4 experts" in made.left_out[0].reason


def test_a_range_without_a_traced_layer_is_an_error() -> None:
    short = {language: preferring(language, [14, 12, 1, 2, 3, 3, 3, 2], 4) for language in ("eng_Latn", "deu_Latn")}
    with pytest.raises(ExpertsError, match=r"layers \[5, 5\] hold none of the traced layers 0 to 3"):
        Masks(target(), settings(), short, {}, seed=0)


def test_a_file_of_masks_says_what_they_are_made_of(tmp_path) -> None:
    made = masks()
    given = made.planned(["eng_Latn", "deu_Latn"], ["swh_Latn"])
    given.save(tmp_path / "masks.json")
    found = MaskPlans.load(tmp_path / "masks.json")
    assert found == given
    assert list(found.conditions) == masks().of(list(TRACES))
    assert (found.languages, found.lacking, found.among) == (("eng_Latn", "deu_Latn"), ("swh_Latn",), tuple(TRACES))
    assert (found.k, found.thr, found.ranges) == (1, 0.4, {"early": (0, 0), "middle": (5, 5), "late": (9, 9)})
    ones, none = dict.fromkeys(TRACES, 1), dict.fromkeys(TRACES, 0)
    assert found.exclusive == {"early": ones, "middle": ones, "late": none}
    assert [left.name for left in found.left_out] == [f"late-{code}" for code in TRACES]
    asked = AskedConditions.load(tmp_path / "masks.json")
    assert (asked.conditions, asked.languages) == (found.conditions, ("eng_Latn", "deu_Latn"))
