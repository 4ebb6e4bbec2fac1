import numpy as np
import pytest
from scipy import stats

from polyroute.stats.jackknife import jackknife, jackknife_of_samples


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


def test_of_a_difference_of_means_it_is_welchs_interval() -> None:
    rng = np.random.default_rng(0)
    one_N, other_N = rng.exponential(size=9), rng.normal(2, 3, size=14)
    left = [
        ((one_N.sum() - one_N) / 8 - other_N.mean())[:, None], (one_N.mean() - (other_N.sum() - other_N) / 13)[:, None]
    ]  # fmt: skip
    found = jackknife_of_samples(np.array([one_N.mean() - other_N.mean()]), left, 0.9)
    expected = stats.ttest_ind(one_N, other_N, equal_var=False).confidence_interval(0.9)
    np.testing.assert_allclose([found.low[0], found.high[0]], [expected.low, expected.high])
    assert found.value[0] == pytest.approx(one_N.mean() - other_N.mean()), "a mean has no bias"


def test_the_bias_of_a_variance_is_taken_off() -> None:
    values_N = np.array([1.0, 2.0, 6.0])
    left_N1 = np.array([[np.var([2, 6])], [np.var([1, 6])], [np.var([1, 2])]])
    found = jackknife_of_samples(np.array([values_N.var()]), [left_N1], 0.95)
    assert found.value[0] == pytest.approx(values_N.var(ddof=1))


def test_samples_that_tell_nothing() -> None:
    alike = jackknife_of_samples(np.ones(1), [np.ones((3, 1)), np.ones((2, 1))], 0.95)
    assert [alike.value[0], alike.low[0], alike.high[0]] == [1, 1, 1]
    with pytest.raises(ValueError, match="at least two"):
        jackknife_of_samples(np.ones(1), [np.ones((3, 1)), np.ones((1, 1))], 0.95)
