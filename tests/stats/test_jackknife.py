import numpy as np
import pytest
from scipy import stats

from polyroute.stats.jackknife import jackknife


def test_of_a_mean_it_is_the_t_interval() -> None:
    values_NM = np.random.default_rng(0).exponential(size=(9, 2))
    left_NM = (values_NM.sum(axis=0) - values_NM) / 8
    found = jackknife(values_NM.mean(axis=0), left_NM, 0.9)
    expected = stats.t.interval(0.9, 8, values_NM.mean(axis=0), stats.sem(values_NM))
    np.testing.assert_allclose([found.low, found.high], expected)


def test_of_a_ratio_by_hand() -> None:
    # 6 / 6 of (1, 2), (2, 1), (3, 3); without each 5 / 4, 4 / 5 and 3 / 3, mean 61 / 60.
    left_N = np.array([5 / 4, 4 / 5, 1.0])
    error = np.sqrt(2 / 3 * np.sum((left_N - 61 / 60) ** 2))
    found = jackknife(np.ones(1), left_N[:, None], 0.95)
    assert found.high - 1 == pytest.approx(stats.t.ppf(0.975, 2) * error)


def test_units_that_do_not_count_and_too_few_of_them() -> None:
    left_NM = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, np.nan], [np.nan, np.nan]])
    found = jackknife(np.array([2.0, 2.0]), left_NM, 0.95)
    assert found.high[0] == jackknife(np.full(1, 2.0), left_NM[:3, :1], 0.95).high[0]
    assert np.isnan([found.low[1], found.high[1]]).all()
