"""Stage evaluate@<model>: tasks -> answers of the model as it is, and its accuracy in every language."""

from typing import Any

import click
import pandas as pd

from polyroute.asking.sitting import Sitting
from polyroute.evaluation import tasks
from polyroute.evaluation.tasks.needed import model_tasks
from polyroute.ground import console
from polyroute.ground.files import write_json, write_table
from polyroute.ground.paths import Paths
from polyroute.interventions.plans import BASELINE
from polyroute.models.load import load, locate
from polyroute.params import file as params
from polyroute.scoring import accuracy

KEYS = ("study.pivot", "study.seed", "languages", "tasks", "models.{model}", "evaluate")

GRADED = {"f1": "F1", "chrf": "chrF"}
"""Scores that are a number in [0, 1] an item, not right or wrong -> what they are called."""


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `models` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Ask a model its tasks in every language."""
    paths = Paths()
    given = params.load(paths.params).only(*KEYS, model=model)
    spec, pivot = given[f"models.{model}"], given["study.pivot"]
    tables: list[pd.DataFrame] = []
    told: dict[str, Any] = {}
    paths.answers(model).mkdir(parents=True, exist_ok=True)
    asked = model_tasks(given, model)
    loaded = load(model, spec, locate(model, spec)) if asked else None
    for name, needed in asked.items():
        assert loaded is not None, "there is something to ask"
        sitting = Sitting.of_study(given, model, name, needed.languages, loaded, paths)
        with console.progress(f"evaluate {model}: {name}", len(sitting.items), "items") as advance:
            answers = [sitting.ask(split, [BASELINE], advance)[BASELINE.name] for split in tasks.SPLITS]
        for split, one in zip(tasks.SPLITS, answers, strict=True):
            one.write(paths.answers(model) / name / f"{BASELINE.name}-{split}.parquet")
        table = accuracy.table(pd.concat([sitting.right(one) for one in answers], ignore_index=True))
        tables.append(table.assign(task=name))
        told[name] = {"kind": sitting.examiner.task.kind} | accuracy.in_short(table, sitting.items, pivot)
        absent = f"; the task lacks {', '.join(needed.lacking)}" if needed.lacking else ""
        console.summary(
            f"evaluate@{model}",
            f"{name}: {_told(sitting.examiner.score, told[name], pivot)} in {len(needed.languages) - 1} other "
            f"languages{absent}",
        )
    if not asked:
        console.summary(f"evaluate@{model}", "no tasks: nothing to ask")
    write_table(paths.metrics(model) / "accuracy.csv", tables, ["task", *accuracy.COLUMNS])
    write_json(paths.metrics(model) / "evaluate.json", {"tasks": told})


def _told(score: str, found: dict[str, Any], pivot: str) -> str:
    """The score in the pivot and elsewhere, in words."""
    if score in GRADED:
        return f"{GRADED[score]} {found['pivot']:.2f} in {pivot}, {found['others']:.2f}"
    return f"right in {found['pivot']:.0%} of items in {pivot}, {found['others']:.0%}"


if __name__ == "__main__":
    main()
