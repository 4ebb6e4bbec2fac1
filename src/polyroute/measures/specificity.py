"""Specificity and overlap of experts over languages (RISE, arXiv 2604.03592), by layer and by its zones of depth.

With a[x, e] the share of language x's tokens whose top-k holds expert e, in one layer:

    specificity[x, e] = a[x, e] / mean over languages of a[., e]
    overlap[e] = 1 / (1 + CV),   CV = standard deviation / mean over languages of a[., e]

Specificity is 1 where a language uses an expert as much as languages do on average, V where it alone does, 0 where it
never does. Overlap is 1 where all languages use an expert equally, 1 / (1 + sqrt(V - 1)) where one alone does. Both are
undefined (NaN) for an expert that no language uses. Both depend on how many languages there are, and on which.

RISE picks experts by these; a layer's number here is what a choice meets: specificity averaged over a language's
choices, overlap over the choices of all languages, each language weighing the same. Standard deviation: population,
which RISE does not say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.ground.layers import Zones
from polyroute.measures.usage import Usage
from polyroute.results.quantities import DECIMALS
from polyroute.results.similarity import RiseRow


def specificity(frequency_VLE: NDArray[np.float64]) -> NDArray[np.float64]:
    """Use of each expert by a language, relative to the mean over languages.

    Args:
        frequency_VLE: share of each language's tokens whose top-k holds the expert.

    Returns:
        (V, L, E) in [0, V]; NaN for an expert that no language uses.
    """
    mean_LE = frequency_VLE.mean(axis=0)
    found_VLE = np.full_like(frequency_VLE, np.nan)
    np.divide(frequency_VLE, mean_LE, out=found_VLE, where=mean_LE > 0)
    return found_VLE


def overlap(frequency_VLE: NDArray[np.float64]) -> NDArray[np.float64]:
    """How evenly languages use each expert.

    Args:
        frequency_VLE: share of each language's tokens whose top-k holds the expert.

    Returns:
        (L, E) in (0, 1]; NaN for an expert that no language uses.
    """
    mean_LE = frequency_VLE.mean(axis=0)
    variation_LE = np.full_like(mean_LE, np.nan)
    np.divide(frequency_VLE.std(axis=0), mean_LE, out=variation_LE, where=mean_LE > 0)
    found_LE: NDArray[np.float64] = 1 / (1 + variation_LE)
    return found_LE


def specificity_of_choices(of: Usage) -> NDArray[np.float64]:
    """(V, L) specificity of the expert that a choice of the language falls on, mean over its choices.

    In [1, V] if every token makes as many choices: 1 where all languages load the experts alike, V where none shares an
    expert with another; less 1 it is the chi-squared divergence of the language's load from the mean load.
    """
    met_VL: NDArray[np.float64] = np.nansum(of.load_VLE * specificity(of.frequency_VLE), axis=-1)
    return met_VL


def overlap_of_choices(of: Usage) -> NDArray[np.float64]:
    """(L) overlap of the expert that a choice falls on, mean over choices, each language weighing the same."""
    met_L: NDArray[np.float64] = np.nansum(of.load_VLE.mean(axis=0) * overlap(of.frequency_VLE), axis=-1)
    return met_L


def rise_zones(layers: Sequence[int]) -> Zones:
    """RISE's shallow, middle and deep layers: up to 37.5%, up to 62.5% and up to 100% of depth.

    A layer belongs to the zone in which it starts. Layers 0-17, 18-29 and 30-47 of 48.

    Args:
        layers: the model's own numbers of its router layers, ascending, at least 1; below 3 zones share layers.
    """
    count = len(layers)
    middle, deep = -(-3 * count // 8), -(-5 * count // 8)
    spans = (0, middle - 1), (min(middle, count - 1), max(deep - 1, 0)), (min(deep, count - 1), count - 1)
    early, mid, late = ((layers[min(first, last)], layers[last]) for first, last in spans)
    return Zones(early=early, middle=mid, late=late)


def by_zone(table: pd.DataFrame) -> pd.DataFrame:
    """Specificity and overlap in RISE's zones.

    Args:
        table: rows of `measures.utilisation.utilisation_table`, of one corpus or several.

    Returns:
        Those of `results.similarity.RiseRow`, a row a corpus, zone and language (and language "" over all).
    """
    rows = []
    for corpus, of_corpus in table.groupby("corpus", sort=False):
        for zone, (first, last) in rise_zones(sorted(int(layer) for layer in of_corpus["layer"].unique())):
            inside = of_corpus[of_corpus["layer"].between(first, last)]
            means = inside.groupby("language", sort=False)[["specificity", "overlap"]].mean().round(DECIMALS)
            rows.append(means.reset_index().assign(corpus=corpus, zone=zone, first_layer=first, last_layer=last))
    parts = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    return parts.reindex(columns=RiseRow.columns())
