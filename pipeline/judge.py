"""Stage judge@<model>: answers with and without steering and masks -> what these did, and the verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
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
from polyroute.interventions.rounds import next_round
from polyroute.interventions.settings import JudgedTask, JudgeSettings
from polyroute.interventions.verdicts import Rule
from polyroute.results.masking import InterventionMetrics, MaskingSummary, MaskRow
from polyroute.results.steering import HELPED, MechanismRow, SteeringSummary, SteerRow
from polyroute.scoring.kinds import IN_LANGUAGE, by_score, grade
from polyroute.steering.condition import BASELINE, Condition


@console.stage(JudgeSettings)
def main(settings: JudgeSettings, paths: Paths) -> Iterator[str]:
    """Hold what every plan and mask did against the unedited model; needs no model."""
    folder = paths.metrics(settings.name)
    paths.scored(settings.name, "interventions").mkdir(parents=True, exist_ok=True)
    steered: list[pd.DataFrame] = []
    mechanisms: list[pd.DataFrame] = []
    steering: dict[str, Any] = {}
    for task in settings.tasks:
        steering[task] = {}
        for toward, table, mechanism, summary in _steered(settings, paths, task):
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
        table, masking[task] = _masked(settings, paths, task, plans)
        masked.append(table.assign(task=task))
        for name, means in masking[task]["headline"][ACCURACY].items():
            yield f"{task}, {name} layers masked: {_masking_line(means)}"
    MaskRow.write(folder, masked)
    MaskingSummary.write(folder, {"tasks": masking})
    InterventionMetrics.write(folder, InterventionMetrics.of(folder))
    if not settings.tasks:
        yield "no tasks: nothing to judge"


def _answered(
    settings: JudgeSettings, paths: Paths, purpose: str, task: str, conditions: tuple[Condition, ...],
    languages: Sequence[str] | None,
) -> dict[str, Answers]:  # fmt: skip
    """`baseline` and every condition -> its answers of the report half, scored; kept beside one another."""
    name = settings.name
    items = read_joined(paths.task_questions(name, task), paths.key(name, task), languages)
    found: dict[str, Answers] = {}
    for condition in (BASELINE, *conditions) if conditions else ():
        path = paths.answers(name, purpose) / task / f"{condition.name}.parquet"
        if purpose == "steer" and condition.control_of is not None and not path.exists():
            continue  # a random set that was not needed; `_steered` holds that against the rule
        one = grade(answers.read(path), items, "report")
        comparable(found.get("baseline", one), one)
        one.write(paths.scored(name, "interventions") / purpose / task / f"{condition.name}.parquet")
        found[condition.name] = one
    return found


def _rule(settings: JudgeSettings, task: JudgedTask) -> Rule:
    return Rule(settings.intervals.confidence, settings.intervals.resamples, settings.seed, task.gain)


def _steered(settings: JudgeSettings, paths: Paths, task: str) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Toward which experts, the table, the mechanism and the summary; no tables where it was not run."""
    chosen = ChosenPlans.load(paths.chosen(settings.name) / f"{task}.json")
    how, rule = settings.tasks[task], _rule(settings, settings.tasks[task])
    graded = _answered(settings, paths, "steer", task, chosen.conditions, None)
    right = {name: by_score(one.frame, how.kind, how.score) for name, one in graded.items()}
    scores = {name: effects.pooled_accuracy(one, settings.pivot) for name, one in right.items()}
    if lacking := next_round(chosen.conditions, scores):
        raise effects.FindingsError(f"{task}: no answers under {lacking[0].name}: run the stage `steer` again")
    mechanism = _mechanism(paths, settings.name, "steer", task) if chosen.conditions else pd.DataFrame()
    for toward, one in sorted(chosen.toward.items(), reverse=True):  # task experts, then shared experts
        if one.not_run is not None:
            yield toward, None, None, {"not_run": one.not_run}
            continue
        reported = [one_of for one_of in chosen.conditions if one_of.name in one.reported and one_of.name in right]
        table = effects.compared(reported, right, pivot=settings.pivot, confidence=rule.confidence, seed=rule.seed)
        summary = (
            effects.task_experts_effects(one, table, right, settings.pivot, rule)
            if toward == "task experts"
            else effects.shared_experts_effects(one, table, right, settings.pivot, replace(rule, gain=None))
        )
        yield toward, table, mechanism[mechanism["condition"].isin(one.reported)], summary


def _masked(settings: JudgeSettings, paths: Paths, task: str, plans: MaskPlans) -> tuple[pd.DataFrame, dict[str, Any]]:
    how = settings.tasks[task]
    graded = _answered(settings, paths, "mask", task, plans.conditions, plans.languages)
    scores = {ACCURACY: how.score} | ({} if how.kind == "choice" else {CONSISTENCY: IN_LANGUAGE})
    right = {
        called: {name: by_score(one.frame, how.kind, score) for name, one in graded.items()}
        for called, score in scores.items()
    }
    mechanism = _mechanism(paths, settings.name, "mask", task) if plans.conditions else _NO_MECHANISM
    return mask_effects.mask_effects(plans, right, mechanism, replace(_rule(settings, how), gain=None))


_NO_MECHANISM = pd.DataFrame(columns=["condition", "evaluated", "share_before", "rerouted"])


def _mechanism(paths: Paths, model: str, purpose: str, task: str) -> pd.DataFrame:
    path = paths.answers(model, purpose) / task / "mechanism.csv"
    return pd.read_csv(path, keep_default_na=False, na_values={"relative_size": [""]})


def _steering_line(table: pd.DataFrame, summary: dict[str, Any]) -> str:
    chosen = summary["chosen"]
    name = "chosen" if "tau" in chosen else chosen["condition"]
    pooled: Any = table[table["group"] == HELPED].set_index("condition").loc[name]
    points = "{difference:+.1f} [{low:+.1f}, {high:+.1f}] points".format(**100 * pooled[["difference", "low", "high"]])
    return (
        f"{chosen['condition']}, {chosen['experts']} experts: {pooled['base']:.1%} -> {pooled['edited']:.1%} "
        f"({points}, {summary['verdict']['items']} items): {summary['verdict']['code'].replace('_', ' ')}"
    )


def _masking_line(means: dict[str, Any]) -> str:
    said = (("diagonal", "own"), ("off_diagonal", "others"), ("random_diagonal", "random"))
    return (
        ", ".join(
            f"{words} {100 * means[what]['value']:+.1f}" for what, words in said if means[what]["value"] is not None
        )
        + f" points, {means['items']} items: {means['code'].replace('_', ' ')}"
    )


if __name__ == "__main__":
    main()
