"""Stage distances@<recording>: distances between languages that others recorded -> families, trees, depth."""

from collections.abc import Iterator
from pathlib import Path

from polyroute.artifacts.recorded_distances import Distances
from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.measures.recorded_distances import compare
from polyroute.measures.settings import DistancesSettings
from polyroute.results.distances import RecordedDistances


@stage(DistancesSettings)
def main(settings: DistancesSettings, paths: Paths) -> Iterator[str]:
    """Compare languages by recorded distances; needs no model and no trace."""
    found = compare(
        Distances.read(Path(settings.file)), settings.pivot, shuffles=settings.shuffles,
        confidence=settings.confidence, seed=settings.seed,
    )  # fmt: skip
    folder = paths.metrics(settings.name)
    RecordedDistances.write(folder, found)
    for reading, held in RecordedDistances.read(folder).readings.items():
        if (families := held.families) is not None:
            p = "not tested" if families.p is None else f"p {families.p:.3f}"
            yield f"{reading}: within by across families {families.ratio:.3f}, {p}; shape {held.from_pivot.shape}"


if __name__ == "__main__":
    main()
