"""A row of the calibration table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """What a nominal rate comes to in simulated studies."""

    topic: str
    quantity: str
    population: str
    n: int
    """Units of a study."""
    nominal: float
    found: float
    studies: int
