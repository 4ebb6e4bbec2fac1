"""What correlations of divergence with accuracy say of one task: the strongest layer, and a verdict by a stated rule.

Paper 1 finds them negative in the middle layers: the nearer a language is routed to the pivot there, the better the
model answers in it. The verdict asks no more than that, in the zone `middle` of align.json, which is fixed before
anything is measured:

- "as the paper: negative in the middle": some middle layer has q < 0.05 and r < 0, and none has q < 0.05 and r > 0;
- "opposite: positive in the middle": the other way round;
- "both signs in the middle": some have the one and some the other;
- "not told from chance in the middle": no middle layer has q < 0.05;
- "not computed: reason": there is no coefficient at all.

r is Pearson's with nothing held fixed; q adjusts for the layers. Whether a rival explains it is told beside the
verdict, by partial correlations in the strongest layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from polyroute.report import wording
from polyroute.results.model import Correlations

LEVEL = 0.05
TOKENS, RESOURCE = "tokens_per_sentence", "resource"
"""Rivals that tables name: mean tokens of a sentence in each language, and how much text of it there is."""


def curve(found: Correlations, task: str, method: str = "pearson", given: str = "") -> pd.DataFrame:
    """Rows of one curve over depth that hold a coefficient, indexed by layer."""
    table = found.table
    chosen = table[(table["task"] == task) & (table["method"] == method) & (table["given"] == given)]
    return chosen[chosen["r"].notna()].set_index("layer").sort_index()


def strongest(found: Correlations, task: str) -> int | None:
    """The layer in which Pearson's r lies furthest from 0; the first of equals, None where there is no r."""
    pearson = curve(found, task)
    return None if pearson.empty else int(pearson.index[int(pearson["r"].abs().argmax())])


def verdict(found: Correlations, task: str, middle: Sequence[int]) -> str:
    """The verdict on a task, by the rule of this module.

    Args:
        found: of the model.
        task: one of `found.tasks`.
        middle: first and last layer of the zone `middle`.
    """
    pearson = curve(found, task)
    if pearson.empty:
        return f"not computed: {'; '.join(found.tasks[task].notes) or 'there are no rows of it'}"
    inside = pearson.loc[(pearson.index >= middle[0]) & (pearson.index <= middle[1])]
    told = inside[inside["q"] < LEVEL]["r"]
    if told.empty:
        return "not told from chance in the middle"
    if (told < 0).all():
        return "as the paper: negative in the middle"
    return "opposite: positive in the middle" if (told > 0).all() else "both signs in the middle"


def in_layer(found: Correlations, task: str, layer: int, given: str = "") -> pd.Series[Any] | None:
    """Pearson's row of a layer; None where it was not computed."""
    pearson = curve(found, task, given=given)
    there = pearson[pearson.index == layer]
    return None if there.empty else there.iloc[0]


def in_words(row: pd.Series[Any] | None) -> str:
    """`-0.81 [-0.93, -0.55], q 0.004`; without the interval where there is none."""
    if row is None:
        return "–"
    coefficient = wording.coefficient
    interval = ""
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        interval = f" [{coefficient(row['low'])}, {coefficient(row['high'])}]"
    return f"{coefficient(row['r'])}{interval}, q {wording.chance(row['q'])}"
