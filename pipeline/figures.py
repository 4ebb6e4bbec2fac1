"""Stage figures@<model>: metrics -> figures of every measure by layer, of languages, tasks, steering and masks."""

from collections.abc import Iterator

from polyroute.ground.console import stage
from polyroute.ground.frozen import StageSettings
from polyroute.ground.paths import Paths
from polyroute.report import figures, results, task_results


@stage(StageSettings)
def main(settings: StageSettings, paths: Paths) -> Iterator[str]:
    """Draw routing by layer, how languages compare, correlation with accuracy, and what steering and masks did."""
    model = settings.name
    drawn = figures.draw(paths, results.load(paths, model), task_results.load(paths, model))
    lacking = f"; no data for {', '.join(drawn.missing)}" if drawn.missing else ""
    yield f"{len(drawn.files)} files in {paths.figures(model)}{lacking}"


if __name__ == "__main__":
    main()
