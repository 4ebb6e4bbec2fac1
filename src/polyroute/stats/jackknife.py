"""Interval of a statistic from its values with each unit left out (Tukey 1958; Efron and Tibshirani 1993, chapter 11).

    var = (n - 1) / n  sum_k (value without unit k - their mean)^2

and Student's t with n - 1 degrees of freedom. Of a mean it is the t interval. It is the caller who leaves a unit out of
everything that it has a part in: of a mean over pairs, out of those in which it comes first and those in which it comes
second, which a bootstrap of the first alone does not.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from polyroute.stats.bootstrap import Interval


def jackknife(value_M: NDArray[np.float64], left_NM: NDArray[np.float64], confidence: float) -> Interval:
    """Bounds of M statistics.

    Args:
        value_M: of all units.
        left_NM: without each of N units; NaN marks a unit that the statistic does not count.
        confidence: coverage.

    Returns:
        Interval of shape (M); bounds NaN with fewer than three units.
    """
    counted_NM = ~np.isnan(left_NM)
    count_M = counted_NM.sum(axis=0)
    several_M = count_M > 2
    units_M = np.where(several_M, count_M, 3)
    mean_M = np.where(counted_NM, left_NM, 0).sum(axis=0) / units_M
    spread_M = np.where(counted_NM, (left_NM - mean_M) ** 2, 0).sum(axis=0)
    error_M = np.sqrt((units_M - 1) / units_M * spread_M)
    reach_M = np.where(several_M, error_M * stats.t.ppf((1 + confidence) / 2, units_M - 1), np.nan)
    return Interval(value_M, value_M - reach_M, value_M + reach_M)
