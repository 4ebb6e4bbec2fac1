"""Rank among random draws that stop early: how often p is small though the set is but one of the draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration.table import Row

from polyroute.stats.sequential import ENOUGH, MOST, sequential_p

LEVELS = (0.01, 0.05, 0.10, 0.50)
ITEMS = 250


def simulate(studies: int) -> Iterator[Row]:
    """Size at several levels, of scores without ties and of accuracies, which have many.

    Args:
        studies: simulated for each population.
    """
    rng = np.random.default_rng(0)
    populations = {
        "scores without ties": rng.normal(size=(studies, 1 + MOST)),
        f"accuracies of {ITEMS} items": rng.binomial(ITEMS, 0.5, size=(studies, 1 + MOST)) / ITEMS,
    }
    for most in (19, MOST):
        for population, scores in populations.items():
            p = np.array([sequential_p(one[0], one[1 : 1 + most].tolist(), ENOUGH, most) for one in scores])
            for level in LEVELS:
                told = f"{population}, at most {most} draws"
                yield Row("sequential", "size", told, most, level, float((p <= level).mean()), studies)
