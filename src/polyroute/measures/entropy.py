"""Routing entropy H(q) of a distribution over experts, in nats (paper 1, appendix on entropy by depth)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyroute.measures.layer_measure import OfDistributions


def routing_entropy(q_E: ArrayLike) -> NDArray[np.float64]:
    """Shannon entropy over the last axis, 0 log 0 = 0.

    Args:
        q_E: distributions over E experts, any leading axes.

    Returns:
        Entropies in [0, ln E] of the leading axes' shape; NaN where a distribution holds NaN.
    """
    q_E = np.asarray(q_E, dtype=np.float64)
    log_q_E = np.log(q_E, out=np.zeros_like(q_E), where=q_E > 0)
    # A NaN must stay NaN: `where` leaves log 0 at its place, and NaN * 0 is NaN.
    entropy: NDArray[np.float64] = -(q_E * log_q_E).sum(axis=-1)
    return np.abs(entropy)


MEASURE = OfDistributions(
    "entropy", title="Routing entropy", unit="nats", bounds=(0, np.inf), pivot=False,
    axis="entropy in nats  (uniform: {uniform:.2f})", of=routing_entropy,
)  # fmt: skip
