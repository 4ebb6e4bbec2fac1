"""What steering did on one task: conditions in plain words, and the rows that figures and tables show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polyroute.report import wording
from polyroute.report.results import spans
from polyroute.report.task_results import HELPED, Steering

RULES = {"soft": "soft", "activate": "hard activation", "deactivate": "deactivation"}
"""Rules of plans in plain words."""
_WORDS = RULES | {
    "chosen": "chosen plan",
    "multilingual": "multilingual experts",
    "early": "early layers",
    "late": "late layers",
    "all": "all layers",
    "published": "as published",
}


def ran(found: Steering) -> list[str]:
    """Tasks that were steered."""
    return [task for task, held in found.tasks.items() if held["not_run"] is None]


def pooled(found: Steering, task: str) -> pd.DataFrame:
    """Each condition's difference over the languages to be helped, indexed by condition."""
    table = found.table
    return table[(table["task"] == task) & (table["over"] == HELPED)].set_index("condition")


def of_language(found: Steering, task: str, language: str) -> pd.DataFrame:
    """Each condition's difference in one language, indexed by condition."""
    table = found.table
    return table[(table["task"] == task) & (table["over"] == language)].set_index("condition")


def row(rows: pd.DataFrame, condition: str) -> pd.Series[Any] | None:
    """A condition's row; None where it was not run."""
    found = rows[rows.index == condition]
    return None if found.empty else found.iloc[0]


def doses(found: Steering, task: str, over: str = HELPED) -> pd.DataFrame:
    """The dose-response of soft steering: rows by strength, ascending; without the baseline, whose difference is 0.

    The chosen plan is among them where its rule is soft; conditions of kind `dose` differ from it by rule and strength.
    """
    rows = pooled(found, task) if over == HELPED else of_language(found, task, over)
    chosen = found.tasks[task]["chosen"]
    rows = rows[(rows["kind"] == "dose") | ((rows["kind"] == "chosen") & (chosen["rule"] == "soft"))]
    strengths = [
        chosen["strength"] if kind == "chosen" else float(str(condition).removeprefix("dose"))
        for condition, kind in rows["kind"].items()
    ]
    by_strength: pd.DataFrame = rows.assign(strength=np.asarray(strengths, dtype=np.float64)).set_index("strength")
    return by_strength.sort_index()


def best_random(found: Steering, task: str) -> float | None:
    """The largest difference of the random control sets; None where none was run."""
    rows = pooled(found, task)
    drawn = rows[rows["kind"] == "random"]["difference"]
    return None if drawn.empty else float(drawn.max())


def deactivated(found: Steering, task: str) -> pd.Series[Any] | None:
    """The pooled row of deactivating the chosen experts; None where it was not run."""
    condition = "chosen" if found.tasks[task]["chosen"]["rule"] == "deactivate" else "deactivate"
    return row(pooled(found, task), condition)


def called(condition: str) -> str:
    """A condition of the report half in plain words, `other pivot (German)`."""
    if condition.startswith("pivot-"):
        return f"other pivot ({wording.named(condition.removeprefix('pivot-'))})"
    return _WORDS.get(condition, condition)


def plan(held: dict[str, Any]) -> str:
    """The chosen plan in a few words: `soft λ 0.5, 41 experts above τ 0.1 in layers 2-5`.

    Args:
        held: a steered task's entry in steer.json.
    """
    chosen, (first, last) = held["chosen"], held["middle"]["layers"]
    rule = RULES.get(chosen["rule"], chosen["rule"])
    strength = "" if chosen["strength"] is None else f" λ {chosen['strength']:g}"
    experts = f"{chosen['experts']} expert{'s' if chosen['experts'] != 1 else ''}"
    return f"{rule}{strength}, {experts} above τ {chosen['tau']:g} in {layers(range(first, last + 1))}"


def layers(numbers: Sequence[int]) -> str:
    """`layer 3` or `layers 2-5`."""
    return f"layer{'s' if len(numbers) != 1 else ''} {spans(numbers)}"
