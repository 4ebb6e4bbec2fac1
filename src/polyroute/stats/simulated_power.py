"""Power of a paired comparison by simulation on the items at hand: how often would its own rule find a difference?

A simulated study draws as many items as there are, with all their translations, from a population that is itself drawn
from those at hand: they are a sample, and few items leave its discordance uncertain. What changes in a drawn item is
taken over, but for its direction: an item's changes keep or turn their signs by the toss of a coin, so that no
difference is left. Then the difference d is put in: a change for the worse becomes one for the better with chance
f = d / psi, psi the share of answers that change. Where that is more than all (d > psi), answers that were wrong and
did not change become right as well. In a share 2 r / (1 + r) of items one toss decides for all languages, r the mean
product of the signs of two changes of an item: with it the expected product stays that of a correlation r,
r (1 - f^2) + f^2, where a toss for each language alone would leave r (1 - f)^2 + f^2. So discordance and the
correlation between languages are those of the study as long as d is at most psi.

The rule is that of `stats.paired`: the mean lies above 0 with its interval and p is at most a limit. The limit is for
the caller to say: below .05 where p is adjusted for other tests. What it leaves out: a rank among random sets.

Scores between right and wrong cannot be turned: there the difference is added to every item.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from polyroute.stats.paired import PairedScores

FLIPS = 4999
"""Random patterns of exchange in a simulated study; the same for all of them."""
_CELLS = 2**22
"""Simulated answers in memory at a time."""
_STEPS = 12
"""Halvings in search of the smallest difference that is found often enough: the room for gain by 4,096."""


@dataclass(frozen=True)
class StudiedItems:
    """N items in V languages as a study found them."""

    difference_NV: NDArray[np.float64]
    """Edited minus base; NaN where a language lacks an item."""
    gainable_NV: NDArray[np.bool_]
    """Whether the answer did not change and could have become better: it was wrong under both conditions."""
    room: float
    """The largest difference that could be: what the base lacks to 1, mean over languages."""
    graded: bool
    """Whether some score lies between right and wrong."""
    inflation: float = 1.0
    """Factor of the variance of a mean over languages; see `stats.cross_fitting`."""

    @classmethod
    def of(cls, scores: PairedScores, *, losses: bool = False) -> StudiedItems:
        """From the scores of both conditions.

        Args:
            scores: of the study.
            losses: whether a difference is looked for that makes answers worse; it is then counted as positive.
        """
        side = -1.0 if losses else 1.0
        lacking_NV = scores.base_NV if losses else 1 - scores.base_NV
        still_NV = (scores.difference_NV == 0) & (lacking_NV > 0)
        room = float(np.nanmean(lacking_NV, axis=0).mean())
        return cls(side * scores.difference_NV, still_NV, room, scores.graded, scores.inflation)


def power(items: StudiedItems, difference: float, *, limit: float, confidence: float, studies: int, seed: int) -> float:
    """How often a simulated study finds a difference.

    Args:
        items: as a study found them.
        difference: that is put in, at least 0.
        limit: on p.
        confidence: coverage of the interval that must lie above 0.
        studies: how many are simulated.
        seed: of these.

    Returns:
        Share of studies. Where the difference is larger than can be, that of the largest.
    """
    return _Simulated(items, confidence, studies, seed).power(difference, limit)


def detectable(
    items: StudiedItems, *, limit: float, confidence: float, studies: int, seed: int, often: float = 0.8
) -> float | None:
    """The smallest difference that simulated studies find often enough.

    Args:
        items: as a study found them.
        limit: on p.
        confidence: coverage of the interval that must lie above 0.
        studies: how many are simulated, the same for every difference.
        seed: of these.
        often: share of studies.

    Returns:
        None where not even the largest that could be is found so often.
    """
    simulated = _Simulated(items, confidence, studies, seed)
    low, high = 0.0, items.room
    if high == 0 or simulated.power(high, limit) < often:
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if simulated.power(middle, limit) >= often else (middle, high)
    return high


@dataclass(frozen=True)
class _Drawn:
    """What chance gives S studies, whatever difference is put in."""

    population_SN: NDArray[np.int64]
    """Items that a population is made of."""
    place_SN: NDArray[np.int64]
    """Those that a study draws of them."""
    change_SNV: NDArray[np.float64]
    """Their changes, signs tossed."""
    luck_SNV: NDArray[np.float64] | None
    """Which decides whether an answer becomes better; None where scores lie between right and wrong."""


class _Simulated:
    def __init__(self, items: StudiedItems, confidence: float, studies: int, seed: int):
        self.items, self.confidence, self.studies, self.seed = items, confidence, studies, seed
        known_NV = ~np.isnan(items.difference_NV)
        self.change_NV = np.where(known_NV, items.difference_NV, 0.0)
        count_V = np.maximum(known_NV.sum(axis=0), 1)
        self.share_V = np.asarray(len(known_NV) / known_NV.shape[1] / count_V, dtype=np.float64)
        # What each item adds to the shares of answers that changed, and that could have; languages count alike.
        self.changed_N = (self.change_NV != 0) @ self.share_V
        self.still_N = items.gainable_NV @ self.share_V
        self.alike = _alike(self.change_NV)
        self.kept: _Drawn | None = None
        self.signs_RN = np.random.default_rng([seed, 1]).choice([-1.0, 1.0], size=(FLIPS, len(known_NV)))

    def power(self, difference: float, limit: float) -> float:
        rng = np.random.default_rng([self.seed, 0])  # the same studies for every difference
        items, languages = self.change_NV.shape
        step = max(1, _CELLS // (items * languages))
        found = 0
        for start in range(0, self.studies, step):
            drawn = self._once(rng) if step >= self.studies else self._drawn(rng, min(step, self.studies - start))
            found += int(self._found(self._study(drawn, difference), limit).sum())
        return found / self.studies

    def _once(self, rng: np.random.Generator) -> _Drawn:
        """The draws of all studies, kept where they fit in memory: a search asks for them a dozen times."""
        if self.kept is None:
            self.kept = self._drawn(rng, self.studies)
        return self.kept

    def _drawn(self, rng: np.random.Generator, studies: int) -> _Drawn:
        items, languages = self.change_NV.shape
        population_SN, drawn_SN = rng.integers(items, size=(2, studies, items))
        place_SN = np.take_along_axis(population_SN, drawn_SN, axis=1)
        coin_SN = rng.integers(0, 2, size=(studies, items)) * 2.0 - 1
        change_SNV: NDArray[np.float64] = self.change_NV[place_SN] * coin_SN[:, :, None]
        if self.items.graded:
            return _Drawn(population_SN, place_SN, change_SNV, None)
        alike_SN1, luck_SN1 = rng.random((2, studies, items, 1))
        luck_SNV = np.where(alike_SN1 < self.alike, luck_SN1, rng.random((studies, items, languages)))
        return _Drawn(population_SN, place_SN, change_SNV, luck_SNV)

    def _study(self, drawn: _Drawn, difference: float) -> NDArray[np.float64]:
        """(S, N, V) differences of simulated studies."""
        if drawn.luck_SNV is None:
            return drawn.change_SNV + difference
        luck_SNV, studies = drawn.luck_SNV, len(drawn.change_SNV)
        psi_S, still_S = (of_N[drawn.population_SN].mean(axis=1) for of_N in (self.changed_N, self.still_N))
        better_S = np.divide(difference, psi_S, out=np.ones(studies), where=psi_S > 0)
        new_S = np.divide(difference - psi_S, still_S, out=np.zeros(studies), where=still_S > 0)
        better_SNV = (drawn.change_SNV < 0) & (luck_SNV < better_S[:, None, None])
        if new_S.max(initial=0.0) > 0:
            better_SNV |= self.items.gainable_NV[drawn.place_SN] & (luck_SNV < new_S[:, None, None])
        return np.where(better_SNV, 1.0, drawn.change_SNV)

    def _found(self, change_SNV: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
        if change_SNV.shape[2] == 1 and not self.items.graded:
            return _mcnemar_finds(change_SNV[:, :, 0], min(limit, 1 - self.confidence))
        added_SN = change_SNV @ self.share_V
        return _mean_finds(added_SN, self.signs_RN, min(limit, 1 - self.confidence), self.items.inflation)


def _alike(change_NV: NDArray[np.float64]) -> float:
    """Share of items in which one toss decides for all languages."""
    both = (np.abs(change_NV).sum(axis=1) ** 2 - (change_NV**2).sum(axis=1)).sum()
    same = (change_NV.sum(axis=1) ** 2 - (change_NV**2).sum(axis=1)).sum()
    r = max(float(same / both), 0.0) if both > 0 else 0.0
    return 2 * r / (1 + r)


def _mcnemar_finds(change_SN: NDArray[np.float64], limit: float) -> NDArray[np.bool_]:
    gained_S, lost_S = (change_SN > 0).sum(axis=1), (change_SN < 0).sum(axis=1)
    p_S = 2 * stats.binom.cdf(lost_S, gained_S + lost_S, 0.5)
    found_S: NDArray[np.bool_] = (gained_S > lost_S) & (p_S <= limit)
    return found_S


def _mean_finds(
    change_SN: NDArray[np.float64], signs_RN: NDArray[np.float64], limit: float, inflation: float = 1.0
) -> NDArray[np.bool_]:
    """As `stats.paired.mean_change`, for many studies at once."""
    items = change_SN.shape[1]
    total_S, squares_S = change_SN.sum(axis=1), (change_SN**2).sum(axis=1)
    moved_S = (np.abs(change_SN) > 1e-12).sum(axis=1)
    error_S = np.sqrt(inflation * (squares_S + (squares_S + 1) / (moved_S + 1) - total_S**2 / (items + 2)))
    student_S = 2 * stats.t.sf(total_S / error_S, max(items - 1, 1))
    found_S: NDArray[np.bool_] = (total_S > 1e-12) & (student_S <= limit)
    some_S = np.flatnonzero(found_S)
    as_far_S = (signs_RN @ change_SN[some_S].T >= total_S[some_S] - 1e-9).sum(axis=0)
    found_S[some_S] = 2 * (1 + as_far_S) / (1 + len(signs_RN)) <= limit
    return found_S
