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
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import distance

from polyroute.artifacts.importance import SOFTMAX_OF_WEIGHTS
from polyroute.artifacts.trace import Trace
from polyroute.ground.cores import each_on_a_core
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import ZONES, Zones
from polyroute.measures.divergence import jensen_shannon, routing_divergence
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.resampled_distances import NEARLY_UNIFORM, most_used, resampled_distances
from polyroute.measures.specialisation import check_comparable
from polyroute.measures.zones import default_zones, inside
from polyroute.results.similarity import DistanceRow
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.resampled import percentile_bounds

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
    low_ZP: NDArray[np.float64] | None = None
    """Lower bounds of the zones; None where there are not two sentences to resample."""
    high_ZP: NDArray[np.float64] | None = None
    """Upper bounds."""
    draws_RZP: NDArray[np.float64] | None = None
    """The zones in every resample; of the headline alone, since that of many languages is large."""


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
        first, languages = traces[0], []
        for place, trace in enumerate(traces):
            if place:
                check_comparable(trace, first)
            languages.append(trace.header.language)
        self.corpus, self.layers = first.header.corpus, first.header.layers
        self.languages = tuple(languages)
        if len(set(self.languages)) < len(self.languages):
            raise SimilarityError(f"a language is traced twice: {', '.join(self.languages)}")
        self.zones = zones or default_zones(self.layers)
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
            for place, zone in enumerate(ZONES):
                bounds = {}
                if found.low_ZP is not None and found.high_ZP is not None:
                    bounds = {"low": found.low_ZP[place].round(DECIMALS), "high": found.high_ZP[place].round(DECIMALS)}
                values = {"zone": zone, "distance": found.zones_ZP[place].round(DECIMALS)}
                parts.append(pd.DataFrame(about | values | bounds))
        about = pair | {"measure": self.headline.measure, "reading": self.headline.reading}
        for layer, distance_P in zip(self.layers, self.headline.layers_LP, strict=True):
            parts.append(pd.DataFrame(about | {"layer": layer, "distance": distance_P.round(DECIMALS)}))
        table = pd.concat([part.reindex(columns=DistanceRow.columns()) for part in parts], ignore_index=True)
        return table.astype({"layer": "Int64"})

    def _measure(self, traces: Sequence[Trace], bootstrap: Bootstrap | None) -> tuple[Distances, ...]:
        # A softmax of weights is nearly uniform: its distances say what those of `topk_mass` say, only smaller.
        about, readings = traces[0].header, [one for one in traces[0].readings if one != SOFTMAX_OF_WEIGHTS]
        inside_3L = inside(self.zones, self.layers)
        found: list[Distances] = []
        for reading in readings:
            q_VLE = _corpus_distributions(traces, reading)
            means: dict[str, tuple[Distance, NDArray[np.float64]]] = {"jsd": (jensen_shannon, q_VLE)}
            if reading == readings[0]:
                means |= {"divergence": (routing_divergence, q_VLE), "cosine": (cosine_distance, q_VLE)}
            if reading == "topk_count":
                means["jaccard"] = (jaccard_distance, most_used(q_VLE, about.top_k).astype(np.float64))
            layers = {measure: pairwise(between, of_VLE[None])[0] for measure, (between, of_VLE) in means.items()}
            bounds: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {name: [] for name in means}
            kept: list[NDArray[np.float64]] = []
            uniform_L = (np.log(about.experts) - routing_entropy(q_VLE)).min(axis=0) < NEARLY_UNIFORM
            for inside_L in inside_3L:
                if bootstrap is None:
                    break
                drawn = resampled_distances(traces, reading, list(means), inside_L, uniform_L, bootstrap)
                for measure, drawn_RP in drawn.items():
                    bounds[measure].append(percentile_bounds(drawn_RP, self.confidence))
                if not found:
                    kept.append(drawn["jsd"])
            for measure, layers_LP in layers.items():
                zones_ZP = np.stack([layers_LP[inside_L].mean(axis=0) for inside_L in inside_3L])
                one = Distances(measure, reading, layers_LP, zones_ZP)
                if bootstrap is not None:
                    low_ZP, high_ZP = (np.stack(side) for side in zip(*bounds[measure], strict=True))
                    draws_RZP = None if found else np.stack(kept, axis=1)
                    one = replace(one, low_ZP=low_ZP, high_ZP=high_ZP, draws_RZP=draws_RZP)
                found.append(one)
        return tuple(found)


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


def _corpus_distributions(traces: Sequence[Trace], reading: str) -> NDArray[np.float64]:
    """(V, L, E) `corpus_distribution` of each, as many at a time as there are cores."""
    return np.stack(list(each_on_a_core(lambda place: corpus_distribution(traces[place], reading), range(len(traces)))))


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


def jaccard_distance(a_E: NDArray[np.float64], b_E: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - |A & B| / |A | B| of sets that are not empty, as 0 and 1 over the last axis, in [0, 1]; broadcasts."""
    both = np.minimum(a_E, b_E).sum(axis=-1)
    between: NDArray[np.float64] = 1 - both / (a_E.sum(axis=-1) + b_E.sum(axis=-1) - both)
    return between


def square(distance_P: NDArray[np.float64]) -> NDArray[np.float64]:
    """(V, V) with zeros on the diagonal."""
    return np.asarray(distance.squareform(distance_P), dtype=np.float64)
