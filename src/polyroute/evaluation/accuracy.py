"""Accuracy in every language, with intervals over items and what went wrong.

Unit: the item. Intervals are Wilson's (1927), which hold near 0 and 1 and for few items; they speak of other items of
the same task in the same language.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy import stats

from polyroute.evaluation.scoring import summary
from polyroute.measures.alignment import DECIMALS

COLUMNS = (
    "language", "items", "accuracy", "low", "high", "accuracy_by_token", "accuracy_by_character", "tied", "empty",
    "truncated", "without_number", "in_language",
)  # fmt: skip
"""The last four are of number tasks, the three before them of choice tasks; see `scoring.summary`."""


def table(scored: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Accuracy of each language.

    Args:
        scored: from `scoring.score_choices` or `scoring.score_numbers`.
        confidence: coverage of the intervals.

    Returns:
        Columns `COLUMNS`, languages in the order of their first item.
    """
    found = summary(scored)
    right = (found["accuracy"] * found["items"]).round().astype(int)
    bounds = [
        stats.binomtest(hits, items).proportion_ci(confidence, "wilson")
        for hits, items in zip(right, found["items"], strict=True)
    ]
    found["low"], found["high"] = [one.low for one in bounds], [one.high for one in bounds]
    found = found.reindex(columns=list(COLUMNS))
    numbers = found.select_dtypes("number").columns
    found[numbers] = found[numbers].round(DECIMALS)
    return found


def in_short(accuracy: pd.DataFrame, items: pd.DataFrame, pivot: str) -> dict[str, Any]:
    """A task in three numbers.

    Args:
        accuracy: from `table`.
        items: the task.
        pivot: language that the others are held against.

    Returns:
        `chance`: what guessing gives, null where the answer is a number; `pivot` and `others`: accuracy, of the others
        the mean with each language counting the same.
    """
    own = accuracy["language"] == pivot
    return {
        "chance": _rounded((1 / items["choices"].map(len)).mean()) if "choices" in items else None,
        "pivot": _rounded(accuracy.loc[own, "accuracy"].mean()),
        "others": _rounded(accuracy.loc[~own, "accuracy"].mean()),
    }


def _rounded(value: float) -> float:
    return round(float(value), DECIMALS)
