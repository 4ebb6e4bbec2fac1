"""Statistics of resamples themselves, for what one mean over one set of items cannot say.

Differences between two corpora, averages over languages and distributions over experts are functions of several
means. Each is computed in every resample, and its interval read off there.
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from polyroute.stats.bootstrap import Bootstrap


def resampled_means(bootstrap: Bootstrap, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean over items in every resample.

    Args:
        bootstrap: of the N items.
        values: (N, ...) one value an item; NaN marks an item without a value, which no mean counts.

    Returns:
        (R, ...) in float64; NaN in a resample that drew no item with a value, and in all of them where fewer than
        two items have one: resampling it would claim certainty.

    Raises:
        ValueError: a value is infinite.
    """
    values_NM = np.asarray(values, dtype=np.float64).reshape(bootstrap.items, -1)
    if np.isinf(values_NM).any():
        raise ValueError("cannot take the mean of infinite values")
    counted_NM = ~np.isnan(values_NM)
    above_RM = bootstrap.counts_RN @ np.where(counted_NM, values_NM, 0.0)
    # Where every item counts, every resample has N of them: a product saved for wide values.
    below_RM = (
        np.full_like(above_RM, bootstrap.items) if counted_NM.all() else bootstrap.counts_RN @ counted_NM.astype(float)
    )
    means_RM = np.divide(above_RM, below_RM, out=np.full_like(above_RM, np.nan), where=below_RM > 0)
    means_RM[:, counted_NM.sum(axis=0) < 2] = np.nan
    return means_RM.reshape(len(means_RM), *np.shape(values)[1:])


def percentile_bounds(draws: NDArray[np.float64], confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile interval of resampled statistics (Efron and Tibshirani 1993, chapter 13).

    Args:
        draws: (R, ...) the statistic in every resample; NaN marks a resample without it, which is left out.
        confidence: coverage.

    Returns:
        Low and high, each of the trailing shape; NaN where no resample has the statistic.
    """
    draws_RM = draws.reshape(len(draws), -1)
    missing_RM = np.isnan(draws_RM)
    known_M = ~missing_RM.all(axis=0)
    bounds_2M = np.full((2, draws_RM.shape[1]), np.nan)
    if known_M.any():
        quantile = np.nanquantile if missing_RM.any() else np.quantile  # the former goes column by column
        tail = (1 - confidence) / 2
        bounds_2M[:, known_M] = quantile(draws_RM[:, known_M], [tail, 1 - tail], axis=0)
    low, high = bounds_2M.reshape(2, *draws.shape[1:])
    return low, high


def own_seed(seed: int, name: str) -> int:
    """A seed for the resamples of one set of items among several.

    Two bootstraps of as many items and the same seed draw the same counts: two unrelated corpora would be resampled
    hand in hand, and the interval of their difference would be wrong.
    """
    return int(np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)[0])
