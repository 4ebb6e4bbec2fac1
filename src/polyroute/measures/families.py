"""Whether languages that are routed alike are related: a tree of languages, and how far it follows known groups.

The tree is average linkage (UPGMA, Sokal and Michener 1958) of routing distances; paper 2 does not say how it grouped
languages. Against the groups of a label (family, branch, script, region):

- adjusted Rand index of the label and the tree, cut into as many clusters as the label has groups; fewer where merges
  tie, since a tie is no ground to part languages;
- correlation of the heights at which the tree joins two languages with whether their labels differ (0 or 1).

Both are tested by shuffling labels among languages, one-sided: p is the share of shuffles that agree at least as well,
(1 + k) / (1 + S), not adjusted for the number of labels and zones. Groups of one language say little: a label with six
groups, five of them single, are hardly distinguishable from chance. `cophenetic` of a zone is the correlation of the
tree's heights with the distances that it was built from: how well a tree describes them at all (Sokal and Rohlf 1962).

Unit of shuffling: the language. Unit of resampling, for intervals of the Rand index: the sentence; the interval says
what would be found with other sentences of the same languages, not with other languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.cluster import hierarchy

from polyroute.languages import table as language_table
from polyroute.results.quantities import rounded
from polyroute.stats.mantel import matrix_correlation
from polyroute.stats.rand import adjusted_rand
from polyroute.stats.resampled import percentile_bounds

LABELS = ("family", "branch", "script", "region")
"""Columns of the table of languages that the tree is held against."""
LINKAGE: Literal["average"] = "average"
_FLAT = 1e-12
"""Distances in nats nearer than this are equal but for rounding."""


@dataclass(frozen=True)
class Tree:
    """Languages joined from the nearest on."""

    joins: NDArray[np.float64]
    """(V - 1, 4) as scipy's linkage: the two clusters (languages first), the height of their join, its languages."""
    cophenetic: float | None
    """Correlation of the heights with the distances; None where either does not vary."""
    heights_P: NDArray[np.float64]
    """Height at which each pair of languages is joined."""


def label_values(languages: Sequence[str]) -> dict[str, list[str]]:
    """What each label says of the languages.

    Raises:
        LanguageError: a code is unknown.
    """
    known = [language_table.get(code) for code in languages]
    return {label: [str(getattr(language, label)) for language in known] for label in LABELS}


def label_distance(values: Sequence[str]) -> NDArray[np.float64]:
    """(P) 0 where two languages have the same label, 1 where they differ."""
    codes_V = _codes(values)
    first_P, second_P = np.triu_indices(len(values), k=1)
    differ_P: NDArray[np.float64] = (codes_V[first_P] != codes_V[second_P]).astype(np.float64)
    return differ_P


def tree(distance_P: NDArray[np.float64]) -> Tree:
    """Join languages by average linkage.

    Args:
        distance_P: of all pairs of languages, condensed as scipy does.
    """
    joins = hierarchy.linkage(distance_P, method=LINKAGE)
    heights_P = np.asarray(hierarchy.cophenet(joins), dtype=np.float64)
    vary = min(np.ptp(distance_P), np.ptp(heights_P)) > _FLAT
    cophenetic = rounded(np.corrcoef(distance_P, heights_P)[0, 1]) if vary else None
    return Tree(np.asarray(joins, dtype=np.float64), cophenetic, heights_P)


def resampled_joins(draws_RP: NDArray[np.float64] | None) -> list[NDArray[np.float64]] | None:
    """Joins of the tree in every resample of sentences; None without sentences."""
    if draws_RP is None:
        return None
    return [np.asarray(hierarchy.linkage(draw_P, method=LINKAGE), dtype=np.float64) for draw_P in draws_RP]


def cut(joins: NDArray[np.float64], clusters: int) -> NDArray[np.int64]:
    """(V) cluster of each language, in as many clusters as asked for; fewer where merges tie."""
    return np.asarray(hierarchy.fcluster(joins, clusters, criterion="maxclust"), dtype=np.int64)


def rand_index(joins: NDArray[np.float64], values: Sequence[str]) -> float | None:
    """Adjusted Rand index of a label and the tree cut into as many clusters as it has groups.

    Returns:
        None where it would say nothing: see `untold`.
    """
    if untold(joins, values):
        return None
    return float(adjusted_rand(cut(joins, len(set(values))), _codes(values)))


def untold(joins: NDArray[np.float64], values: Sequence[str]) -> str | None:
    """Why a label says nothing of a tree; None where it does."""
    groups = len(set(values))
    if groups == 1:
        return f"all languages are {values[0]}: there are no groups to tell apart"
    if groups == len(values):
        return "every language is a group of its own: any tree agrees with that"
    if cut(joins, groups).max() == 1:
        return "the tree joins all languages at one height: it has no clusters"
    return None


def agreement(
    found: Tree, resampled: Sequence[NDArray[np.float64]] | None, values: Sequence[str], *, shuffles: int,
    confidence: float, seed: int,
) -> dict[str, Any]:  # fmt: skip
    """How far a tree follows the groups of one label.

    Args:
        found: from `tree`.
        resampled: from `resampled_joins`.
        values: the label of each language.
        shuffles: S permutations of labels.
        confidence: coverage of the interval.
        seed: of the permutations.

    Returns:
        `groups` (how many), `clusters` (how many the tree was cut into), `rand` with `low` and `high` over sentences
        and `p`, `cophenetic` (correlation of heights with whether labels differ) with `cophenetic_p`; null with a
        `note` where the label says nothing of the tree.
    """
    groups = len(set(values))
    blank = dict.fromkeys(("clusters", "rand", "low", "high", "p", "cophenetic", "cophenetic_p"))
    if reason := untold(found.joins, values):
        return {"groups": groups, **blank, "note": reason}
    clusters_V, codes_V = cut(found.joins, groups), _codes(values)
    rand = float(adjusted_rand(clusters_V, codes_V))
    rng = np.random.default_rng(seed)
    shuffled_SV = rng.permuted(np.tile(codes_V, (shuffles, 1)), axis=1)
    higher = int((adjusted_rand(clusters_V, shuffled_SV) >= rand - _FLAT).sum())
    low = high = None
    if resampled is not None:
        draws_R = adjusted_rand(codes_V, np.stack([cut(joins, groups) for joins in resampled]))
        low, high = (rounded(float(bound)) for bound in percentile_bounds(draws_R, confidence))
    related = matrix_correlation(found.heights_P, label_distance(values), shuffles=shuffles, seed=seed)
    return {
        "groups": groups, "clusters": int(clusters_V.max()), "rand": rounded(rand), "low": low, "high": high,
        "p": rounded((1 + higher) / (1 + shuffles)), "cophenetic": rounded(related.r),
        "cophenetic_p": rounded(related.p),
    }  # fmt: skip


def sensitivity(
    headline_P: NDArray[np.float64], other_P: NDArray[np.float64], labels: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """What another measure of distance would have said: paper 2 leaves the measure open.

    Returns:
        `correlation` of its distances with the headline's (null where either does not vary) and `rand`, label ->
        adjusted Rand index (null where a label says nothing of the tree).
    """
    joins = tree(other_P).joins
    vary = min(np.ptp(headline_P), np.ptp(other_P)) > _FLAT
    found = {label: rand_index(joins, values) for label, values in labels.items()}
    return {
        "correlation": rounded(np.corrcoef(headline_P, other_P)[0, 1]) if vary and len(other_P) > 1 else None,
        "rand": {label: None if rand is None else rounded(rand) for label, rand in found.items()},
    }


def _codes(values: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(np.array(values), return_inverse=True)[1].astype(np.int64)
