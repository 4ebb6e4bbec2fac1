"""Stage track: metrics, figures and plans -> runs in MLflow."""

from collections.abc import Iterator

from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.params.settings import TrackSettings
from polyroute.tracking import store, variant


@stage(TrackSettings, each=False)
def main(settings: TrackSettings, paths: Paths) -> Iterator[str]:
    """Log every model of the study to MLflow, if it is there."""
    report = store.log_study(paths, variant.experiment(settings.name), list(settings.models), settings.models)
    report.write(paths.tracked)
    yield report.summary()


if __name__ == "__main__":
    main()
