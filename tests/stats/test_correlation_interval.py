import numpy as np
import pytest
from scipy import stats

from polyroute.stats.correlation_interval import leave_out_interval

RNG = np.random.default_rng(4)
X = RNG.standard_normal((9, 2))
Y = X[:, 0] + RNG.standard_normal(9)
ALONE = np.arange(9)
FAMILIES = np.array([0, 0, 0, 1, 1, 2, 2, 3, 4])


@pytest.mark.parametrize("groups", [ALONE, FAMILIES])
@pytest.mark.parametrize(("ranked", "reference"), [(False, stats.pearsonr), (True, stats.spearmanr)])
def test_bounds_are_those_of_the_formula(groups, ranked, reference) -> None:
    low, high = leave_out_interval(X, Y, groups, 0.95, ranked=ranked)
    count = groups.max() + 1
    for column in range(2):
        z = np.arctanh(reference(X[:, column], Y).statistic)
        without = [np.arctanh(reference(X[groups != one, column], Y[groups != one]).statistic) for one in range(count)]
        error = np.sqrt((count - 1) / count * np.sum((np.array(without) - z) ** 2))
        half = stats.t.ppf(0.975, count - 1) * error
        assert (low[column], high[column]) == pytest.approx((np.tanh(z - half), np.tanh(z + half)))


def test_what_has_no_spread_has_no_bounds() -> None:
    assert np.isnan(leave_out_interval(X, Y, FAMILIES.clip(0, 1), 0.95, ranked=False)).all(), "two groups"
    flat = np.array([1.0, *[2.0] * 8])
    assert np.isnan(leave_out_interval(flat[:, None], Y, ALONE, 0.95, ranked=False)).all(), "flat without the first"
    assert np.isnan(leave_out_interval(3 - 2 * Y[:, None], Y, ALONE, 0.95, ranked=False)).all(), "r is -1"
    alone = leave_out_interval(X[:5], Y[:5], np.array([0, 0, 0, 0, 1]), 0.95, ranked=False)
    assert np.isnan(alone).all(), "nothing is left without the larger group"
