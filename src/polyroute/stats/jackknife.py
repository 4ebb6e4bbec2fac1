"""Interval of a statistic from its values with each unit left out (Tukey 1958; Efron and Tibshirani 1993, chapter 11).

    var = (n - 1) / n  sum_k (value without unit k - their mean)^2

and Student's t with n - 1 degrees of freedom. Of a mean it is the t interval. It is the caller who leaves a unit out of
everything that it has a part in: of a mean over pairs, out of those in which it comes first and those in which it comes
second, which a bootstrap of the first alone does not.

A statistic of several samples leaves out a unit of each in turn (Arvesen 1969). Variances add up, and degrees of
freedom are Satterthwaite's (1946): of a difference of two means it is Welch's interval.
"""

from collections.abc import Sequence

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


def jackknife_of_samples(
    value_M: NDArray[np.float64], left: Sequence[NDArray[np.float64]], confidence: float
) -> Interval:
    """M statistics of several independent samples, corrected for bias, with bounds.

    The bias that goes with 1/n of a sample is taken off: (n - 1) times the mean of the values without a unit less the
    value (Quenouille 1956).

    Args:
        value_M: of all units.
        left: of each sample of n units (n, M), without each of these; at least two a sample, no NaN.
        confidence: coverage.

    Returns:
        Interval of shape (M); of no width where leaving units out changes nothing.

    Raises:
        ValueError: a sample has fewer than two units.
    """
    if any(len(left_NM) < 2 for left_NM in left):
        raise ValueError("a sample of one unit does not tell how much it could differ: give at least two")
    corrected_M, variance_M, by_free_M = value_M.copy(), np.zeros_like(value_M), np.zeros_like(value_M)
    for left_NM in left:
        units, mean_M = len(left_NM), left_NM.mean(axis=0)
        corrected_M -= (units - 1) * (mean_M - value_M)
        own_M = (units - 1) / units * ((left_NM - mean_M) ** 2).sum(axis=0)
        variance_M += own_M
        by_free_M += own_M**2 / (units - 1)
    free_M = np.divide(variance_M**2, by_free_M, out=np.ones_like(value_M), where=by_free_M > 0)
    reach_M = np.sqrt(variance_M) * stats.t.ppf((1 + confidence) / 2, free_M)
    return Interval(corrected_M, corrected_M - reach_M, corrected_M + reach_M)
