"""Stage track: metrics, figures and plans -> runs in MLflow."""

import click

from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.tracking import store

# All of params.yaml, a dep of the stage: a run shows every setting of its model.
KEYS: tuple[str, ...] = ()


@click.command(cls=console.Command)
@console.log_level_option
def main() -> None:
    """Log every model of the study to MLflow, if it is there."""
    paths = Paths()
    file = params.read(paths.params)
    settings = {model: params.stage_settings(file, model) for model in file.study.models}
    report = store.log_study(paths, file.study.name, file.study.models, settings)
    report.write(paths.tracked)
    console.summary("track", report.summary())


if __name__ == "__main__":
    main()
