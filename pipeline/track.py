"""Stage track: metrics, figures and plans -> runs in MLflow."""

from collections.abc import Iterator

from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.params.settings import TrackSettings
from polyroute.tracking import datasets, runs, store, variant


@stage(TrackSettings, each=False)
def main(settings: TrackSettings, paths: Paths) -> Iterator[str]:
    """Log every model of the study to MLflow, if it is there."""
    read = {model: one.model_dump(mode="json") for model, one in settings.read.items()}
    models = runs.with_others(paths, [*settings.models, *settings.distances])
    name = variant.experiment(settings.name)
    report = store.log_study(paths, name, models, settings.models, datasets.of_study(paths, read))
    report.write(paths.tracked)
    yield report.summary()


if __name__ == "__main__":
    main()
