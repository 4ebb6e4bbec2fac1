"""How sure a number is."""

from pydantic import Field

from polyroute.ground.frozen import Frozen


class Intervals(Frozen):
    """Bootstrap intervals; the same for every stage that resamples."""

    resamples: int = Field(ge=100)
    """Bootstrap resamples of the unit that the measure names: sentences, items or languages."""
    confidence: float = Field(gt=0, lt=1)
    """Coverage of the interval, as a share: 0.95."""
