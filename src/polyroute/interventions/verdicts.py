"""Verdicts on steering: by which rule a plan helps, and when it cannot be told.

In this order, all over the languages to be helped, items with all their translations as the unit:

1. Its difference lies above 0 with its interval and its q over the task's plans is below `LEVEL`: it `helps`, if its
   rank p among random sets is at most `LEVEL` too; `random_do_as_well` if it is not; `helps_unranked` where too few
   random sets were asked for p to be so small, though none did as well. Below 0 in the same way: it `hurts`.
2. Nothing is right to begin with, or the largest difference that could be would not be found four times in five:
   `cannot_be_told`.
3. Its 90% interval lies within `MARGIN` of 0, which is a test of equivalence at 5% (Schuirmann 1987): `no_difference`.
4. The difference of interest would not be found four times in five: `too_few_items`. It is the published gain, or
   `SMALLEST` where none is published. Otherwise `not_distinguishable`.

How often a difference would be found is simulated on the items at hand by rule 1 without the rank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from polyroute.results.quantities import DECIMALS, rounded
from polyroute.results.steering import VerdictCode
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.over_items import ItemMean
from polyroute.stats.paired import PairedScores
from polyroute.stats.power import POWER, Changes, items_needed, minimal_detectable_difference, observed_changes
from polyroute.stats.rank import attainable_p
from polyroute.stats.sequential import sequential_p
from polyroute.stats.simulated_power import StudiedItems, detectable, power

LEVEL = 0.05
MARGIN = 0.01
"""Differences smaller than this are none: paper 1 has English move by less than a point."""
SMALLEST = 0.02
"""Smallest difference of interest where no gain is published: two points, about the largest mean gain of paper 1."""
FEWEST_DRAWS = 19
"""Random sets, with fewer of which a rank p cannot reach `LEVEL`."""
EQUIVALENCE = 0.9
"""Coverage of intervals that are held against `MARGIN`."""
Undecided = Literal["cannot_be_told", "equivalent", "too_few_items", "not_distinguishable"]
ASSUMED = Changes(discordance=0.10, correlation=0.05)
"""What is assumed of answers before a study."""


@dataclass(frozen=True)
class Rule:
    """What a verdict is computed with."""

    confidence: float
    """Coverage of intervals."""
    studies: int
    """That are simulated."""
    seed: int
    gain: float | None = None
    """Published gain; None where none is."""


@dataclass(frozen=True)
class Power:
    """What the items could show; see `results.steering.Power`."""

    effect: float
    published: bool
    power: float
    detectable: float | None
    detectable_before: float | None
    items_needed: int | None
    discordance: float
    correlation: float


@dataclass(frozen=True)
class Change:
    """A mean change with its 90% interval."""

    value: float
    low90: float
    high90: float
    items: int


@dataclass(frozen=True)
class Rank:
    """Of a plan among random sets."""

    p: float | None
    """None without random sets."""
    draws: int

    @classmethod
    def among(cls, score: float, drawn: Sequence[float]) -> Rank:
        """Of a score among those of random sets, in the order in which they were drawn."""
        return cls(sequential_p(score, drawn, most=len(drawn)) if drawn else None, len(drawn))

    @property
    def beyond(self) -> bool | None:
        """Whether p is at most `LEVEL`; None where too few sets were drawn for that, and none did as well."""
        if self.p is None or (self.draws < FEWEST_DRAWS and self.p <= attainable_p(self.draws)):
            return None
        return self.p <= LEVEL


@dataclass(frozen=True)
class Verdict:
    """Whether a plan does what it is for; see `results.steering.Verdict`."""

    code: VerdictCode
    helps: bool
    beyond_random: bool | None
    rank_p: float | None
    draws: int
    items: int
    low90: float
    high90: float
    margin: float
    power: Power
    pivot_loss: float | None
    pivot_change: Change | None

    def plain(self) -> dict[str, Any]:
        """For JSON, rounded."""
        told: dict[str, Any] = all_rounded(asdict(self))
        return told


def verdict(
    scores: PairedScores, q: float, other_p: Sequence[float], drawn: Sequence[float], pivot: str, rule: Rule
) -> Verdict:
    """The verdict on one plan.

    Args:
        scores: without and with it, in all languages.
        q: of its difference over the languages to be helped, among the task's plans.
        other_p: p-values of those other plans, for what q asks of p.
        drawn: differences of its random sets, in the order in which they were drawn.
        pivot: language that is not to be helped.
        rule: what it is computed with.

    Raises:
        PairedError: no language is to be helped.
    """
    helped = scores.only([language for language in scores.languages if language != pivot])
    found, narrow = (helped.mean_difference(coverage, rule.seed) for coverage in (rule.confidence, EQUIVALENCE))
    # Random sets were not chosen, so that their scores vary less: the plan is ranked as if it varied as they do.
    rank = Rank.among(round(found.value / math.sqrt(scores.inflation), DECIMALS), drawn)
    could = power_of(helped, largest_p(other_p), rule)
    pivot_change = change_of(scores.only([pivot]), rule.seed) if pivot in scores.languages else None
    helps = found.low > 0 and q < LEVEL
    code: VerdictCode
    if helps:
        code = "helps_unranked" if rank.beyond is None else "helps" if rank.beyond else "random_do_as_well"
    elif found.high < 0 and q < LEVEL:
        code = "hurts"
    else:
        open_code = undecided(helped, narrow, could)
        code = "no_difference" if open_code == "equivalent" else open_code
    return Verdict(
        code=code, helps=helps, beyond_random=rank.beyond, rank_p=rank.p, draws=rank.draws, items=len(helped.item_ids),
        low90=narrow.low, high90=narrow.high, margin=MARGIN, power=could,
        pivot_loss=None if pivot_change is None else -pivot_change.value, pivot_change=pivot_change,
    )  # fmt: skip


def undecided(scores: PairedScores, narrow: ItemMean, could: Power) -> Undecided:
    """What can be said of a difference that lies on neither side of 0, by rules 2 to 4.

    Args:
        scores: without and with the plan, in the languages that it is judged in.
        narrow: their mean difference, with an interval of `EQUIVALENCE`.
        could: what they could show.
    """
    if not np.nansum(scores.base_NV) or could.detectable is None:
        return "cannot_be_told"
    if narrow.low > -MARGIN and narrow.high < MARGIN:
        return "equivalent"
    return "too_few_items" if could.power < POWER else "not_distinguishable"


def change_of(scores: PairedScores, seed: int) -> Change:
    """Mean change over languages with its 90% interval."""
    found = scores.mean_difference(EQUIVALENCE, seed)
    return Change(found.value, found.low, found.high, len(scores.item_ids))


def largest_p(other_p: Sequence[float]) -> float:
    """The largest p whose q among other tests is still below `LEVEL`, to four decimals."""
    low, high = 0, 10**4
    while high - low > 1:
        middle = (low + high) // 2
        q = benjamini_hochberg([middle / 10**4, *other_p])[0]
        low, high = (middle, high) if q < LEVEL else (low, middle)
    return low / 10**4


def power_of(scores: PairedScores, limit: float, rule: Rule, *, losses: bool = False) -> Power:
    """What the items could show.

    Args:
        scores: without and with the plan.
        limit: on p.
        rule: what is simulated, and which gain is of interest.
        losses: whether a loss is looked for; it is then counted as positive.
    """
    items = StudiedItems.of(scores, losses=losses)
    effect = SMALLEST if rule.gain is None else rule.gain
    drawing: Any = {"limit": limit, "confidence": rule.confidence, "studies": rule.studies, "seed": rule.seed}
    count, languages = len(scores.item_ids), len(scores.languages)
    changes = observed_changes(scores.difference_NV)
    plan = changes if not scores.graded and changes.discordance >= effect else ASSUMED
    return Power(
        effect=effect, published=rule.gain is not None, power=power(items, effect, **drawing),
        detectable=detectable(items, **drawing), discordance=changes.discordance, correlation=changes.correlation,
        detectable_before=minimal_detectable_difference(count, languages, ASSUMED),
        items_needed=items_needed(effect, languages, plan),
    )  # fmt: skip


def all_rounded(value: Any) -> Any:
    """A value, or plain data with all its numbers, as results are rounded."""
    if isinstance(value, dict):
        return {name: all_rounded(part) for name, part in value.items()}
    return rounded(value) if isinstance(value, float) else value
