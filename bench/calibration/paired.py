"""Intervals and tests of paired answers: coverage at few items, and how often a test rejects without a difference."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from bench.calibration.answers import Kind, changes
from bench.calibration.rule import of_a_group, of_one_language
from bench.calibration.table import Row

OUTSIDE = """\
Outside the target: coverage is above 97% where few answers change (13 items, or 2% of answers), the careful side. It is
below 93% in 3 of 189 populations and 87% at worst: 17 languages whose changes have a correlation of .3, and of which .6
go one way. No size is above 5.1%."""
CONFIDENCE = 0.95
ITEMS, LANGUAGES = (13, 50, 250), (1, 5, 17)
PSI, SHARES = (0.02, 0.10, 0.20), (0.0, 0.3, 0.6)
TOGETHER: tuple[tuple[Kind, float], ...] = (("threshold", 0.05), ("threshold", 0.30), ("whole", 0.30))
"""How the changes of an item go together over languages, and how much."""
_CELLS = 2**22
"""Simulated answers in memory at a time."""


def simulate(studies: int) -> Iterator[Row]:
    """Coverage and size over a grid of items, languages, discordance and correlation.

    Args:
        studies: simulated for each population; the net change is a share of all changes.
    """
    rng = np.random.default_rng(0)
    for items, languages, psi in itertools.product(ITEMS, LANGUAGES, PSI):
        for kind, rho in TOGETHER if languages > 1 else (("whole", 0.0),):
            for share in SHARES:
                yield from _rows(rng, studies, items, languages, psi, rho, kind, share)


def _rows(
    rng: np.random.Generator, studies: int, items: int, languages: int, psi: float, rho: float, kind: Kind,
    share: float,
) -> Iterator[Row]:  # fmt: skip
    covered, rejected, true = 0, 0, share * psi
    step = max(1, _CELLS // (items * languages))
    for start in range(0, studies, step):
        change_SNV = changes(rng, (min(step, studies - start), items, languages), psi, true, rho, kind)
        rule = of_one_language if languages == 1 else of_a_group
        low_S, high_S, p_S = rule(change_SNV.mean(axis=2), CONFIDENCE)
        covered += int(((low_S <= true + 1e-12) & (true - 1e-12 <= high_S)).sum())
        rejected += int((p_S <= 1 - CONFIDENCE).sum())
    population = f"{languages} languages, psi {psi:g}, rho {rho:g} ({kind}), net change {share:g} of all"
    yield Row("paired", "coverage", population, items, CONFIDENCE, covered / studies, studies)
    if share == 0:
        yield Row("paired", "size", population, items, 1 - CONFIDENCE, rejected / studies, studies)
