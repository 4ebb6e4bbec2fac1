"""Planning a paired comparison: the smallest difference of accuracy that a test would find, and the items it needs.

Both solve the same equation (Connor 1987). Under no difference each answer's change has variance psi, the discordance;
under a difference d it has psi - d^2. Answers of one item in several languages agree more than those of different
items, and by as much they tell less (Kish 1965): by the design effect 1 + (V - 1) rho. So of N items in V languages

    N V = ((z_{1 - level/2} sqrt(psi) + z_power sqrt(psi - d^2)) / d)^2 (1 + (V - 1) rho)

It is a normal approximation with psi and rho assumed; after a study `stats.simulated_power` takes its own items.
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


LEVEL, POWER = 0.05, 0.8
"""Of the two-sided test, and how often it should find the difference."""


def minimal_detectable_difference(
    items: int, languages: int, changes: Changes, *, level: float = LEVEL, power: float = POWER
) -> float | None:
    """The difference of mean accuracy that a two-sided paired test finds with the given power.

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
    if items < 1:
        raise ValueError("a comparison needs at least one item and one language")
    psi, scale = changes.discordance, np.sqrt(_design_effect(languages, changes) / (items * languages))
    z_level, z_power = _quantiles(level, power)

    def missing(delta: float) -> float:
        return float((z_level * np.sqrt(psi) + z_power * np.sqrt(max(psi - delta**2, 0.0))) * scale - delta)

    if psi == 0 or missing(psi) > 0:
        return None
    return float(optimize.brentq(missing, 0.0, psi))


def items_needed(
    difference: float, languages: int, changes: Changes, *, level: float = LEVEL, power: float = POWER
) -> int | None:
    """Items that a two-sided paired test needs to find a difference with the given power.

    Args:
        difference: of mean accuracy, in (0, 1].
        languages: V that each item is answered in.
        changes: discordance and correlation within an item.
        level: of the test.
        power: how often the difference should be found.

    Returns:
        None where the difference is larger than the discordance: no such change can be.

    Raises:
        ValueError: a number is outside its range.
    """
    if not 0 < difference <= 1:
        raise ValueError(f"difference {difference} must lie in (0, 1]")
    effect, psi = _design_effect(languages, changes), changes.discordance
    z_level, z_power = _quantiles(level, power)
    if difference > psi:
        return None
    answers = ((z_level * np.sqrt(psi) + z_power * np.sqrt(max(psi - difference**2, 0.0))) / difference) ** 2
    return int(np.ceil(answers * effect / languages))


def _design_effect(languages: int, changes: Changes) -> float:
    if languages < 1:
        raise ValueError("a comparison needs at least one item and one language")
    if not 0 <= changes.discordance <= 1 or not -1 <= changes.correlation <= 1:
        raise ValueError(f"{changes} is outside its range")
    # A negative correlation is taken for noise of its estimate: the careful side.
    return 1 + (languages - 1) * max(changes.correlation, 0.0)


def _quantiles(level: float, power: float) -> tuple[float, float]:
    if not 0 < level < 1 or not level / 2 < power < 1:
        raise ValueError(f"level {level} and power {power} must lie in (0, 1), power above level / 2")
    return float(stats.norm.ppf(1 - level / 2)), float(stats.norm.ppf(power))
