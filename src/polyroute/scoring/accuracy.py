"""Accuracy in every language, with intervals over items and what went wrong.

Unit: the item. Where an item is right or wrong, intervals are Wilson's (1927), which hold near 0 and 1 and for few
items; where it has a score between (F1, chrF), "accuracy" is the mean score with Student's interval, cut at 0 and 1.
Both speak of other items of the same task in the same language. Student's is scipy's own here: scoring knows nothing of
the statistics over conditions, languages and layers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from polyroute.artifacts.answers import NORMALISATIONS
from polyroute.artifacts.thoughts import answer_part
from polyroute.results.accuracy import AccuracyRow
from polyroute.results.quantities import DECIMALS, rounded
from polyroute.scoring import chrf
from polyroute.scoring.output_language import UNDETERMINED

_MEANS = ("as_read", "flexible_extract", "inclusion", "inclusion_as_released", "exact_match", "f1", "chrf")


def table(scored: pd.DataFrame, confidence: float = 0.95, chance: pd.Series[float] | None = None) -> pd.DataFrame:
    """Accuracy of each language.

    Args:
        scored: as `kinds.by_score` gives it: `correct` is true or false, or a score in [0, 1]; with `stated`, where it
            is known, whether training states what the item asks for in its language.
        confidence: coverage of the intervals.
        chance: by language, from `chance.by_language`, of tasks that have one.

    Returns:
        Those of `results.accuracy.AccuracyRow` but `task`, languages in the order of their first item. Intervals of a
        score are NaN for a single item and for equal scores.
    """
    groups = scored.groupby("language", sort=False)
    found = pd.DataFrame([_summary(str(language), group, confidence) for language, group in groups])
    if chance is not None:
        found["chance"] = found["language"].map(chance)
    found = found.reindex(columns=AccuracyRow.columns()[1:])
    numbers = found.select_dtypes("number").columns
    found[numbers] = found[numbers].round(DECIMALS)
    return found.astype(dict.fromkeys(("stated_items", "transfer_items"), "Int64"))


def in_short(accuracy: pd.DataFrame, uniform: float | None, pivot: str) -> dict[str, Any]:
    """A task in a few numbers.

    Args:
        accuracy: from `table`.
        uniform: what guessing evenly gets; None where the answer is written.
        pivot: language that the others are held against.

    Returns:
        Those of `results.accuracy.TaskAccuracy` but its kind; `others`, `stated` and `transfer` are means of the other
        languages that have such items, `chance` of all, each counting the same.
    """
    own = accuracy["language"] == pivot
    means = {
        "chance": accuracy["chance"], "pivot": accuracy.loc[own, "accuracy"], "others": accuracy.loc[~own, "accuracy"],
        "stated": accuracy.loc[~own, "stated"], "transfer": accuracy.loc[~own, "transfer"],
    }  # fmt: skip
    known = {name: None if values.isna().all() else rounded(values.mean()) for name, values in means.items()}
    return known | {"uniform": None if uniform is None else rounded(uniform)}


def _summary(language: str, group: pd.DataFrame, confidence: float) -> dict[str, Any]:
    """One row of the table, with those columns alone that the answers fill."""
    correct_N = group["correct"].to_numpy()
    low, high = _interval(correct_N, confidence)
    row = {"language": language, "items": len(group), "accuracy": float(correct_N.mean()), "low": low, "high": high}
    row |= {name: float(group[name].mean()) for name in _MEANS if name in group}
    if "stated" in group:
        stated_N = group["stated"].to_numpy(bool)
        for name, held_N in (("stated", correct_N[stated_N]), ("transfer", correct_N[~stated_N])):
            row |= {name: float(held_N.mean()) if len(held_N) else np.nan, f"{name}_items": len(held_N)}
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
    spread = float(stats.sem(correct_N)) if len(correct_N) > 1 else 0.0
    if spread == 0:
        return np.nan, np.nan
    low, high = stats.t.interval(confidence, len(correct_N) - 1, loc=correct_N.mean(), scale=spread)
    return max(float(low), 0.0), min(float(high), 1.0)


def _share(values: Iterable[bool]) -> float:
    return float(np.mean([bool(value) for value in values]))
