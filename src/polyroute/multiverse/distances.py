"""Distances from a pivot by layer, under every reading, averaging and pivot, computed once each.

    sequences  the mean over sentences of the distance of a sentence from its translation (paper 1, Eq. 2)
    pooled     the distance of two texts, in each of which every token counts the same

Resamples are of sentences with their translations, as in the stage `align`, so that the study's own cell has its
numbers. Shapes beside the room's: S splits of the pivot's sentences into halves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.importance import normalise
from polyroute.artifacts.trace import Trace
from polyroute.measures.chunks import by_chunk
from polyroute.measures.divergence import midpoint_entropy, normalised
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.language_distance import cosine_distance
from polyroute.measures.split_half import SPLITS
from polyroute.multiverse.study import Study
from polyroute.stats.resampled import percentile_bounds, resampled_means

_SMALL = 2**17
"""Values, up to which one core is as fast as several."""


@dataclass(frozen=True)
class Curves:
    """One measure of V languages by layer."""

    codes: list[str]
    value_VL: NDArray[np.float64]
    draws_RVL: NDArray[np.float64] | None
    """In every resample of sentences; None of pooled counts."""

    def only(self, codes: list[str]) -> Curves:
        """The same of some languages."""
        places = [self.codes.index(code) for code in codes]
        draws = None if self.draws_RVL is None else self.draws_RVL[:, places]
        return Curves(codes, self.value_VL[places], draws)

    def bounds(self, confidence: float) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """(V, L) low and high over sentences; None without them."""
        return None if self.draws_RVL is None else percentile_bounds(self.draws_RVL, confidence)


def curves(study: Study, reading: str, averaging: str, distance: str, pivot: str) -> Curves:
    """Distances of every other language from a pivot."""
    by_distance = study.once(
        ("curves", reading, averaging, pivot), lambda: _curves(study, reading, averaging, pivot)
    )  # fmt: skip
    return by_distance[distance]


def halves(study: Study, reading: str, averaging: str, distance: str, pivot: str) -> NDArray[np.float64] | None:
    """(S, L) the same between random halves of the pivot's sentences; None without sentences."""
    if study.bootstrap is None:
        return None
    by_distance = study.once(
        ("halves", reading, averaging, pivot), lambda: _halves(study.of(pivot), reading, averaging, study.settings.seed)
    )
    return by_distance[distance]


def entropies(study: Study, reading: str, averaging: str) -> Curves:
    """Entropy of every language, the pivot first: mean over sentences, or of the pooled text."""
    return study.once(("entropies", reading, averaging), lambda: _entropies(study, reading, averaging))


def weighted(trace: Trace, reading: str) -> NDArray[np.float64]:
    """(N, L, E) what each sentence adds to a text in which every token counts the same."""
    if reading == "topk_count":
        return trace.topk_count.astype(np.float64)
    return np.nan_to_num(trace.distributions(reading), nan=0.0) * trace.tokens[:, None, None]


def _curves(study: Study, reading: str, averaging: str, pivot: str) -> dict[str, Curves]:
    codes = [code for code in study.settings.languages if code != pivot]
    p_NLE, p_RLE = _of_text(study, pivot, reading, averaging)
    values: dict[str, list[NDArray[np.float64]]] = {}
    draws: dict[str, list[NDArray[np.float64]]] = {}
    of_p = _entropy(p_NLE)
    of_p_R = None if p_RLE is None else _entropy(p_RLE)
    for code in codes:
        q_NLE, q_RLE = _of_text(study, code, reading, averaging)
        for name, d_NL in _distances(p_NLE, q_NLE, of_p, _entropy(q_NLE)).items():
            values.setdefault(name, []).append(np.nanmean(d_NL, axis=0))
            if study.bootstrap is not None and averaging == "sequences":
                draws.setdefault(name, []).append(resampled_means(study.bootstrap, d_NL))
        if p_RLE is not None and q_RLE is not None and of_p_R is not None:
            for name, d_RL in _distances(p_RLE, q_RLE, of_p_R, _entropy(q_RLE)).items():
                draws.setdefault(name, []).append(d_RL)
    return {
        name: Curves(codes, np.stack(of), np.stack(draws[name], axis=1) if name in draws else None)
        for name, of in values.items()
    }


def _of_text(
    study: Study, code: str, reading: str, averaging: str
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Distributions whose distances are averaged: one a sentence, or one of the text with one a resample."""
    trace = study.of(code)
    if averaging == "sequences" or study.bootstrap is None:
        return trace.distributions(reading), None
    mass_NLE = weighted(trace, reading)
    shape = mass_NLE.shape[1:]
    drawn_RLE = (study.bootstrap.counts_RN @ mass_NLE.reshape(len(mass_NLE), -1)).reshape(-1, *shape)
    return normalise(mass_NLE.sum(axis=0))[None], normalise(drawn_RLE)


def _halves(trace: Trace, reading: str, averaging: str, seed: int) -> dict[str, NDArray[np.float64]]:
    """As `measures.split_half`, whose splits they are."""
    q_NLE = trace.distributions(reading) if averaging == "sequences" else weighted(trace, reading)
    of_q_NL = _entropy(q_NLE) if averaging == "sequences" else None
    half, rng = len(q_NLE) // 2, np.random.default_rng(seed)
    found: dict[str, list[NDArray[np.float64]]] = {}
    for _ in range(SPLITS):
        order_N = rng.permutation(len(q_NLE))
        one_N, other_N = order_N[:half], order_N[half : 2 * half]
        if of_q_NL is not None:
            split = _distances(q_NLE[one_N], q_NLE[other_N], of_q_NL[one_N], of_q_NL[other_N])
        else:
            p_1LE, q_1LE = (normalise(q_NLE[part].sum(axis=0))[None] for part in (one_N, other_N))
            split = _distances(p_1LE, q_1LE, _entropy(p_1LE), _entropy(q_1LE))
        for name, d_NL in split.items():
            found.setdefault(name, []).append(np.nanmean(d_NL, axis=0))
    return {name: np.stack(rows) for name, rows in found.items()}


def _entropies(study: Study, reading: str, averaging: str) -> Curves:
    values, draws = [], []
    for code in study.settings.languages:
        q_NLE, q_RLE = _of_text(study, code, reading, averaging)
        h_NL = _entropy(q_NLE)
        values.append(np.nanmean(h_NL, axis=0))
        if q_RLE is not None:
            draws.append(_entropy(q_RLE))
        elif study.bootstrap is not None:
            draws.append(resampled_means(study.bootstrap, h_NL))
    return Curves(study.settings.languages, np.stack(values), np.stack(draws, axis=1) if draws else None)


def _entropy(q_NLE: NDArray[np.float64]) -> NDArray[np.float64]:
    return _by_chunk(routing_entropy, q_NLE)


def _by_chunk(measure: Callable[..., NDArray[np.float64]], *arrays_NLE: NDArray[np.float64]) -> NDArray[np.float64]:
    """On all cores where that is worth their start."""
    return by_chunk(measure, *arrays_NLE) if arrays_NLE[0].size > _SMALL else measure(*arrays_NLE)


def _distances(
    p_NLE: NDArray[np.float64], q_NLE: NDArray[np.float64], of_p_NL: NDArray[np.float64], of_q_NL: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """(N, L) each distance, of distributions whose entropies are known."""
    within_NL = (of_p_NL + of_q_NL) / 2
    between_NL = _by_chunk(midpoint_entropy, p_NLE, q_NLE) - within_NL
    return {
        "divergence": normalised(between_NL, np.log(q_NLE.shape[-1]) - within_NL),
        "jsd": np.maximum(between_NL, 0.0),
        "cosine": _by_chunk(cosine_distance, p_NLE, q_NLE),
    }
