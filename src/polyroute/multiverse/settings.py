"""What the stage `multiverse` reads of params.yaml."""

from __future__ import annotations

from polyroute.claims.settings import ClaimsSettings
from polyroute.experts.settings import TaskText
from polyroute.stats.settings import Intervals


class MultiverseSettings(ClaimsSettings):
    """What the stage `multiverse` reads."""

    languages: list[str]
    """FLORES codes, the pivot first."""
    other_pivot: str | None
    """The language that divergence is measured from instead of the pivot; None where there is no other."""
    groups: dict[str, list[str]]
    """Name -> FLORES codes that claims are asked of too, the pivot apart."""
    tasks: dict[str, TaskText]
    """Text by which the experts of each task are told."""
    halved: list[str]
    """FLORES codes that count half in the rule `weighted_mean`."""
    intervals: Intervals
    shuffles: int
    """Of labels and languages, in each permutation test of distances."""
