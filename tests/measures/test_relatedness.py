import itertools
import math

import numpy as np
import pytest
from scipy import stats

from polyroute.measures.relatedness import relatedness

HOW = {"shuffles": 499, "confidence": 0.95, "seed": 0}


def test_by_hand() -> None:
    # Languages a a b b; pairs ab.. in scipy's order: 01 02 03 12 13 23.
    found = relatedness(np.array([1.0, 4, 4, 4, 6, 3]), ["a", "a", "b", "b"], list("wxyz"), **HOW)
    assert (found["within"], found["across"], found["gap"], found["ratio"]) == (2, 4.5, 2.5, round(2 / 4.5, 4))
    # 4! / 2! 2! = 6 relabellings are too few to test.
    assert (found["relabellings"], found["p"], found["groups"]) == (6, None, {"a": 2, "b": 2})
    # Without language 0 the gap is mean(4, 6) - 3 = 2; without 1, 4 - 3; without 2, mean(4, 6) - 1; without 3, 4 - 1.
    without = np.array([2, 1, 4, 3])
    half = stats.t.ppf(0.975, 3) * math.sqrt(2 / 8 * ((without - 2.5) ** 2).sum())
    assert (found["low"], found["high"]) == (pytest.approx(2.5 - half, abs=1e-4), pytest.approx(2.5 + half, abs=1e-4))
    assert found["within_script_p"] is None


def test_all_relabellings_are_taken_where_they_are_few() -> None:
    rng = np.random.default_rng(1)
    distances, groups = rng.random(15), ["a", "a", "a", "b", "b", "b"]
    first, second = np.triu_indices(6, 1)

    def gap(of: np.ndarray) -> float:
        same = of[first] == of[second]
        return distances[~same].mean() - distances[same].mean()

    every = [np.array([place in chosen for place in range(6)]) for chosen in itertools.combinations(range(6), 3)]
    gaps = np.array([gap(of) for of in every])
    found = relatedness(distances, groups, ["s"] * 6, **HOW)
    assert found["relabellings"] == 20
    assert found["p"] == pytest.approx((gaps >= gap(np.array(groups) == "a") - 1e-12).mean(), abs=1e-4)
    assert found["within_script_p"] == found["p"], "one script restricts nothing"
    assert found["other_script_gap"] is None


def test_scripts_that_are_the_groups_leave_no_test() -> None:
    groups = ["a"] * 4 + ["b"] * 4
    first, second = np.triu_indices(8, 1)
    same = np.array(groups)[first] == np.array(groups)[second]
    distances = np.where(same, 1.0, 2.0) + np.random.default_rng(0).normal(0, 0.01, 28)
    found = relatedness(distances, groups, groups, **HOW)
    assert found["p"] == pytest.approx(2 / 70, abs=1e-4)
    assert (found["within_script_relabellings"], found["within_script_p"], found["other_script_gap"]) == (1, None, None)


def test_many_languages_are_relabelled_at_random_and_the_size_holds() -> None:
    rng = np.random.default_rng(3)
    groups = ["a"] * 7 + ["b"] * 7
    p = []
    for study in range(60):
        own = rng.normal(0, 1, 14)
        first, second = np.triu_indices(14, 1)
        distances = 5 + own[first] + own[second] + rng.normal(0, 0.3, 91)
        p.append(relatedness(distances, groups, ["s"] * 14, shuffles=99, confidence=0.95, seed=study)["p"])
    assert np.mean(np.array(p) <= 0.05) <= 0.1
    assert 0.35 < np.mean(p) < 0.65


def test_without_relatives_there_is_nothing_to_compare() -> None:
    assert relatedness(np.ones(3), ["a", "b", "c"], ["s"] * 3, **HOW) is None
    assert relatedness(np.ones(3), ["a"] * 3, ["s"] * 3, **HOW) is None
