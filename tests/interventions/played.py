"""The stages of the study played in memory on the tiny model: plan, tune, choose, ask, judge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from asking.seated import ITEMS, asker, target
from experts.made import random_trace
from interventions.test_plans import settings
from interventions.test_shared_plans import PUBLISHED
from interventions.test_shared_plans import conditions as shared_conditions
from polyroute.artifacts.answers import Answers, comparable
from polyroute.artifacts.questions import SPLITS, Split
from polyroute.asking.ask import Asker
from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.interventions.choose import (
    CHOSEN_ON,
    Chosen,
    ChosenPlans,
    Toward,
    TunePlans,
    best_task_plan,
    choose_shared,
    choose_task_experts,
    chosen_for_each_other,
    shared_plan_on_all,
)
from polyroute.interventions.effects import (
    Asked,
    compared,
    pooled_accuracy,
    shared_experts_effects,
    task_experts_effects,
)
from polyroute.interventions.mask_effects import ACCURACY, CONSISTENCY, mask_effects
from polyroute.interventions.mask_plans import MaskPlans
from polyroute.interventions.plans import Conditions
from polyroute.interventions.verdicts import Rule
from polyroute.measures.specialisation import mean_frequency
from polyroute.scoring.kinds import IN_LANGUAGE, by_score, grade
from polyroute.steering.condition import BASELINE, AskedConditions, Condition, ConditionFile
from polyroute.steering.plan import Plan

PIVOT = "eng_Latn"
RULE = Rule(confidence=0.9, studies=60, seed=3)
Right = Callable[[Answers], pd.DataFrame]
"""From scored answers to those with `correct`."""


def by_sum(answers: Answers) -> pd.DataFrame:
    return by_score(answers.frame, "choice", "sum")


@dataclass(frozen=True)
class Steered:
    """What the stages hand on for one kind of experts."""

    tried: dict[str, Answers]
    """The baseline and every candidate on the half `select`, scored."""
    answers: dict[Split, dict[str, Answers]]
    """Half -> the baseline and every condition that it was asked under, scored."""
    table: pd.DataFrame
    mechanism: pd.DataFrame
    summary: dict[str, Any]
    plan: Plan
    """The one chosen on the half `select`."""


def random_sets(experts: ExpertSet) -> Controls:
    """Matched on random text."""
    frequency_LE = mean_frequency(random_trace(0, 20, layers=3, experts=8))
    return Controls(experts, frequency_LE, range(3), seed=3)


def task_experts(folder: Path, delta: float = 0.3, right: Right = by_sum) -> Steered:
    """Steering toward a task's experts: one in each layer, all with the same Delta."""

    def above(tau, layers):
        return {layer: (layer,) for layer in range(layers[0], layers[1] + 1) if delta > tau}

    made = Conditions(target(), settings(), task_experts=above, middle=(1, 1), seed=3)

    return _played(
        asker(folder), "task experts", made.candidates(),
        lambda accuracy: choose_task_experts(
            made, accuracy, plans=settings(), controls=random_sets, multilingual=lambda *_: {1: (5,)},
            pivots={"deu_Latn": lambda *_: {1: (6,)}}, published=None,
        ),
        lambda accuracy: best_task_plan(made, accuracy)[1], right,
    )  # fmt: skip


def shared_experts(folder: Path, right: Right = by_sum) -> Steered:
    """Steering toward experts that English and German share in layer 1."""
    made = shared_conditions(middle=(1, 1))
    return _played(
        asker(folder), "shared experts", made.candidates(),
        lambda accuracy: choose_shared(made, accuracy, PUBLISHED, settings()),
        lambda accuracy: shared_plan_on_all(made, accuracy).summary, right,
    )  # fmt: skip


def masked(asked: Asker, plans: MaskPlans, items: pd.DataFrame = ITEMS) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Every mask asked beside the baseline, and judged."""
    given = handed_on(plans)
    conditions, asked = given.conditions, replace(asked, own_only=given.own_only)
    answers = scored(asked, "report", [BASELINE, *conditions], items)
    names = {ACCURACY: "sum"} if "choices" in items else {ACCURACY: "correct", CONSISTENCY: IN_LANGUAGE}
    right = {
        called: {name: by_score(one.frame, one.header.kind, score) for name, one in answers.items()}
        for called, score in names.items()
    }
    mechanism = asked.mechanism(conditions, by_language=True)
    return mask_effects(plans, right, mechanism, RULE)


def scored(
    asked: Asker, split: str, conditions: Sequence[Condition], items: pd.DataFrame = ITEMS
) -> dict[str, Answers]:
    """Answers of one half under every condition, scored and held against the baseline."""
    found = {name: grade(one, items, split) for name, one in asked.ask(split, conditions).items()}
    for one in found.values():
        comparable(found[BASELINE.name], one)
    return found


def handed_on(made: ConditionFile) -> AskedConditions:
    """A file of conditions, as asking reads it."""
    return AskedConditions.model_validate_json(made.model_dump_json())


def _played(
    asked: Asker, toward: Toward, candidates: Sequence[Condition],
    choose: Callable[[dict[str, float]], tuple[list[Condition], Chosen]],
    on_all: Callable[[dict[str, float]], dict[str, Any]], right: Right,
) -> Steered:  # fmt: skip
    tune = handed_on(TunePlans(conditions=tuple(candidates), not_run={}))
    tried = {split: scored(asked, split, [BASELINE, *tune.conditions]) for split in SPLITS}
    told = {split: {name: right(one) for name, one in tried[split].items()} for split in SPLITS}
    whole = {name: pd.concat([told[split][name] for split in SPLITS]) for name in told["select"]}
    chosen = {split: choose(_accuracy(told[split])) for split in SPLITS}
    conditions: dict[str, Condition] = {}
    halves: dict[str, list[pd.DataFrame]] = {}
    answers = {}
    for split in SPLITS:
        reported, one = chosen[CHOSEN_ON[split]]
        steer = handed_on(ChosenPlans(conditions=tuple(reported), toward={toward: one}))
        answers[split] = scored(asked, split, [BASELINE, *steer.conditions])
        conditions |= {condition.name: condition for condition in steer.conditions}
        for name, said in answers[split].items():
            halves.setdefault(name, []).append(right(said))
    factor = chosen_for_each_other(told, [one.name for one in candidates], PIVOT)
    effects = task_experts_effects if toward == "task experts" else shared_experts_effects
    given = Asked(
        Chosen(not_run=None, summary=on_all(_accuracy(whole)) | {"inflation": factor}),
        {split: one for split, (_, one) in chosen.items()},
        list(conditions.values()), {name: pd.concat(frames) for name, frames in halves.items()},
    )  # fmt: skip
    name = "chosen" if toward == "task experts" else "shared-chosen"
    table = compared(given.conditions, given.right, pivot=PIVOT, confidence=0.9, seed=3, inflation={name: factor})
    summary = effects(given, table, PIVOT, RULE)
    reported, _ = chosen["select"]
    plan = next(one.plan for one in reported if one.name in ("chosen", "shared-chosen"))
    mechanism = asked.mechanism(reported, by_language=False)
    return Steered(tried["select"], answers, table, mechanism, summary, plan)


def _accuracy(right: dict[str, pd.DataFrame]) -> dict[str, float]:
    return {name: pooled_accuracy(one, PIVOT) for name, one in right.items()}
