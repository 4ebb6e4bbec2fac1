"""What the conditions did: every one against the baseline, item by item.

Pooled differences are over the languages to be helped, that is, all but the pivot; the pivot is shown beside them,
since a plan that helps others at its cost is another finding. Units are those of `stats.paired`: items with all their
translations for groups, items for one language.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from polyroute.artifacts.questions import Split
from polyroute.ground.errors import PolyrouteError
from polyroute.interventions.choose import Chosen
from polyroute.interventions.turn_effects import by_turn_effects
from polyroute.interventions.verdicts import Rule, Verdict, verdict
from polyroute.results.quantities import DECIMALS
from polyroute.results.steering import HELPED
from polyroute.stats.fdr import benjamini_hochberg
from polyroute.stats.paired import PairedScores, compare, of_the_same_items
from polyroute.steering.condition import Condition, Kind

RANDOM: tuple[Kind, ...] = ("random", "shared-random", "published-random", "shared-published-random")
"""Kinds of random sets."""


class FindingsError(PolyrouteError):
    """Answers that do not cover the study's conditions."""


def pooled_accuracy(right: pd.DataFrame, pivot: str) -> float:
    """Accuracy over the languages to be helped, each counting the same.

    Args:
        right: answers with the columns language and correct.
        pivot: language that is not to be helped.
    """
    return float(right[right["language"] != pivot].groupby("language")["correct"].mean().mean())


def ranked(right: Mapping[str, pd.DataFrame], pivot: str, inflation: Mapping[str, float]) -> dict[str, float]:
    """What conditions are ranked by among random sets.

    Args:
        right: `baseline` and conditions -> answers with `correct`.
        pivot: language that is not to be helped.
        inflation: condition -> factor of the variance of its mean, where not 1: its difference from the baseline then
            counts as if it varied as those of random sets do, which nobody chose.

    Returns:
        Condition -> pooled accuracy, so adjusted.
    """
    known = {name: pooled_accuracy(one, pivot) for name, one in right.items()}
    base = known["baseline"]
    return {name: base + (score - base) / math.sqrt(inflation.get(name, 1.0)) for name, score in known.items()}


def compared(
    conditions: Sequence[Condition],
    answers: Mapping[str, pd.DataFrame],
    *,
    pivot: str,
    confidence: float,
    seed: int,
    inflation: Mapping[str, float] = MappingProxyType({}),
) -> pd.DataFrame:
    """Every condition against the baseline.

    Args:
        conditions: of one phase, without the baseline.
        answers: `baseline` or condition -> answers of all languages, with columns item_id, language, correct; where
            texts were generated also `output_language`.
        pivot: language that is not to be helped.
        confidence: coverage of intervals.
        seed: of exchanges.
        inflation: condition -> factor of the variance of its mean, where not 1.

    Returns:
        Columns `condition`, `kind`, then those of `stats.paired.compare`; a row a condition and language, and one a
        condition for `HELPED`. There `q` adjusts the pooled p-values of all plans for one another, and those of random
        sets apart: they are what plans are held against, and more of them must not make a plan harder to tell.
        `language_changed` is the share of answers whose output language changed; NaN where nothing was written.

    Raises:
        FindingsError: the baseline or a condition was not answered.
    """
    lacking = [condition.name for condition in conditions if condition.name not in answers]
    if lacking or "baseline" not in answers:
        raise FindingsError(f"no answers under {', '.join(lacking) or 'baseline'}: run the stage `steer` again")
    base = answers["baseline"]
    helped = [language for language in base["language"].drop_duplicates() if language != pivot]
    tables = []
    for condition in conditions:
        edited = answers[condition.name]
        factor = inflation.get(condition.name, 1.0)
        scores = PairedScores.from_tables(of_the_same_items(base, edited), edited, factor)
        table = compare(scores, confidence=confidence, seed=seed, groups={HELPED: helped} if helped else {})
        table.insert(0, "kind", condition.kind)
        table.insert(0, "condition", condition.name)
        table["language_changed"] = table["group"].map(_language_changed(base, edited, helped))
        tables.append(table)
    if not tables:
        raise FindingsError("nothing was compared: there is no condition besides the baseline")
    found = pd.concat(tables, ignore_index=True)
    pooled = found["group"] == HELPED
    for one in (pooled & found["kind"].isin(RANDOM), pooled & ~found["kind"].isin(RANDOM)):
        found.loc[one, "q"] = benjamini_hochberg(found.loc[one, "p"].tolist())
    numbers = found.select_dtypes("number").columns
    found[numbers] = found[numbers].round(DECIMALS) + 0.0  # no -0.0 in tables
    return found


def judge(
    table: pd.DataFrame, right: Mapping[str, pd.DataFrame], condition: Condition, asked: Sequence[Condition],
    pivot: str, rule: Rule, inflation: float = 1.0,
) -> Verdict:  # fmt: skip
    """The verdict on a condition, by the rule of `interventions.verdicts`.

    Args:
        table: as `compared` returns it.
        right: `baseline` and conditions -> answers with `correct`.
        condition: which.
        asked: conditions of the table; its random sets are those that say so, in their order.
        pivot: language that is not to be helped.
        rule: what it is computed with.
        inflation: as for `compared`, of this condition.

    Raises:
        FindingsError: the condition is not in the table, or has no random sets there.
    """
    pooled = table[table["group"] == HELPED].set_index("condition")
    if condition.name not in pooled.index:
        raise FindingsError(f"`{condition.name}` cannot be judged: it was not run")
    difference = pooled["difference"].to_dict()
    drawn = [float(difference[one.name]) for one in asked if one.control_of == condition.name]
    if not drawn:
        raise FindingsError(f"`{condition.name}` cannot be judged: its random controls were not run")
    others = pooled[~pooled["kind"].isin(RANDOM) & (pooled.index != condition.name)]
    edited = right[condition.name]
    scores = PairedScores.from_tables(of_the_same_items(right["baseline"], edited), edited, inflation)
    row: dict[str, Any] = dict(pooled.loc[condition.name])
    return verdict(scores, row["q"], others["p"].tolist(), drawn, pivot, rule)


def published(
    table: pd.DataFrame, right: Mapping[str, pd.DataFrame], asked: Sequence[Condition], kind: Kind, pivot: str,
    rule: Rule,
) -> list[dict[str, Any]]:  # fmt: skip
    """The verdict on every published setting of a kind that was run, among random sets of its own."""
    settings = [one for one in asked if one.kind == kind]
    return [
        {"condition": one.name, "verdict": judge(table, right, one, asked, pivot, rule).plain()} for one in settings
    ]


def by_pivot_correctness(base: pd.DataFrame, pivot: str) -> pd.DataFrame:
    """Items by whether the baseline has them right in the pivot and in each language (RA-MoE, 2605.28306).

    What is right in the pivot alone is what steering toward the pivot's experts can give at most.

    Args:
        base: the baseline's answers, with columns item_id, language, correct; each right or wrong, nothing between.
        pivot: language to compare with.

    Returns:
        Columns language, items, both, pivot_only, language_only, neither (shares of items), in the order of `base`.

    Raises:
        FindingsError: the pivot was not answered.
    """
    wide = base.pivot(index="item_id", columns="language", values="correct")
    if pivot not in wide:
        raise FindingsError(f"the baseline has no answers in {pivot}, the pivot")
    rows = []
    for language in base["language"].drop_duplicates():
        if language == pivot:
            continue
        asked = wide[[pivot, language]].dropna().astype(bool)
        here, there = asked[language], asked[pivot]
        rows.append(
            {
                "language": language, "items": len(asked), "both": (here & there).mean(),
                "pivot_only": (there & ~here).mean(), "language_only": (here & ~there).mean(),
                "neither": (~here & ~there).mean(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows, columns=["language", "items", "both", "pivot_only", "language_only", "neither"])


def _language_changed(base: pd.DataFrame, edited: pd.DataFrame, helped: Sequence[str]) -> dict[str, float]:
    """Language, or the group of those to be helped -> share of answers whose output language changed."""
    if "output_language" not in base or "output_language" not in edited:
        return {}
    keys = ["item_id", "language"]
    both = base[[*keys, "output_language"]].merge(edited[[*keys, "output_language"]], on=keys, suffixes=("", "_edited"))
    changed = both["output_language"] != both["output_language_edited"]
    shares = {str(language): float(share) for language, share in changed.groupby(both["language"]).mean().items()}
    of_helped = [shares[language] for language in helped if language in shares]
    return shares | ({HELPED: float(np.mean(of_helped))} if of_helped else {})


@dataclass(frozen=True)
class Asked:
    """What a task was asked toward one kind of experts, and what it answered."""

    chosen: Chosen
    """On all items, and what is known of it."""
    folds: Mapping[Split, Chosen]
    """The same of each half that was chosen on."""
    conditions: Sequence[Condition]
    """That were asked, of one name once."""
    right: Mapping[str, pd.DataFrame]
    """`baseline` and conditions -> answers with `correct`."""

    @property
    def inflation(self) -> float:
        """Factor of the variance of the chosen plan's mean."""
        return float(self.chosen.summary["inflation"])

    def one(self, kind: Kind) -> Condition:
        """The condition of a kind that there is one of."""
        return next(condition for condition in self.conditions if condition.kind == kind)


def task_experts_effects(asked: Asked, table: pd.DataFrame, pivot: str, rule: Rule) -> dict[str, Any]:
    """What steering toward task experts did, in short; plain data.

    Args:
        asked: what was asked and answered.
        table: of its conditions, as `compared` returns it.
        pivot: language that is not to be helped.
        rule: what verdicts are computed with.

    Returns:
        The summary of what was chosen with the verdict, that on the published setting (None where it was not run),
        what experts of the turn do in place of task experts (absent where they were not asked) and what the pivot
        knows (`by_pivot_correctness`), which is empty where scores lie between right and wrong.
    """
    right, conditions = asked.right, asked.conditions
    as_published = published(table, right, conditions, "published", pivot, rule)
    by_turn = by_turn_effects(right, pivot, rule)
    return (
        asked.chosen.summary
        | ({} if by_turn is None else {"by_turn": by_turn})
        | {
            "not_run": None,
            "folds": {split: one.summary for split, one in asked.folds.items()},
            "verdict": judge(table, right, asked.one("chosen"), conditions, pivot, rule, asked.inflation).plain(),
            "published": as_published[0] if as_published else None,
            "by_pivot_correctness": _by_pivot_correctness(right["baseline"], pivot),
        }
    )


def shared_experts_effects(asked: Asked, table: pd.DataFrame, pivot: str, rule: Rule) -> dict[str, Any]:
    """What steering toward shared experts did, in short; plain data. See `task_experts_effects`."""
    chosen = asked.one("shared-chosen")
    pooled = table[(table["group"] == HELPED) & (table["condition"] == chosen.name)]
    return asked.chosen.summary | {
        "not_run": None,
        "folds": {split: one.summary for split, one in asked.folds.items()},
        "difference": float(pooled["difference"].iloc[0]),
        "as_released": as_released(table),
        "verdict": judge(table, asked.right, chosen, asked.conditions, pivot, rule, asked.inflation).plain(),
        "published": published(table, asked.right, asked.conditions, "shared-published", pivot, rule),
    }


def as_released(table: pd.DataFrame) -> dict[str, str | float]:
    """The best of all sources and strengths on the very items that it is reported on.

    It looks better than it is: the largest of several noisy differences.

    Args:
        table: as `compared` returns it.

    Returns:
        `condition` and its pooled `difference`; of equals the first.
    """
    pooled = table[(table["group"] == HELPED) & (table["kind"] == "shared")]
    best = pooled.sort_values("difference", ascending=False, kind="stable").iloc[0]
    return {"condition": str(best["condition"]), "difference": float(best["difference"])}


def _by_pivot_correctness(base: pd.DataFrame, pivot: str) -> list[dict[Hashable, Any]]:
    """Items by what the pivot knows; none where some score is between right and wrong (F1, chrF)."""
    if not base["correct"].isin([0, 1]).all():
        return []
    return by_pivot_correctness(base, pivot).round(DECIMALS).to_dict("records")
