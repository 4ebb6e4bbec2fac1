"""How far a result may be from itself on another processor, by its unit; declared here once.

Another processor adds in another order, so float32 sums differ in their last digits. These reach a result in two ways:
a number moves by about as much, or a choice between near-equal values falls otherwise (a token's last expert, an
answer's likelihood, a resample at a quantile) and a number made of counts moves by one of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from polyroute.results.quantities import DECIMALS


@dataclass(frozen=True)
class Tolerance:
    """Two values agree if |a - b| <= absolute + relative * max(|a|, |b|)."""

    absolute: float = 0.0
    """In the unit of the values."""
    relative: float = 0.0
    """Share of the larger of the two."""

    def holds(self, one: float | None, other: float | None) -> bool:
        """Whether two values agree; one that is missing agrees with one that is missing alone."""
        if one is None or other is None or math.isnan(one) or math.isnan(other):
            return _missing(one) and _missing(other)
        # Values are decimals: the last bit of their difference says nothing.
        return abs(one - other) <= self.absolute + self.relative * max(abs(one), abs(other)) + 1e-9

    def __str__(self) -> str:
        parts = [f"{self.absolute:g}" if self.absolute else "", f"{self.relative:.1%}" if self.relative else ""]
        return " + ".join(part for part in parts if part) or "exactly"


def _missing(value: float | None) -> bool:
    return value is None or math.isnan(value)


EXACTLY = Tolerance()
NUMBERS = Tolerance(absolute=5 * 10**-DECIMALS, relative=0.001)
"""Of numbers whose unit is not named below: five of the last digit that is kept, and a thousandth."""
BY_UNIT = {
    # One answer of some hundred; some draws or resamples of a thousand.
    "accuracy": Tolerance(absolute=0.02),
    "p-value": Tolerance(absolute=0.01),
    "share": Tolerance(absolute=0.005),
    # A set's edge moves by a last digit, and all resamples between the two are in or out.
    "share of resamples": Tolerance(absolute=0.02),
    "adjusted Rand index": Tolerance(absolute=0.01),
    "correlation": Tolerance(absolute=0.01),
}
"""Unit, as a file's declaration has it -> tolerance of its numbers. Whole numbers, codes and names agree exactly."""


def of(unit: str) -> Tolerance:
    """The tolerance of numbers in a unit."""
    return BY_UNIT.get(unit, NUMBERS)
