"""Routing distance between all languages, by layer and by zone (paper 2; pairwise JSD also in arXiv 2605.29714).

A language is one distribution over experts a layer: the mean of its sentences' distributions, so that every sentence
counts the same; of counts recorded elsewhere, which hold no sentences, the pooled counts. Distances of two languages:

    jsd         Jensen-Shannon divergence in nats, on every reading that the traces can give
    divergence  the same by its largest value at these entropies: D of paper 1, Eq. 2
    cosine      1 - p . q / (|p| |q|)
    jaccard     1 - |A & B| / |A | B|, A and B the K experts that each language chooses most, K the model's top-k

Paper 2 does not say which it took. The headline is `jsd` on `soft_mass` (`topk_count` where traces hold nothing else);
`divergence` and `cosine` are on the same reading, `jaccard` on `topk_count`. A zone's distance is the mean over its
layers. This D is of two languages' means and so lies below the mean over sentence pairs in `measures.alignment`.

Unit of resampling: the sentence, together with its translations in all languages. Intervals are percentile intervals.
A distance of resamples lies above that of the sentences themselves, by the noise that resampling adds. Translations
share their noise, which leaves little of it: on 400 sentences of the pocket corpus, for the median pair, the mean
resample lies 0.04% above the value in pocket-plain, and 0.7% where routing is nearly uniform (pocket-untrained), a
sixth of its standard error.

Shape legend, beside that of the room: P = V (V - 1) / 2 pairs of languages in the order of scipy's condensed
matrices, Z zones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import distance

from polyroute.artifacts.trace import Trace
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import LayerRange, Zones
from polyroute.measures.divergence import jensen_shannon, routing_divergence
from polyroute.measures.specialisation import check_comparable
from polyroute.measures.zones import default_zones
from polyroute.results.similarity import DistanceRow
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.resampled import percentile_bounds, resampled_means

DECIMALS = 6
"""Of written distances: between languages of an untrained model they are below 0.001."""
CHUNK = 2**22
"""Values of one array in memory at a time."""

Distance = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


class SimilarityError(PolyrouteError):
    """Traces that no distance between languages can be taken of."""


@dataclass(frozen=True)
class Distances:
    """All distances between V languages by one measure on one reading."""

    measure: str
    reading: str
    layers_LP: NDArray[np.float64]
    zones_ZP: NDArray[np.float64]
    draws_RZP: NDArray[np.float64] | None
    """The zones in every resample; None where there are not two sentences to resample."""


class Similarity:
    """Routing distances between languages of one model on one parallel corpus."""

    def __init__(
        self, traces: Sequence[Trace], *, resamples: int, confidence: float, seed: int, zones: Zones | None = None
    ):
        """Measure.

        Args:
            traces: one a language, of the same sentences.
            resamples: bootstrap resamples over sentences.
            confidence: coverage of intervals.
            seed: of the resamples.
            zones: early, middle and late layers in the model's numbering; by share of depth where None.

        Raises:
            SimilarityError: fewer than two languages, a zone without a traced layer, or a layer of a language without
                a choice; names it.
            SpecialisationError: the traces differ in more than language, or are not parallel.
        """
        if len(traces) < 2:
            raise SimilarityError(f"distances need at least two languages; there are {len(traces)} traces")
        first, *others = traces
        for other in others:
            check_comparable(other, first)
        self.corpus, self.layers = first.header.corpus, first.header.layers
        self.languages = tuple(trace.header.language for trace in traces)
        if len(set(self.languages)) < len(self.languages):
            raise SimilarityError(f"a language is traced twice: {', '.join(self.languages)}")
        self.zones = _spans(zones, first)
        self.confidence = confidence
        bootstrap = None
        if not first.header.pooled and len(first.item_ids) > 1:
            bootstrap = Bootstrap(len(first.item_ids), resamples, confidence, seed)
        self.distances = self._measure(traces, bootstrap)
        """The headline first."""

    @property
    def headline(self) -> Distances:
        """The distances that trees and summaries show."""
        return self.distances[0]

    def table(self) -> pd.DataFrame:
        """`results.similarity.DistanceRow`: a row a measure, zone and pair; of the headline also one a layer and pair.

        `a` comes before `b` in the order of the languages.
        """
        first_P, second_P = np.triu_indices(len(self.languages), k=1)
        codes = np.array(self.languages)
        pair = {"corpus": self.corpus, "language_a": codes[first_P], "language_b": codes[second_P]}
        parts = []
        for found in self.distances:
            about = pair | {"measure": found.measure, "reading": found.reading}
            for place, zone in enumerate(self.zones):
                bounds = {}
                if found.draws_RZP is not None:
                    low_P, high_P = percentile_bounds(found.draws_RZP[:, place], self.confidence)
                    bounds = {"low": low_P.round(DECIMALS), "high": high_P.round(DECIMALS)}
                values = {"zone": zone, "distance": found.zones_ZP[place].round(DECIMALS)}
                parts.append(pd.DataFrame(about | values | bounds))
        about = pair | {"measure": self.headline.measure, "reading": self.headline.reading}
        for layer, distance_P in zip(self.layers, self.headline.layers_LP, strict=True):
            parts.append(pd.DataFrame(about | {"layer": layer, "distance": distance_P.round(DECIMALS)}))
        table = pd.concat([part.reindex(columns=DistanceRow.columns()) for part in parts], ignore_index=True)
        return table.astype({"layer": "Int64"})

    def _measure(self, traces: Sequence[Trace], bootstrap: Bootstrap | None) -> tuple[Distances, ...]:
        top_k = traces[0].header.top_k

        def most_chosen(q_E: NDArray[np.float64]) -> NDArray[np.float64]:
            return most_used(q_E, top_k)

        found, headline = [], traces[0].readings[0]
        for reading in traces[0].readings:
            q_VLE = np.stack([corpus_distribution(trace, reading) for trace in traces])
            q_RVLE = None
            if bootstrap is not None:
                q_RVLE = np.stack(
                    [resampled_means(bootstrap, trace.distributions(reading)) for trace in traces], axis=1
                )
            plans: list[tuple[str, Distance, Callable[[NDArray[np.float64]], NDArray[np.float64]] | None]] = []
            plans.append(("jsd", jensen_shannon, None))
            if reading == headline:
                plans += [("divergence", routing_divergence, None), ("cosine", cosine_distance, None)]
            if reading == "topk_count":
                plans.append(("jaccard", jaccard_distance, most_chosen))
            for measure, between, prepare in plans:
                mean, drawn = (q if q is None or prepare is None else prepare(q) for q in (q_VLE, q_RVLE))
                assert mean is not None, "every reading has a mean"
                layers_LP = pairwise(between, mean[None])[0]
                found.append(
                    Distances(
                        measure, reading, layers_LP, self._by_zone(layers_LP),
                        None if drawn is None else self._by_zone(pairwise(between, drawn)),
                    )
                )  # fmt: skip
        return tuple(found)

    def _by_zone(self, values_LP: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., Z, P) mean over the layers of each zone."""
        layers = np.array(self.layers)
        inside = [(layers >= first) & (layers <= last) for first, last in self.zones.values()]
        return np.stack([values_LP[..., inside_L, :].mean(axis=-2) for inside_L in inside], axis=-2)


def corpus_distribution(trace: Trace, reading: str) -> NDArray[np.float64]:
    """A language as one distribution a layer, in which every sentence counts the same.

    Args:
        trace: of the language.
        reading: `soft_mass`, `topk_mass` or `topk_count`.

    Returns:
        (L, E) in float64.

    Raises:
        SimilarityError: a sentence has a layer without any choice; names the layer and the item.
        TraceError: the trace cannot give the reading.
    """
    q_NLE = trace.distributions(reading)
    for item, layer in np.argwhere(np.isnan(q_NLE).any(axis=-1)):
        raise SimilarityError(
            f"{trace.place}: item {trace.item_ids[item]} has no {reading} in layer {trace.header.layers[layer]}: "
            "leave the item out, or trace the corpus again"
        )
    mean_LE: NDArray[np.float64] = q_NLE.mean(axis=0)
    return mean_LE


def pairwise(between: Distance, q_RVLE: NDArray[np.float64]) -> NDArray[np.float64]:
    """A distance of all pairs of languages, in several resamples and layers at once.

    Args:
        between: a distance over the last axis that broadcasts.
        q_RVLE: R resamples of V languages.

    Returns:
        (R, L, P).
    """
    resamples, languages, layers, experts = q_RVLE.shape
    step = max(1, CHUNK // (languages * layers * experts))
    chunks = []
    for start in range(0, resamples, step):
        part = q_RVLE[start : start + step]
        rows = [between(part[:, place, None], part[:, place + 1 :]) for place in range(languages - 1)]
        chunks.append(np.concatenate(rows, axis=1))
    return np.concatenate(chunks).swapaxes(1, 2)


def cosine_distance(p_E: NDArray[np.float64], q_E: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - cosine over the last axis, in [0, 1] for distributions; broadcasts."""
    p_E, q_E = (values / np.linalg.norm(values, axis=-1, keepdims=True) for values in (p_E, q_E))
    # |p - q|^2 / 2: exactly 0 for p = q, where 1 - p . q leaves rounding error.
    between: NDArray[np.float64] = ((p_E - q_E) ** 2).sum(axis=-1) / 2
    return between


def most_used(q_E: NDArray[np.float64], k: int) -> NDArray[np.float64]:
    """1 for the k experts with most over the last axis, else 0: of equals the lower number, and never an unused one."""
    order_E = np.argsort(-q_E, axis=-1, kind="stable")
    used_E = np.zeros_like(q_E)
    np.put_along_axis(used_E, order_E[..., :k], 1.0, axis=-1)
    return np.where(q_E > 0, used_E, 0.0)


def jaccard_distance(a_E: NDArray[np.float64], b_E: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - |A & B| / |A | B| of sets that are not empty, as 0 and 1 over the last axis, in [0, 1]; broadcasts."""
    both = np.minimum(a_E, b_E).sum(axis=-1)
    between: NDArray[np.float64] = 1 - both / (a_E.sum(axis=-1) + b_E.sum(axis=-1) - both)
    return between


def square(distance_P: NDArray[np.float64]) -> NDArray[np.float64]:
    """(V, V) with zeros on the diagonal."""
    return np.asarray(distance.squareform(distance_P), dtype=np.float64)


def _spans(zones: Zones | None, trace: Trace) -> dict[str, LayerRange]:
    """Zone -> first and last layer in the model's numbering."""
    layers = trace.header.layers
    if zones is None:
        return {zone: (layers[first], layers[last]) for zone, (first, last) in default_zones(len(layers))}
    for zone, (first, last) in zones:
        if not any(first <= layer <= last for layer in layers):
            raise SimilarityError(
                f"zone {zone} = [{first}, {last}] holds no traced layer of {trace.header.model}: the trace has layers "
                f"{layers[0]} to {layers[-1]}"
            )
    return dict(zones)
