"""Intervals and tests of paired answers: coverage at few items, and how often a test rejects without a difference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration.answers import Kind, changes
from bench.calibration.table import Row

from polyroute.stats.paired import mcnemar, mean_change
from polyroute.stats.paired_interval import paired_interval

CONFIDENCE = 0.95
ITEMS, LANGUAGES = (13, 20, 50, 250), (1, 2, 5, 10, 17)
PSI, RHO, SHARES = (0.02, 0.05, 0.10, 0.20), (0.05, 0.30), (0.0, 0.3, 0.6)
KINDS: tuple[Kind, ...] = ("threshold", "whole")


def simulate(studies: int) -> Iterator[Row]:
    """Coverage and size over a grid of items, languages, discordance and correlation.

    Args:
        studies: simulated for each population; the net change is a share of all changes.
    """
    rng = np.random.default_rng(0)
    for items in ITEMS:
        for languages in LANGUAGES:
            for psi in PSI:
                for kind, rho in [(kind, rho) for kind in KINDS for rho in RHO] if languages > 1 else [("whole", 0.0)]:
                    for share in SHARES:
                        yield from _rows(rng, studies, items, languages, psi, rho, kind, share)


def _rows(
    rng: np.random.Generator, studies: int, items: int, languages: int, psi: float, rho: float, kind: Kind,
    share: float,
) -> Iterator[Row]:  # fmt: skip
    covered, rejected = 0, 0
    for change_NV in changes(rng, (studies, items, languages), psi, share * psi, rho, kind):
        gained, lost = int((change_NV > 0).sum()), int((change_NV < 0).sum())
        if languages == 1:
            low, high = paired_interval(gained, lost, items, CONFIDENCE)
            p = mcnemar(gained, lost)
        else:
            mean = mean_change(change_NV.mean(axis=1), CONFIDENCE, 0)
            low, high, p = mean.low, mean.high, mean.p
        covered += low <= share * psi + 1e-12 and share * psi - 1e-12 <= high
        rejected += p <= 1 - CONFIDENCE
    population = f"{languages} languages, psi {psi:g}, rho {rho:g} ({kind}), net change {share:g} of all"
    yield Row("paired", "coverage", population, items, CONFIDENCE, covered / studies, studies)
    if share == 0:
        yield Row("paired", "size", population, items, 1 - CONFIDENCE, rejected / studies, studies)
