"""Distances between languages that others recorded: what `similarity` tells of traces, as far as distances alone go.

Distances are Jensen-Shannon divergence in bits, by layer. Zones are those of `measures.zones` by depth; a zone's
distance is the mean over its layers, and families and trees are of the mean over all layers, as the recordings' authors
have it. Divergence D (paper 1, Eq. 2) needs entropies, which were not recorded, so the shape over depth is that of the
distance itself. Unit of intervals over depth: the language.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import distance

from polyroute.artifacts.recorded_distances import READINGS, Distances
from polyroute.ground.layers import ZONES
from polyroute.languages import table as language_table
from polyroute.measures.across_languages import over_languages
from polyroute.measures.families import agreement, label_values, tree
from polyroute.measures.relatedness import relatedness
from polyroute.measures.zones import default_zones, inside
from polyroute.results.quantities import rounded

PAIR = ("hin_Deva", "urd_Arab")
"""Nearly one spoken language in two scripts."""
DECIMALS = 6
"""Of heights of joins: distances by softmax are small."""


def compare(found: Distances, pivot: str, *, shuffles: int, confidence: float, seed: int) -> dict[str, Any]:
    """What recorded distances say; plain data of `results.distances.RecordedDistances`.

    Args:
        found: of one model.
        pivot: FLORES code; left out of families.
        shuffles: permutations of languages.
        confidence: coverage of intervals.
        seed: of the permutations.

    Raises:
        LanguageError: a code is unknown.
        ValueError: the pivot is not among the languages.
    """
    header = found.header
    hard_P, soft_P = (found.by_reading_LP[name].mean(axis=0) for name in READINGS)
    by_layer = [
        rounded(stats.spearmanr(hard, soft).statistic)
        for hard, soft in zip(*(found.by_reading_LP[name] for name in READINGS), strict=True)
    ]
    readings = {
        name: _reading(found, name, pivot, shuffles=shuffles, confidence=confidence, seed=seed) for name in READINGS
    }
    return {
        "model": header.model, "corpus": header.corpus, "licence": header.licence,
        "source": f"{header.source} @{header.commit}" if header.commit else header.source,
        "languages": list(header.languages), "pivot": pivot, "layers": list(header.layers),
        "depth": {zone: list(span) for zone, span in default_zones(header.layers)},
        "pair": list(PAIR) if set(PAIR) <= set(header.languages) else None,
        "readings": readings,
        "hard_against_soft": {
            "rho": rounded(stats.spearmanr(hard_P, soft_P).statistic), "by_layer": by_layer,
            "ratio": rounded(hard_P.mean() / soft_P.mean()),
        },
    }  # fmt: skip


def _reading(
    found: Distances, name: str, pivot: str, *, shuffles: int, confidence: float, seed: int
) -> dict[str, Any]:  # fmt: skip
    codes, values_LP = list(found.header.languages), found.by_reading_LP[name]
    labels, mean_P = label_values(codes), values_LP.mean(axis=0)
    joined = tree(mean_P)
    first_P, second_P = np.triu_indices(len(codes), k=1)
    of_pivot = codes.index(pivot)
    others_P = (first_P != of_pivot) & (second_P != of_pivot)
    kept = [place for place in range(len(codes)) if place != of_pivot]
    zones_Z = _zones(values_LP[:, others_P].mean(axis=1))
    # A pair of the pivot: its other language, in their order.
    from_pivot_V3 = np.stack([_zones(of_L) for of_L in values_LP[:, ~others_P].T])
    depth = over_languages(None, from_pivot_V3, (), [codes[place] for place in kept], confidence=confidence, seed=seed)
    return {
        "families": relatedness(
            mean_P[others_P], [labels["family"][place] for place in kept], [labels["script"][place] for place in kept],
            shuffles=shuffles, confidence=confidence, seed=seed,
        ),
        "pair_ratio": _pair_ratio(codes, mean_P),
        "linkage": [
            [int(a), int(b), round(height, DECIMALS), int(size)] for a, b, height, size in joined.joins.tolist()
        ],
        "labels": {
            label: agreement(joined, None, values, shuffles=shuffles, confidence=confidence, seed=seed)
            for label, values in labels.items()
        },
        "from_pivot": {
            "zones": dict(zip(ZONES, map(rounded, from_pivot_V3.mean(axis=0)), strict=True)),
            **{part: depth[part] for part in ("early_minus_middle", "late_minus_middle", "shape")},
        },
        "between": dict(zip(ZONES, map(rounded, zones_Z), strict=True)),
    }  # fmt: skip


def _zones(values_L: NDArray[np.float64]) -> NDArray[np.float64]:
    layers = range(len(values_L))
    return np.array([values_L[inside_L].mean() for inside_L in inside(default_zones(layers), layers)])


def _pair_ratio(codes: list[str], mean_P: NDArray[np.float64]) -> float | None:
    """Hindi to Urdu, by the mean of Hindi to the other languages of its branch."""
    if not set(PAIR) <= set(codes):
        return None
    first, second = (codes.index(code) for code in PAIR)
    branch = language_table.get(PAIR[0]).branch
    distance_VV = distance.squareform(mean_P)
    others = [
        distance_VV[first, place]
        for place, code in enumerate(codes)
        if code not in PAIR and language_table.get(code).branch == branch
    ]
    return rounded(float(distance_VV[first, second] / np.mean(others))) if others else None
