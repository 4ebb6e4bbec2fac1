"""Where a model stands among random initialisations of its architecture.

Unit: the set of weights. Under the null, that the model's own weights do no more than random ones, it is exchangeable
with the draws, so the rank p of `stats.rank` is exact whatever languages and sentences have in common. It is one-sided:
every quantity is put such that large values are what a claim speaks of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polyroute.measures.routing_summary import Reading
from polyroute.results.nulls import NotRun, NullRow, NullVerdict
from polyroute.results.quantities import rounded
from polyroute.stats.rank import attainable_p, rank_p

LEVEL = 0.05
"""A model whose p is at most this lies beyond random initialisations."""


def ranked(
    corpus: str, own: Sequence[Reading], drawn: Sequence[Sequence[Reading]], items: int | None = None
) -> dict[str, Any]:
    """Rank a model among random initialisations.

    Args:
        corpus: that all were read on.
        own: what was read off the model.
        drawn: the same of each random initialisation, in the same order; at least one.
        items: sentences of the corpus that all were read from, where that is known.

    Returns:
        What `results.nulls.NullsSummary` holds.

    Raises:
        ValueError: quantities differ, there is no draw, or a value is NaN.
    """
    names = [(reading.quantity, reading.layer) for reading in own]
    if any([(reading.quantity, reading.layer) for reading in one] != names for one in drawn):
        raise ValueError("random initialisations were read otherwise than the model")
    value_M = np.array([reading.value for reading in own])
    drawn_SM = np.array([[reading.value for reading in one] for one in drawn])
    p_M = rank_p(value_M, drawn_SM)
    quantities, layers = {}, []
    for place, (quantity, layer) in enumerate(names):
        found = {
            "value": rounded(value_M[place]),
            "median": rounded(np.median(drawn_SM[:, place])),
            "largest": rounded(drawn_SM[:, place].max()),
            "p": rounded(p_M[place]),
        }
        if layer is None:
            quantities[quantity] = found | {"verdict": verdict(float(p_M[place]))}
        elif quantity == "alignment":
            layers.append({"layer": layer} | found)
    return {
        "corpus": corpus,
        "items": items,
        "draws": len(drawn),
        "attainable_p": rounded(attainable_p(len(drawn))),
        "not_run": None,
        "verdict": quantities["alignment_middle"]["verdict"],
        "quantities": quantities,
        "alignment": layers,
    }


def unranked(corpus: str, reason: NotRun) -> dict[str, Any]:
    """The same of a model of which no random initialisation was drawn."""
    return {
        "corpus": corpus, "items": None, "draws": 0, "attainable_p": 1.0, "not_run": reason, "verdict": "not_run",
        "quantities": {}, "alignment": [],
    }  # fmt: skip


def verdict(p: float) -> NullVerdict:
    """What a rank p says."""
    return "beyond_random_init" if p <= LEVEL else "not_distinguishable"


def table(own: Sequence[Reading], drawn: Sequence[Sequence[Reading]]) -> pd.DataFrame:
    """Rows of `results.nulls.NullRow`: the model's own, then those of each draw."""
    rows = [
        (reading.quantity, reading.layer, draw, reading.value)
        for draw, one in [(None, own), *enumerate(drawn)]
        for reading in one
    ]
    return pd.DataFrame(rows, columns=NullRow.columns()).astype({"layer": "Int64", "draw": "Int64"})
