"""Do the intervals of domain divergence over depth cover, and how often is a cap or a U read off nothing?

A sentence is routed by what its text is about, beside noise of its own, in three layers. The truth is that of 100,000
sentences. Two texts that do not differ diverge by 0 in every layer; texts that differ by as much in every layer are no
nothing, since D has another normaliser in each: there only coverage is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration.table import Row
from numpy.typing import NDArray

from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.domain_divergence import DomainDivergence, left_out

OUTSIDE = """\
Outside the target: where the texts do not differ at all coverage is mostly 99% and more. D is then the square of what
sampling adds, and the jackknife is too careful. Where they differ it is 92 to 97%."""
CONFIDENCE = 0.95
SENTENCES = (20, 100, 400)
ZONES = Zones(early=(0, 0), middle=(1, 1), late=(2, 2))
SHIFTS: dict[str, tuple[float, float, float]] = {
    "no difference": (0.0, 0.0, 0.0), "alike in all layers": (0.5, 0.5, 0.5), "a cap": (0.3, 0.7, 0.3),
}  # fmt: skip
"""How far the texts differ in each layer."""
NOISES = ("normal", "skewed", "shared by layers")
_EXPERTS, _LARGE, _PART = 16, 100_000, 10_000


def simulate(studies: int, sentences: tuple[int, ...] = SENTENCES) -> Iterator[Row]:
    """Coverage of the early difference, and shapes read off texts that do not differ.

    Args:
        studies: simulated for each population.
        sentences: of each text.
    """
    for shifted, amount in SHIFTS.items():
        shift_LE = np.array(amount)[:, None] * np.random.default_rng(5).normal(size=(3, _EXPERTS))
        for noise in NOISES:
            population, truth = f"{shifted}, {noise}", _truth(noise, shift_LE)
            for count in sentences:
                rng, covered, named = np.random.default_rng([count, 3]), 0, 0
                for study in range(studies):
                    found = _study(noise, shift_LE, count, rng, study)
                    early, _ = found.outer_minus_middle(ZONES)
                    low, high = (np.nan if bound is None else bound for bound in (early.low, early.high))
                    covered += low <= truth <= high
                    named += found.shape(ZONES) in ("U", "cap")
                about = (population, count)
                yield Row("domain", "coverage, early - middle", *about, CONFIDENCE, covered / studies, studies)
                if not any(amount):
                    size = (1 - CONFIDENCE) / 2
                    yield Row("domain", "size of a U or a cap", *about, size, named / studies, studies)


def _study(
    noise: str, shift_LE: NDArray[np.float64], count: int, rng: np.random.Generator, seed: int
) -> DomainDivergence:
    domain_NLE, generic_NLE = _text(noise, shift_LE, count, rng), _text(noise, 0 * shift_LE, count, rng)
    plug_in_L = routing_divergence(*(_pooled(text_NLE.sum(axis=0)) for text_NLE in (domain_NLE, generic_NLE)))
    left = left_out(domain_NLE, generic_NLE, seed)
    return DomainDivergence("", "", "", (0, 1, 2), "soft_mass", plug_in_L, left, CONFIDENCE)


def _truth(noise: str, shift_LE: NDArray[np.float64]) -> float:
    """Early minus middle of so many sentences that the rest does not count."""
    if not shift_LE.any():
        return 0.0
    rng = np.random.default_rng(0)
    texts = [
        _pooled(sum(_text(noise, of_LE, _PART, rng).sum(axis=0) for _ in range(_LARGE // _PART)))
        for of_LE in (shift_LE, 0 * shift_LE)
    ]
    early, middle, _ = routing_divergence(*texts)
    return float(early - middle)


def _text(noise: str, shift_LE: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(N, L, E) what each sentence adds to each expert."""
    base_LE = 0.8 * np.random.default_rng(1).normal(size=shift_LE.shape)
    own_NLE = 0.5 * rng.normal(size=(count, *shift_LE.shape))
    if noise == "skewed":
        own_NLE *= rng.lognormal(0, 0.8, size=(count, 1, 1))
    elif noise == "shared by layers":
        own_NLE = 0.6 * own_NLE + 0.5 * rng.normal(size=(count, 1, shift_LE.shape[1]))
    tokens_N = np.maximum(rng.poisson(12, size=count), 3)
    weights_NLE = np.exp(base_LE + shift_LE + own_NLE)
    return tokens_N[:, None, None] * weights_NLE / weights_NLE.sum(axis=-1, keepdims=True)


def _pooled(sum_LE: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(sum_LE / sum_LE.sum(axis=-1, keepdims=True))
