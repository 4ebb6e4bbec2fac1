"""Whether languages that are routed alike are related, by a stated rule.

Paper 2 finds that routing follows language families. similarity.json holds, for each zone of depth and each label of
languages (family, branch, script, region), how far the tree of routing distances follows it: an adjusted Rand index,
with the share p of shuffled labels that reach it. Here p is adjusted for all labels and zones of a corpus (false
discovery rate, q). A zone's verdict:

- "follows family, script": these labels have q < 0.05, the largest index first;
- "not distinguishable from chance": no label has q < 0.05;
- "not tested: reason": no label has an index.

A label that is followed may be so for another reason: relatives share script, words and the size of their tokens. That
is told beside the verdict, by the rivals' correlations, in which each is given with the others held fixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from polyroute.ground.layers import ZONES
from polyroute.report import words
from polyroute.report.words import LEVEL, NONE
from polyroute.results.model import ModelResults, Similarity
from polyroute.results.similarity import CorpusSimilarity, DistanceMeasure, RivalCorrelation, ZoneSimilarity
from polyroute.stats.fdr import benjamini_hochberg

LABELS = ("family", "branch", "script", "region")
RIVALS = ("family", "script", "fertility", "vocabulary")
CALLED = {"fertility": "tokens a sentence", "vocabulary": "shared tokens"}
"""Rivals in plain words, where their names are not."""
MEASURES: dict[DistanceMeasure, str] = {
    "jsd": "Jensen-Shannon divergence", "divergence": "divergence D", "cosine": "cosine distance",
    "jaccard": "1 - Jaccard index of top-k experts",
}  # fmt: skip


def agreement(zones: Mapping[str, ZoneSimilarity]) -> pd.DataFrame:
    """Agreement of the tree with each label, a row a zone and label.

    Args:
        zones: of one corpus, as similarity.json holds them.

    Returns:
        Columns rand, p, q, note; indexed by zone and label. NaN, and a note, where a label says nothing of the tree.
    """
    rows = {
        (zone, label): {name: getattr(zones[zone].labels[label], name) for name in ("rand", "p", "note")}
        for zone in ZONES
        for label in LABELS
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["rand", "p", "note"])
    table = table.astype({"rand": float, "p": float})
    return table.assign(q=benjamini_hochberg(table["p"].to_numpy()))


def in_zone(table: pd.DataFrame, zone: str) -> pd.DataFrame:
    """A zone's rows, indexed by label; `table` from `agreement`."""
    rows = table[table.index.get_level_values(0) == zone]
    return rows.droplevel(0)


def followed(table: pd.DataFrame, zone: str) -> list[str]:
    """Labels that a zone's tree follows, the largest index first; `table` from `agreement`."""
    rows = in_zone(table, zone)
    told = rows[rows["q"] < LEVEL].sort_values("rand", ascending=False, kind="stable")
    return [str(label) for label in told.index]


def verdict(table: pd.DataFrame, zone: str) -> str:
    """The verdict on a zone, by the rule of this module; `table` from `agreement`."""
    rows = in_zone(table, zone)
    if rows["rand"].isna().all():
        return f"not tested: {rows['note'].iloc[0]}"
    labels = followed(table, zone)
    return f"follows {', '.join(labels)}" if labels else words.NOT_SIGNIFICANT


def called(rival: str) -> str:
    """A rival in plain words."""
    return CALLED.get(rival, rival)


def headline(held: CorpusSimilarity) -> str:
    """Measure and reading of a corpus's trees, `Jensen-Shannon divergence of soft_mass`."""
    return f"{MEASURES[held.headline.measure]} of {held.headline.reading}"


def tree_table(measured: Sequence[ModelResults]) -> str:
    """A row a model, corpus and zone: mean distance of two languages, agreement of tree and labels, and the verdict.

    Agreement is the adjusted Rand index with q over all labels and zones of the corpus.
    """
    columns = ["model", "corpus", "zone", "languages", "mean distance", *LABELS, "the tree"]
    rows = []
    for (model, _), corpus, held, found in corpora(measured):
        table = agreement(held.zones)
        headline = found.distances[
            (found.distances["corpus"] == corpus) & (found.distances["measure"] == held.headline.measure)
            & (found.distances["reading"] == held.headline.reading)
        ]  # fmt: skip
        for zone in ZONES:
            agreed = in_zone(table, zone)
            mean = headline[headline["zone"] == zone]["distance"].mean()
            cells = [
                NONE if pd.isna(row["rand"]) else f"{words.coefficient(row['rand'])}, q {words.chance(row['q'])}"
                for _, row in agreed.iterrows()
            ]
            rows.append(
                [model, corpus, zone_of(zone, held), str(len(held.languages)), f"{mean:.3f}", *cells,
                 verdict(table, zone)]
            )  # fmt: skip
    return words.markdown(columns, rows)


def rivals_table(measured: Sequence[ModelResults]) -> str:
    """A row a model, corpus and zone: correlation of each rival with routing distance, alone and given the others.

    p is by permuting languages, one-sided, and not adjusted; within families, by permuting relatives alone.
    """
    columns = ["model", "corpus", "zone", *(called(rival) for rival in RIVALS)]
    rows = [
        [model, corpus, zone_of(zone, held), *(_rival(held.zones[zone].rivals[one]) for one in RIVALS)]
        for (model, _), corpus, held, _ in corpora(measured)
        for zone in ZONES
    ]
    return words.markdown(columns, rows)


def corpora(
    measured: Sequence[ModelResults],
) -> Iterator[tuple[tuple[str, int], str, CorpusSimilarity, Similarity]]:
    """Model with its experts of a layer, corpus, what similarity.json says of it, and the tables."""
    for one in measured:
        found = one.similarity
        for corpus, held in found.corpora.items() if found is not None else ():
            assert found is not None, "it has corpora"
            yield (one.model, one.alignment.model.experts), corpus, held, found


def zone_of(zone: str, held: CorpusSimilarity) -> str:
    """A zone with its layers, `middle (2-4)`."""
    return f"{zone} ({words.layer_range(held.zones[zone].layers)})"


def _rival(held: RivalCorrelation) -> str:
    if held.mantel is None or held.p is None:
        return NONE
    alone = f"{words.coefficient(held.mantel)}, p {words.chance(held.p)}"
    if held.within_families_p is not None:
        alone += f" (within families {words.chance(held.within_families_p)})"
    if held.partial is None or held.partial_p is None:
        return alone
    return f"{alone}; given others {words.coefficient(held.partial)}, p {words.chance(held.partial_p)}"
