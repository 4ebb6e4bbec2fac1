"""Stage align@<model>: traces -> alignment of every language with the pivot, by layer."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd

from polyroute.artifacts.trace import Trace, TraceFiles
from polyroute.ground.console import stage
from polyroute.ground.paths import Paths
from polyroute.measures.across_languages import over_languages
from polyroute.measures.divergence_over_languages import mean_divergence
from polyroute.measures.first_tokens import over_first_tokens
from polyroute.measures.layer_curves import Alignment, LanguageCurves, headline_curves, in_short
from polyroute.measures.settings import AlignSettings
from polyroute.results.alignment import (
    AlignmentMetrics,
    AlignmentSummary,
    DivergenceCurves,
    Lacking,
    LayerRow,
    divergence,
)
from polyroute.stats.signs import FEWEST


@stage(AlignSettings)
def main(settings: AlignSettings, paths: Paths) -> Iterator[str]:
    """Take every measure of `measures.registry` by layer."""
    model = settings.name
    pivot, *others = settings.languages
    tables: list[pd.DataFrame] = []
    corpora: dict[str, Any] = {}
    for corpus in settings.corpora:
        pivot_trace = Trace.load(paths.trace(model, corpus, pivot), mapped=True)
        drawing = {**settings.intervals.model_dump(), "seed": settings.seed}
        how = {"nearest": settings.nearest, "zones": settings.zones, "reading": settings.importance}
        alignment = Alignment(pivot_trace, **how, **drawing)
        curves = [alignment.language(pivot_trace)]
        traces = TraceFiles(paths.trace(model, corpus, language) for language in others)
        curves += alignment.of_languages(traces)
        tables += [curve.rows for curve in curves]
        readings = pivot_trace.readings
        corpora[corpus] = {
            "sentences": None if pivot_trace.header.pooled else len(pivot_trace.item_ids),
            "reading": alignment.reading,
            "zones": {zone: list(span) for zone, span in alignment.zones},
            "languages": {curve.language: curve.summary for curve in curves[1:]},
            "mean": alignment.summarise(np.mean([curve.zone_items for curve in curves[1:]], axis=0)),
            "over_languages": _over_languages(settings, alignment, curves[1:], pivot_trace),
            "split_half": alignment.split_half(),
            "first_tokens": over_first_tokens(
                {curve.language: curve.first_tokens for curve in curves[1:]},
                pivot_trace.head,
                pivot_trace.header.layers,
                confidence=settings.intervals.confidence,
                seed=settings.seed,
            ),
            "lacking": [one for one in get_args(Lacking) if pivot_trace.header.pooled and one not in readings],
        }
    about = pivot_trace.header
    table = pd.concat(tables, ignore_index=True)
    folder = paths.metrics(model)
    LayerRow.write(folder, table)
    DivergenceCurves.write(folder, headline_curves(table, {name: c["reading"] for name, c in corpora.items()}))
    AlignmentSummary.write(
        folder,
        {
            "model": {
                "name": model, "engine": about.engine, "revision": settings.revision,
                "digest": about.model_digest, "dtype": about.dtype, "layers": len(about.layers),
                "experts": about.experts, "top_k": about.top_k, "versions": about.versions,
            },
            "pivot": pivot,
            "corpora": corpora,
        },
    )  # fmt: skip
    AlignmentMetrics.write(folder, {name: in_short(summary) for name, summary in corpora.items()})
    for corpus, summary in corpora.items():
        shapes = pd.Series([language["shape"] for language in summary["languages"].values()]).value_counts()
        counted = ", ".join(f"{shape} in {count}" for shape, count in shapes.items())
        yield f"{corpus}: shape of divergence over depth: {counted} of {len(others)} languages"
        if (sentences := summary["sentences"]) is not None and sentences < FEWEST:
            yield f"{corpus}: {sentences} sentences are too few for intervals, and so for a shape: {FEWEST} at least"
        if (first := summary["first_tokens"]) is not None:
            pairs = [one["sentences"] for one in first["languages"].values()]
            shape = first["over_languages"]["shape"]
            yield (
                f"{corpus}: over the first {first['tokens']} tokens: shape over languages {shape}; as long in both "
                f"languages are {min(pairs)} to {max(pairs)} of {sentences} sentences"
            )
        if summary["lacking"]:
            held = "counts alone" if "soft_mass" in summary["lacking"] else "no sentences"
            yield f"{corpus}: {held}, so nothing that needs {', '.join(summary['lacking'])}"


def _over_languages(
    settings: AlignSettings, alignment: Alignment, curves: Sequence[LanguageCurves], pivot: Trace
) -> dict[str, Any]:
    """What holds over languages."""
    header, (_, *others) = pivot.header, settings.languages
    confidence = settings.intervals.confidence
    zones_V3 = np.stack([np.nanmean(curve.zone_items, axis=0) for curve in curves])
    alignment_VL = None if header.pooled else np.stack([curve.alignment_L for curve in curves])
    found = over_languages(
        alignment_VL, zones_V3, header.layers, others, confidence=confidence, seed=settings.seed,
        sentences=None if header.pooled else len(pivot.item_ids),
    )  # fmt: skip
    rows = pd.concat([curve.rows for curve in curves])
    by_layer = divergence(rows, header.corpus, alignment.reading).loc[others, list(header.layers)]
    return found | {"divergence": mean_divergence(by_layer.to_numpy(), zones_V3, header.layers, others, confidence)}


if __name__ == "__main__":
    main()
