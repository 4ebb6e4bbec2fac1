"""Plans that are chosen on one half of the items and reported on the other: does choosing cost coverage or size?

Beside it what happens to those who report the very items that they chose on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration.answers import changes
from bench.calibration.table import Row
from numpy.typing import NDArray

from polyroute.stats.cross_fitting import inflation
from polyroute.stats.over_items import ItemMean
from polyroute.stats.paired import mean_change

OUTSIDE = """\
Those who report the items that they chose on reject too often, which is what choosing on other items is for.
"""
CONFIDENCE = 0.95
ITEMS, LANGUAGES = (40, 120, 250), 5
PSI, RHO = 0.10, 0.05
CANDIDATES = 6
SPREAD = 0.05
"""True effects of candidates that differ lie between minus and plus this."""


def simulate(studies: int) -> Iterator[Row]:
    """Size where no candidate does anything, and coverage of the mean effect of those that were chosen.

    Args:
        studies: simulated for each population.
    """
    rng = np.random.default_rng(0)
    for items in ITEMS:
        for population, effects in (
            ("no candidate does anything", np.zeros(CANDIDATES)),
            ("candidates differ", np.linspace(-SPREAD, SPREAD, CANDIDATES)),
        ):
            drawn_CSN = np.stack(
                [
                    changes(rng, (studies, items, LANGUAGES), PSI, float(effect), RHO, "threshold").mean(axis=2)
                    for effect in effects
                ]
            )
            found = [cross_fitted(drawn_CSN[:, study], effects) for study in range(studies)]
            told = f"{CANDIDATES} candidates, {LANGUAGES} languages: {population}"
            held = sum(mean.low <= truth <= mean.high for mean, truth in found)
            yield Row("cross_fitting", "coverage", told, items, CONFIDENCE, held / studies, studies)
            if effects.any():
                continue
            naive = [on_the_same_items(drawn_CSN[:, study]) for study in range(studies)]
            for quantity, means in (
                ("size", [mean for mean, _ in found]), ("size, chosen on the reported items", naive)
            ):  # fmt: skip
                rejected = sum(mean.p <= 1 - CONFIDENCE for mean in means)
                yield Row("cross_fitting", quantity, told, items, 1 - CONFIDENCE, rejected / studies, studies)


def cross_fitted(change_CN: NDArray[np.float64], effects: NDArray[np.float64]) -> tuple[ItemMean, float]:
    """The mean change, each half under the best of the other; and the mean true effect of these two.

    Args:
        change_CN: of every item under every candidate.
        effects: true ones of the candidates.
    """
    halves = np.arange(change_CN.shape[1]) % 2
    best = {half: int(change_CN[:, halves == half].mean(axis=1).argmax()) for half in (0, 1)}
    reported = np.where(halves == 0, change_CN[best[1]], change_CN[best[0]])
    factor = inflation([change_CN[:, halves == half] for half in (0, 1)])
    return mean_change(reported, CONFIDENCE, 0, factor), float(effects[[best[1], best[0]]].mean())


def on_the_same_items(change_CN: NDArray[np.float64]) -> ItemMean:
    """The mean change under the best of all items."""
    return mean_change(change_CN[int(change_CN.mean(axis=1).argmax())], CONFIDENCE, 0)
