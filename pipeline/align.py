"""Stage align@<model>: traces -> alignment of every language with the pivot, by layer."""

from typing import Any

import click
import numpy as np
import pandas as pd

from polyroute.artifacts.trace import Trace
from polyroute.ground import console
from polyroute.ground.files import write_atomically, write_json
from polyroute.ground.paths import Paths
from polyroute.measures.across_languages import over_languages
from polyroute.measures.layer_curves import Alignment, headline_curves, in_short
from polyroute.params import file as params
from polyroute.params.models import revision

KEYS = ("study.pivot", "study.seed", "languages", "models.{model}", "intervals", "align")


@click.command(cls=console.Command)
@click.option("--model", required=True, help="Entry of `models` in params.yaml.")
@console.log_level_option
def main(model: str) -> None:
    """Measure divergence, entropy and consistency by layer."""
    paths = Paths()
    given = params.load(paths.params).only(*KEYS, model=model)
    spec, settings = given[f"models.{model}"], given["align"]
    pivot, *others = params.study_languages(given, model)
    tables: list[pd.DataFrame] = []
    corpora: dict[str, Any] = {}
    for corpus in spec.corpora:
        pivot_trace = Trace.load(paths.trace(model, corpus, pivot))
        drawing = {**given["intervals"].model_dump(), "seed": given["study.seed"]}
        alignment = Alignment(pivot_trace, shuffles=settings.shuffles, zones=spec.zones, **drawing)
        curves = [alignment.language(pivot_trace)]
        curves += [alignment.language(Trace.load(paths.trace(model, corpus, language))) for language in others]
        tables += [curve.rows for curve in curves]
        corpora[corpus] = {
            "sentences": None if pivot_trace.header.pooled else len(pivot_trace.item_ids),
            "reading": alignment.reading,
            "zones": {zone: list(span) for zone, span in alignment.zones},
            "languages": {curve.language: curve.summary for curve in curves[1:]},
            "mean": alignment.summarise(np.mean([curve.zone_items for curve in curves[1:]], axis=0)),
            "over_languages": over_languages(
                None if pivot_trace.header.pooled else np.stack([curve.alignment_L for curve in curves[1:]]),
                np.stack([np.nanmean(curve.zone_items, axis=0) for curve in curves[1:]]),
                pivot_trace.header.layers,
                **drawing,
            ),
        }
    about = pivot_trace.header
    table = pd.concat(tables, ignore_index=True)
    folder = paths.metrics(model)
    write_atomically(folder / "layers.csv", table.to_csv(index=False, lineterminator="\n").encode())
    write_json(folder / "curves.json", headline_curves(table, {name: c["reading"] for name, c in corpora.items()}))
    write_json(
        folder / "align.json",
        {
            "model": {
                "name": model, "engine": about.engine, "revision": revision(spec),
                "digest": about.model_digest, "dtype": about.dtype, "layers": len(about.layers),
                "experts": about.experts, "top_k": about.top_k, "versions": about.versions,
            },
            "pivot": pivot,
            "corpora": corpora,
        },
    )  # fmt: skip
    write_json(folder / "summary.json", {name: in_short(summary) for name, summary in corpora.items()})
    for corpus, summary in corpora.items():
        shapes = pd.Series([language["shape"] for language in summary["languages"].values()]).value_counts()
        told = ", ".join(f"{shape} in {count}" for shape, count in shapes.items())
        console.summary(
            f"align@{model}", f"{corpus}: shape of divergence over depth: {told} of {len(others)} languages"
        )


if __name__ == "__main__":
    main()
