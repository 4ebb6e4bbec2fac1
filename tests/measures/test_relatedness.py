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


def test_intervals_by_family_leave_out_a_family_with_all_its_pairs() -> None:
    rng = np.random.default_rng(2)
    groups, scripts = [*"aaabbbccd"], [*"xyxyxyxyx"]
    distances = rng.random(36)
    found = relatedness(distances, groups, scripts, **HOW)
    pairs = [
        (groups[one], groups[other], scripts[one] == scripts[other], value)
        for (one, other), value in zip(itertools.combinations(range(9), 2), distances, strict=True)
    ]

    def gap(without: str, *, apart: bool) -> float:
        used = [pair for pair in pairs if without not in pair[:2] and not (apart and pair[2])]
        within, across = ([d for one, other, _, d in used if (one == other) is same] for same in (True, False))
        return float(np.mean(across) - np.mean(within))

    for apart, value, low, high in (
        (False, "gap", "by_family_low", "by_family_high"),
        (True, "other_script_gap", "other_script_low", "other_script_high"),
    ):
        left = np.array([gap(family, apart=apart) for family in "abcd"])
        half = stats.t.ppf(0.975, 3) * math.sqrt(3 / 4 * ((left - left.mean()) ** 2).sum())
        whole = gap("", apart=apart)
        assert found[value] == pytest.approx(whole, abs=1e-4)
        assert (found[low], found[high]) == pytest.approx((whole - half, whole + half), abs=1e-4)


def test_one_family_with_relatives_has_no_interval_by_family() -> None:
    found = relatedness(np.arange(10.0), ["a", "a", "b", "c", "d"], [*"xyxyx"], **HOW)
    assert found["low"] is None
    assert (found["by_family_low"], found["other_script_high"]) == (None, None)


def test_random_relabellings_are_those_of_single_shuffles() -> None:
    rng = np.random.default_rng(4)
    groups, distances = np.repeat(np.arange(4), 4), rng.random(120)
    first, second = np.triu_indices(16, 1)

    def gap(of: np.ndarray) -> float:
        same = of[first] == of[second]
        return distances[~same].mean() - distances[same].mean()

    found = relatedness(distances, [str(one) for one in groups], ["s"] * 16, **HOW)
    drawing = np.random.default_rng(0)
    higher = sum(gap(groups[drawing.permutation(16)]) >= gap(groups) - 1e-12 for _ in range(499))
    assert found["p"] == pytest.approx((1 + higher) / 500, abs=1e-4)


def test_without_relatives_there_is_nothing_to_compare() -> None:
    assert relatedness(np.ones(3), ["a", "b", "c"], ["s"] * 3, **HOW) is None
    assert relatedness(np.ones(3), ["a"] * 3, ["s"] * 3, **HOW) is None
