import numpy as np
import pytest

from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.resampled import own_seed, percentile_bounds, resampled_means


def test_means_are_of_the_items_that_were_drawn() -> None:
    values = np.random.default_rng(0).normal(size=(6, 2, 3))
    values[1, 0, 0] = np.nan
    bootstrap = Bootstrap(6, 50, 0.95, 0)
    found = resampled_means(bootstrap, values)
    assert found.shape == (50, 2, 3)
    for draw in range(50):
        drawn = np.repeat(values, bootstrap.counts_RN[draw].astype(int), axis=0)
        assert found[draw] == pytest.approx(np.nanmean(drawn, axis=0))


def test_bounds_agree_with_the_bootstrap_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(size=(40, 3))
    values[4:9, 1] = np.nan
    bootstrap = Bootstrap(40, 300, 0.9, 1)
    low, high = percentile_bounds(resampled_means(bootstrap, values), 0.9)
    expected = bootstrap.mean(values)
    assert low == pytest.approx(expected.low)
    assert high == pytest.approx(expected.high)


def test_a_single_item_claims_no_certainty() -> None:
    values = np.array([[0.3, 1.0, np.nan], [np.nan, 1.0, np.nan]])
    low, high = percentile_bounds(resampled_means(Bootstrap(2, 50, 0.95, 0), values), 0.95)
    assert np.isnan([low[[0, 2]], high[[0, 2]]]).all()
    assert low[1] == high[1] == 1


def test_infinite_values_are_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        resampled_means(Bootstrap(2, 10, 0.95, 0), np.array([1.0, np.inf]))


def test_own_seeds_differ_by_name_and_by_seed() -> None:
    seeds = {own_seed(seed, name) for seed in (0, 1) for name in ("a", "b")}
    assert len(seeds) == 4
    assert own_seed(0, "a") == own_seed(0, "a")
