"""The rule of `stats.paired` for many simulated studies at once, which is what makes a thousand of them affordable.

p of a group is the larger of the interval's own and the exchange's. Where the interval alone finds nothing, the
exchange changes neither the verdict nor whether the truth is covered, so only the others are exchanged.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from polyroute.stats.paired import FLIPS, exchange_p, mcnemar
from polyroute.stats.paired_interval import paired_interval

Bounds = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""Low, high and p of each study."""


def of_one_language(change_SN: NDArray[np.float64], confidence: float) -> Bounds:
    """Agresti and Min's interval and McNemar's p of S studies of N items."""
    items = change_SN.shape[1]
    gained_S, lost_S = (change_SN > 0).sum(axis=1), (change_SN < 0).sum(axis=1)
    found = [_of_counts(*map(int, counts), items, confidence) for counts in zip(gained_S, lost_S, strict=True)]
    low_S, high_S, p_S = np.array(found).T
    return low_S, high_S, p_S


def of_a_group(change_SN: NDArray[np.float64], confidence: float) -> Bounds:
    """`stats.paired.mean_change` of S studies of N items; a p above 1 - confidence is the interval's own."""
    items = change_SN.shape[1]
    total_S, squares_S = change_SN.sum(axis=1), (change_SN**2).sum(axis=1)
    moved_S, free = (np.abs(change_SN) > 1e-12).sum(axis=1), max(items - 1, 1)
    error_S = np.sqrt(squares_S + (squares_S + 1) / (moved_S + 1) - total_S**2 / (items + 2))
    reach_S = stats.t.ppf((1 + confidence) / 2, free) * error_S
    low_S, high_S = np.maximum((total_S - reach_S) / (items + 2), -1), np.minimum((total_S + reach_S) / (items + 2), 1)
    p_S = np.minimum(2 * stats.t.sf(np.abs(total_S) / error_S, free), 1.0)
    nothing = 1 - (1 - confidence) ** (1 / items)
    low_S[moved_S == 0], high_S[moved_S == 0] = -nothing, nothing
    found_S = np.flatnonzero(p_S <= 1 - confidence)
    many_S = found_S[2.0 ** moved_S[found_S] > FLIPS]
    p_S[many_S] = np.maximum(p_S[many_S], _exchanged(change_SN[many_S]))
    for study in np.setdiff1d(found_S, many_S):
        p_S[study] = max(p_S[study], exchange_p(change_SN[study][:, None], 0))
    drawn_S = np.intersect1d(found_S, np.flatnonzero(p_S > 1 - confidence))
    low_S[drawn_S], high_S[drawn_S] = np.minimum(low_S[drawn_S], 0), np.maximum(high_S[drawn_S], 0)
    return low_S, high_S, p_S


@functools.cache
def _of_counts(gained: int, lost: int, items: int, confidence: float) -> tuple[float, float, float]:
    return *paired_interval(gained, lost, items, confidence), mcnemar(gained, lost)


def _exchanged(change_SN: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two-sided p of exchanging each item's conditions, by the same random patterns in every study."""
    total_SR = change_SN @ _patterns(change_SN.shape[1]).T
    found_S1 = change_SN.sum(axis=1, keepdims=True)
    above_S, below_S = (total_SR >= found_S1 - 1e-9).sum(axis=1), (total_SR <= found_S1 + 1e-9).sum(axis=1)
    return np.asarray(np.minimum(2 * (1 + np.minimum(above_S, below_S)) / (1 + total_SR.shape[1]), 1.0))


@functools.cache
def _patterns(items: int) -> NDArray[np.float64]:
    return np.random.default_rng(items).choice([-1.0, 1.0], size=(FLIPS, items))
