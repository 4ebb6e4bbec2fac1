"""Stage multiverse@<model>: traces, numbers and claims/ -> each claim's verdict under every open choice."""

from collections.abc import Iterator

from polyroute.claims.claim import read_claims
from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.multiverse.read import board, read_study
from polyroute.multiverse.run import multiverse
from polyroute.multiverse.settings import MultiverseSettings
from polyroute.results.multiverse import MultiverseMetrics, MultiverseRow, MultiverseSummary


@stage(MultiverseSettings)
def main(settings: MultiverseSettings, paths: Paths) -> Iterator[str]:
    """Recompute verdicts from traces over the choices that papers leave open; needs no model."""
    claims, folder = read_claims(paths.claims), paths.metrics(settings.name)
    rows, summary = multiverse(read_study(settings, paths, claims), claims, board(folder))
    MultiverseRow.write(folder, rows)
    MultiverseSummary.write(folder, summary)
    MultiverseMetrics.write(folder, MultiverseMetrics.of(folder))
    for name, one in summary["claims"].items():
        most = one["choices"][0]
        moved = "" if most["effect"] is None else f"; {most['choice']} moves the effect most ({most['effect']:.0%})"
        yield f"{name}: {one['cells']} cells, {one['replicated']:.0%} replicate{moved}"
    if not summary["claims"]:
        yield "no claim that these data allow to recompute"


if __name__ == "__main__":
    main()
