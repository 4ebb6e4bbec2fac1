"""Estimates of a claim's quantities, and what several claims make of committed numbers.

Intervals are 95%, as claims mean them, whatever `intervals.confidence` is. Where a stage keeps the intervals of two
numbers but not that of their difference, `minus` takes one that is no narrower: the standard error of a difference or a
mean is at most the sum or the mean of the standard errors, whatever their correlation. Such an interval can only turn a
verdict into "inconclusive".
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from polyroute.stats.over_units import mean_over_units
from polyroute.stats.partial import correlations, permutation_p, residual_maker

CONFIDENCE = 0.95
FEWEST = 5
"""Languages, below which there is no interval over them, and no verdict."""
FLAT = 1e-9
"""Numbers that differ by less do not vary."""
_NORMAL = float(stats.norm.ppf((1 + CONFIDENCE) / 2))


@dataclass(frozen=True)
class Estimate:
    """A number with what is known of its uncertainty."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    q: float | None = None
    ci90_low: float | None = None
    ci90_high: float | None = None

    def parts(self, name: str) -> Iterator[tuple[str, float]]:
        """`em.low` -> its number, of what is known."""
        for field in fields(self):
            number = getattr(self, field.name)
            if number is not None and math.isfinite(number):
                yield f"{name}.{field.name}", float(number)


def over_languages(values: ArrayLike) -> Estimate:
    """Mean over languages with its t interval and the p of its t test against 0; unit: the language.

    Args:
        values: (V) one a language; below `FEWEST` there is no interval.
    """
    values_V = np.asarray(values, dtype=np.float64)
    if not len(values_V):
        return Estimate()
    if len(values_V) < FEWEST:
        return Estimate(float(values_V.mean()))
    found = mean_over_units(values_V[:, None], CONFIDENCE)
    p = float(stats.ttest_1samp(values_V, 0.0).pvalue) if np.ptp(values_V) > FLAT else None
    return Estimate(float(found.value[0]), float(found.low[0]), float(found.high[0]), p)


def correlation(
    x: ArrayLike, y: ArrayLike, *, seed: int | None, ranks: bool = False, given: Sequence[ArrayLike] = ()
) -> Estimate:
    """Pearson's r or Spearman's rho over languages, others held fixed; unit: the language.

    The interval is Fisher's, with a degree of freedom less for each covariate, and for rho with the larger variance of
    Bonett and Wright 2000, (1 + rho^2 / 2) / (n - 3 - c). p is by permutation (`stats.partial`).

    Args:
        x: (V) one quantity.
        y: (V) the other.
        seed: of the permutations; None leaves p unknown.
        ranks: whether it is Spearman's, of which the covariates are ranked too.
        given: (V) each, held fixed.

    Returns:
        Nothing known where there are fewer than `FEWEST` languages beside the covariates, or one does not vary.
    """
    columns = [np.asarray(one, dtype=np.float64) for one in (x, y, *given)]
    x_V, y_V, *given_CV = [np.asarray(stats.rankdata(one)) for one in columns] if ranks else columns
    free = len(x_V) - 3 - len(given_CV)
    if len(x_V) < FEWEST + len(given_CV) or any(np.ptp(one) < FLAT for one in (x_V, y_V, *given_CV)):
        return Estimate()
    maker_VV = residual_maker(np.column_stack(given_CV)) if given_CV else _centring(len(x_V))
    r = float(correlations(x_V[:, None], y_V, maker_VV)[0])
    if not math.isfinite(r):
        return Estimate()
    p = None if seed is None else float(permutation_p(x_V[:, None], y_V, maker_VV, seed)[0])
    if 1 - abs(r) < FLAT:
        return Estimate(r, p=p)
    half = _NORMAL * math.sqrt((1 + r * r / 2 if ranks else 1) / free)
    return Estimate(r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half), p, p)


@functools.lru_cache(maxsize=16)
def _centring(units: int) -> NDArray[np.float64]:
    """What takes off a mean; kept, since a table of correlations asks for it again and again."""
    maker_VV = residual_maker(np.empty((units, 0)))
    maker_VV.setflags(write=False)
    return maker_VV


def minus(one: Estimate, other: Estimate) -> Estimate:
    """One less the other, with an interval that is no narrower than it must be."""
    if one.value is None or other.value is None:
        return Estimate()
    value = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return Estimate(value)
    below = (one.value - one.low) + (other.high - other.value)
    above = (one.high - one.value) + (other.value - other.low)
    return Estimate(value, value - below, value + above)


def mean(several: Sequence[Estimate]) -> Estimate:
    """Their mean, with an interval that is no narrower than it must be."""
    if not several or any(one.value is None for one in several):
        return Estimate()

    def of(part: str) -> float | None:
        numbers = [getattr(one, part) for one in several]
        return None if None in numbers else sum(numbers) / len(numbers)

    return Estimate(of("value"), of("low"), of("high"))


def ratio(one: Estimate, other: Estimate) -> Estimate:
    """One by the other, both above 0, with an interval that is no narrower than it must be."""
    if one.value is None or other.value is None or other.value <= 0:
        return Estimate()
    if one.low is None or one.high is None or other.low is None or other.high is None or other.low <= 0:
        return Estimate(one.value / other.value)
    return Estimate(one.value / other.value, one.low / other.high, one.high / other.low)


def on_a_line(x: ArrayLike, y: ArrayLike, at: float) -> Estimate:
    """The mean of y at one x on the least squares line, with its t interval; unit: the language."""
    x_V, y_V = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if len(x_V) < FEWEST or np.ptp(x_V) < FLAT:
        return Estimate()
    line = stats.linregress(x_V, y_V)
    value = float(line.intercept + line.slope * at)
    left_V: NDArray[np.float64] = y_V - line.intercept - line.slope * x_V
    free = len(x_V) - 2
    spread = float((left_V**2).sum() / free)
    error = math.sqrt(spread * (1 / len(x_V) + (at - x_V.mean()) ** 2 / ((x_V - x_V.mean()) ** 2).sum()))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, free)) * error
    p = float(2 * stats.t.sf(abs(value) / error, free)) if error > 0 else None
    return Estimate(value, value - half, value + half, p)


def paired_of_one_language(items: int, gained: int, lost: int) -> Estimate:
    """A paired difference of two accuracies with its interval of 90%, for equivalence; unit: the item.

    Bonett and Price 2012: one item is added to the gained and one to the lost, so that no interval has width 0.
    """
    up, down = (gained + 1) / (items + 2), (lost + 1) / (items + 2)
    half = float(stats.norm.ppf(0.95)) * math.sqrt((up + down - (up - down) ** 2) / (items + 2))
    return Estimate((gained - lost) / items, ci90_low=up - down - half, ci90_high=up - down + half)
