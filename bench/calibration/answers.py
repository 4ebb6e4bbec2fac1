"""Answers of simulated studies: items in several languages, some of which change between two conditions.

Two ways for the changes of an item to go together over languages, with correlation rho at no difference: `threshold`, a
normal deviate a language, correlated within an item, of which the largest become gains and the smallest losses; and
`whole`, where a share rho of items changes in all languages or in none.
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from polyroute.stats.paired import PairedScores

Kind = Literal["threshold", "whole"]


def changes(
    rng: np.random.Generator, shape: tuple[int, int, int], psi: float, difference: float, rho: float, kind: Kind
) -> NDArray[np.float64]:
    """(S, N, V) changes of S studies, in {-1, 0, 1}.

    Args:
        rng: random numbers.
        shape: S studies of N items in V languages.
        psi: share of answers that change.
        difference: mean change, at most psi.
        rho: correlation of the changes of an item.
        kind: see this module.
    """
    up, down = (psi + difference) / 2, (psi - difference) / 2
    studies, items, _ = shape
    if kind == "whole":
        alike = rng.random((studies, items, 1)) < rho
        luck = np.where(alike, rng.random((studies, items, 1)), rng.random(shape))
        return (luck < up) * 1.0 - (luck > 1 - down)
    latent = _latent(psi, difference, rho)
    normal = np.sqrt(latent) * rng.normal(size=(studies, items, 1)) + np.sqrt(1 - latent) * rng.normal(size=shape)
    return (normal > stats.norm.isf(up)) * 1.0 - (normal < stats.norm.ppf(down))


def answers(change_NV: NDArray[np.float64], rng: np.random.Generator, right: float = 0.5) -> PairedScores:
    """Answers that change so; of those that do not, a share is right."""
    still_NV = (rng.random(change_NV.shape) < right).astype(np.float64)
    base_NV = np.where(change_NV > 0, 0.0, np.where(change_NV < 0, 1.0, still_NV))
    items, languages = change_NV.shape
    return PairedScores(
        tuple(map(str, range(items))), tuple(f"l{place}" for place in range(languages)), base_NV, base_NV + change_NV
    )


@functools.cache
def _latent(psi: float, difference: float, rho: float) -> float:
    """Correlation of normal deviates whose tails have correlation rho."""
    up, down = (psi + difference) / 2, (psi - difference) / 2
    high, low = float(stats.norm.isf(up)), float(stats.norm.ppf(max(down, 1e-12)))

    def missing(latent: float) -> float:
        both = stats.multivariate_normal([0, 0], [[1, latent], [latent, 1]])
        alike = both.cdf([-high, -high]) + both.cdf([low, low])
        product = alike - 2 * (down - both.cdf([high, low]))
        return float((product - difference**2) / (psi - difference**2) - rho)

    return float(optimize.brentq(missing, 0.0, 0.999)) if rho > 0 else 0.0
