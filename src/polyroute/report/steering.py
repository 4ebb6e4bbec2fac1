"""What steering did on one task: conditions in plain words, and the rows that figures and tables show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polyroute.report import wording
from polyroute.results.model import Steering
from polyroute.results.steering import HELPED, SharedSteering, Steered

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
    return list(found.steered)


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


def mechanism(found: Steering, task: str) -> pd.DataFrame:
    """What every reported condition does to routing and to answers, indexed by condition.

    Returns:
        `pooled`, and means over the edited layers of `changed` (share of tokens sent to other experts), `size` and
        `relative` (of the edit, in logits and by the mean |logit|); `is_chosen`, whether it was chosen on other items.
    """
    rows = pooled(found, task)
    moved = found.mechanism[found.mechanism["task"] == task]
    means = moved.groupby("condition")[["changed", "size", "relative"]].mean()
    shared = found.tasks[task].shared
    chosen = {"chosen", shared.chosen.condition} if isinstance(shared, SharedSteering) else {"chosen"}
    both = rows.drop(columns=["moved"]).join(means, how="inner")
    return both.assign(is_chosen=both.index.isin(chosen))


def doses(found: Steering, task: str, over: str = HELPED) -> pd.DataFrame:
    """The dose-response of soft steering: rows by strength, ascending; without the baseline, whose difference is 0.

    The chosen plan is among them where its rule is soft; conditions of kind `dose` differ from it by rule and strength.
    """
    rows = pooled(found, task) if over == HELPED else of_language(found, task, over)
    chosen = found.steered[task].chosen
    rows = rows[(rows["kind"] == "dose") | ((rows["kind"] == "chosen") & (chosen.rule == "soft"))]
    strengths = [
        chosen.strength if kind == "chosen" else float(str(condition).removeprefix("dose"))
        for condition, kind in rows["kind"].items()
    ]
    by_strength: pd.DataFrame = rows.assign(strength=np.asarray(strengths, dtype=np.float64)).set_index("strength")
    return by_strength.sort_index()


def best_random(found: Steering, task: str, kind: str = "random") -> float | None:
    """The largest difference of the random control sets of a kind; None where none was run."""
    rows = pooled(found, task)
    drawn = rows[rows["kind"] == kind]["difference"]
    return None if drawn.empty else float(drawn.max())


def deactivated(found: Steering, task: str) -> pd.Series[Any] | None:
    """The pooled row of deactivating the chosen experts; None where it was not run."""
    condition = "chosen" if found.steered[task].chosen.rule == "deactivate" else "deactivate"
    return row(pooled(found, task), condition)


def called(condition: str) -> str:
    """A condition of the report half in plain words, `other pivot (German)`."""
    if condition.startswith("pivot-"):
        return f"other pivot ({wording.named(condition.removeprefix('pivot-'))})"
    return _WORDS.get(condition, condition)


def plan(held: Steered) -> str:
    """The chosen plan in a few words: `soft λ 0.5, 41 experts above τ 0.1 in layers 2-5`."""
    chosen, (first, last) = held.chosen, held.middle.layers
    rule = RULES.get(chosen.rule, chosen.rule)
    strength = "" if chosen.strength is None else f" λ {chosen.strength:g}"
    experts = f"{chosen.experts} expert{'s' if chosen.experts != 1 else ''}"
    return f"{rule}{strength}, {experts} above τ {chosen.tau:g} in {wording.layers(range(first, last + 1))}"


def shared_plan(held: SharedSteering) -> str:
    """A plan toward shared experts in a few words: `magnitude λ 0.3 from English, 14 experts shared with ...`."""
    chosen = held.chosen
    other = next(code for code in held.pair if code != chosen.source)
    many = f"{chosen.experts} expert{'s' if chosen.experts != 1 else ''}"
    first, last = held.layers
    return (
        f"magnitude λ {chosen.strength:g} from {wording.named(chosen.source)}, {many} shared with "
        f"{wording.named(other)} in {wording.layers(range(first, last + 1))}"
    )
