"""Sign-flip test of a mean, by permutation (Fisher 1935; Good 2005, chapter 3).

If a quantity is as likely to lie above zero as below, the sign of each unit's value is a coin toss. Unit of
permutation: the row, which the caller names (a language, say).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FEWEST = 5
"""Fewer units cannot reach p = 0.05: with n of them the smallest p is 1 / 2^n."""
FLIPS = 9999
"""Random sign patterns; all of them where there are no more."""


@dataclass(frozen=True)
class SignFlips:
    """One-sided p-values of several means over the same units."""

    p: NDArray[np.float64]
    """(M,) how often a coin toss of signs gives a mean at least as high."""
    q: NDArray[np.float64]
    """(M,) the same, adjusted for M tests: the false discovery rate of Benjamini and Hochberg 1995."""


def sign_flips(values_VM: NDArray[np.float64], seed: int) -> SignFlips | None:
    """Test whether each column's mean lies above zero.

    Args:
        values_VM: M values of V units.
        seed: of the sign patterns.

    Returns:
        None for fewer than `FEWEST` units.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    if not np.isfinite(values_VM).all():
        raise ValueError("cannot test values that are NaN or infinite")
    if len(values_VM) < FEWEST:
        return None
    found = stats.permutation_test(
        (values_VM,), np.mean, permutation_type="samples", vectorized=True, n_resamples=FLIPS, alternative="greater",
        axis=0, rng=np.random.default_rng(seed),
    )  # fmt: skip
    p_M = np.asarray(found.pvalue, dtype=np.float64)
    return SignFlips(p_M, np.asarray(stats.false_discovery_control(p_M), dtype=np.float64))
