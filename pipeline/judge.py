"""Stage judge@<model>: answers with and without steering and masks -> what these did, and the verdicts."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from polyroute.artifacts import answers
from polyroute.artifacts.answers import Answers, comparable
from polyroute.artifacts.key import read_joined
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import SPLITS, Split
from polyroute.ground import console
from polyroute.ground.errors import AnswerError
from polyroute.ground.files import read_checked_table
from polyroute.ground.paths import Paths
from polyroute.interventions import effects, mask_effects
from polyroute.interventions.choose import CHOSEN_ON, ChosenPlans
from polyroute.interventions.mask_effects import ACCURACY, CONSISTENCY
from polyroute.interventions.mask_plans import MaskPlans
from polyroute.interventions.rounds import Halves, next_round
from polyroute.interventions.settings import JudgedTask, JudgeSettings
from polyroute.interventions.turned import turned
from polyroute.interventions.verdicts import Rule
from polyroute.results.masking import InterventionMetrics, MaskingSummary, MaskRow
from polyroute.results.steering import HELPED, MechanismRow, SteeringSummary, SteerRow, TurnedRow
from polyroute.scoring.kinds import IN_LANGUAGE, by_score, grade
from polyroute.steering.condition import BASELINE


@console.stage(JudgeSettings)
def main(settings: JudgeSettings, paths: Paths) -> Iterator[str]:
    """Hold what every plan and mask did against the unedited model; needs no model."""
    folder = paths.metrics(settings.name)
    paths.scored(settings.name, "interventions").mkdir(parents=True, exist_ok=True)
    steered: list[pd.DataFrame] = []
    mechanisms: list[pd.DataFrame] = []
    items: list[pd.DataFrame] = []
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
            if toward == "task experts":
                items.append(turned(paths, settings.name, task, settings.tasks[task].score))
    SteerRow.write(folder, steered)
    MechanismRow.write(folder, mechanisms)
    TurnedRow.write(folder, items)
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


Answered = dict[Split, dict[str, Answers]]
"""Half of the items -> `baseline` or condition -> its answers, scored."""


def _answered(
    settings: JudgeSettings, paths: Paths, purpose: str, task: str, conditions: Halves, languages: Sequence[str] | None
) -> Answered:
    """Scored and kept beside one another."""
    name = settings.name
    count = settings.tasks[task].items
    items = read_joined(paths.task_questions(name, task), paths.key(name, task), languages, count=count)
    found: Answered = {}
    for split, half in conditions.items():
        found[split] = {}
        for condition in (BASELINE, *half) if half else ():
            path = paths.answers(name, purpose) / task / split / f"{condition.name}.parquet"
            if purpose == "steer" and condition.control_of is not None and not path.exists():
                continue  # a random set that was not needed; `_steered` holds that against the rule
            one = grade(answers.read(path), items, split)
            comparable(found[split].get("baseline", one), one)
            kept = paths.scored(name, "interventions") / purpose / task / split
            one.write(kept / f"{condition.name}.parquet")
            found[split][condition.name] = one
    return found


def _right(answered: Answered, kind: TaskKind, score: str) -> dict[str, pd.DataFrame]:
    """`baseline` or condition -> its answers to all items, by one score."""
    halves: dict[str, list[pd.DataFrame]] = {}
    for half in answered.values():
        for name, one in half.items():
            halves.setdefault(name, []).append(by_score(one.frame, kind, score))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in halves.items()}


def _rule(settings: JudgeSettings, task: JudgedTask) -> Rule:
    return Rule(settings.intervals.confidence, settings.intervals.resamples, settings.seed, task.gain)


def _steered(settings: JudgeSettings, paths: Paths, task: str) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Toward which experts, the table, the mechanism and the summary; no tables where it was not run."""
    folder = paths.chosen(settings.name) / task
    on_all = ChosenPlans.load(folder / "all.json")
    folds = {split: ChosenPlans.load(folder / f"{split}.json") for split in SPLITS}
    conditions: Halves = {split: folds[CHOSEN_ON[split]].conditions for split in SPLITS}
    how, rule = settings.tasks[task], _rule(settings, settings.tasks[task])
    right = _right(_answered(settings, paths, "steer", task, conditions, None), how.kind, how.score)
    scores = effects.ranked(right, settings.pivot, on_all.inflation) if right else {}
    if lacking := [one.name for half in next_round(conditions, scores).values() for one in half]:
        raise effects.FindingsError(f"{task}: no answers under {lacking[0]}: run the stage `steer` again")
    mechanism = _mechanism(paths, settings.name, "steer", task) if right else pd.DataFrame()
    for toward, one in sorted(on_all.toward.items(), reverse=True):  # task experts, then shared experts
        if one.not_run is not None:
            yield toward, None, None, {"not_run": one.not_run}
            continue
        parts = {split: folds[split].toward[toward] for split in SPLITS}
        names = {name for part in parts.values() for name in part.reported if name in right}
        asked = {one_of.name: one_of for half in conditions.values() for one_of in half if one_of.name in names}
        reported = effects.Asked(one, parts, list(asked.values()), right)
        table = effects.compared(
            reported.conditions, right, pivot=settings.pivot, confidence=rule.confidence, seed=rule.seed,
            inflation=on_all.inflation,
        )  # fmt: skip
        summary = (
            effects.task_experts_effects(reported, table, settings.pivot, rule)
            if toward == "task experts"
            else effects.shared_experts_effects(reported, table, settings.pivot, replace(rule, gain=None))
        )
        yield toward, table, mechanism[mechanism["condition"].isin(names)], summary


def _masked(settings: JudgeSettings, paths: Paths, task: str, plans: MaskPlans) -> tuple[pd.DataFrame, dict[str, Any]]:
    how = settings.tasks[task]
    answered = _answered(settings, paths, "mask", task, dict.fromkeys(SPLITS, plans.conditions), plans.languages)
    scores = {ACCURACY: how.score} | ({} if how.kind == "choice" else {CONSISTENCY: IN_LANGUAGE})
    right = {called: _right(answered, how.kind, score) for called, score in scores.items()}
    mechanism = _mechanism(paths, settings.name, "mask", task) if plans.conditions else _NO_MECHANISM
    return mask_effects.mask_effects(plans, right, mechanism, replace(_rule(settings, how), gain=None))


_NO_MECHANISM = pd.DataFrame(columns=["condition", "evaluated", "share_before", "rerouted"])


def _mechanism(paths: Paths, model: str, purpose: str, task: str) -> pd.DataFrame:
    path = paths.answers(model, purpose) / task / "mechanism.csv"
    return read_checked_table(path, AnswerError, keep_default_na=False, na_values={"relative_size": [""]})


def _steering_line(table: pd.DataFrame, summary: dict[str, Any]) -> str:
    chosen = summary["chosen"]
    name = "chosen" if "tau" in chosen else "shared-chosen"
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
