"""Stage judge@<model>: answers with and without steering and masks -> what these did, and the verdicts."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import pandas as pd

from polyroute.artifacts import answers
from polyroute.artifacts.answers import Answers, comparable
from polyroute.artifacts.key import read_joined
from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.interventions import effects, mask_effects
from polyroute.interventions.choose import ChosenPlans
from polyroute.interventions.mask_effects import ACCURACY, CONSISTENCY
from polyroute.interventions.mask_plans import MaskPlans
from polyroute.interventions.settings import JudgeSettings
from polyroute.results.masking import InterventionMetrics, MaskingSummary, MaskRow
from polyroute.results.steering import HELPED, MechanismRow, SteeringSummary, SteerRow
from polyroute.scoring.kinds import IN_LANGUAGE, by_score, grade
from polyroute.steering.condition import Condition


@console.stage(JudgeSettings)
def main(settings: JudgeSettings, paths: Paths) -> Iterator[str]:
    """Hold what every plan and mask did against the unedited model; needs no model."""
    folder = paths.metrics(settings.name)
    paths.scored(settings.name, "interventions").mkdir(parents=True, exist_ok=True)
    answered = {task: _Answered(settings.name, paths, task) for task in settings.tasks}
    steered: list[pd.DataFrame] = []
    mechanisms: list[pd.DataFrame] = []
    steering: dict[str, Any] = {}
    for task in settings.tasks:
        steering[task] = {}
        for toward, table, mechanism, summary in _steered(settings, paths, task, answered[task]):
            steering[task] |= {"shared": summary} if toward == "shared experts" else summary
            if table is None:
                yield f"{task}, toward {toward}: not run: {summary['not_run']}"
                continue
            steered.append(table.assign(task=task))
            mechanisms.append(mechanism.drop(columns="evaluated").assign(task=task))
            yield f"{task}, toward {toward}: {_steering_line(table, summary)}"
    SteerRow.write(folder, steered)
    MechanismRow.write(folder, mechanisms)
    SteeringSummary.write(folder, {"tasks": steering})
    masked: list[pd.DataFrame] = []
    masking: dict[str, Any] = {}
    for task in settings.masked:
        plans = MaskPlans.load(paths.conditions(settings.name, "mask") / f"{task}.json")
        if not plans.languages:
            yield f"{task}, masks: not run: the task exists in none of the masked languages ({', '.join(plans.among)})"
            continue
        table, masking[task] = _masked(settings, paths, task, plans, answered[task])
        masked.append(table.assign(task=task))
        for name, means in masking[task]["headline"][ACCURACY].items():
            yield f"{task}, {name} layers masked: {_masking_line(means)}"
    MaskRow.write(folder, masked)
    MaskingSummary.write(folder, {"tasks": masking})
    InterventionMetrics.write(folder, InterventionMetrics.of(folder))
    if not settings.tasks:
        yield "no tasks: nothing to judge"


class _Answered:
    """Answers to the report half of one task, graded; the baseline once for all asked in the same languages."""

    def __init__(self, model: str, paths: Paths, task: str):
        self.model, self.paths, self.task = model, paths, task
        self._baselines: dict[tuple[str, ...], Answers] = {}

    def under(
        self, purpose: str, conditions: tuple[Condition, ...], languages: Sequence[str] | None
    ) -> dict[str, Answers]:
        """`baseline` and every condition -> its answers; those of conditions are kept beside one another."""
        graded = {"baseline": self._baseline(languages)}
        for condition in conditions:
            file = f"{self.task}/{condition.name}.parquet"
            one = grade(answers.read(self.paths.answers(self.model, purpose) / file), self._items, "report")
            comparable(graded["baseline"], one)
            one.write(self.paths.scored(self.model, "interventions") / purpose / file)
            graded[condition.name] = one
        return graded

    def _baseline(self, languages: Sequence[str] | None) -> Answers:
        # A text's language is recognised among those that were asked: the same ones with and without the edit.
        asked = tuple(code for code in self._raw.header.questions if languages is None or code in languages)
        if asked not in self._baselines:
            self._baselines[asked] = grade(self._raw.only(asked), self._items, "report")
        return self._baselines[asked]

    @cached_property
    def _raw(self) -> Answers:
        return answers.read(self.paths.answers(self.model, "evaluate") / self.task / "report.parquet")

    @cached_property
    def _items(self) -> pd.DataFrame:
        return read_joined(self.paths.task_questions(self.model, self.task), self.paths.key(self.model, self.task))


def _steered(
    settings: JudgeSettings, paths: Paths, task: str, answered: _Answered
) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Toward which experts, the table, the mechanism and the summary; no tables where it was not run."""
    chosen = ChosenPlans.load(paths.chosen(settings.name) / f"{task}.json")
    how, drawing = settings.tasks[task], settings.intervals.model_dump() | {"seed": settings.seed}
    graded = answered.under("steer", chosen.conditions, None)
    right = {name: by_score(one.frame, how.kind, how.score) for name, one in graded.items()}
    mechanism = _mechanism(paths, settings.name, "steer", task) if chosen.conditions else pd.DataFrame()
    for toward, one in sorted(chosen.toward.items(), reverse=True):  # task experts, then shared experts
        if one.not_run is not None:
            yield toward, None, None, {"not_run": one.not_run}
            continue
        reported = [condition for condition in chosen.conditions if condition.name in one.reported]
        table = effects.compared(reported, right, pivot=settings.pivot, **drawing)
        summary = (
            effects.task_experts_effects(one, table, right, settings.pivot)
            if toward == "task experts"
            else effects.shared_experts_effects(one, table, settings.pivot)
        )
        yield toward, table, mechanism[mechanism["condition"].isin(one.reported)], summary


def _masked(
    settings: JudgeSettings, paths: Paths, task: str, plans: MaskPlans, answered: _Answered
) -> tuple[pd.DataFrame, dict[str, Any]]:
    how = settings.tasks[task]
    graded = answered.under("mask", plans.conditions, plans.languages)
    scores = {ACCURACY: how.score} | ({} if how.kind == "choice" else {CONSISTENCY: IN_LANGUAGE})
    right = {
        called: {name: by_score(one.frame, how.kind, score) for name, one in graded.items()}
        for called, score in scores.items()
    }
    mechanism = _mechanism(paths, settings.name, "mask", task) if plans.conditions else _NO_MECHANISM
    return mask_effects.mask_effects(plans, right, mechanism, intervals=settings.intervals, seed=settings.seed)


_NO_MECHANISM = pd.DataFrame(columns=["condition", "evaluated", "share_before", "rerouted"])


def _mechanism(paths: Paths, model: str, purpose: str, task: str) -> pd.DataFrame:
    path = paths.answers(model, purpose) / task / "mechanism.csv"
    return effects.rerouting(pd.read_csv(path, keep_default_na=False, na_values={"relative": [""]}))


def _steering_line(table: pd.DataFrame, summary: dict[str, Any]) -> str:
    chosen = summary["chosen"]
    name = "chosen" if "tau" in chosen else chosen["condition"]
    pooled: Any = table[table["group"] == HELPED].set_index("condition").loc[name]
    points = "{difference:+.1f} [{low:+.1f}, {high:+.1f}] points".format(**100 * pooled[["difference", "low", "high"]])
    return (
        f"{chosen['condition']}, {chosen['experts']} experts: {pooled['base']:.1%} -> {pooled['edited']:.1%} "
        f"({points}): {summary['verdict']['code'].replace('_', ' ')}"
    )


def _masking_line(means: dict[str, Any]) -> str:
    said = (("diagonal", "own"), ("off_diagonal", "others"), ("random_diagonal", "random"))
    return (
        ", ".join(
            f"{words} {100 * means[what]['value']:+.1f}" for what, words in said if means[what]["value"] is not None
        )
        + " points"
    )


if __name__ == "__main__":
    main()
