"""The claim that languages of one family are routed alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster import hierarchy

from polyroute.artifacts import vocabulary
from polyroute.claims.asked import Found
from polyroute.claims.estimates import Estimate
from polyroute.ground.layers import ZONES
from polyroute.measures.divergence import jensen_shannon, routing_divergence
from polyroute.measures.families import label_distance, label_values, untold
from polyroute.measures.language_distance import (
    Distance,
    corpus_distribution,
    cosine_distance,
    jaccard_distance,
    pairwise,
)
from polyroute.measures.resampled_distances import most_used
from polyroute.measures.rivals import rival_distances
from polyroute.measures.vocabulary import token_shares, vocabulary_distance
from polyroute.multiverse.grid import Cell, Choice
from polyroute.multiverse.study import Study
from polyroute.results.quantities import rounded
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.mantel import matrix_correlation
from polyroute.stats.signs import FEWEST

_MEASURES: dict[str, Distance] = {
    "jsd": jensen_shannon, "divergence": routing_divergence, "cosine": cosine_distance, "jaccard": jaccard_distance,
}  # fmt: skip


def choices(study: Study) -> list[Choice]:
    """p2.families."""
    if len(study.settings.languages) < FEWEST:
        return []
    return [
        study.readings, study.averaging, Choice("distance", ("jsd", "divergence", "cosine", "jaccard")), study.zones(),
        Choice("linkage", ("average", "complete")), study.languages,
    ]  # fmt: skip


def families(study: Study, cell: Cell, found: Found) -> None:
    """p2.families: as `claims.families.families`, from traces."""
    how = (cell["reading"], cell["averaging"], cell["distance"], cell["languages"])
    places = study.places(cell["zones"])
    by_zone = {
        zone: study.once(
            ("family", *how, cell["linkage"], tuple(places[zone])),
            _of_zone, study, how, cell["linkage"], places[zone],
        )
        for zone in ZONES
    }  # fmt: skip
    q = benjamini_hochberg([np.nan if one.p is None else one.p for one in by_zone.values()])
    for (zone, one), adjusted in zip(by_zone.items(), q, strict=True):
        found.put(f"family.{zone}", Estimate(one.value, p=one.p, q=float(adjusted)))
        key = ("beyond", *how, tuple(places[zone]))
        found.put(f"beyond.{zone}", study.once(key, _beyond, study, how, places[zone]))


def _of_zone(study: Study, how: tuple[str, str, str, str], linkage: str, inside: NDArray[np.intp]) -> Estimate:
    """Cophenetic correlation of the tree with family, and its p by permutation of labels."""
    distance_P = _distances(study, how)[inside].mean(axis=0)
    labels = label_values(_codes(study, how[3]))["family"]
    method: Literal["average", "complete"] = "complete" if linkage == "complete" else "average"
    joins = np.asarray(hierarchy.linkage(distance_P, method=method), dtype=np.float64)
    if untold(joins, labels):
        return Estimate()
    heights_P = np.asarray(hierarchy.cophenet(joins), dtype=np.float64)
    about = study.settings
    related = matrix_correlation(heights_P, label_distance(labels), shuffles=about.shuffles, seed=about.seed)
    return Estimate(_known(related.r), p=_known(related.p))


def _beyond(study: Study, how: tuple[str, str, str, str], inside: NDArray[np.intp]) -> Estimate:
    """Partial correlation of the distances with family, the other rivals held fixed."""
    distance_P = _distances(study, how)[inside].mean(axis=0)
    rivals = study.once(("rivals", how[3]), _rivals, study, how[3])
    varying = {name: of_P for name, of_P in rivals.items() if of_P is not None and np.ptp(of_P) > 0}
    if "family" not in varying or np.ptp(distance_P) == 0:
        return Estimate()
    others = [of_P for name, of_P in varying.items() if name != "family"]
    about = study.settings
    left = matrix_correlation(distance_P, varying["family"], others, shuffles=about.shuffles, seed=about.seed)
    return Estimate(_known(left.r), p=_known(left.p))


def _known(value: float) -> float | None:
    """Rounded as the stage `similarity` writes it."""
    return None if np.isnan(value) else rounded(value)


def _codes(study: Study, languages: str) -> list[str]:
    return [study.pivot, *study.among(languages)]


def _distances(study: Study, how: tuple[str, str, str, str]) -> NDArray[np.float64]:
    """(L, P) distances of all pairs of languages."""
    return study.once(("pairwise", *how), _pairwise, study, *how)


def _pairwise(study: Study, reading: str, averaging: str, distance: str, languages: str) -> NDArray[np.float64]:
    q_VLE = np.stack([
        study.once(("language", code, reading, averaging), _of_language, study, code, reading, averaging)
        for code in _codes(study, languages)
    ])  # fmt: skip
    if distance == "jaccard":
        q_VLE = most_used(q_VLE, study.first.header.top_k).astype(np.float64)
    between_LP: NDArray[np.float64] = pairwise(_MEASURES[distance], q_VLE[None])[0]
    return between_LP


def _of_language(study: Study, code: str, reading: str, averaging: str) -> NDArray[np.float64]:
    """(L, E) distribution over experts."""
    trace = study.of(code)
    return corpus_distribution(trace, reading) if averaging == "sequences" else trace.pooled(reading)


def _rivals(study: Study, languages: str) -> Mapping[str, NDArray[np.float64] | None]:
    traces = [study.of(code) for code in _codes(study, languages)]
    if traces[0].header.pooled:
        return rival_distances(traces, None)
    counts = (vocabulary.read(study.vocabulary, one.header.corpus, one.header.language) for one in traces)
    return rival_distances(traces, vocabulary_distance([token_shares(of) for of in counts]))
