import numpy as np
import pytest

from polyroute.interventions.verdicts import Rank, Rule, largest_p, verdict
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.paired import PairedScores

RULE = Rule(confidence=0.95, studies=200, seed=0)
PIVOT = "eng_Latn"


def scores(base, edited, languages: int = 3) -> PairedScores:
    """The pivot, and as many languages that are alike."""
    wide = [np.repeat(np.asarray(one, float)[:, None], languages + 1, axis=1) for one in (base, edited)]
    names = (PIVOT, *(f"l{place}" for place in range(languages)))
    return PairedScores(tuple(f"i{n}" for n in range(len(base))), names, *wide)


def code(base, edited, q: float = 0.9, **changes) -> str:
    return verdict(scores(base, edited), q, [], [], PIVOT, Rule(**(vars(RULE) | changes))).code


def random_answers(items: int, psi: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    base = rng.permutation(np.arange(items) % 2).astype(float)
    changed = np.zeros(items, bool)
    changed[np.concatenate([np.flatnonzero(base == side)[: round(items * psi / 2)] for side in (0, 1)])] = True
    return base, np.where(changed, 1 - base, base)


def test_nothing_right_to_begin_with_cannot_be_told() -> None:
    assert code(np.zeros(100), np.zeros(100)) == "cannot_be_told"


def test_everything_right_to_begin_with_cannot_be_told() -> None:
    assert code(np.ones(100), np.ones(100)) == "cannot_be_told"


def test_too_few_items_that_could_differ_cannot_be_told() -> None:
    # Five of 20 items can become right: 2 of 2^5 patterns of exchange are as far, p = .06.
    assert code(np.arange(20) >= 5, np.arange(20) >= 5) == "cannot_be_told"
    assert code(np.arange(7) >= 3, np.arange(7) >= 3) == "cannot_be_told"


def test_20_items_are_too_few_to_say_no() -> None:
    base, edited = random_answers(20, 0.0)
    assert code(base, edited) == "too_few_items"
    base, edited = random_answers(20, 0.2)
    found = verdict(scores(base, edited), 0.9, [], [], PIVOT, RULE)
    assert (found.code, found.items) == ("too_few_items", 20)
    assert found.power.power < 0.2 < found.power.detectable
    assert found.power.items_needed > 1000


def test_equivalence_needs_an_interval_within_the_margin() -> None:
    base, edited = random_answers(600, 0.0)
    found = verdict(scores(base, edited), 1.0, [], [], PIVOT, RULE)
    assert found.code == "no_difference"
    assert found.high90 == pytest.approx(1 - 0.1 ** (1 / 600))
    assert found.high90 < found.margin


def test_what_could_have_been_seen_and_was_not_is_not_distinguishable() -> None:
    base, edited = random_answers(400, 0.1)
    assert code(base, edited, gain=0.07) == "not_distinguishable"
    assert code(base, edited, gain=0.01) == "too_few_items"


def test_a_loss_is_a_loss() -> None:
    base, _ = random_answers(100, 0.0)
    assert code(base, np.zeros(100), q=0.001) == "hurts"
    assert code(base, np.ones(100), q=0.001) == "helps_unranked"
    assert code(base, np.ones(100), q=0.2) != "helps_unranked"


def test_what_the_pivot_changes_by_is_held_against_a_margin() -> None:
    base, edited = random_answers(100, 0.0)
    found = verdict(scores(base, edited), 1.0, [], [], PIVOT, RULE).plain()
    bound = pytest.approx(1 - 0.1 ** (1 / 100), abs=1e-4)
    assert found["pivot_change"] == {
        "value": 0,
        "low90": -found["pivot_change"]["high90"],
        "high90": bound,
        "items": 100,
    }


def test_a_rank_needs_draws() -> None:
    assert Rank.among(0.5, []) == Rank(None, 0)
    assert Rank.among(0.5, []).beyond is None
    assert Rank.among(0.5, [0.1] * 18).beyond is None
    assert Rank.among(0.5, [0.1] * 19).beyond is True
    assert Rank.among(0.5, [0.1] * 18 + [0.6]).beyond is False
    assert Rank.among(0.5, [0.6]).beyond is False, "one of one did as well"
    stopped = Rank.among(0.5, [0.1, 0.6, 0.6, 0.5, 0.6, 0.2, 0.6])
    assert (stopped.p, stopped.beyond) == (pytest.approx(5 / 7), False)


def test_what_q_asks_of_p() -> None:
    assert largest_p([]) == pytest.approx(0.0499)
    others = [0.9] * 9
    found = largest_p(others)
    assert found == pytest.approx(0.0049, abs=1e-4)
    assert benjamini_hochberg([found, *others])[0] < 0.05 <= benjamini_hochberg([found + 2e-4, *others])[0]
