"""Does the interval of one language's sentence alignment cover the alignment of a large corpus?

A sentence has a meaning, which sets its routing in both languages through weights that are drawn once, beside noise of
its own. The truth is the estimate of 20,000 sentences. Partners are matched in tokens, as in a study.
"""

from collections.abc import Iterator

import numpy as np
from bench.calibration.table import Row
from numpy.typing import NDArray

from polyroute.measures.divergence import routing_divergence
from polyroute.measures.sentence_alignment import alignment, partners

NEAREST, CONFIDENCE = 8, 0.95
SENTENCES = (30, 100, 400)
LARGE = 20_000
POPULATIONS = ("normal", "phrases that sentences share", "skewed", "length matters", "not aligned")
_MEANINGS, _EXPERTS, _PHRASES = 4, 8, 20


def simulate(studies: int) -> Iterator[Row]:
    """Coverage of the interval over sentences.

    Args:
        studies: simulated for each population and number of sentences.
    """
    for population in POPULATIONS:
        truth, _, _ = _study(population, LARGE, np.random.default_rng(0), 0)
        for sentences in SENTENCES:
            rng = np.random.default_rng(sentences)
            bounds = (_study(population, sentences, rng, seed)[1:] for seed in range(studies))
            covered = np.mean([low <= truth <= high for low, high in bounds])
            yield Row(
                "alignment", "coverage of one language, over sentences", population, sentences, CONFIDENCE,
                float(covered), studies,
            )  # fmt: skip


def _study(population: str, sentences: int, rng: np.random.Generator, seed: int) -> tuple[float, float, float]:
    """Alignment and its bounds in one layer."""
    p_NE, q_NE, tokens_N = _corpus(population, sentences, rng)
    partner_SN = partners(tokens_N, NEAREST, seed)
    near_NL = routing_divergence(p_NE, q_NE)[:, None]
    far_SNL = np.stack([routing_divergence(p_NE, q_NE[partner_N]) for partner_N in partner_SN])[:, :, None]
    found, _ = alignment(near_NL, far_SNL, partner_SN, NEAREST, CONFIDENCE)
    return float(found.value[0]), float(found.low[0]), float(found.high[0])


def _corpus(
    population: str, sentences: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Routing in the pivot and in the language, and tokens in the language."""
    model = np.random.default_rng(1)  # drawn once: every study of a population is of the same weights
    to_pivot, other = (model.normal(size=(_MEANINGS, _EXPERTS)) for _ in range(2))
    to_language = 0.8 * to_pivot + 0.6 * other
    phrases = model.normal(size=(_PHRASES, _MEANINGS))
    tokens_N = np.maximum(rng.poisson(12, sentences), 4)
    meaning_NM = rng.normal(size=(sentences, _MEANINGS))
    scale_N = np.ones(sentences)
    match population:
        case "phrases that sentences share":
            meaning_NM = (phrases[rng.integers(_PHRASES, size=(2, sentences))]).sum(axis=0) / np.sqrt(2)
        case "skewed":
            meaning_NM *= rng.lognormal(0, 0.8, size=(sentences, 1))
        case "length matters":
            scale_N = np.sqrt(12 / tokens_N)
    translated_NM = rng.normal(size=meaning_NM.shape) if population == "not aligned" else meaning_NM
    p_NE, q_NE = (
        _softmax(scale_N[:, None] * (0.5 * of_NM @ weights + 0.3 * rng.normal(size=(sentences, _EXPERTS))))
        for of_NM, weights in ((meaning_NM, to_pivot), (translated_NM, to_language))
    )
    return p_NE, q_NE, tokens_N


def _softmax(logits_NE: NDArray[np.float64]) -> NDArray[np.float64]:
    weights_NE = np.exp(logits_NE - logits_NE.max(axis=-1, keepdims=True))
    return np.asarray(weights_NE / weights_NE.sum(axis=-1, keepdims=True))
