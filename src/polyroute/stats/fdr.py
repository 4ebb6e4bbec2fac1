"""False discovery rate over several tests (Benjamini and Hochberg 1995)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """p-values adjusted for how many tests there are.

    Args:
        p: (M) p-values; NaN marks a test that was not made, which counts for nothing.

    Returns:
        (M) q-values: rejecting all tests with q at most x keeps the expected share of false ones among them at x,
        for tests that are independent or positively dependent. NaN where p is.

    Raises:
        ValueError: a p-value lies outside [0, 1].
    """
    p_M = np.asarray(p, dtype=np.float64)
    q_M = np.full_like(p_M, np.nan)
    made_M = ~np.isnan(p_M)
    if made_M.any():
        q_M[made_M] = stats.false_discovery_control(p_M[made_M])
    return q_M
