"""Steering by turn and by task in place of task experts: which experts, and what is made of the answers."""

import numpy as np
import pandas as pd
import pytest

from interventions.test_plans import conditions, reported
from polyroute.experts.specialised import ExpertsError
from polyroute.interventions.settings import PublishedSteering
from polyroute.interventions.turn_effects import by_turn_effects
from polyroute.interventions.turn_plans import DeltaByTurn
from polyroute.interventions.verdicts import Rule
from polyroute.stats.paired import PairedScores

RULE = Rule(0.95, 200, 1, None)


def table(counted: str = "rendered") -> pd.DataFrame:
    """Layers 2 and 3 with eight experts: by turn the last are first, by task those in the middle."""
    rows = [
        {
            "task": "sums", "counted": counted, "layer": layer, "expert": expert, "turn": expert / 10,
            "task_user": 0.5 - abs(expert - 4) / 10, "task_assistant": 0.9 - abs(expert - 3) / 10,
        }
        for layer in (2, 3) for expert in range(8)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_as_many_experts_of_each_layer_by_the_smaller_task_delta() -> None:
    made = DeltaByTurn.of(table(), "sums")
    assert made.layers == (2, 3)
    assert made.task_LE[0, 4] == pytest.approx(0.5)  # the smaller of .5 and .8
    assert dict(made.sets({2: (0, 1), 3: (5,)})) == {"by-turn": {2: (6, 7), 3: (7,)}, "by-task": {2: (3, 4), 3: (4,)}}
    with pytest.raises(ExpertsError, match="layer 5 is not among"):
        list(made.sets({5: (0,)}))


def test_other_tasks_and_ways_of_counting_have_none() -> None:
    assert DeltaByTurn.of(table(), "cures") is None
    assert DeltaByTurn.of(table("content"), "sums") is None


def test_they_take_the_place_of_the_published_experts_under_the_same_rule() -> None:
    made = conditions()
    published = PublishedSteering(layers=(2, 3), tau=0.1, rule="soft", strength=0.7)
    found = reported(made, made.candidates()[0], published=published, by_turn=DeltaByTurn.of(table(), "sums"))
    own, turn, task = (found[name] for name in ("published", "by-turn", "by-task"))
    assert (turn.kind, task.kind, turn.layers, task.control_of) == ("by-turn", "by-task", (2, 3), None)
    assert {layer: len(of) for layer, of in turn.plan.experts.items()} == {
        layer: len(of) for layer, of in own.plan.experts.items()
    }
    assert (turn.plan.rule, turn.plan.strength) == (task.plan.rule, task.plan.strength) == ("soft", 0.7)
    assert turn.plan.experts[2] == (6, 7)


def test_without_published_experts_they_take_the_place_of_the_chosen_ones() -> None:
    made = conditions()
    chosen = made.candidates()[1]
    found = reported(made, chosen, by_turn=DeltaByTurn.of(table(), "sums"))
    assert found["by-turn"].plan.strength == chosen.plan.strength
    assert not {"by-turn", "by-task"} & set(reported(made, chosen))


def test_layers_for_which_nothing_is_known_by_turn_are_left_out_with_a_reason() -> None:
    made = conditions()
    only = table()[lambda rows: rows["layer"] == 2]
    found = reported(made, made.candidates()[0], by_turn=DeltaByTurn.of(only, "sums"))
    assert "by-turn" not in found
    assert [one.reason for one in made.left_out if one.name in ("by-turn", "by-task")] == [
        "layer 3 is not among layers [2], for which Delta by turn is known"
    ] * 2


def answers(right: dict[str, list[int]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"item_id": f"{item:03}", "language": language, "correct": bool(value)}
            for language, values in right.items() for item, value in enumerate(values)
        ]
    )  # fmt: skip


def test_the_difference_is_from_the_task_experts_item_by_item() -> None:
    rng = np.random.default_rng(0)
    base = {code: rng.integers(0, 2, 40).tolist() for code in ("eng_Latn", "deu_Latn", "fra_Latn")}
    worse = {code: [0, 0, 0, 0, *values[4:]] for code, values in base.items()}
    right = {"baseline": answers(base), "published": answers(base), "by-turn": answers(worse)}
    found = by_turn_effects(right, "eng_Latn", RULE)
    assert (found["than"], found["by_task"]) == ("published", None)
    lost = np.mean([sum(base[code][:4]) / 40 for code in ("deu_Latn", "fra_Latn")])
    turn = found["by_turn"]
    assert turn["value"] == pytest.approx(-lost, abs=5e-5)
    assert (turn["items"], turn["equivalent"]) == (40, False)
    helped = PairedScores.from_tables(right["published"], right["by-turn"]).only(["deu_Latn", "fra_Latn"])
    assert turn["low90"] == pytest.approx(helped.mean_difference(0.9, 1).low, abs=5e-5)
    assert turn["low"] <= turn["low90"] <= turn["high90"] <= turn["high"]


def test_the_same_answers_to_many_items_are_equivalent() -> None:
    base = answers({"eng_Latn": [1] * 400, "deu_Latn": [1, 0] * 200})
    found = by_turn_effects({"chosen": base, "by-task": base}, "eng_Latn", RULE)
    assert (found["than"], found["by_turn"]) == ("chosen", None)
    assert (found["by_task"]["value"], found["by_task"]["equivalent"]) == (0, True)
    assert by_turn_effects({"baseline": base, "chosen": base}, "eng_Latn", RULE) is None
