import numpy as np
import pytest
from scipy import stats

from polyroute.stats.bootstrap import Bootstrap


def test_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).gamma(2, size=200)
    interval = Bootstrap(200, 4000, 0.95, seed=1).mean(values)
    reference = stats.bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2))
    assert interval.value == pytest.approx(values.mean())
    assert interval.low == pytest.approx(reference.confidence_interval.low, abs=0.02)
    assert interval.high == pytest.approx(reference.confidence_interval.high, abs=0.02)


def test_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for seed in range(300):
        interval = Bootstrap(60, 300, 0.9, seed).mean(rng.normal(5, 1, size=60))
        hits += bool(interval.low <= 5 <= interval.high)
    assert 0.84 < hits / 300 < 0.95


def test_columns_share_resamples_so_that_differences_stay_paired() -> None:
    base = np.random.default_rng(4).normal(size=100)
    interval = Bootstrap(100, 500, 0.95, 0).mean(np.stack([base, base + 1], axis=1))
    assert interval.high[1] - interval.high[0] == pytest.approx(1)
    assert interval.low[1] - interval.low[0] == pytest.approx(1)


def test_no_spread_gives_no_width_and_missing_items_are_left_out() -> None:
    bootstrap = Bootstrap(4, 200, 0.95, 0)
    assert bootstrap.mean(np.full(4, 2.0)).low == 2
    interval = bootstrap.mean(np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan], [2.0, np.nan]]))
    assert interval.value[0] == pytest.approx(2)
    assert 1 <= interval.low[0] <= interval.high[0] <= 3
    assert np.isnan([interval.value[1], interval.low[1], interval.high[1]]).all()


def test_a_single_sentence_claims_no_certainty() -> None:
    interval = Bootstrap(1, 200, 0.95, 0).mean(np.array([0.3]))
    assert interval.value == 0.3
    assert np.isnan([interval.low, interval.high]).all()


def test_infinite_values_are_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        Bootstrap(2, 200, 0.95, 0).mean(np.array([0.3, np.inf]))


def test_a_ratio_is_of_sums_and_keeps_its_pairing() -> None:
    rng = np.random.default_rng(5)
    below = rng.gamma(2, size=80)
    interval = Bootstrap(80, 500, 0.95, 0).ratio(below * 0.25, below)
    assert [interval.value, interval.low, interval.high] == pytest.approx([0.25, 0.25, 0.25])
    above = np.array([[1.0, 1.0], [2.0, np.nan], [6.0, 5.0]])
    found = Bootstrap(3, 500, 0.95, 0).ratio(above, np.array([[1.0, 0.0], [1.0, 3.0], [2.0, 0.0]]))
    assert found.value[0] == pytest.approx(9 / 4)
    assert np.isnan([found.value[1], found.low[1], found.high[1]]).all(), "nothing to divide by"
