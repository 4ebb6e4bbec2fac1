from collections.abc import Sequence

from polyroute.interventions.rounds import Halves, next_round
from polyroute.steering.condition import Condition

PLAN = Condition("chosen", "chosen", None)
DOSE = Condition("dose", "dose", None)


def draws(count: int, of: str = "chosen") -> list[Condition]:
    return [Condition(f"{of}-random{n}", "random", None, draw=n, control_of=of) for n in range(count)]


def names(found: Sequence[Condition]) -> list[str]:
    return [one.name for one in found]


def alike(conditions: list[Condition]) -> Halves:
    return {"select": conditions, "report": conditions}


def played(conditions: list[Condition], score) -> tuple[int, dict[str, float]]:
    """Rounds until nothing is asked any more, and the scores."""
    scores: dict[str, float] = {}
    rounds = 0
    while any((asked := next_round(alike(conditions), scores)).values()):
        assert names(asked["select"]) == names(asked["report"])
        assert not set(names(asked["select"])) & set(scores), "nothing is asked twice"
        scores |= {one.name: score(one) for one in asked["select"]}
        rounds += 1
    return rounds, scores


def test_the_first_round_asks_all_but_most_draws() -> None:
    found = next_round(alike([PLAN, DOSE, *draws(99)]), {})
    assert names(found["report"]) == ["chosen", "dose", *names(draws(9))]


def test_a_condition_of_one_half_is_asked_there() -> None:
    found = next_round({"select": [PLAN, DOSE], "report": [PLAN]}, {})
    assert {split: names(half) for split, half in found.items()} == {"select": ["chosen", "dose"], "report": ["chosen"]}


def test_a_plan_that_random_sets_equal_needs_one_round() -> None:
    rounds, scores = played([PLAN, *draws(99)], lambda one: 0.5)
    assert (rounds, len(scores)) == (1, 10)


def test_a_plan_that_no_random_set_equals_needs_all() -> None:
    rounds, scores = played([PLAN, *draws(99)], lambda one: float(one is PLAN))
    assert (rounds, len(scores)) == (4, 100)


def test_draws_end_after_the_round_in_which_enough_did_as_well() -> None:
    good = {"chosen", *(f"chosen-random{n}" for n in (2, 8, 9, 17, 18))}
    _, scores = played([PLAN, *draws(99)], lambda one: float(one.name in good))
    assert len(scores) == 20
    good.remove("chosen-random18")
    _, scores = played([PLAN, *draws(99)], lambda one: float(one.name in good))
    assert len(scores) == 100


def test_each_condition_has_its_own_controls() -> None:
    conditions = [PLAN, *draws(30), Condition("published", "published", None), *draws(30, "published")]
    good = {"chosen", *names(draws(30)), "published"}
    _, scores = played(conditions, lambda one: float(one.name in good))
    assert sum(name.startswith("chosen-") for name in scores) == 9
    assert sum(name.startswith("published-") for name in scores) == 30
