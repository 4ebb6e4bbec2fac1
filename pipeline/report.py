"""Stage report: every number of the study and its claims -> one page of HTML that needs no network."""

from collections.abc import Iterator

from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.params.settings import ReportSettings
from polyroute.report.page import build


@stage(ReportSettings, each=False)
def main(settings: ReportSettings, paths: Paths) -> Iterator[str]:
    """Write the report of the whole study; needs no model."""
    path = build.write(paths, settings)
    yield f"{path}, {path.stat().st_size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()
