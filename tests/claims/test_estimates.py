"""Estimates by hand, against scipy, and in limit cases."""

import math

import numpy as np
import pytest
from scipy import stats

from polyroute.claims.estimates import (
    Estimate,
    correlation,
    mean,
    minus,
    on_a_line,
    over_languages,
    paired_of_one_language,
    ratio,
)


def test_the_mean_over_languages_is_scipys_t_interval_and_test() -> None:
    values = [0.1, 0.3, 0.2, 0.4, 0.25]
    test = stats.ttest_1samp(values, 0.0)
    bounds = test.confidence_interval(0.95)
    found = over_languages(values)
    assert (found.value, found.low, found.high) == pytest.approx((0.25, bounds.low, bounds.high))
    assert found.p == pytest.approx(test.pvalue)


def test_few_languages_have_no_interval() -> None:
    assert over_languages([0.1, 0.2]) == Estimate(pytest.approx(0.15))
    assert over_languages([]) == Estimate()


@pytest.mark.parametrize("ranks", [False, True])
def test_the_correlation_is_scipys(ranks) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=20)
    y = 0.5 * x + rng.normal(size=20)
    found = correlation(x, y, seed=1, ranks=ranks)
    scipys = stats.spearmanr(x, y) if ranks else stats.pearsonr(x, y)
    assert found.value == pytest.approx(scipys.statistic)
    assert found.p == pytest.approx(scipys.pvalue, abs=0.02)
    if not ranks:
        bounds = stats.pearsonr(x, y).confidence_interval()
        assert (found.low, found.high) == pytest.approx((bounds.low, bounds.high))


def test_a_partial_correlation_is_that_of_residuals_and_has_a_wider_interval() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=30)
    x, y = z + rng.normal(size=30), z + rng.normal(size=30)
    found = correlation(x, y, seed=1, given=[z])
    left = [one - np.polyval(np.polyfit(z, one, 1), z) for one in (x, y)]
    assert found.value == pytest.approx(np.corrcoef(*left)[0, 1])
    half = stats.norm.ppf(0.975) / math.sqrt(30 - 3 - 1)
    assert found.high == pytest.approx(math.tanh(math.atanh(found.value) + half))


def test_nothing_is_known_of_what_does_not_vary_or_is_too_few() -> None:
    assert correlation([1, 1, 1, 1, 1, 1], [1, 2, 3, 4, 5, 6], seed=1) == Estimate()
    assert correlation([1, 2, 3, 4], [1, 2, 4, 3], seed=1) == Estimate()
    perfect = correlation(range(6), range(6), seed=1)
    assert (perfect.value, perfect.low) == (pytest.approx(1), None)


def test_an_interval_of_spearmans_rho_covers() -> None:
    rng = np.random.default_rng(3)
    true = 6 / math.pi * math.asin(0.5 / 2)  # Spearman's of a normal correlation of .5
    inside = 0
    for _ in range(300):
        x = rng.normal(size=17)
        y = 0.5 * x + math.sqrt(0.75) * rng.normal(size=17)
        found = correlation(x, y, seed=1, ranks=True)
        inside += found.low <= true <= found.high
    assert 0.92 <= inside / 300 <= 0.985


def test_a_difference_is_no_narrower_than_either_and_adds_both_sides() -> None:
    found = minus(Estimate(0.5, 0.4, 0.7), Estimate(0.2, 0.1, 0.25))
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.15, 0.6))
    assert minus(Estimate(0.5), Estimate(0.2, 0.1, 0.3)) == Estimate(pytest.approx(0.3))
    assert minus(Estimate(), Estimate(0.2)) == Estimate()


def test_the_interval_of_a_difference_that_is_added_up_covers_whatever_the_correlation() -> None:
    rng = np.random.default_rng(4)
    for shared in (-1, 0, 1):
        inside = 0
        for _ in range(200):
            one = rng.normal(size=30)
            other = shared * one + (1 - abs(shared)) * rng.normal(size=30)
            difference = minus(over_languages(one), over_languages(other))
            inside += difference.low <= 0 <= difference.high
        assert inside / 200 >= 0.93


def test_a_mean_and_a_ratio_by_hand() -> None:
    found = mean([Estimate(0.2, 0.1, 0.3), Estimate(0.4, 0.2, 0.5)])
    assert (found.value, found.low, found.high) == pytest.approx((0.3, 0.15, 0.4))
    assert mean([Estimate(0.2, 0.1, 0.3), Estimate()]) == Estimate()
    assert ratio(Estimate(0.6, 0.5, 0.7), Estimate(0.3, 0.2, 0.4)) == Estimate(2.0, 1.25, pytest.approx(3.5))
    assert ratio(Estimate(0.6, 0.5, 0.7), Estimate(0.3, -0.1, 0.4)) == Estimate(2.0)


def test_the_mean_on_a_line_is_that_of_least_squares() -> None:
    # y = 1 + 2 x with residuals 1, -1, -1, 1: s^2 = 4 / 2, x mean 1.5, sum of squares 5; at 0: 2 (1/4 + 2.25/5) = 1.4
    assert on_a_line([0, 1, 2, 3], [2, 2, 4, 8], 0) == Estimate()
    x, y = [0, 1, 2, 3, 4], [2.0, 2.5, 4.5, 8.0, 9.5]
    line = stats.linregress(x, y)
    found = on_a_line(x, y, 0)
    half = stats.t.ppf(0.975, 3) * line.intercept_stderr
    assert (found.value, found.low, found.high) == pytest.approx(
        (line.intercept, line.intercept - half, line.intercept + half)
    )


def test_no_item_that_changes_is_no_certainty() -> None:
    found = paired_of_one_language(20, 0, 0)
    assert found.value == 0
    assert found.ci90_high == pytest.approx(1.645 * math.sqrt((2 / 22) / 22), abs=1e-3)
    assert found.ci90_low == -found.ci90_high
    assert paired_of_one_language(4000, 10, 10).ci90_high < 0.01


def test_parts_are_what_is_known() -> None:
    assert dict(Estimate(0.1, high=0.2, p=float("nan")).parts("em")) == {"em.value": 0.1, "em.high": 0.2}
