import pytest

from polyroute.asking.store import plan_of
from polyroute.experts.controls import Controls
from polyroute.interventions.plans import Conditions, ConditionsError, Target
from polyroute.interventions.settings import PublishedSteering, Steer
from polyroute.steering.condition import Condition

TARGET = Target("tiny", "a" * 64, "arithmetic", tuple(range(6)), 8, 2)
DELTA = {1: {0: 0.5}, 2: {3: 0.3, 4: 0.15}, 3: {1: 0.25}, 5: {7: 0.4}}
"""Layer -> expert -> Delta."""


def above(tau, layers):
    found = {
        layer: tuple(expert for expert, delta in experts.items() if delta > tau)
        for layer, experts in DELTA.items()
        if layers[0] <= layer <= layers[1]
    }
    return {layer: experts for layer, experts in found.items() if experts}


def settings(**changes) -> Steer:
    return Steer.model_validate(
        {
            "taus": [0.1, 0.2], "strengths": [0.5, 1.0], "doses": [-0.5, 0.5], "draws": 2,
            "std": "population", "eps": "variance", "mechanism_items": 2,
            "magnitude": {"k": 48, "thr": 0.85, "strengths": [0.1, 0.5]},
        }
        | changes
    )  # fmt: skip


def conditions(middle=(2, 3), **changes) -> Conditions:
    return Conditions(TARGET, settings(**changes), task_experts=above, middle=middle, seed=4)


class Fixed(Controls):
    """Controls that are the experts from 5 on, moved by the number of the draw."""

    def __init__(self, experts):
        self.experts = experts

    def draw(self, number):
        return {layer: tuple(range(5 + number, 5 + number + len(one))) for layer, one in self.experts.items()}


def reported(made: Conditions, chosen: Condition, **changes) -> dict[str, Condition]:
    given = {
        "controls": Fixed,
        "multilingual": lambda tau, layers: {2: (6,)},
        "pivots": {"deu_Latn": lambda tau, layers: {3: (2,)}},
        "published": None,
    }
    return {condition.name: condition for condition in made.reported(chosen, made.settings, **given | changes)}


def test_candidates_are_every_threshold_with_every_rule() -> None:
    made = {condition.name: condition for condition in conditions().candidates()}
    assert list(made) == [
        "tau0.1-soft0.5", "tau0.1-soft1", "tau0.1-activate", "tau0.2-soft0.5", "tau0.2-soft1", "tau0.2-activate",
    ]  # fmt: skip
    plan = made["tau0.2-soft1"].plan
    assert plan.experts == {2: (3,), 3: (1,)}
    assert (plan.rule, plan.strength, plan.seed, plan.model_digest) == ("soft", 1.0, 4, "a" * 64)
    assert plan.source == {"task": "arithmetic", "condition": "tau0.2-soft1", "tau": 0.2}
    assert {(one.kind, one.layers, one.draw) for one in made.values()} == {("candidate", (2, 3), None)}


def test_a_grid_that_reaches_no_expert_says_where() -> None:
    with pytest.raises(ConditionsError, match=r"arithmetic on tiny.*0\.6, 0\.7.*layers 2 to 3"):
        conditions(taus=[0.6, 0.7]).candidates()


def test_more_active_experts_than_a_token_gets_are_left_out_unless_asked_for(monkeypatch) -> None:
    monkeypatch.setitem(DELTA, 2, {3: 0.3, 4: 0.3, 5: 0.3})
    made = conditions(taus=[0.1])
    assert "tau0.1-activate" not in {condition.name for condition in made.candidates()}
    assert made.left_out[0].name == "tau0.1-activate"
    assert "layer 2 has 3 experts to activate and a token is sent to 2" in made.left_out[0].reason
    asked = conditions(taus=[0.1], allow_more_than_k=True)
    assert "tau0.1-activate" in {condition.name for condition in asked.candidates()}


def test_the_chosen_plan_meets_its_doses_and_controls() -> None:
    made = conditions()
    chosen = next(condition for condition in made.candidates() if condition.name == "tau0.2-soft0.5")
    found = reported(made, chosen)
    assert list(found) == [
        "chosen", "dose-0.5", "dose0.5", "activate", "deactivate", "random0", "random1", "multilingual", "early",
        "late", "all", "pivot-deu_Latn",
    ]  # fmt: skip
    assert found["chosen"].plan is chosen.plan
    assert found["dose-0.5"].plan.experts == chosen.plan.experts
    assert plan_of(found["dose0.5"]) == plan_of(chosen), "of equal plans one is asked"
    assert (found["random1"].draw, found["random1"].control_of) == (1, "chosen")
    assert found["random1"].plan.experts == {2: (6,), 3: (6,)}
    assert found["early"].plan.experts == {1: (0,)}
    assert found["late"].plan.experts == {5: (7,)}
    assert found["all"].plan.experts == {1: (0,), 2: (3,), 3: (1,), 5: (7,)}
    assert found["pivot-deu_Latn"].plan.experts == {3: (2,)}
    controls = ("random0", "multilingual", "early", "late", "all", "pivot-deu_Latn")
    assert {(found[name].plan.rule, found[name].plan.strength) for name in controls} == {("soft", 0.5)}


def test_a_papers_setting_is_run_as_it_stands() -> None:
    made = conditions()
    setting = PublishedSteering(layers=(1, 5), tau=0.35, rule="activate")
    found = reported(made, made.candidates()[0], published=setting)
    assert found["published"].plan.experts == {1: (0,), 5: (7,)}
    assert found["published"].plan.rule == "activate"
    (first, second) = (found[f"published-random{draw}"] for draw in (0, 1))
    assert (first.kind, first.control_of, first.draw, first.layers) == ("published-random", "published", 0, (1, 5))
    assert (first.plan.rule, first.plan.experts) == ("activate", {1: (5,), 5: (5,)})
    assert second.plan.experts == {1: (6,), 5: (6,)}


def test_what_cannot_be_run_says_why() -> None:
    made = conditions(middle=(0, 5))
    found = reported(made, made.candidates()[0], multilingual=lambda tau, layers: {})
    assert not {"early", "late", "multilingual"} & set(found)
    reasons = {left.name: left.reason for left in made.left_out}
    assert reasons["early"] == "the middle, layers 0 to 5, leaves none"
    assert reasons["multilingual"] == "no expert above tau 0.1 in layers 0 to 5"
