"""Stage track: metrics and figures -> runs in MLflow."""

import click

from polyroute import params, tracking
from polyroute.ground import console
from polyroute.ground.paths import Paths

KEYS = ("study",)


@click.command(cls=console.Command)
@console.log_level_option
def main() -> None:
    """Log every model of the study to MLflow, if it is there."""
    paths = Paths()
    study = params.load(paths.params).only(*KEYS)["study"]
    report = tracking.log_study(paths, study.name, study.models)
    report.write(paths.tracked)
    console.summary("track", report.summary())


if __name__ == "__main__":
    main()
