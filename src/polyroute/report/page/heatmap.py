"""Divergence from the pivot: a row a language, a column a layer."""

from __future__ import annotations

from polyroute.report import words
from polyroute.report.page import curves, figure
from polyroute.report.page.figure import Figure, Spec
from polyroute.results.model import ModelResults

SCHEME = "viridis"
"""Colour-blind safe, and even in lightness."""


def of_divergence(found: ModelResults, corpus: str) -> Figure | None:
    """Languages by their mean in the middle zone, the farthest above; None without data."""
    table, reading, _ = curves.rows(found, corpus, "divergence")
    if table.empty:
        return None
    summary = found.alignment.corpora[corpus]
    middle = table[table["layer"].between(*summary.zones.middle)].groupby("language")["value"].mean()
    codes = [str(code) for code in middle.sort_values(ascending=False, kind="stable").index]
    data = table[["language", "layer", "value"]].assign(name=table["language"].map(words.named))
    domain = [0, max(0.1, float(data["value"].max()))]
    spec = cells(
        x={"field": "layer", "type": "ordinal", "title": "layer (0 is the first)",
           "axis": {"labelAngle": 0, "labelOverlap": True, "ticks": False}},
        y={"field": "name", "type": "nominal", "title": None, "sort": figure.names(codes)},
        colour={"field": "value", "type": "quantitative", "title": "divergence D (0 same, 1 apart)",
                "scale": {"scheme": SCHEME, "domain": domain}},
        tooltip=[{"field": "name", "title": "language"}, {"field": "layer"}, {"field": "value", "format": ".4~f"}],
        rows=len(codes),
    )  # fmt: skip
    first, last = summary.zones.middle
    return Figure(
        f"heatmap-{corpus}", f"Divergence from {words.named(found.pivot)}, language by layer",
        [f"Text: {corpus}, {reading}. Languages by their mean in the middle zone (layers {first}-{last}), the farthest "
         "at the top."],
        spec, ("language", "layer", "value", "name"),
        figure.rows_of(data, ("language", "layer", "value", "name")),
    )  # fmt: skip


def cells(*, x: Spec, y: Spec, colour: Spec, tooltip: list[Spec], rows: int, size: int | None = None) -> Spec:
    """A specification of a map of cells, its colours explained above it.

    Args:
        x, y, colour: channels.
        tooltip: what the pointer tells.
        rows: of cells.
        size: height of a row in pixels.
    """
    height = size or max(10, min(22, 420 // max(rows, 1)))
    legend = {"orient": "top", "direction": "horizontal", "gradientLength": 160, "titleLimit": 360, "offset": 6}
    return figure.rowed(
        {
            "mark": {"type": "rect", "cursor": "crosshair"},
            "encoding": {
                "x": x, "y": y | {"axis": {"labelLimit": 150, "ticks": False, "domain": False} | y.get("axis", {})},
                "color": {"legend": legend} | colour, "tooltip": tooltip,
            },
        },
        height=height * max(rows, 1),
    )  # fmt: skip
