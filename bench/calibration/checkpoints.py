"""Does the interval of a change of D between two checkpoints cover, and how often is a change seen where there is none?

A sentence has a distribution over experts in the pivot and one in the language, both scattered about a mean and with a
part in common that the sentence itself says. The other checkpoint moves both by noise of its own and, where something
changed, the language toward the pivot. The truth is the mean over 50,000 sentences.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from bench.calibration.table import Row
from numpy.typing import NDArray

from polyroute.comparing.change import Divergences, changes, over_languages
from polyroute.measures.divergence import routing_divergence

CONFIDENCE = 0.95
SENTENCES = (10, 20, 50, 200)
_EXPERTS, _LAYERS, _LANGUAGES, _MANY = 16, 4, 6, 50_000


@dataclass(frozen=True)
class _Population:
    """How the other checkpoint differs."""

    nearer: float
    """Share of the way to the pivot that the language goes."""
    noise: float
    """Of the other checkpoint, in logits."""
    heavy: bool = False
    """Whether few sentences are far from all others."""


POPULATIONS = {
    "nothing changed": _Population(0.0, 0.3),
    "nearer": _Population(0.3, 0.3),
    "nearer, few sentences far off": _Population(0.3, 0.3, heavy=True),
    "nearer, hardly any noise": _Population(0.1, 0.02),
}


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    whole: NDArray[np.float64] = shares / shares.sum(axis=-1, keepdims=True)
    return whole


def _draw(population: _Population, sentences: int, rng: np.random.Generator) -> Divergences:
    """(N, L) D of both checkpoints."""
    shape = (sentences, _LAYERS, _EXPERTS)
    centre = np.linspace(-1, 1, _EXPERTS)
    says = rng.standard_normal(shape)
    if population.heavy:
        says *= np.where(rng.random(sentences) < 0.1, 3.0, 0.5)[:, None, None]
    pivot = says + 0.5 * rng.standard_normal(shape)
    language = says + centre + 0.7 * rng.standard_normal(shape)
    one = routing_divergence(_softmax(pivot), _softmax(language))
    noise = population.noise * rng.standard_normal((2, *shape))
    if population.nearer == 0:  # both checkpoints have the same law: each has noise of its own
        own = population.noise * rng.standard_normal((2, *shape))
        one = routing_divergence(_softmax(pivot + own[0]), _softmax(language + own[1]))
    moved = language + population.nearer * (pivot - language)
    return Divergences(one, routing_divergence(_softmax(pivot + noise[0]), _softmax(moved + noise[1])))


def simulate(studies: int, sentences: tuple[int, ...] = SENTENCES) -> Iterator[Row]:
    """Coverage of the change in one language and of the mean over languages; size where nothing changed.

    Args:
        studies: simulated for each population.
        sentences: of each study.
    """
    for name, population in POPULATIONS.items():
        whole = _draw(population, _MANY, np.random.default_rng(1))
        truth_L = (whole.other_NM - whole.one_NM).mean(axis=0)
        if population.nearer == 0:
            truth_L = np.zeros_like(truth_L)
        for count in sentences:
            rng = np.random.default_rng([2, count])
            covered, mean_covered, said = [], [], []
            for _ in range(studies):
                found = [_draw(population, count, rng) for _ in range(_LANGUAGES)]
                alone, mean = changes(found[0], CONFIDENCE), over_languages(found, CONFIDENCE)
                for rows, into in ((alone, covered), (mean, mean_covered)):
                    into.append(np.mean([row.low <= true <= row.high for row, true in zip(rows, truth_L, strict=True)]))
                said.append(np.mean([row.sign != 0 for row in mean]))
            common = {"topic": "checkpoints", "population": name, "n": count, "studies": studies}
            yield Row(quantity="coverage, change of D", nominal=CONFIDENCE, found=float(np.mean(covered)), **common)
            yield Row(
                quantity="coverage, mean over languages", nominal=CONFIDENCE, found=float(np.mean(mean_covered)),
                **common,
            )  # fmt: skip
            if population.nearer == 0:
                yield Row(quantity="size, mean over languages", nominal=0.05, found=float(np.mean(said)), **common)
