"""What it costs that two halves of the items choose for each other.

Of several candidates the best on half A is reported on half B, and the best on B on A. Neither report is biased: no
item had a part in its own choice. But the two reports go together. Where both halves happen to prefer the same
candidate, each is reported where it did well by luck; where they prefer different ones, each is reported where it did
not. So the mean of the two reports varies more than the mean of independent ones: with k candidates that do nothing and
have nothing in common by a factor of 1 + m^2 / (k - 1), m the mean of the largest of k standard normal deviates (1.32
for two, 1.36 at most), and less the more the candidates have in common.

Candidates are taken to be equally good, which is where halves disagree most; where they differ the factor is too
large, the careful side. The unit is the item: its mean change over languages under every candidate.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

DRAWS = 20_000
"""Simulated studies, whose own error of the factor is about .01."""


def inflation(change_CN: Sequence[NDArray[np.float64]], seed: int = 0) -> float:
    """The factor by which choosing for each other raises the variance of the mean over both halves.

    Args:
        change_CN: of each of two halves: what every candidate changes, item by item, mean over the languages that it is
            chosen by.
        seed: of the simulated studies.

    Returns:
        At least 1; 1 where nothing changed, or there is one candidate.

    Raises:
        ValueError: there are not two halves, or they have other candidates.
    """
    first_CN, second_CN = change_CN
    if len(first_CN) != len(second_CN):
        raise ValueError(f"one half has {len(first_CN)} candidates, the other {len(second_CN)}")
    rng = np.random.default_rng(seed)
    luck_RC = [_means(half_CN, rng) for half_CN in (first_CN, second_CN)]
    weights = [half_CN.shape[1] / (first_CN.shape[1] + second_CN.shape[1]) for half_CN in (first_CN, second_CN)]
    best_R = [one_RC.argmax(axis=1) for one_RC in luck_RC]
    places = np.arange(DRAWS)
    first_R, second_R = (
        weight * one_RC[places, other_R] for weight, one_RC, other_R in zip(weights, luck_RC, best_R[::-1], strict=True)
    )
    apart = float(np.mean(first_R**2) + np.mean(second_R**2))
    return max(1.0, float(np.mean((first_R + second_R) ** 2)) / apart) if apart > 0 else 1.0


def _means(change_CN: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """(DRAWS, C) deviations of the candidates' means over items, by the covariance that the items have."""
    centred_CN = change_CN - change_CN.mean(axis=1, keepdims=True)
    candidates, items = change_CN.shape
    covariance_CC = centred_CN @ centred_CN.T / max(items - 1, 1) / items
    return rng.multivariate_normal(np.zeros(candidates), covariance_CC, size=DRAWS, method="eigh")
