"""Change of routing divergence D between two checkpoints, by language and zone and by layer.

    d[i, l] = D of the other checkpoint - D of the one, of sentence i and its translation in the pivot (paper 1, Eq. 2)

Unit: the sentence with all its translations, under both checkpoints at once. Both read the same sentences, and what a
sentence says moves D in both alike; so d has far less scatter than two means on their own, and an interval of each
alone would say nothing of their difference. Of several languages a sentence's d is its mean over them: ten translations
are not ten observations. The interval is Student's, that of leaving each sentence out in turn (`stats.jackknife`): a
percentile bootstrap of the same differences covers 91% with 20 sentences and 93% with 200 where it says 95
(`bench/calibration/checkpoints.py`). It speaks of other sentences in these languages; over languages there is Student's
interval beside it, with the language as the unit, which speaks of other languages, where there are `FEWEST` of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.comparing.sides import CompareError
from polyroute.ground.layers import ZONES, Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.zones import inside
from polyroute.results.quantities import rounded
from polyroute.stats.over_units import mean_over_units
from polyroute.stats.signs import FEWEST

FEWEST_SENTENCES = 10
"""With fewer no interval is given."""


@dataclass(frozen=True)
class Change:
    """D under two checkpoints and its difference."""

    one: float
    other: float
    difference: float
    """Other minus one."""
    low: float | None = None
    """Bounds over sentences; None of counts of a whole corpus and of fewer than `FEWEST_SENTENCES`."""
    high: float | None = None
    low_languages: float | None = None
    """Bounds over languages, of means over them alone."""
    high_languages: float | None = None

    @property
    def sign(self) -> int | None:
        """1 or -1 where the interval over sentences lies above or below 0, 0 where it holds it; None without one."""
        if self.low is None or self.high is None:
            return None
        return 1 if self.low > 0 else -1 if self.high < 0 else 0


@dataclass(frozen=True)
class Divergences:
    """D of both checkpoints in one language."""

    one_NM: NDArray[np.float64]
    """(N, 3 + L): the three zones, then the layers; N is 1 for counts of a whole corpus."""
    other_NM: NDArray[np.float64]


def divergences(one: tuple[Trace, Trace], other: tuple[Trace, Trace], zones: Zones, reading: str) -> Divergences:
    """D of every sentence under both checkpoints.

    Args:
        one: of the pivot and the language, under one checkpoint.
        other: the same under the other.
        zones: early, middle and late layers.
        reading: of expert importance.

    Raises:
        ZoneError: a zone holds no traced layer.
    """
    inside_3L = inside(zones, one[0].header.layers)
    both = []
    for pivot, language in (one, other):
        divergence_NL = routing_divergence(pivot.distributions(reading), language.distributions(reading))
        zones_N3 = np.stack([divergence_NL[:, inside_L].mean(axis=1) for inside_L in inside_3L], axis=1)
        both.append(np.concatenate([zones_N3, divergence_NL], axis=1))
    return Divergences(*both)


def changes(found: Divergences, confidence: float) -> list[Change]:
    """A change a column of one language, or of a mean over languages.

    Args:
        found: D of every sentence; one that is NaN under a checkpoint, as without a token, counts for nothing.
        confidence: coverage.
    """
    known_N = np.isfinite(found.one_NM).all(axis=1) & np.isfinite(found.other_NM).all(axis=1)
    one_NM, other_NM = found.one_NM[known_N], found.other_NM[known_N]
    if not len(one_NM):
        raise CompareError("no sentence has a token under both checkpoints: trace them again")
    difference = mean_over_units(other_NM - one_NM, confidence)
    told = len(one_NM) >= FEWEST_SENTENCES
    return [
        Change(
            *map(rounded, three),
            *(rounded(bound) if told else None for bound in bounds),
        )
        for *three, bounds in zip(
            one_NM.mean(axis=0), other_NM.mean(axis=0), difference.value,
            zip(difference.low, difference.high, strict=True), strict=True,
        )
    ]  # fmt: skip


def over_languages(found: Sequence[Divergences], confidence: float) -> list[Change]:
    """The same of the mean over languages, with an interval over sentences and one over languages.

    Args:
        found: of V languages, of the same sentences.
        confidence: coverage of both.
    """
    mean = Divergences(*(np.mean([getattr(each, part) for each in found], axis=0) for part in ("one_NM", "other_NM")))
    rows = changes(mean, confidence)
    if len(found) < FEWEST:
        return rows
    by_language_VM = np.stack([np.nanmean(each.other_NM - each.one_NM, axis=0) for each in found])
    units = mean_over_units(by_language_VM, confidence)
    return [
        replace(row, low_languages=rounded(low), high_languages=rounded(high))
        for row, low, high in zip(rows, units.low, units.high, strict=True)
    ]


def named(rows: Sequence[Change], layers: Sequence[int]) -> dict[str, Change]:
    """Zone, or number of a layer -> its change."""
    return dict(zip([*ZONES, *map(str, layers)], rows, strict=True))
