"""Percentile bootstrap of means over sentences.

Unit of resampling: the sentence (item). Tokens of one sentence share a topic and a syntax, so resampling tokens
would give intervals that are much too narrow. Items are parallel: all languages and layers of one call see the same
resamples, so differences between layers or languages keep their pairing. Efron and Tibshirani 1993, chapter 13.
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


class SentenceBootstrap:
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
        flat_NM = np.asarray(values, dtype=np.float64).reshape(self.items, -1)
        if np.isinf(flat_NM).any():
            raise ValueError("cannot take the mean of infinite values")
        present_NM = ~np.isnan(flat_NM)
        filled_NM = np.where(present_NM, flat_NM, 0.0)
        present_M = present_NM.any(axis=0)
        if present_NM.all():
            means_RM = self.counts_RN @ filled_NM / self.items
        else:
            weight_RM = self.counts_RN @ present_NM
            means_RM = np.full_like(weight_RM, np.nan)
            np.divide(self.counts_RN @ filled_NM, weight_RM, out=means_RM, where=weight_RM > 0)
        value_M, low_M, high_M = bounds_3M = np.full((3, flat_NM.shape[1]), np.nan)
        value_M[present_M] = filled_NM[:, present_M].sum(axis=0) / present_NM[:, present_M].sum(axis=0)
        tail = (1 - self.confidence) / 2
        several_M = present_NM.sum(axis=0) > 1
        if several_M.any():
            bounds_3M[1:, several_M] = np.nanquantile(means_RM[:, several_M], [tail, 1 - tail], axis=0)
        shape = np.shape(values)[1:]
        return Interval(value_M.reshape(shape), low_M.reshape(shape), high_M.reshape(shape))
