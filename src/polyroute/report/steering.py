"""What steering did on one task: conditions in plain words, and the rows that figures and tables show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polyroute.report import words
from polyroute.report.words import NONE
from polyroute.results.model import ModelResults, Steering
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
    "by-turn": "experts of the assistant's turn",
    "by-task": "experts of the task in either turn",
}


def ran(found: Steering) -> list[str]:
    """Tasks that were steered."""
    return list(found.steered)


def pooled(found: Steering, task: str) -> pd.DataFrame:
    """Each condition's difference over the languages to be helped, indexed by condition."""
    table = found.table
    return table[(table["task"] == task) & (table["group"] == HELPED)].set_index("condition")


def of_language(found: Steering, task: str, language: str) -> pd.DataFrame:
    """Each condition's difference in one language, indexed by condition."""
    table = found.table
    return table[(table["task"] == task) & (table["group"] == language)].set_index("condition")


def row(rows: pd.DataFrame, condition: str) -> pd.Series[Any] | None:
    """A condition's row; None where it was not run."""
    found = rows[rows.index == condition]
    return None if found.empty else found.iloc[0]


def mechanism(found: Steering, task: str) -> pd.DataFrame:
    """What every reported condition does to routing and to answers, indexed by condition.

    Returns:
        `pooled`, and means over the edited layers of `rerouted` (share of tokens sent to other experts), `edit_size`
        (in logits) and `relative_size` (by the mean |logit|); `is_chosen`, whether it was chosen on other items.
    """
    rows = pooled(found, task)
    rerouting = found.mechanism[found.mechanism["task"] == task]
    means = rerouting.groupby("condition")[["rerouted", "edit_size", "relative_size"]].mean()
    both = rows.drop(columns=["language_changed"]).join(means, how="inner")
    return both.assign(is_chosen=both["kind"].isin(["chosen", "shared-chosen"]))


def doses(found: Steering, task: str, group: str = HELPED) -> pd.DataFrame:
    """The dose-response of soft steering: rows by strength, ascending; without the baseline, whose difference is 0."""
    rows = pooled(found, task) if group == HELPED else of_language(found, task, group)
    rows = rows[rows["kind"] == "dose"]
    strengths = [float(str(condition).removeprefix("dose")) for condition in rows.index]
    by_strength: pd.DataFrame = rows.assign(strength=np.asarray(strengths, dtype=np.float64)).set_index("strength")
    return by_strength.sort_index()


def best_random(found: Steering, task: str, kind: str = "random") -> float | None:
    """The largest difference of the random control sets of a kind; None where none was run."""
    rows = pooled(found, task)
    drawn = rows[rows["kind"] == kind]["difference"]
    return None if drawn.empty else float(drawn.max())


def deactivated(found: Steering, task: str) -> pd.Series[Any] | None:
    """The pooled row of deactivating the chosen experts; None where it was not run."""
    return row(pooled(found, task), "deactivate")


def left_out(held: Steered) -> dict[str, str]:
    """Conditions that could not be run on one of the halves -> why."""
    return {one.name: one.reason for fold in held.folds.values() for one in fold.left_out}


def called(condition: str) -> str:
    """A condition in plain words, `other pivot (German)`."""
    if condition.startswith("pivot-"):
        return f"other pivot ({words.named(condition.removeprefix('pivot-'))})"
    return _WORDS.get(condition, condition)


def plan(held: Steered) -> str:
    """The plan chosen on all items in a few words: `soft λ 0.5, 41 experts above τ 0.1 in layers 2-5`."""
    chosen, (first, last) = held.chosen, held.middle.layers
    rule = RULES.get(chosen.rule, chosen.rule)
    strength = "" if chosen.strength is None else f" λ {chosen.strength:g}"
    experts = f"{chosen.experts} expert{'s' if chosen.experts != 1 else ''}"
    return f"{rule}{strength}, {experts} above τ {chosen.tau:g} in {words.layers(range(first, last + 1))}"


def shared_plan(held: SharedSteering) -> str:
    """A plan toward shared experts in a few words: `magnitude λ 0.3 from English, 14 experts shared with ...`."""
    chosen = held.chosen
    other = next(code for code in held.pair if code != chosen.source)
    many = f"{chosen.experts} expert{'s' if chosen.experts != 1 else ''}"
    first, last = held.layers
    return (
        f"magnitude λ {chosen.strength:g} from {words.named(chosen.source)}, {many} shared with "
        f"{words.named(other)} in {words.layers(range(first, last + 1))}"
    )


def steering_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: the plan, what choosing it so does, and the verdict.

    `plan`: chosen on all items. What it does is cross-fitted: each half of the items is answered under the plan that
    was chosen on the other.

    `items`: what the verdict rests on, each with its translations. `base`, `steered` and `difference` are means over
    the languages to be helped, that is, all but the pivot. `smallest detectable`: the smallest difference that the
    verdict's own rule finds four times in five (80% power), in studies simulated on these items. A published setting
    that was run has a row of its own.
    """
    columns = [
        "model", "task", "plan", "items", "base", "steered", "difference", "q", "pivot", "best random", "rank p",
        "smallest detectable", "does it help?",
    ]  # fmt: skip
    rows = []
    for one in measured:
        found = one.steering
        for task, held in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            if not isinstance(held, Steered):
                rows.append([one.model, task, *[NONE] * (len(columns) - 3), f"not run: {held.not_run}"])
                continue
            plans = [("chosen", plan(held), held.verdict, best_random(found, task))]
            if held.published is not None:
                best = best_random(found, task, "published-random")
                plans.append((held.published.condition, "as published", held.published.verdict, best))
            for condition, words_of_it, verdict, best in plans:
                chosen = row(pooled(found, task), condition)
                pivot = row(of_language(found, task, one.pivot), condition)
                cells = [NONE] * 4
                if chosen is not None:
                    shares = [words.percent(chosen[name]) for name in ("base", "edited")]
                    cells = [*shares, words.points_with_interval(chosen), words.chance(chosen["q"])]
                rows.append(
                    [
                        one.model, task, words_of_it, str(verdict.items), *cells,
                        NONE if pivot is None else f"{words.points(pivot['difference'])} ({words.named(one.pivot)})",
                        _points(best), NONE if verdict.rank_p is None else words.chance(verdict.rank_p),
                        _points(verdict.power.detectable), words.HELPS[verdict.code],
                    ]
                )  # fmt: skip
    return words.markdown(columns, rows)


def shared_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: steering by |z| toward experts that two dominant languages share, and its mechanism.

    `plan`: chosen on all items; each half is answered under source and strength that were chosen on the other.

    `items` are those that the verdict rests on. `as released`: the best
    of all sources and strengths on the very items that it is told of, as paper 2's release chooses. `rerouted`: share
    of tokens that the edit sends to other experts, and `edit`: its size by the mean |logit|, both means over the edited
    layers.
    """
    columns = [
        "model", "task", "plan", "items", "difference", "q", "best random", "rank p", "as released", "rerouted",
        "edit", "does it help?",
    ]  # fmt: skip
    rows = []
    for one in measured:
        found = one.steering
        for task, parts in found.tasks.items() if found is not None else ():
            assert found is not None, "it has tasks"
            held = parts.shared
            if not isinstance(held, SharedSteering):
                rows.append([one.model, task, *[NONE] * (len(columns) - 3), f"not run: {held.not_run}"])
                continue
            rerouting = mechanism(found, task)
            chosen = row(rerouting, "shared-chosen")
            cells = [NONE] * 2
            reach = [NONE] * 2
            if chosen is not None:
                cells = [words.points_with_interval(chosen), words.chance(chosen["q"])]
                reach = [f"{words.percent(chosen['rerouted'])}%", f"{words.percent(chosen['relative_size'])}%"]
            rows.append(
                [
                    one.model, task, shared_plan(held), str(held.verdict.items), *cells,
                    _points(best_random(found, task, "shared-random")),
                    NONE if held.verdict.rank_p is None else words.chance(held.verdict.rank_p),
                    words.points(held.as_released.difference), *reach, words.HELPS[held.verdict.code],
                ]
            )  # fmt: skip
    return words.markdown(columns, rows)


def _points(difference: float | None) -> str:
    return NONE if difference is None else words.points(difference)
