"""What a paired comparison can see: the smallest difference of accuracy that a test of given size would find.

Before a study it says how many items are needed, after one what "no difference" excludes. Answers of one item in
several languages agree more than those of different items, and by as much they tell less (Kish 1965):

    design effect = 1 + (V - 1) rho
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats


@dataclass(frozen=True)
class Changes:
    """How answers change between two conditions, as a pilot shows it."""

    discordance: float
    """Share of (item, language) pairs that are right under one condition only, in [0, 1]."""
    correlation: float
    """rho: correlation of the difference between two languages of an item; 0 where it cannot be told."""


def observed_changes(difference_NV: NDArray[np.float64]) -> Changes:
    """Discordance, and how far languages of an item change together.

    Args:
        difference_NV: edited minus base, in {-1, 0, 1}; NaN where a language lacks an item.

    Returns:
        `correlation` is the mean product of two languages' deviations from their own mean, over all pairs of languages
        of the same item, by the mean square.

    Raises:
        ValueError: there is no answer at all.
    """
    known_NV = ~np.isnan(difference_NV)
    if not known_NV.any():
        raise ValueError("no item was answered in any language")
    filled_NV = np.where(known_NV, difference_NV, 0.0)
    mean_V = filled_NV.sum(axis=0) / np.maximum(known_NV.sum(axis=0), 1)
    error_NV = np.where(known_NV, filled_NV - mean_V, 0.0)
    squares = (error_NV**2).sum()
    products = (error_NV.sum(axis=1) ** 2).sum() - squares  # ordered pairs of different languages
    answered_N = known_NV.sum(axis=1)
    pairs = (answered_N * (answered_N - 1)).sum()
    told = pairs > 0 and squares > 0
    return Changes(
        discordance=float(np.abs(filled_NV).sum() / known_NV.sum()),
        correlation=float(products / pairs / (squares / known_NV.sum())) if told else 0.0,
    )


def minimal_detectable_difference(
    items: int, languages: int, changes: Changes, *, level: float = 0.05, power: float = 0.8
) -> float | None:
    """The difference of mean accuracy that a two-sided paired test finds with the given power (Connor 1987).

    It solves delta = (z_{1 - level/2} sqrt(psi) + z_power sqrt(psi - delta^2)) sqrt(design effect / (N V)), psi the
    discordance: under no difference each answer's change has variance psi, under delta psi - delta^2.

    Args:
        items: N item ids.
        languages: V that each is answered in.
        changes: discordance and correlation within an item.
        level: of the test.
        power: how often the difference should be found.

    Returns:
        In (0, discordance]; None where even changes all one way would not be found so often: the normal
        approximation then has no solution, and more items are needed.

    Raises:
        ValueError: a number is outside its range.
    """
    if items < 1 or languages < 1:
        raise ValueError("a comparison needs at least one item and one language")
    if not 0 < level < 1 or not level / 2 < power < 1:
        raise ValueError(f"level {level} and power {power} must lie in (0, 1), power above level / 2")
    if not 0 <= changes.discordance <= 1 or not -1 <= changes.correlation <= 1:
        raise ValueError(f"{changes} is outside its range")
    psi = changes.discordance
    # A negative correlation is taken for noise of its estimate: the careful side.
    effect = 1 + (languages - 1) * max(changes.correlation, 0.0)
    scale = np.sqrt(effect / (items * languages))
    z_level, z_power = stats.norm.ppf(np.array([1 - level / 2, power]))

    def missing(delta: float) -> float:
        return float((z_level * np.sqrt(psi) + z_power * np.sqrt(max(psi - delta**2, 0.0))) * scale - delta)

    if psi == 0 or missing(psi) > 0:
        return None
    return float(optimize.brentq(missing, 0.0, psi))
