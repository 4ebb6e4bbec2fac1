"""Routing entropy H(q) of a distribution over experts, in nats (paper 1, appendix on entropy by depth)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyroute.measures.layer_measure import OfDistributions

_SMALLEST = np.finfo(np.float64).tiny


def routing_entropy(q_E: ArrayLike) -> NDArray[np.float64]:
    """Shannon entropy over the last axis, 0 log 0 = 0.

    Args:
        q_E: distributions over E experts, any leading axes.

    Returns:
        Entropies in [0, ln E] of the leading axes' shape; NaN where a distribution holds NaN.
    """
    q_E = np.asarray(q_E, dtype=np.float64)
    # 0 times the logarithm of the smallest number is 0; skipping zeros with `where` would cost twice the time.
    log_q_E = np.maximum(q_E, _SMALLEST)
    np.log(log_q_E, out=log_q_E)
    entropy: NDArray[np.float64] = np.vecdot(q_E, log_q_E)
    return np.abs(entropy)


MEASURE = OfDistributions(
    "entropy", title="Routing entropy", unit="nats", bounds=(0, np.inf), pivot=False,
    axis="entropy in nats  (uniform: {uniform:.2f})", of=routing_entropy,
)  # fmt: skip
