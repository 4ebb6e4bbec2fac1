"""Do the intervals of domain divergence over pairs cover, and how often is a domain told from generic text by nothing?

A sequence is routed by what its text is about, beside noise of its own. The truth is that of so many pairs that the
rest does not count; where the texts do not differ, what the domain adds to the floor is 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration.table import Row
from numpy.typing import NDArray

from polyroute.measures.domain_pairs import OverPairs, over_pairs

CONFIDENCE = 0.95
SEQUENCES = (40, 100, 488)
SHIFTS = {"no difference": 0.0, "a domain": 0.7}
"""How far the texts differ."""
NOISES = ("normal", "skewed")
_EXPERTS, _LARGE = 16, 100_000
_QUANTITIES = ("value", "floor", "above")


def simulate(studies: int, sequences: tuple[int, ...] = SEQUENCES) -> Iterator[Row]:
    """Coverage of the value, the floor and their difference, and the size of the difference as a test.

    Args:
        studies: simulated for each population.
        sequences: of each text.
    """
    for shifted, amount in SHIFTS.items():
        for noise in NOISES:
            population = f"{shifted}, {noise}"
            large = _study(noise, amount, _LARGE, np.random.default_rng(0))
            truth = {name: float(getattr(large, name).value[0]) for name in _QUANTITIES}
            if not amount:
                truth["above"] = 0.0
            for count in sequences:
                rng, covered = np.random.default_rng([count, 7]), dict.fromkeys(_QUANTITIES, 0)
                for _ in range(studies):
                    found = _study(noise, amount, count, rng)
                    for name in _QUANTITIES:
                        interval = getattr(found, name)
                        covered[name] += bool(interval.low[0] <= truth[name] <= interval.high[0])
                for name in _QUANTITIES:
                    share = covered[name] / studies
                    yield Row("domain_pairs", f"coverage, {name}", population, count, CONFIDENCE, share, studies)
                if not amount:
                    size = 1 - covered["above"] / studies
                    yield Row("domain_pairs", "size, above", population, count, 0.05, size, studies)


def _study(noise: str, shift: float, count: int, rng: np.random.Generator) -> OverPairs:
    shift_E = shift * np.random.default_rng(5).normal(size=_EXPERTS)
    return over_pairs(_text(noise, shift_E, count, rng), _text(noise, 0 * shift_E, count, rng), CONFIDENCE)


def _text(noise: str, shift_E: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(N, 1, E) distributions of sequences."""
    base_E = 0.8 * np.random.default_rng(1).normal(size=_EXPERTS)
    own_NE = 0.5 * rng.normal(size=(count, _EXPERTS))
    if noise == "skewed":
        own_NE *= rng.lognormal(0, 0.8, size=(count, 1))
    weights_NE = np.exp(base_E + shift_E + own_NE)
    return np.asarray((weights_NE / weights_NE.sum(axis=1, keepdims=True))[:, None])
