"""Distances of all pairs of languages in every resample of sentences, mean over some layers.

A resample's mean distributions are a product of matrices, counts of sentences by distributions; of so many languages as
a study may have they are as large as the traces themselves. So layers are taken a few at a time, their distributions
read from a language at a time, and only distances are kept. What then costs is midpoints: a logarithm for each
resample, pair of languages, layer and expert (`measures.midpoints`). They are taken in float64, so that bounds are the
same to the last printed digit on any processor. Of very many languages that would take minutes: there they are taken in
float32, in 0.4 of the time and within some 1e-7, but for layers where a language is routed nearly uniformly, since D
divides by what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.ground.cores import on_all_cores, slices
from polyroute.measures.divergence import normalised
from polyroute.measures.midpoints import BLOCK, halves, information, own_information
from polyroute.stats.bootstrap import Bootstrap

AT_A_TIME = 2**29
"""Bytes of resampled distributions in memory, or those of one layer where these are more."""
NEARLY_UNIFORM = 0.05
"""Nats that the routing of a language, over its sentences, lacks of uniform routing."""
FEW = 2**31
"""Midpoints times experts of a zone, up to which all are taken in float64: some seconds."""
DRAWS = 32
"""Resamples that a core works on at a time."""
_UNUSED = 1e-20
"""Scaled shares below this are 0."""


def resampled_distances(
    traces: Sequence[Trace],
    reading: str,
    measures: Sequence[str],
    inside_L: NDArray[np.bool_],
    uniform_L: NDArray[np.bool_],
    bootstrap: Bootstrap,
) -> dict[str, NDArray[np.float64]]:
    """Distances in every resample.

    Args:
        traces: of V languages, comparable, with a choice in every sentence and layer.
        reading: `soft_mass`, `topk_mass` or `topk_count`.
        measures: of `jsd`, `divergence`, `cosine` and `jaccard`.
        inside_L: which layers the mean is over.
        uniform_L: of all layers, those that are routed nearly uniformly.
        bootstrap: of the sentences.

    Returns:
        Measure -> (R, P).
    """
    first = traces[0].header
    draws, languages, experts = len(bootstrap.counts_RN), len(traces), first.experts
    pairs = languages * (languages - 1) // 2
    total = {measure: np.zeros((draws, pairs)) for measure in measures}
    exact_L = uniform_L | (draws * pairs * int(inside_L.sum()) * experts <= FEW)
    for dtype, some_L in ((np.float64, inside_L & exact_L), (np.float32, inside_L & ~exact_L)):
        some = np.flatnonzero(some_L)
        shares_RN: NDArray[np.floating] = (bootstrap.counts_RN / bootstrap.items).astype(dtype)
        a_layer = draws * languages * experts * shares_RN.itemsize
        for part in slices(len(some), max(1, AT_A_TIME // a_layer)):
            places = some[part]
            half_LRVE = np.empty((len(places), draws, languages, experts), dtype=dtype)
            on_all_cores(partial(_resample, traces, reading, places, shares_RN, half_LRVE), range(languages))
            for half_RVE in half_LRVE:
                _OfLayer(half_RVE, total, first.top_k).add()
    return {measure: total_RP / inside_L.sum() for measure, total_RP in total.items()}


def _resample(
    traces: Sequence[Trace], reading: str, places: NDArray[np.intp], shares_RN: NDArray[np.floating],
    half_LRVE: NDArray[np.floating], language: int,
) -> None:  # fmt: skip
    """Write a language's mean distributions in every resample, halved for midpoints."""
    half_NLE = halves(traces[language].distributions(reading, places), half_LRVE.dtype)
    mean_RM = shares_RN @ half_NLE.reshape(len(half_NLE), -1)
    half_LRVE[:, :, language] = mean_RM.reshape(len(mean_RM), *half_NLE.shape[1:]).swapaxes(0, 1)


@dataclass(frozen=True)
class _OfLayer:
    """Adds one layer's distances to the sums over layers."""

    half_RVE: NDArray[np.floating]
    total: dict[str, NDArray[np.float64]]
    top_k: int

    def add(self) -> None:
        parts = slices(len(self.half_RVE), DRAWS)
        if not {"jsd", "divergence"}.isdisjoint(self.total):
            on_all_cores(self._midpoints, parts)
        if "cosine" in self.total:
            for part in parts:
                unit_RVE = self.half_RVE[part].astype(np.float64)
                unit_RVE /= np.linalg.norm(unit_RVE, axis=-1, keepdims=True)
                # Of equals 1 less the cosine is rounding error of either sign.
                self.total["cosine"][part] += np.maximum(1 - _products(unit_RVE), 0.0)
        if "jaccard" in self.total:
            used_RVE = np.empty_like(self.half_RVE)

            def use(part: slice) -> None:
                used_RVE[part] = most_used(np.where(self.half_RVE[part] > _UNUSED, self.half_RVE[part], 0), self.top_k)

            on_all_cores(use, parts)
            for part in parts:
                size_RV, both_RP = used_RVE[part].sum(axis=-1), _products(used_RVE[part])
                self.total["jaccard"][part] += 1 - both_RP / (2 * _means(size_RV) - both_RP)

    def _midpoints(self, part: slice) -> None:
        half_RVE = self.half_RVE[part]
        room_RP = _means(own_information(half_RVE))
        between_RP = room_RP - midpoint_information(half_RVE)
        if "jsd" in self.total:
            self.total["jsd"][part] += np.maximum(between_RP, 0.0)
        if "divergence" in self.total:
            self.total["divergence"][part] += normalised(between_RP, room_RP)


def midpoint_information(half_RVE: NDArray[np.floating]) -> NDArray[np.floating]:
    """(R, P) `information` of the midpoints of all pairs of languages.

    Args:
        half_RVE: from `halves`.
    """
    draws, languages, experts = half_RVE.shape
    found_RP = np.empty((draws, languages * (languages - 1) // 2), dtype=half_RVE.dtype)
    sums, work = (np.empty(max(BLOCK, languages * experts), dtype=half_RVE.dtype) for _ in range(2))
    start = 0
    for language in range(languages - 1):
        others = languages - language - 1
        for part in slices(draws, max(1, BLOCK // (others * experts))):
            shape = (part.stop - part.start, others, experts)
            used = shape[0] * others * experts
            t_RVE, work_RVE = sums[:used].reshape(shape), work[:used].reshape(shape)
            np.add(half_RVE[part, language, None], half_RVE[part, language + 1 :], out=t_RVE)
            found_RP[part, start : start + others] = information(t_RVE, work_RVE)
        start += others
    return found_RP


def most_used(q_E: NDArray[np.floating], k: int) -> NDArray[np.floating]:
    """1 for the k experts with most over the last axis, else 0: of equals the lower number, and never an unused one."""
    experts = q_E.shape[-1]
    if k >= experts:
        return (q_E > 0).astype(q_E.dtype)
    least = np.partition(q_E, experts - k, axis=-1)[..., experts - k, None]
    above_E, equal_E = q_E > least, q_E == least
    room = k - above_E.sum(axis=-1, keepdims=True)
    used_E = above_E | (equal_E & (np.cumsum(equal_E, axis=-1) <= room))
    used: NDArray[np.floating] = (used_E & (q_E > 0)).astype(q_E.dtype)
    return used


def _means(values_RV: NDArray[np.floating]) -> NDArray[np.float64]:
    """(R, P) mean of both languages of each pair."""
    first_P, second_P = np.triu_indices(values_RV.shape[1], k=1)
    values_RV = values_RV.astype(np.float64)
    means_RP: NDArray[np.float64] = (values_RV[:, first_P] + values_RV[:, second_P]) / 2
    return means_RP


def _products(values_RVE: NDArray[np.floating]) -> NDArray[np.float64]:
    """(R, P) inner product over experts of both languages of each pair."""
    first_P, second_P = np.triu_indices(values_RVE.shape[1], k=1)
    return (values_RVE @ values_RVE.swapaxes(1, 2))[:, first_P, second_P].astype(np.float64)
