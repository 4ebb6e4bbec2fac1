"""Whether languages that are routed alike are related, by a stated rule.

Paper 2 finds that routing follows language families. similarity.json holds, for each zone of depth and each label of
languages (family, branch, script, region), how far the tree of routing distances follows it: an adjusted Rand index,
with the share p of shuffled labels that reach it. Here p is adjusted for all labels and zones of a corpus (false
discovery rate, q). A zone's verdict:

- "follows family, script": these labels have q < 0.05, the largest index first;
- "not told from chance": no label has q < 0.05;
- "not tested: reason": no label has an index.

A label that is followed may be so for another reason: relatives share script, words and the size of their tokens. That
is told beside the verdict, by the rivals' correlations, in which each is given with the others held fixed.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from polyroute.report import wording
from polyroute.results.similarity import CorpusSimilarity, DistanceMeasure, ZoneSimilarity
from polyroute.stats.fdr import benjamini_hochberg

LEVEL = 0.05
ZONES = ("early", "middle", "late")
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
    return f"follows {', '.join(labels)}" if labels else wording.UNTOLD


def called(rival: str) -> str:
    """A rival in plain words."""
    return CALLED.get(rival, rival)


def headline(held: CorpusSimilarity) -> str:
    """Measure and reading of a corpus's trees, `Jensen-Shannon divergence of soft_mass`."""
    return f"{MEASURES[held.headline.measure]} of {held.headline.reading}"
