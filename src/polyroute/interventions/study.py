"""The intervention study of one task on one model: choose on one half of the items, report on the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute import console
from polyroute.evaluation.answers import Answers, comparable
from polyroute.experts import ExpertSet
from polyroute.experts.controls import Controls
from polyroute.experts.specialised import size
from polyroute.interventions.conditions import BASELINE, Condition, Conditions, Experts, choose
from polyroute.interventions.findings import beside_the_pivot, compared, judge
from polyroute.interventions.sitting import Sitting
from polyroute.measures.alignment import DECIMALS
from polyroute.params import Align, PublishedSteering
from polyroute.stats.paired import PairedScores
from polyroute.stats.power import minimal_detectable_difference, observed_changes
from polyroute.steering.plan import Plan
from polyroute.traces.format import Trace


@dataclass(frozen=True)
class Studied:
    """What a study of one task found."""

    table: pd.DataFrame
    """Of the report half; see `findings.compared`."""
    summary: dict[str, Any]
    """What was chosen, how, and the verdict; plain data."""
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
    selected = _asked(sitting, "select", candidates)
    accuracy = {name: _pooled(sitting.right(answers), pivot) for name, answers in selected.items()}
    chosen = choose(candidates, accuracy)
    assert chosen.plan is not None, "a candidate has a plan"
    nearest = conditions.settings.nearest

    def control(experts: ExpertSet, draw: int) -> ExpertSet:
        return Controls(experts, generic, seed=seed, nearest=nearest).draw(draw)

    reported = conditions.reported(
        chosen, controls=control, multilingual=multilingual, pivots=pivots, published=published
    )
    answers = _asked(sitting, "report", reported)
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
        "verdict": {
            "helps": verdict.helps, "beyond_random": verdict.beyond_random, "rank_p": verdict.rank_p,
            "pivot_loss": verdict.pivot_loss, "words": verdict.words,
        },
        "beside_the_pivot": beside_the_pivot(right[BASELINE.name], pivot).round(DECIMALS).to_dict("records"),
        "detectable": _detectable(right, pivot),
    }  # fmt: skip
    return Studied(table, summary, chosen.plan, _kept(candidates, selected) + tuple(answers.values()))


def _asked(sitting: Sitting, split: str, conditions: Sequence[Condition]) -> dict[str, Answers]:
    title = f"{sitting.model}, {sitting.examiner.name}: {split}"
    with console.progress(title, len(conditions) * sitting.count(split), "answers") as advance:
        return sitting.ask(split, conditions, advance)


def _kept(candidates: Sequence[Condition], selected: dict[str, Answers]) -> tuple[Answers, ...]:
    """Answers of the selection half; its baseline is that of the stage `evaluate`."""
    return tuple(selected[condition.name] for condition in candidates if condition.plan is not None)


def _pooled(right: pd.DataFrame, pivot: str) -> float:
    """Accuracy over the languages to be helped, each counting the same."""
    return float(right[right["language"] != pivot].groupby("language")["correct"].mean().mean())


def _detectable(right: dict[str, pd.DataFrame], pivot: str) -> float | None:
    """The smallest difference of the chosen plan that these items would show four times in five."""
    base, other = (frame[frame["language"] != pivot] for frame in (right[BASELINE.name], right["chosen"]))
    scores = PairedScores.from_tables(base, other)
    found = minimal_detectable_difference(
        len(scores.item_ids), len(scores.languages), observed_changes(scores.difference_NV)
    )
    return None if found is None else round(found, DECIMALS)
