"""What a calibration finds: how often an interval covers, a test rejects, or a study finds what it says it would."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One quantity on one population."""

    topic: str
    """What is calibrated: the name of its module."""
    quantity: str
    """`coverage`, `size` or `power`, and of what."""
    population: str
    """What the simulated studies are drawn from."""
    n: int
    """Units of a study."""
    nominal: float
    """Share that is promised."""
    found: float
    """Share of the simulated studies."""
    studies: int
    """How many were simulated."""
