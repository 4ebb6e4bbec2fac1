"""Expert importance: from what a trace holds to a probability distribution over experts (paper 1, Eq. 1)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyroute.ground.errors import PolyrouteError

SOFTMAX_OF_WEIGHTS = "softmax_of_weights"
"""Softmax over all experts of the weights of the chosen ones, 0 elsewhere (`tracing.softmax_of_weights`)."""
READINGS = ("soft_mass", "topk_mass", "topk_count", SOFTMAX_OF_WEIGHTS)
"""Readings of expert importance: the softmax over all experts (paper 1, Eq. 1), the model's own weights of the chosen
experts renormalised, the counts of the chosen experts (both in the first author's later code), and the softmax of the
weights, which is what that author's code read of GPT-OSS."""
HEAD = "head_mass"
"""`soft_mass` of the first tokens of a sentence alone, as many in every language: equal budgets at equal positions. It
serves measures by layer, and is none of the readings that all stages take."""


class ImportanceError(PolyrouteError):
    """Masses or counts that cannot be importance."""


def normalise(mass_E: ArrayLike) -> NDArray[np.float64]:
    """Divide masses or counts over experts by their sum.

    Args:
        mass_E: non-negative, any leading axes, last axis the E experts.

    Returns:
        Distributions of the same shape in float64. Where the sum is 0 (no token was counted) the whole
        distribution is NaN, so that nothing downstream mistakes an absent sequence for a uniform one.

    Raises:
        ImportanceError: a mass is negative, or infinite.
    """
    given_E = mass_E
    mass_E = np.asarray(given_E, dtype=np.float64)
    total = mass_E.sum(axis=-1, keepdims=True)
    # Mostly every mass is a number and every sum above 0, and then two passes do.
    if total.size and np.isfinite(total).all() and total.min() > 0 and mass_E.min() >= 0:
        copied = not np.may_share_memory(mass_E, np.asarray(given_E))
        found: NDArray[np.float64] = np.divide(mass_E, total, out=mass_E if copied else np.empty_like(mass_E))
        return found
    if np.isinf(mass_E).any() or (mass_E < 0).any():
        raise ImportanceError("expert masses must be finite and not negative")
    shares: NDArray[np.float64] = np.full_like(mass_E, np.nan)
    np.divide(mass_E, total, out=shares, where=total > 0)
    return shares
