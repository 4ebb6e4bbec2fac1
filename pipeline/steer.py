"""Stage steer@<model>: experts and tasks -> the steering plan of each task, and what it does beside its controls."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

import click
import pandas as pd

from polyroute.artifacts.trace import Trace
from polyroute.asking.mechanisms import COLUMNS as MECHANISM
from polyroute.asking.sitting import Sitting
from polyroute.evaluation.tasks.needed import model_tasks
from polyroute.experts.specialised import ExpertsError, experts_above
from polyroute.ground import console
from polyroute.ground.files import write_json, write_table
from polyroute.ground.paths import Paths
from polyroute.interventions import effects as findings
from polyroute.interventions.effects import FindingsError
from polyroute.interventions.plans import Conditions, ConditionsError, Target
from polyroute.interventions.shared_plans import SharedConditions, SharedStudied, study_shared
from polyroute.interventions.study import Studied, study
from polyroute.measures.layer_curves import DECIMALS
from polyroute.models.load import load, locate
from polyroute.params import file as params
from polyroute.params.file import Params

KEYS = (
    "study.pivot",
    "study.seed",
    "languages",
    "tasks",
    "models.{model}",
    "align",
    "evaluate",
    "steer",
)


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `models` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Choose a steering plan for each task on one half of its items, and report it on the other."""
    paths = Paths()
    given = params.load(paths.params).only(*KEYS, model=model)
    spec = given[f"models.{model}"]
    asked = model_tasks(given, model)
    loaded = load(model, spec, locate(model, spec)) if asked else None
    tables: list[pd.DataFrame] = []
    moved: list[pd.DataFrame] = []
    told: dict[str, Any] = {}
    for folder in (paths.steered(model), paths.plans(model)):
        folder.mkdir(parents=True, exist_ok=True)
    for task, needed in asked.items():
        assert loaded is not None, "there is something to ask"
        routers = loaded.routers
        target = Target(
            model, loaded.digest, task, tuple(router.layer for router in routers), routers[0].experts, routers[0].top_k
        )
        sitting = Sitting.of_study(given, model, task, needed.languages, loaded, paths)
        summaries: dict[str, dict[str, Any]] = {}
        for toward, run in (("task experts", _study), ("shared experts", _study_shared)):
            try:
                found: Studied | SharedStudied = run(target, sitting, given, paths)
            except (ConditionsError, ExpertsError, FindingsError) as error:
                summaries[toward] = {"not_run": str(error)}
                console.summary(f"steer@{model}", f"{task}, {toward}: not run: {error}")
                continue
            for answers in found.answers:
                answers.write(paths.steered(model) / task / f"{answers.header.condition}.parquet")
            if isinstance(found, Studied):
                found.plan.save(paths.plan(model, task))
            tables.append(found.table.assign(task=task))
            moved.append(found.mechanism.round(DECIMALS).assign(task=task))
            summaries[toward] = found.summary
            console.summary(f"steer@{model}", f"{task}, {toward}: {_told(found)}")
        told[task] = summaries["task experts"] | {"shared": summaries["shared experts"]}
        _write(paths, model, tables, moved, told)  # a later task that fails takes nothing with it
    if not asked:
        console.summary(f"steer@{model}", "no tasks: nothing to steer")
        _write(paths, model, tables, moved, told)


def _write(
    paths: Paths, model: str, tables: list[pd.DataFrame], moved: list[pd.DataFrame], told: dict[str, Any]
) -> None:
    write_table(paths.metrics(model) / "steer.csv", tables, ["task", *findings.COLUMNS])
    write_table(paths.metrics(model) / "mechanism.csv", moved, ["task", *MECHANISM])
    write_json(paths.metrics(model) / "steer.json", {"tasks": told})


def _study(target: Target, sitting: Sitting, given: Params, paths: Paths) -> Studied:
    model, task = target.model, target.task
    spec, seed, middle = given[f"models.{model}"], given["study.seed"], _middle(model, paths)
    if given[f"tasks.{task}"].text is None:
        raise ConditionsError(
            f"tasks.{task}.text names no in-task text, by which task experts are found; name a corpus to steer by them"
        )
    table = pd.read_csv(paths.metrics(model) / "experts.csv", keep_default_na=False, dtype={"task": str})
    own, *pivots = params.text_languages(given, task)
    of_task = {
        language: table[(table["task"] == task) & (table["language"] == language)] for language in [own, *pivots]
    }
    conditions = Conditions(
        target, given["steer"], task_experts=partial(experts_above, of_task[own]), middle=tuple(middle["layers"]),
        seed=seed,
    )  # fmt: skip
    done = study(
        sitting, conditions, pivot=given["study.pivot"], generic=Trace.load(paths.trace(model, spec.corpora[0], own)),
        multilingual=partial(experts_above, table[table["task"] == ""]),
        pivots={pivot: partial(experts_above, of_task[pivot]) for pivot in pivots},
        published=spec.published.get(task), settings=given["align"], seed=seed,
    )  # fmt: skip
    return replace(done, summary=done.summary | {"middle": middle})


def _study_shared(target: Target, sitting: Sitting, given: Params, paths: Paths) -> SharedStudied:
    spec, seed = given[f"models.{target.model}"], given["study.seed"]
    if spec.dominant is None:
        raise ConditionsError(f"models.{target.model}.dominant names no pair of languages")
    traces = {code: Trace.load(paths.trace(target.model, spec.corpora[0], code)) for code in spec.dominant}
    middle = tuple(_middle(target.model, paths)["layers"])
    conditions = SharedConditions(target, given["steer"], traces, middle=middle, seed=seed)
    return study_shared(
        sitting, conditions, pivot=given["study.pivot"], published=spec.published_shared.get(target.task),
        settings=given["align"], seed=seed,
    )  # fmt: skip


def _middle(model: str, paths: Paths) -> dict[str, Any]:
    """`layers`, `found` and `reason`."""
    middle: dict[str, Any] = json.loads((paths.metrics(model) / "experts.json").read_text(encoding="utf-8"))["middle"]
    return middle


def _told(found: Studied | SharedStudied) -> str:
    """What the chosen plan did, in a line."""
    chosen = found.summary["chosen"]
    name = "chosen" if isinstance(found, Studied) else chosen["condition"]
    pooled: Any = found.table[found.table["over"] == findings.HELPED].set_index("condition").loc[name]
    points = "{difference:+.1f} [{low:+.1f}, {high:+.1f}] points".format(**100 * pooled[["difference", "low", "high"]])
    return (
        f"{chosen['condition']}, {chosen['experts']} experts: {pooled['base']:.1%} -> {pooled['other']:.1%} "
        f"({points}); better: {found.summary['verdict']['words']}"
    )


if __name__ == "__main__":
    main()
