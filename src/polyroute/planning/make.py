"""A plan made and checked: which experts, which of the candidates, and what it does on items that did not choose it.

As in a study, plans are cross-fitted over two halves of the items: the best of the candidates on each half is asked on
the other, beside random plans that are matched to it (`experts.controls`), as many in rounds as its rank needs; the
best on all items is the plan that is handed on. Both reports together say what choosing so gains. What it costs in
other languages is asked the same way; no plan was chosen by these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.questions import SPLITS, Split
from polyroute.experts.controls import Controls
from polyroute.interventions.choose import CHOSEN_ON, choose, chosen_for_each_other
from polyroute.interventions.effects import compared, judge, pooled_accuracy
from polyroute.interventions.plan_verdict import plan_verdict
from polyroute.interventions.plans import Conditions
from polyroute.interventions.verdicts import Rule
from polyroute.planning import experts
from polyroute.planning.answers import Respondent, Right, whole
from polyroute.planning.given import Given, PlanningError
from polyroute.planning.time import token_time
from polyroute.results.quantities import Middle
from polyroute.results.steering import HELPED, Verdict
from polyroute.steering.condition import Condition
from polyroute.steering.plan import Plan
from polyroute.steering.verdict import PlanVerdict


@dataclass(frozen=True)
class Made:
    """A plan with its verdict, and how it came about."""

    plan: Plan
    middle: Middle
    candidates: Mapping[str, float]
    """Candidate, `baseline` among them -> accuracy over the languages that the plan is for, on all items."""
    by_half: Mapping[Split, str]
    """Half of the items -> the candidate that it was asked under, chosen on the other half."""
    left_out: Sequence[str]
    """Candidates that were not tried, with the reason."""


def make(given: Given, *, timed: bool = True) -> Made:
    """Make a plan and check it.

    Args:
        given: model, text and items.
        timed: whether the time of a token is measured too.

    Raises:
        ConditionsError: no expert of the task is above any threshold.
        PlanningError: no candidate leaves experts to be held against.
        TraceError, AnswerError: as the stages that trace and ask.
    """
    conditions, middle = experts.found(given)
    candidates, left_out = _candidates(conditions)
    asked = Respondent(given, given.targets, "tune")
    tried = asked.right(dict.fromkeys(SPLITS, candidates))
    best = {split: choose(candidates, _accuracy(given, tried[split])) for split in SPLITS}
    on_all = _accuracy(given, whole(tried))
    inflation = chosen_for_each_other(tried, [one.name for one in candidates], given.pivot)
    steered = Respondent(given, given.targets, "steer")
    frequency_LE = steered.frequency()
    reported: dict[Split, list[Condition]] = {
        split: _reported(given, conditions, best[CHOSEN_ON[split]], frequency_LE) for split in SPLITS
    }
    right = steered.in_rounds(reported, inflation)
    handed_on = choose(candidates, on_all).plan
    assert handed_on is not None, "a candidate has a plan"
    found = _verdict(given, reported, right, _elsewhere(given, reported), inflation)
    time = token_time(given.loaded, handed_on, steered.asker.prompts("report", 4)) if timed else None
    plan = handed_on.model_copy(
        update={
            "source": {**handed_on.source, "for": list(given.targets)},
            "verdict": found.model_copy(update={"time": time}),
        }
    )
    return Made(
        plan, middle, {name: round(score, 4) for name, score in on_all.items()},
        {split: best[CHOSEN_ON[split]].name for split in SPLITS}, left_out,
    )  # fmt: skip


def _candidates(conditions: Conditions) -> tuple[list[Condition], list[str]]:
    """Those that leave as many experts in each layer as they move: others have no random plan beside them."""
    half = conditions.target.experts / 2
    kept, left_out = [], []
    for one in conditions.candidates():
        assert one.plan is not None, "a candidate has a plan"
        crowded = [layer for layer, moved in one.plan.experts.items() if len(moved) > half]
        if crowded:
            left_out.append(f"{one.name}: it moves more than half of the experts of layer {crowded[0]}")
        else:
            kept.append(one)
    if not kept:
        raise PlanningError(
            f"every candidate moves more than half of a layer's experts, such as {left_out[0]}: no random plan can "
            "stand beside it; raise steer.taus in params.yaml"
        )
    return kept, [*left_out, *(f"{one.name}: {one.reason}" for one in conditions.left_out)]


def _accuracy(given: Given, right: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    return {name: pooled_accuracy(one, given.pivot) for name, one in right.items()}


def _reported(
    given: Given, conditions: Conditions, best: Condition, frequency_LE: NDArray[np.float64]
) -> list[Condition]:
    """The chosen plan and its random ones."""
    made = conditions.reported(
        best, given.grid,
        controls=lambda chosen: Controls(chosen, frequency_LE, conditions.target.layers, seed=given.seed),
        multilingual=lambda _tau, _layers: {}, pivots={}, published=None,
    )  # fmt: skip
    return [one for one in made if one.kind in ("chosen", "random")]


def _elsewhere(given: Given, reported: Mapping[Split, Sequence[Condition]]) -> dict[str, pd.DataFrame]:
    """Answers in the languages that the plan is not for, as the model is and under the chosen plans."""
    if not given.others:
        return {}
    chosen = {split: [one for one in reported[split] if one.kind == "chosen"] for split in SPLITS}
    return whole(Respondent(given, given.others, "steer").right(chosen))


def _verdict(
    given: Given, reported: Mapping[Split, Sequence[Condition]], right: Right, elsewhere: Mapping[str, pd.DataFrame],
    inflation: float,
) -> PlanVerdict:  # fmt: skip
    answers = whole(right)
    every = {one.name: one for half in reported.values() for one in half if one.name in answers}
    held: Any = {"pivot": given.pivot, "confidence": given.confidence, "seed": given.seed}
    table = compared(list(every.values()), answers, inflation={"chosen": inflation}, **held)
    rule = Rule(given.confidence, given.studies, given.seed)
    found = judge(table, answers, every["chosen"], list(every.values()), given.pivot, rule, inflation)
    if elsewhere:
        others = compared([every["chosen"]], elsewhere, **held)
        table = pd.concat([table, others[others["group"] != HELPED]], ignore_index=True)
    return plan_verdict(
        table, "chosen", Verdict.model_validate(found.plain()), task=given.task, score=given.score,
        checked="cross_fitted", item_ids=sorted(set(answers["chosen"]["item_id"])), languages=given.targets,
    )  # fmt: skip
