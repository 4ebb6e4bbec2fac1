"""The intervention study of one task on one model: choose on one half of the items, report on the other."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.artifacts.answers import Answers, comparable
from polyroute.artifacts.trace import Trace
from polyroute.asking.mechanisms import mechanisms
from polyroute.asking.sitting import Sitting
from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.experts.specialised import size
from polyroute.interventions.effects import beside_the_pivot, compared, judge, pooled_accuracy
from polyroute.interventions.plans import BASELINE, Condition, Conditions, Experts, choose
from polyroute.interventions.settings import PublishedSteering
from polyroute.measures.layer_curves import DECIMALS
from polyroute.measures.settings import Align
from polyroute.stats.paired import PairedScores
from polyroute.stats.power import minimal_detectable_difference, observed_changes
from polyroute.steering.plan import Plan


@dataclass(frozen=True)
class Studied:
    """What a study of one task found."""

    table: pd.DataFrame
    """Of the report half; see `findings.compared`."""
    mechanism: pd.DataFrame
    """What each condition of the report half does to routing; see `mechanisms.mechanisms`."""
    summary: dict[str, Any]
    """What was chosen, how, and the verdict; plain data. Where scores lie between right and wrong, `beside_the_pivot`
    is empty and `detectable` None."""
    plan: Plan
    """The chosen one."""
    answers: tuple[Answers, ...]
    """Of both halves, every condition; names of candidates begin with their threshold."""


def study(
    sitting: Sitting,
    conditions: Conditions,
    *,
    pivot: str,
    generic: Trace,
    multilingual: Experts,
    pivots: dict[str, Experts],
    published: PublishedSteering | None,
    settings: Align,
    seed: int,
) -> Studied:
    """Try the candidates on the selection half, and report the best beside its controls on the other.

    Args:
        sitting: asks the model.
        conditions: makes the conditions of this task.
        pivot: language that is not to be helped.
        generic: generic text in the language of the task's experts, on which controls match in frequency.
        multilingual: multilingual experts, by threshold and layers.
        pivots: other pivot -> the task's experts by its text.
        published: a paper's own setting, run as it stands.
        settings: resamples and confidence of intervals.
        seed: of resamples and control sets.

    Raises:
        ConditionsError: no candidate can be made.
        ExpertsError: the chosen experts are too many for random controls.
    """
    candidates = conditions.candidates()
    selected = sitting.ask_shown("select", candidates)
    accuracy = {name: pooled_accuracy(sitting.right(answers), pivot) for name, answers in selected.items()}
    chosen = choose(candidates, accuracy)
    assert chosen.plan is not None, "a candidate has a plan"
    nearest = conditions.settings.nearest

    def control(experts: ExpertSet, draw: int) -> ExpertSet:
        return Controls(experts, generic, seed=seed, nearest=nearest).draw(draw)

    reported = conditions.reported(
        chosen, controls=control, multilingual=multilingual, pivots=pivots, published=published
    )
    answers = sitting.ask_shown("report", reported)
    for name in answers:
        comparable(answers[BASELINE.name], answers[name])
    right = {name: sitting.right(one) for name, one in answers.items()}
    table = compared(
        reported, right, pivot=pivot, resamples=settings.resamples, confidence=settings.confidence, seed=seed
    )
    verdict = judge(table, "chosen", pivot)
    summary = {
        "not_run": None,
        "chosen": {
            "condition": chosen.name, "rule": chosen.plan.rule, "strength": chosen.plan.strength,
            "tau": chosen.plan.source["tau"], "experts": size(chosen.plan.experts),
        },
        "selection": [{"condition": name, "accuracy": round(value, DECIMALS)} for name, value in accuracy.items()],
        "left_out": [{"name": one.name, "reason": one.reason} for one in conditions.left_out],
        "verdict": verdict.plain(),
        "beside_the_pivot": _beside_the_pivot(right[BASELINE.name], pivot),
        "detectable": _detectable(right, pivot),
    }  # fmt: skip
    mechanism = mechanisms(sitting, reported, conditions.settings.mechanism_items)
    return Studied(table, mechanism, summary, chosen.plan, _kept(candidates, selected) + tuple(answers.values()))


def _kept(candidates: Sequence[Condition], selected: dict[str, Answers]) -> tuple[Answers, ...]:
    """Answers of the selection half; its baseline is that of the stage `evaluate`."""
    return tuple(selected[condition.name] for condition in candidates if condition.plan is not None)


def _beside_the_pivot(base: pd.DataFrame, pivot: str) -> list[dict[Hashable, Any]]:
    """Items by what the pivot knows; none where some score is between right and wrong (F1, chrF)."""
    if not base["correct"].isin([0, 1]).all():
        return []
    return beside_the_pivot(base, pivot).round(DECIMALS).to_dict("records")


def _detectable(right: dict[str, pd.DataFrame], pivot: str) -> float | None:
    """The smallest difference of the chosen plan that these items would show four times in five.

    None where not even the largest would show so often, and for scores between right and wrong, of which
    `stats.power` says nothing.
    """
    base, other = (frame[frame["language"] != pivot] for frame in (right[BASELINE.name], right["chosen"]))
    scores = PairedScores.from_tables(base, other)
    if scores.graded:
        return None
    found = minimal_detectable_difference(
        len(scores.item_ids), len(scores.languages), observed_changes(scores.difference_NV)
    )
    return None if found is None else round(found, DECIMALS)
