"""Percentile bootstrap of means over items (Efron and Tibshirani 1993, chapter 13).

What an item is, the caller says and its results must repeat. Of one language it is the sentence: tokens of a sentence
share a topic and a syntax, so resampling tokens would give intervals that are much too narrow. Of a model it is the
language. All columns of a call see the same resamples, so differences between layers or languages keep their pairing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """A mean with its interval, each of the shape of one item's value."""

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


class Bootstrap:
    """Resamples of N items, drawn once and used for every statistic of these items."""

    def __init__(self, items: int, resamples: int, confidence: float, seed: int):
        self.items, self.confidence = items, confidence
        counts_RN = np.random.default_rng(seed).multinomial(items, np.full(items, 1 / items), size=resamples)
        self.counts_RN: NDArray[np.float64] = counts_RN.astype(np.float64)

    def mean(self, values: NDArray[np.floating]) -> Interval:
        """Mean over items, with a percentile interval.

        Args:
            values: (N, ...) one value an item; NaN marks an item without a value, which is left out of every
                mean (of the resamples too).

        Returns:
            Interval of the trailing shape; value and bounds NaN where no item has a value, bounds NaN where a
            single item has one: resampling it would claim certainty.

        Raises:
            ValueError: a value is infinite.
        """
        return self.ratio(values, ~np.isnan(values))

    def ratio(self, above: NDArray[np.floating], below: NDArray[np.floating | np.bool_]) -> Interval:
        """Sum of one quantity over items by the sum of another, with a percentile interval.

        Args:
            above: (N, ...) one value an item; NaN marks an item that neither sum counts.
            below: of the same shape.

        Returns:
            Interval of the trailing shape; value and bounds NaN where no item counts or the sum below is 0, bounds
            NaN where a single item counts: resampling it would claim certainty.

        Raises:
            ValueError: a value is infinite.
        """
        above_NM, below_NM = (np.asarray(values, dtype=np.float64).reshape(self.items, -1) for values in (above, below))
        if np.isinf(above_NM).any() or np.isinf(below_NM).any():
            raise ValueError("cannot take the mean of infinite values")
        counted_NM = ~(np.isnan(above_NM) | np.isnan(below_NM))
        above_NM, below_NM = (np.where(counted_NM, values_NM, 0.0) for values_NM in (above_NM, below_NM))
        value_M = _divided(above_NM.sum(axis=0), below_NM.sum(axis=0))
        above_RM = self.counts_RN @ above_NM
        # Where every item counts 1, every resample has N of them: a product saved.
        ones = (below_NM == 1).all()
        below_RM = np.full_like(above_RM, self.items) if ones else self.counts_RN @ below_NM
        resampled_RM = _divided(above_RM, below_RM)
        bounds_2M = np.full((2, value_M.size), np.nan)
        several_M = (counted_NM.sum(axis=0) > 1) & ~np.isnan(value_M)
        if several_M.any():
            tail = (1 - self.confidence) / 2
            drawn_RM = resampled_RM[:, several_M]
            quantile = np.nanquantile if np.isnan(drawn_RM).any() else np.quantile  # the former goes column by column
            bounds_2M[:, several_M] = quantile(drawn_RM, [tail, 1 - tail], axis=0)
        shape = np.shape(above)[1:]
        return Interval(value_M.reshape(shape), bounds_2M[0].reshape(shape), bounds_2M[1].reshape(shape))


def _divided(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
