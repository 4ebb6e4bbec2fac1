"""Routing divergence between two languages (paper 1, Eq. 2 and 6 to 8).

    D(p, q) = JSD(p, q) / (ln E - (H(p) + H(q)) / 2),   JSD(p, q) = H(m) - (H(p) + H(q)) / 2,   m = (p + q) / 2

The normaliser is the largest JSD that two distributions of these entropies can have, reached when their midpoint
is uniform. Routing entropy falls with depth and would swamp a plain JSD. D lies in [0, 1]: 0 iff p = q, 1 iff m is
uniform and p differs from q. Where both are uniform it is 0/0; they are equal, so D is 0 there.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyroute.measures.entropy import routing_entropy
from polyroute.measures.layer_measure import OfDistributions

_SMALLEST_ROOM = 1e-12
"""Below this the normaliser is rounding error of two uniform distributions."""


def jensen_shannon(p_E: ArrayLike, q_E: ArrayLike) -> NDArray[np.float64]:
    """Jensen-Shannon divergence over the last axis in nats, in [0, ln 2].

    Args:
        p_E: distributions over E experts.
        q_E: distributions over E experts, broadcast against `p_E`.

    Returns:
        Divergences of the broadcast leading shape; NaN where an input is NaN.
    """
    p_E, q_E = np.asarray(p_E, dtype=np.float64), np.asarray(q_E, dtype=np.float64)
    between = routing_entropy((p_E + q_E) / 2) - (routing_entropy(p_E) + routing_entropy(q_E)) / 2
    # JSD is never negative; for p = q rounding can leave -1e-17.
    return np.maximum(between, 0.0)


def routing_divergence(p_E: ArrayLike, q_E: ArrayLike) -> NDArray[np.float64]:
    """Entropy-normalised divergence D of two distributions over experts (paper 1, Eq. 2).

    Args:
        p_E: distributions over E >= 2 experts, the pivot's by convention (D is symmetric).
        q_E: distributions over E experts, broadcast against `p_E`.

    Returns:
        D in [0, 1] of the broadcast leading shape; NaN where an input is NaN.
    """
    p_E, q_E = np.asarray(p_E, dtype=np.float64), np.asarray(q_E, dtype=np.float64)
    within = (routing_entropy(p_E) + routing_entropy(q_E)) / 2
    room = np.log(p_E.shape[-1]) - within
    divergence = jensen_shannon(p_E, q_E)
    ratio = np.divide(divergence, room, out=np.zeros_like(divergence), where=room > _SMALLEST_ROOM)
    return np.where(np.isnan(divergence), np.nan, np.minimum(ratio, 1.0))


MEASURE = OfDistributions(
    "divergence", title="Routing divergence from {pivot}", unit="divergence D", bounds=(0, 1), pivot=True,
    axis="divergence from {pivot}  (0 the same, 1 as far as can be)", of=routing_divergence,
)  # fmt: skip
