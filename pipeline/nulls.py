"""Stage nulls@<model>: traces and draws -> where the model stands among random initialisations of its architecture."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from polyroute.artifacts.draws import Draws, DrawsError
from polyroute.artifacts.trace import Trace
from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.measures.random_rank import ranked, table, unranked
from polyroute.measures.routing_summary import by_layer, over_depth
from polyroute.results.nulls import NullRow, NullsMetrics, NullsSummary
from polyroute.tracing.settings import NullsSettings


@stage(NullsSettings)
def main(settings: NullsSettings, paths: Paths) -> Iterator[str]:
    """Rank a model's depth and alignment among random initialisations of its architecture on the same text."""
    place = paths.draws(settings.name)
    draws = Draws.read(place)
    if draws.not_run is not None:
        found, rows = unranked(settings.corpus, draws.not_run), []
    else:
        traces = [
            Trace.load(paths.trace(settings.name, settings.corpus, code), mapped=True) for code in settings.languages
        ]
        for trace in traces:
            if trace.header.corpus_digest != draws.texts.get(trace.header.language):
                raise DrawsError(f"{place} and {trace.place} are not of the same text: run `dvc repro`")
        places = {item: place for place, item in enumerate(traces[0].item_ids)}
        traces = [trace.select(np.array([places[item] for item in draws.items])) for trace in traces]
        own = over_depth(by_layer(traces, nearest=settings.nearest, seed=settings.seed), settings.zones)
        drawn = [over_depth(one, settings.zones) for one in draws.draws]
        found, rows = ranked(settings.corpus, own, drawn, len(draws.items)), [table(own, drawn)]
    folder = paths.metrics(settings.name)
    NullRow.write(folder, rows)
    NullsSummary.write(folder, found)
    NullsMetrics.write(folder, NullsMetrics.of(NullsSummary.read(folder)))
    yield _in_short(found)


def _in_short(found: dict[str, Any]) -> str:
    if found["not_run"] is not None:
        return "no random initialisation; nulls.json says why"
    parts = {"alignment_middle": "alignment in the middle", "early_minus_middle": "D early - middle",
             "late_minus_middle": "D late - middle"}  # fmt: skip
    ranks = (
        f"{words} {one['value']:.3f}, largest of theirs {one['largest']:.3f}, p {one['p']:.2f}"
        for quantity, words in parts.items()
        for one in [found["quantities"][quantity]]
    )
    return f"{found['draws']} random initialisations; {'; '.join(ranks)}"


if __name__ == "__main__":
    main()
