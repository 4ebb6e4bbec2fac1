"""Entropies of the midpoints of very many pairs of distributions, in float32.

Divergences of pairs need the entropies of both sides, of which there are few, and that of each midpoint, which are
many: sentences times shuffles, or pairs of languages times resamples. These are taken of scaled distributions,
t = E (p + q) / 2 with E the number of experts:

    information(t) = (1 / E) sum over experts of t ln t = ln E - H((p + q) / 2)

Where routing is nearly uniform t is nearly 1 and ln t nearly 0, so that float32, which would leave errors of 5e-7 in H,
leaves some 1e-8 in the information. What divides by information that is not far above that takes float64.
"""

import numpy as np
from numpy.typing import DTypeLike, NDArray

BLOCK = 2**16
"""Values of an array that stays in a core's cache while it is computed with."""
_NOTHING = 1e-30
"""Added to every value: 0 ln 0 is 0 only in the limit, and t ln t of this is 7e-29."""


def halves(q_E: NDArray[np.floating], dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """Distributions such that two of them add up to their midpoint, scaled; of the same shape, contiguous."""
    half_E = np.empty(q_E.shape, dtype=dtype)
    np.multiply(q_E, q_E.shape[-1] / 2, out=half_E, casting="same_kind")
    half_E += half_E.dtype.type(_NOTHING)
    return half_E


def information(t_E: NDArray[np.floating], work_E: NDArray[np.floating]) -> NDArray[np.floating]:
    """ln E - H in nats of scaled distributions over the last axis, not below 0 but for rounding; NaN stays NaN.

    Args:
        t_E: sums of two `halves`.
        work_E: of the same shape; overwritten.
    """
    np.log(t_E, out=work_E)
    found: NDArray[np.floating] = np.vecdot(t_E, work_E)
    found /= t_E.dtype.type(t_E.shape[-1])
    return found


def own_information(half_E: NDArray[np.floating]) -> NDArray[np.floating]:
    """ln E - H of each distribution itself, rounded as that of midpoints is: for p = q the two are the same bits.

    Args:
        half_E: from `halves`, with leading axes.
    """
    rows_NE = half_E.reshape(-1, half_E.shape[-1])
    found_N = np.empty(len(rows_NE), dtype=half_E.dtype)
    step = max(1, BLOCK // rows_NE.shape[1])
    for start in range(0, len(rows_NE), step):
        t_NE = rows_NE[start : start + step] * half_E.dtype.type(2)
        found_N[start : start + step] = information(t_NE, np.empty_like(t_NE))
    return found_N.reshape(half_E.shape[:-1])
