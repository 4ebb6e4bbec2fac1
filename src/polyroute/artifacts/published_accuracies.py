"""Accuracies that others published: `recorded/published_accuracies.csv`, a row a run.

Columns: model (its name on the hub), task (as the source calls it), language (FLORES code; empty for a mean over
several), accuracy (share of right answers), items (of the data set; the source does not always say how many it asked),
source, commit, and certainty: C read in code or result files, I inferred, N known from a secondary note.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pandas as pd
from scipy import stats

from polyroute.artifacts.recording import RecordingError

Certainty = Literal["C", "I", "N"]
CHANCE = {"belebele": 0.25, "global_mmlu_medical": 0.25}
"""Task -> what guessing evenly gets; of the others guessing gets nothing."""
_COLUMNS = ["model", "task", "language", "accuracy", "items", "source", "commit", "certainty"]
_SURE = ("C", "I", "N")
"""From the surest on."""
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class PublishedAccuracy:
    """One task in one language."""

    accuracy: float
    """Share of right answers, mean over runs."""
    items: int
    """Of the data set."""
    runs: int
    """Published of the same model and task."""
    low: float
    """Lower bound of Wilson's interval over so many items, of 95%; runs count as one."""
    high: float
    """Upper bound."""
    chance: float | None
    """What guessing evenly gets; None where it gets nothing."""
    certainty: Certainty
    """The least sure of its runs."""
    source: str
    """Of the first run."""

    def record(self) -> dict[str, Any]:
        """Plain data of `results.correlation.PublishedPoint`."""
        return vars(self) | {name: round(getattr(self, name), 4) for name in ("accuracy", "low", "high")}


def read_published(path: Path, model: str) -> dict[str, dict[str, PublishedAccuracy]]:
    """Task -> language -> accuracy of one model; means over languages are left out.

    Args:
        path: of the file.
        model: its name on the hub.

    Raises:
        RecordingError: the file is absent or of other columns, holds a value that cannot be, or nothing of the model;
            names the line or the models that there are.
    """
    table = _table(path)
    rows = table[(table["model"] == model) & (table["language"] != "")]
    if rows.empty:
        known = ", ".join(sorted(set(table["model"])))
        raise RecordingError(f"{path}: no accuracy of {model} in a language was published; there are {known}")
    found: dict[str, dict[str, PublishedAccuracy]] = {}
    for (task, language), runs in rows.groupby(["task", "language"], sort=False):
        values = [_numbers(path, place, run) for place, run in runs.iterrows()]
        accuracy, items = sum(value for value, _ in values) / len(values), values[0][1]
        bounds = stats.binomtest(round(accuracy * items), items).proportion_ci(_CONFIDENCE, "wilson")
        found.setdefault(str(task), {})[str(language)] = PublishedAccuracy(
            accuracy=accuracy, items=items, runs=len(values), low=float(bounds.low), high=float(bounds.high),
            chance=CHANCE.get(str(task)),
            certainty=cast(Certainty, max(runs["certainty"], key=_SURE.index)), source=str(runs["source"].iloc[0]),
        )  # fmt: skip
    return found


def read_means(path: Path, model: str) -> dict[str, tuple[float, Certainty, str]]:
    """Task -> accuracy over several languages, its certainty and its source; the source does not say how many items.

    Args:
        path: of the file.
        model: its name on the hub; one of which nothing was published has none.

    Raises:
        RecordingError: the file is absent or of other columns.
    """
    table = _table(path)
    rows = table[(table["model"] == model) & (table["language"] == "")]
    return {
        str(run["task"]): (float(run["accuracy"]), cast(Certainty, run["certainty"]), str(run["source"]))
        for _, run in rows.iterrows()
    }


def _table(path: Path) -> pd.DataFrame:
    """The file as text."""
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)
    except FileNotFoundError:
        raise RecordingError(f"{path} is absent: take it from git again") from None
    if list(table.columns) != _COLUMNS:
        raise RecordingError(f"{path}: its columns are {', '.join(table.columns)}, not {', '.join(_COLUMNS)}")
    return table


def _numbers(path: Path, place: Any, run: pd.Series[str]) -> tuple[float, int]:
    """Accuracy and items of one run."""
    try:
        accuracy, items = float(run["accuracy"]), int(run["items"])
        if not 0 <= accuracy <= 1 or items < 1 or run["certainty"] not in _SURE:
            raise ValueError
    except ValueError:
        raise RecordingError(
            f"{path}, line {place + 2}: accuracy {run['accuracy']!r} of {run['items']!r} items, certainty "
            f"{run['certainty']!r}: an accuracy is from 0 to 1, items at least 1, certainty C, I or N"
        ) from None
    return accuracy, items
