"""Routing divergence between two languages (paper 1, Eq. 2 and 6 to 8).

    D(p, q) = JSD(p, q) / (ln E - (H(p) + H(q)) / 2),   JSD(p, q) = H(m) - (H(p) + H(q)) / 2,   m = (p + q) / 2

The normaliser is the largest JSD that two distributions of these entropies can have, reached when their midpoint
is uniform. Routing entropy falls with depth and would swamp a plain JSD. D lies in [0, 1]: 0 iff p = q, 1 iff m is
uniform and p differs from q. Where both are uniform it is 0/0; they are equal, so D is 0 there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyroute.measures import entropy
from polyroute.measures.chunks import by_chunk
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.layer_measure import Compared, OfDistributions

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
    between = midpoint_entropy(p_E, q_E) - (routing_entropy(p_E) + routing_entropy(q_E)) / 2
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
    return normalised(midpoint_entropy(p_E, q_E) - within, np.log(p_E.shape[-1]) - within)


def midpoint_entropy(p_E: NDArray[np.float64], q_E: NDArray[np.float64]) -> NDArray[np.float64]:
    """H((p + q) / 2) over the last axis in nats."""
    return routing_entropy((p_E + q_E) / 2)


def normalised(between: NDArray[np.float64], room: NDArray[np.float64]) -> NDArray[np.float64]:
    """D of a divergence and its normaliser.

    Args:
        between: JSD in nats, below 0 by no more than rounding leaves.
        room: ln E - (H(p) + H(q)) / 2, broadcast against it.

    Returns:
        Within [0, 1]; NaN where JSD is.
    """
    ratio = np.divide(between, room, out=np.zeros_like(between), where=room > _SMALLEST_ROOM)
    np.clip(ratio, 0.0, 1.0, out=ratio)
    return np.where(np.isnan(between), np.nan, ratio)


@dataclass(frozen=True)
class OfPairs(OfDistributions):
    """Divergence, which takes the entropies of both sides as they are known already."""

    def by_sentence(self, of: Compared) -> NDArray[np.float64]:
        """(N, L) D of each sentence and its translation."""
        within_NL = entropies_within(of)
        between_NL = by_chunk(midpoint_entropy, of.p_NLE, of.q_NLE) - within_NL
        return normalised(between_NL, np.log(of.q_NLE.shape[-1]) - within_NL)


def entropies_within(of: Compared) -> NDArray[np.float64]:
    """(N, L) mean entropy of each sentence and its translation, in nats."""
    by_sentence = entropy.MEASURE.by_sentence
    return (of.beside.once(by_sentence) + of.once(by_sentence)) / 2


MEASURE = OfPairs(
    "divergence", title="Routing divergence from {pivot}", unit="divergence D", bounds=(0, 1), pivot=True,
    axis="divergence from {pivot}  (0 the same, 1 as far as can be)", of=routing_divergence,
)  # fmt: skip
