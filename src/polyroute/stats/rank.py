"""Rank of an observed value among draws under a null (Phipson and Smyth 2010).

    p = (1 + draws at least as large) / (1 + draws)

One-sided. With draws that are exchangeable with the observed value under the null, p is never too small: in at most a
share a of studies is p <= a, whatever the distribution. Few draws cannot give a small p.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rank_p(observed_M: ArrayLike, drawn_SM: ArrayLike) -> NDArray[np.float64]:
    """One-sided p of each quantity; large values speak against the null.

    Args:
        observed_M: M quantities of what is tested, or a single one.
        drawn_SM: the same quantities of S draws under the null; ties count against the observed value.

    Returns:
        (M) in [1 / (S + 1), 1].

    Raises:
        ValueError: there is no draw, shapes differ, or a value is NaN.
    """
    observed_M, drawn_SM = np.asarray(observed_M, dtype=np.float64), np.asarray(drawn_SM, dtype=np.float64)
    if drawn_SM.ndim != observed_M.ndim + 1 or drawn_SM.shape[1:] != observed_M.shape or not len(drawn_SM):
        raise ValueError(f"draws of shape {drawn_SM.shape} are none of quantities of shape {observed_M.shape}")
    if np.isnan(observed_M).any() or np.isnan(drawn_SM).any():
        raise ValueError("a NaN has no rank")
    p_M: NDArray[np.float64] = (1 + (drawn_SM >= observed_M).sum(axis=0)) / (1 + len(drawn_SM))
    return p_M


def attainable_p(draws: int) -> float:
    """The smallest p that a rank among this many draws can give."""
    return 1 / (1 + draws)
