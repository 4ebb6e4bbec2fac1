"""Means over languages: their t intervals, the intervals by family, and the size of a U over depth."""

from collections.abc import Callable, Iterator

import numpy as np
from bench.calibration.table import Row
from numpy.typing import NDArray

from polyroute.stats.over_units import mean_by_family, mean_over_units

SIZES = (5, 7, 11, 17, 50)
CONFIDENCE = 0.95
FAMILY = 4
"""Languages of a family, at most; how large families are in samples of the world's well resourced languages."""
Draw = Callable[[np.random.Generator, int, int], NDArray[np.float64]]
"""From languages and columns to values with mean 0."""


def families(languages: int) -> list[str]:
    """A family for each language: the first ones hold `FAMILY` each, and there are at least three."""
    size = max(1, min(FAMILY, languages // 3))
    return [f"family {place // size}" for place in range(languages)]


def _normal(rng: np.random.Generator, languages: int, columns: int) -> NDArray[np.float64]:
    return rng.normal(size=(languages, columns))


def _skewed(rng: np.random.Generator, languages: int, columns: int) -> NDArray[np.float64]:
    return rng.exponential(size=(languages, columns)) - 1


def _clustered(rng: np.random.Generator, languages: int, columns: int) -> NDArray[np.float64]:
    """Families matter as much as languages."""
    _, family_V = np.unique(families(languages), return_inverse=True)
    return rng.normal(size=(family_V.max() + 1, columns))[family_V] + rng.normal(size=(languages, columns))


POPULATIONS: dict[str, Draw] = {"normal": _normal, "exponential": _skewed, "clustered by family": _clustered}


def simulate(studies: int) -> Iterator[Row]:
    """Coverage of both intervals, and how often two differences of nothing make a U."""
    for name, draw in POPULATIONS.items():
        for languages in SIZES:
            rng = np.random.default_rng([17, languages, len(name)])
            first, second = (draw(rng, languages, studies) for _ in range(2))
            over = mean_over_units(first, CONFIDENCE)
            covered = float(((over.low <= 0) & (over.high >= 0)).mean())
            yield Row("over_languages", "coverage, t over languages", name, languages, CONFIDENCE, covered, studies)
            cluster = mean_by_family(first, families(languages), CONFIDENCE)
            covered = float(((cluster.low <= 0) & (cluster.high >= 0)).mean())
            yield Row("over_languages", "coverage, by family", name, languages, CONFIDENCE, covered, studies)
            u = float(((over.low > 0) & (mean_over_units(second, CONFIDENCE).low > 0)).mean())
            yield Row("over_languages", "size of a U", name, languages, (1 - CONFIDENCE) / 2, u, studies)
