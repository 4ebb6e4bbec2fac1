"""Stage claims@<model>: every number of a model's results, and claims/ -> a verdict on each claim."""

from collections.abc import Iterator

from polyroute.claims.asked import Asked
from polyroute.claims.claim import read_claims
from polyroute.claims.settings import ClaimsSettings
from polyroute.claims.verdict import judge
from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.results.claims import ClaimsMetrics, ClaimsSummary
from polyroute.results.model import ModelResults


@stage(ClaimsSettings)
def main(settings: ClaimsSettings, paths: Paths) -> Iterator[str]:
    """Hold a model's results against every claim; needs no model."""
    folder = paths.metrics(settings.name)
    asked = Asked(ModelResults.read(folder), settings, folder)
    ClaimsSummary.write(folder, judge(read_claims(paths.claims), asked))
    counts = ClaimsMetrics.of(folder)
    ClaimsMetrics.write(folder, counts)
    yield ", ".join(f"{count} {code.replace('_', ' ')}" for code, count in counts)


if __name__ == "__main__":
    main()
