"""Stage figures@<model>: metrics -> figures of every measure by layer, of languages, tasks, steering and masks."""

from collections.abc import Iterator

from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.languages.own import StudySettings
from polyroute.report import figures
from polyroute.results.model import ModelResults


@stage(StudySettings)
def main(settings: StudySettings, paths: Paths) -> Iterator[str]:
    """Draw routing by layer, how languages compare, correlation with accuracy, and what steering and masks did."""
    drawn = figures.draw(paths, ModelResults.read(paths.metrics(settings.name)))
    lacking = f"; no data for {', '.join(drawn.missing)}" if drawn.missing else ""
    yield f"{len(drawn.files)} files in {paths.figures(settings.name)}{lacking}"


if __name__ == "__main__":
    main()
