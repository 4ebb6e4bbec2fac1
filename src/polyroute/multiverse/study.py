"""What cells are computed of: one model's traces and results, and the levels that they allow of shared choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.claims.asked import Asked
from polyroute.claims.claim import Claim
from polyroute.claims.estimates import CONFIDENCE, FEWEST, Estimate
from polyroute.ground.layers import LayerRange
from polyroute.languages import table as language_table
from polyroute.multiverse.grid import Choice
from polyroute.multiverse.settings import MultiverseSettings
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.over_units import mean_by_family, mean_over_units

DISTANCES = ("divergence", "jsd", "cosine")
"""Of two distributions over experts; the board's first."""
PUBLISHED_MIDDLE, PUBLISHED_LAYERS = (7, 34), 48
"""Paper 1's middle of Qwen3-30B-A3B, from 0 and both included, of so many layers; others take the same share."""
RISE = 0.375
"""Share of the depth of RISE's early and of its late zone."""
SHIFTS: dict[str, tuple[int, int]] = {
    "as_is": (0, 0), "last_excluded": (0, -1), "one_later": (1, 1), "one_earlier": (-1, -1),
}  # fmt: skip
"""Numbering of the middle -> what is added to its first and its last layer: whether the code behind paper 1 counts from
0 or 1 and whether it leaves the last layer out hangs on how it is read (7-34, 7-33, 8-35, 6-33 of 48)."""

T = TypeVar("T")
Places = dict[str, NDArray[np.intp]]
"""Zone -> places on the L axis."""


@dataclass
class Study:
    """One model."""

    asked: Asked
    """Its results, as claims ask them."""
    settings: MultiverseSettings
    trace: Callable[[str, str], Trace]
    """Corpus, language -> trace."""
    vocabulary: Path
    """How its texts divide into tokens."""
    named_middle: LayerRange | None = None
    """Middle layers that a claim names for this model."""
    kept: dict[Any, Any] = field(default_factory=dict)
    """What was computed once, by whatever determines it."""

    def once(self, key: Any, compute: Callable[..., T], *arguments: Any) -> T:
        """What `compute` returns of its arguments, computed once for each key."""
        if key not in self.kept:
            self.kept[key] = compute(*arguments)
        found: T = self.kept[key]
        return found

    def of(self, language: str) -> Trace:
        """Generic text in a language."""
        return self.trace(self.settings.generic, language)

    @property
    def pivot(self) -> str:
        """FLORES code."""
        return self.settings.languages[0]

    @cached_property
    def first(self) -> Trace:
        """Generic text in the pivot."""
        return self.of(self.pivot)

    @cached_property
    def bootstrap(self) -> Bootstrap | None:
        """Resamples of sentences, those of the stage `align`; None of pooled counts."""
        if self.first.header.pooled or len(self.first.item_ids) < 2:
            return None
        about = self.settings.intervals
        return Bootstrap(len(self.first.item_ids), about.resamples, about.confidence, self.settings.seed)

    @property
    def readings(self) -> Choice:
        """Readings that the traces hold, the board's first."""
        own = self.asked.alignment.reading
        return Choice("reading", (own, *(one for one in self.first.readings if one != own)))

    @property
    def averaging(self) -> Choice:
        """How sentences become one number."""
        return Choice("averaging", ("pooled",) if self.first.header.pooled else ("sequences", "pooled"))

    @property
    def distances(self) -> Choice:
        """Of two distributions."""
        return Choice("distance", DISTANCES)

    @property
    def pivots(self) -> Choice:
        """Languages that divergence is measured from."""
        other = self.settings.other_pivot
        return Choice("pivot", (self.pivot,) if other is None else (self.pivot, other))

    @property
    def units(self) -> Choice:
        """Of the interval over languages."""
        families = {language_table.get(code).family for code in self.settings.languages[1:]}
        return Choice("unit", ("language", "family") if len(families) > 2 else ("language",))

    @cached_property
    def languages(self) -> Choice:
        """Sets of languages of which enough are left for an interval."""
        levels = ["all"]
        for level in ("above_chance", *self.settings.groups):
            kept = self.among(level)
            if FEWEST <= len(kept) < len(self.settings.languages) - 1 and kept not in map(self.among, levels):
                levels.append(level)
        return Choice("languages", tuple(levels))

    @cached_property
    def near_chance(self) -> list[str]:
        """Languages that are answered about as well as by guessing."""
        return self.asked.near_chance()

    def among(self, level: str) -> list[str]:
        """Languages of a level, the pivot apart."""
        others = self.settings.languages[1:]
        match level:
            case "all":
                return others
            case "above_chance":
                return [code for code in others if code not in self.near_chance]
        return [code for code in others if code in self.settings.groups[level]]

    def zones(self, *, published_first: bool = False) -> Choice:
        """Divisions of the depth."""
        own = ("published", "study") if published_first else ("study", "published")
        return Choice("zones", (*own, "rise"))

    @cached_property
    def numbering(self) -> Choice:
        """Shifts of the middle that leave it inside the model whatever the zones."""
        count = len(self.first.header.layers)
        allowed = [
            shift for shift, (start, end) in SHIFTS.items()
            if all(0 <= first + start <= last + end < count for first, last in map(self._middle, self.zones().levels))
        ]  # fmt: skip
        return Choice("numbering", tuple(allowed))

    def places(self, zones: str, numbering: str = "as_is") -> Places:
        """Layers of early, middle and late zone, as places on the L axis."""
        count = len(self.first.header.layers)
        shift = SHIFTS[numbering]
        first, last = self._middle(zones)
        if zones == "rise":
            outer = _rise(count)
            edges = {"early": (0, outer - 1), "late": (count - outer, count - 1)}
        else:
            held = self.asked.alignment.zones
            edges = {"early": self._placed(held.early), "late": self._placed(held.late)}
        spans = {"early": edges["early"], "middle": (first + shift[0], last + shift[1]), "late": edges["late"]}
        return {zone: np.arange(start, end + 1) for zone, (start, end) in spans.items()}

    def _middle(self, zones: str) -> LayerRange:
        count = len(self.first.header.layers)
        match zones:
            case "study":
                return self._placed(self.asked.alignment.zones.middle)
            case "rise":
                outer = _rise(count)
                return min(outer, count - 1), max(count - outer - 1, min(outer, count - 1))
        if self.named_middle is not None:
            return self._placed(self.named_middle)
        first, last = PUBLISHED_MIDDLE
        start = round(first / PUBLISHED_LAYERS * count)
        return start, max(start, round((last + 1) / PUBLISHED_LAYERS * count) - 1)

    def _placed(self, span: LayerRange) -> LayerRange:
        """Numbers of the model's layers as places; a range that reaches beyond the traced ones ends there."""
        layers = np.array(self.first.header.layers)
        inside = np.flatnonzero((layers >= span[0]) & (layers <= span[1]))
        return int(inside[0]), int(inside[-1])


def over(values_V: NDArray[np.float64], codes: Sequence[str], unit: str) -> Estimate:
    """Mean over languages with the interval of a unit; as `claims.estimates.over_languages`, without its p."""
    if len(values_V) < FEWEST:
        return Estimate(float(values_V.mean())) if len(values_V) else Estimate()
    column_V1 = values_V[:, None]
    if unit == "language":
        by = mean_over_units(column_V1, CONFIDENCE)
    else:
        by = mean_by_family(column_V1, [language_table.get(code).family for code in codes], CONFIDENCE)
    return Estimate(float(by.value[0]), float(by.low[0]), float(by.high[0]))


def named_middle(claims: Mapping[str, Claim], model: str) -> LayerRange | None:
    """The middle that paper 1's correlation is published for; None of a model that the paper does not name."""
    claim = claims.get("p1.correlation")
    named = ((claim.setting or {}).get("middle") or {}).get(model) if claim is not None else None
    return None if named is None else (int(named[0]), int(named[1]))


def _rise(count: int) -> int:
    return max(1, min(round(RISE * count), (count - 1) // 2 or 1))
