"""Stage figures@<model>: metrics -> figures of every measure by layer, of languages, tasks, steering and masks."""

import click

from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.report import figures, results, task_results

KEYS = ()


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `models` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Draw routing by layer, how languages compare, correlation with accuracy, and what steering and masks did."""
    paths = Paths()
    drawn = figures.draw(paths, results.load(paths, model), task_results.load(paths, model))
    lacking = f"; no data for {', '.join(drawn.missing)}" if drawn.missing else ""
    console.summary(f"figures@{model}", f"{len(drawn.files)} files in {paths.figures(model)}{lacking}")


if __name__ == "__main__":
    main()
