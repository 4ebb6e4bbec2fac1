"""Stage mask@<model>: exclusive experts and tasks -> what every language loses when another's own are masked."""

from typing import Any

import click
import pandas as pd

from polyroute.artifacts.trace import Trace
from polyroute.asking.sitting import Sitting
from polyroute.evaluation.tasks.needed import model_tasks
from polyroute.ground import console
from polyroute.ground.files import write_json, write_table
from polyroute.ground.paths import Paths
from polyroute.interventions.mask_effects import ACCURACY, COLUMNS, study_masks
from polyroute.interventions.mask_plans import Masks
from polyroute.interventions.plans import Target
from polyroute.models.load import load, locate
from polyroute.params import file as params
from polyroute.params.file import Params
from polyroute.params.models import TransformersModel

KEYS = ("study.pivot", "study.seed", "languages", "tasks", "models.{model}", "align", "evaluate", "mask")


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `models` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Mask the experts that are exclusive to a language, and ask every language."""
    paths = Paths()
    given = params.load(paths.params).only(*KEYS, model=model)
    spec = given[f"models.{model}"]
    tables: list[pd.DataFrame] = []
    told: dict[str, Any] = {}
    paths.masked(model).mkdir(parents=True, exist_ok=True)
    if isinstance(spec, TransformersModel) and spec.mask is not None:
        _mask(model, spec, given, paths, tables, told)
    else:
        console.summary(f"mask@{model}", "no `mask` in its entry: nothing to mask")
    write_table(paths.metrics(model) / "mask.csv", tables, COLUMNS)
    write_json(paths.metrics(model) / "mask.json", {"tasks": told})


def _mask(
    model: str, spec: TransformersModel, given: Params, paths: Paths, tables: list[pd.DataFrame], told: dict[str, Any]
) -> None:
    assert spec.mask is not None, "there is something to mask"
    seed, among = given["study.seed"], given[f"languages.{spec.mask.languages}"]
    loaded = load(model, spec, locate(model, spec))
    asked = model_tasks(given, model)
    layers = tuple(router.layer for router in loaded.routers)
    traces = {language: Trace.load(paths.trace(model, spec.corpora[0], language)) for language in among}
    for task in spec.mask.tasks:
        languages = [language for language in among if language in asked[task].languages]
        target = Target(model, loaded.digest, task, layers, loaded.routers[0].experts, loaded.routers[0].top_k)
        masks = Masks(target, given["mask"], traces, seed=seed)
        sitting = Sitting.of_study(given, model, task, languages, loaded, paths)
        found = study_masks(sitting, masks, settings=given["align"], seed=seed)
        for answers in found.answers:
            answers.write(paths.masked(model) / task / f"{answers.header.condition}.parquet")
        tables.append(found.table.assign(task=task))
        told[task] = found.summary | {"lacking": [language for language in among if language not in languages]}
        for name, means in found.summary["headline"][ACCURACY].items():
            points = ", ".join(
                f"{words} {100 * means[what]['value']:+.1f}"
                for what, words in (("diagonal", "own"), ("off_diagonal", "others"), ("random_diagonal", "random"))
                if means[what]["value"] is not None
            )
            console.summary(f"mask@{model}", f"{task}, {name} layers: {points} points")


if __name__ == "__main__":
    main()
