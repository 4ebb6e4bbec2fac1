"""Which plan of those that were tried: for each half of the items the best on the other, and what stands beside it.

Chosen on all items is the plan that is handed on; what choosing so gains is what the two halves tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from polyroute.artifacts.questions import Split
from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.experts.specialised import size
from polyroute.interventions.plans import Conditions, Experts
from polyroute.interventions.settings import PublishedShared, PublishedSteering, SteerPlans
from polyroute.interventions.shared_plans import SharedConditions
from polyroute.interventions.turn_plans import DeltaByTurn
from polyroute.results.quantities import DECIMALS
from polyroute.stats.cross_fitting import inflation
from polyroute.stats.over_items import changes_by_item
from polyroute.stats.paired import PairedScores
from polyroute.steering.condition import Condition, ConditionFile
from polyroute.steering.plan import Plan

Toward = Literal["task experts", "shared experts"]
REPORTED_AS: dict[Toward, str] = {"task experts": "chosen", "shared experts": "shared-chosen"}
"""Toward which experts -> name of the condition that is whatever the other half chose."""
CHOSEN_ON: dict[Split, Split] = {"select": "report", "report": "select"}
"""Half that is asked -> the other, which its plans are chosen on."""


class TunePlans(ConditionFile):
    """`data/plans/<model>/tune/<task>.json`: what is tried on both halves."""

    not_run: dict[Toward, str]
    """Experts toward which nothing can be tried, and why."""


class Chosen(BaseModel):
    """What was chosen toward one kind of experts, or why nothing was."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    not_run: str | None
    summary: dict[str, Any] = {}
    """What is known before anything is reported: the plan in short, scores it was chosen by, what was left out."""
    reported: tuple[str, ...] = ()
    """Names of the conditions that the other half is asked under."""
    plan: Plan | None = None
    """The one that is handed on; null of halves, and toward experts whose plans are not."""


class ChosenPlans(ConditionFile):
    """`data/chosen/<model>/<task>/<items>.json`: what was chosen on some items, and what the others are asked under.

    Items are `select`, `report` or `all`; those who were chosen on all ask none.
    """

    toward: dict[Toward, Chosen]

    @property
    def inflation(self) -> dict[str, float]:
        """Condition -> factor of the variance of its mean, of those that were chosen on all items."""
        return {
            REPORTED_AS[key]: float(one.summary["inflation"])
            for key, one in self.toward.items()
            if "inflation" in one.summary
        }


def chosen_for_each_other(
    right: Mapping[Split, Mapping[str, pd.DataFrame]], candidates: Sequence[str], pivot: str
) -> float:
    """`stats.cross_fitting.inflation` of plans that halves of the items choose for each other.

    Args:
        right: half -> `baseline` or candidate -> its answers with `correct`.
        candidates: that are chosen among.
        pivot: language that is not to be helped.
    """
    halves = []
    for half in right.values():
        changes = []
        for name in candidates:
            scores = PairedScores.from_tables(half["baseline"], half[name])
            helped = [language for language in scores.languages if language != pivot]
            changes.append(changes_by_item(scores.only(helped).difference_NV))
        halves.append(np.stack(changes))
    return inflation(halves)


def choose(candidates: Sequence[Condition], accuracy: Mapping[str, float]) -> Condition:
    """The candidate with the highest accuracy.

    Of equals the gentlest: soft before activation, then the smallest strength, then the fewest experts.

    Args:
        candidates: as `Conditions.candidates` made them; the baseline is no candidate.
        accuracy: condition -> pooled accuracy over the languages to be helped, on the items that it is chosen on.
    """

    def rank(condition: Condition) -> tuple[float, bool, float, int]:
        plan = condition.plan
        assert plan is not None, "the baseline is no candidate"
        return -accuracy[condition.name], plan.rule != "soft", abs(plan.strength or 0.0), size(plan.experts)

    return min((condition for condition in candidates if condition.plan is not None), key=rank)


def best_task_plan(conditions: Conditions, accuracy: Mapping[str, float]) -> tuple[Condition, dict[str, Any]]:
    """The best candidate toward task experts, and what is known of it.

    Args:
        conditions: makes the conditions of this task.
        accuracy: of the baseline and every candidate; see `choose`.

    Raises:
        ConditionsError: no candidate can be made.
    """
    candidates = conditions.candidates()
    best = choose(candidates, accuracy)
    assert best.plan is not None, "a candidate has a plan"
    return best, {
        "chosen": {
            "condition": best.name, "rule": best.plan.rule, "strength": best.plan.strength,
            "tau": best.plan.source["tau"], "experts": size(best.plan.experts),
        },
        "selection": _selection(["baseline", *(one.name for one in candidates)], accuracy),
    }  # fmt: skip


def choose_task_experts(
    conditions: Conditions,
    accuracy: Mapping[str, float],
    *,
    plans: SteerPlans,
    controls: Callable[[ExpertSet], Controls],
    multilingual: Experts,
    pivots: dict[str, Experts],
    published: PublishedSteering | None,
    by_turn: DeltaByTurn | None = None,
) -> tuple[list[Condition], Chosen]:
    """The plan of a task by some of its items, and the conditions that the others are reported under.

    Args:
        conditions: makes the conditions of this task.
        accuracy: of the baseline and every candidate; see `choose`.
        plans: what is reported beside the best.
        controls: control sets of a set.
        multilingual: multilingual experts, by threshold and layers.
        pivots: other pivot -> the task's experts by its text.
        published: a paper's own setting, run as it stands.
        by_turn: Delta of the assistant's turn and of the task, where it is known.

    Raises:
        ConditionsError: no candidate can be made.
        ExpertsError: the chosen experts, or those published, are too many for random controls.
    """
    best, summary = best_task_plan(conditions, accuracy)
    reported = conditions.reported(
        best, plans, controls=controls, multilingual=multilingual, pivots=pivots, published=published,
        by_turn=by_turn,
    )  # fmt: skip
    left_out = [{"name": one.name, "reason": one.reason} for one in conditions.left_out]
    return reported, _chosen(summary | {"left_out": left_out, "balance": _balance(reported, controls)}, reported)


def best_shared_plan(conditions: SharedConditions, accuracy: Mapping[str, float]) -> tuple[Condition, dict[str, Any]]:
    """The best candidate toward shared experts, and what is known of it; as `best_task_plan`."""
    candidates = conditions.candidates()
    best = choose(candidates, accuracy)
    assert best.plan is not None, "a candidate has a plan"
    return best, {
        "chosen": {
            "condition": best.name, "source": best.plan.source["source"], "strength": best.plan.strength,
            "experts": size(conditions.experts),
        },
        "selection": _selection(["baseline", *(one.name for one in candidates)], accuracy),
    }  # fmt: skip


def shared_plan_on_all(conditions: SharedConditions, accuracy: Mapping[str, float]) -> Chosen:
    """The best candidate toward shared experts on all items, with what is common to both halves."""
    _best, summary = best_shared_plan(conditions, accuracy)
    common = {
        "pair": list(conditions.pair), "layers": list(conditions.middle), "k": conditions.k,
        "thr": conditions.settings.magnitude.thr,
    }  # fmt: skip
    return Chosen(not_run=None, summary=common | summary)


def choose_shared(
    conditions: SharedConditions, accuracy: Mapping[str, float], published: PublishedShared | None, plans: SteerPlans
) -> tuple[list[Condition], Chosen]:
    """Source and strength of steering toward shared experts by some items, and what the others are reported under.

    Args:
        conditions: makes the conditions of this task.
        accuracy: as for `choose_task_experts`.
        published: paper 2's own setting, run as it stands.
        plans: how many controls.

    Raises:
        ConditionsError: the published setting reaches no expert.
    """
    as_published = conditions.published(published)
    best, summary = best_shared_plan(conditions, accuracy)
    chosen = conditions.chosen(best)
    reported = [*conditions.candidates(), chosen, *conditions.controls(chosen, plans.draws)]
    for condition in as_published:
        reported += [condition, *conditions.controls(condition, plans.draws)]
    return reported, _chosen(summary | {"balance": _balance(reported, conditions.random_sets)}, reported)


def _balance(reported: Sequence[Condition], controls: Callable[[ExpertSet], Controls]) -> list[dict[str, Any]]:
    """How like random controls are to what they stand in for: a row a condition that has some, and layer."""
    drawn: dict[str, list[ExpertSet]] = {}
    for one in reported:
        if one.control_of is not None and one.plan is not None:
            drawn.setdefault(one.control_of, []).append(one.plan.experts)
    rows = []
    for condition in reported:
        if condition.name in drawn:
            assert condition.plan is not None, "what is controlled for has a plan"
            for layer in controls(condition.plan.experts).balance(drawn[condition.name]):
                rows.append({"condition": condition.name} | layer.model_dump())
    return rows


def _chosen(summary: dict[str, Any], reported: Sequence[Condition]) -> Chosen:
    return Chosen(not_run=None, summary=summary, reported=tuple(one.name for one in reported))


def _selection(names: Sequence[str], accuracy: Mapping[str, float]) -> list[dict[str, str | float]]:
    return [{"condition": name, "accuracy": round(accuracy[name], DECIMALS)} for name in names]
