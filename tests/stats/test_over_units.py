import numpy as np
import pytest
from scipy import stats

from polyroute.stats.over_units import mean_by_family, mean_over_units


def test_the_interval_is_scipys() -> None:
    values = np.random.default_rng(0).normal(1, 2, size=(7, 3))
    found = mean_over_units(values, 0.95)
    told = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    np.testing.assert_allclose([found.low, found.high], [told.low, told.high])
    np.testing.assert_allclose(found.value, values.mean(axis=0))


def test_families_of_one_unit_each_change_nothing() -> None:
    values = np.random.default_rng(1).exponential(size=(6, 2))
    alone, by_family = mean_over_units(values, 0.9), mean_by_family(values, list("abcdef"), 0.9)
    np.testing.assert_allclose([by_family.low, by_family.high], [alone.low, alone.high])


def test_three_families_by_hand() -> None:
    # Means without a, b, c: 3, 2, 1; around 2 their squares sum to 2, by 2/3: the error is sqrt(4/3).
    found = mean_by_family(np.array([[0.0], [2.0], [4.0]]), list("abc"), 0.95)
    assert found.high[0] == pytest.approx(2 + np.sqrt(4 / 3) * stats.t.ppf(0.975, 2))


def test_too_few_have_no_bounds() -> None:
    assert np.isnan(mean_over_units(np.ones((1, 2)), 0.95).low).all()
    assert np.isnan(mean_by_family(np.arange(6.0)[:, None], list("aabbbb"), 0.95).high).all()


@pytest.mark.parametrize("values", [np.empty((0, 1)), np.array([[np.nan]]), np.array([[np.inf], [0.0]])])
def test_what_is_no_value_is_refused(values) -> None:
    with pytest.raises(ValueError, match="finite value"):
        mean_over_units(values, 0.95)


def test_families_must_be_one_a_unit() -> None:
    with pytest.raises(ValueError, match="2 families"):
        mean_by_family(np.ones((3, 1)), ["a", "b"], 0.95)


@pytest.mark.parametrize("units", [5, 7, 17])
def test_it_covers_what_it_says(units) -> None:
    rng = np.random.default_rng(units)
    found = mean_over_units(rng.normal(size=(units, 20_000)), 0.95)
    assert np.mean((found.low <= 0) & (found.high >= 0)) == pytest.approx(0.95, abs=0.006)


def test_by_family_covers_where_families_differ() -> None:
    rng, families = np.random.default_rng(3), np.repeat(list("abcdefgh"), 3)
    of_family = rng.normal(size=(8, 20_000)).repeat(3, axis=0)
    values = of_family + rng.normal(size=(24, 20_000))
    by_family, alone = mean_by_family(values, families.tolist(), 0.95), mean_over_units(values, 0.95)
    assert np.mean((by_family.low <= 0) & (by_family.high >= 0)) == pytest.approx(0.95, abs=0.006)
    assert np.mean((alone.low <= 0) & (alone.high >= 0)) < 0.85
