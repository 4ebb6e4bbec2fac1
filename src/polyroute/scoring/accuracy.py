"""Accuracy in every language, with intervals over items and what went wrong.

Unit: the item. Where an item is right or wrong, intervals are Wilson's (1927), which hold near 0 and 1 and for few
items; where it has a score between (F1, chrF), "accuracy" is the mean score with Student's interval, cut at 0 and 1.
Both speak of other items of the same task in the same language.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from polyroute.artifacts.answers import NORMALISATIONS
from polyroute.results.accuracy import AccuracyRow
from polyroute.results.quantities import DECIMALS
from polyroute.scoring import chrf
from polyroute.scoring.output_language import UNDETERMINED
from polyroute.scoring.written import answer_part

_MEANS = ("inclusion", "inclusion_as_released", "exact_match", "f1", "chrf")


def table(scored: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Accuracy of each language.

    Args:
        scored: as `kinds.by_score` gives it: `correct` is true or false, or a score in [0, 1].
        confidence: coverage of the intervals.

    Returns:
        Those of `results.accuracy.AccuracyRow` but `task`, languages in the order of their first item. Intervals of a
        score are NaN for a single item.
    """
    groups = scored.groupby("language", sort=False)
    found = pd.DataFrame([_summary(str(language), group, confidence) for language, group in groups])
    found = found.reindex(columns=AccuracyRow.columns()[1:])
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
        `chance`: what guessing gives, null where the answer is written; `pivot` and `others`: accuracy, of the others
        the mean with each language counting the same.
    """
    own = accuracy["language"] == pivot
    return {
        "chance": _rounded((1 / items["choices"].map(len)).mean()) if "choices" in items else None,
        "pivot": _rounded(accuracy.loc[own, "accuracy"].mean()),
        "others": _rounded(accuracy.loc[~own, "accuracy"].mean()),
    }


def _summary(language: str, group: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """One row of the table, with those columns alone that the answers fill."""
    correct_N = group["correct"].to_numpy()
    low, high = _interval(correct_N, confidence)
    row = {"language": language, "items": len(group), "accuracy": float(correct_N.mean()), "low": low, "high": high}
    row |= {name: float(group[name].mean()) for name in _MEANS if name in group}
    if "log_likelihoods" in group:
        row |= {f"accuracy{ending}": float(group[f"correct{ending}"].mean()) for ending in NORMALISATIONS if ending}
        row["tied"] = _share(sum(np.equal(nats, np.max(nats))) > 1 for nats in group["log_likelihoods"])
    if "output" not in group:
        return row
    said = [answer_part(output) for output in group["output"]]
    finished_N = group["finished"].to_numpy(bool)
    known = group["output_language"].dropna()
    row |= {
        "empty": _share(not text for text in said),
        "truncated": float((~finished_N).mean()),
        "in_language": float((known == language).mean()) if len(known) else np.nan,
        "undetermined": float((known == UNDETERMINED).mean()) if len(known) else np.nan,
    }
    if "extracted" in group:
        lacking = group["extracted"].isna().to_numpy()
        row["without_number"] = float((np.array([bool(text) for text in said]) & finished_N & lacking).mean())
    if "reference" in group:
        row["chrf_corpus"] = chrf.of_corpus(said, group["reference"].tolist())
    return row


def _interval(correct_N: np.ndarray[Any, Any], confidence: float) -> tuple[float, float]:
    """Bounds of a share by Wilson, or of a mean score by Student."""
    if correct_N.dtype == bool:
        share = stats.binomtest(int(correct_N.sum()), len(correct_N)).proportion_ci(confidence, "wilson")
        return float(share.low), float(share.high)
    if len(correct_N) < 2:
        return np.nan, np.nan
    reach = float(stats.sem(correct_N) * stats.t.ppf((1 + confidence) / 2, len(correct_N) - 1))
    return max(float(correct_N.mean()) - reach, 0.0), min(float(correct_N.mean()) + reach, 1.0)


def _share(values: Iterable[bool]) -> float:
    return float(np.mean([bool(value) for value in values]))


def _rounded(value: float) -> float:
    return round(float(value), DECIMALS)
