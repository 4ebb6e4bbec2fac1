"""Divergence and accuracy over languages: the middle zone, which the verdict rests on, and every layer beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polyroute.report import correlation, words
from polyroute.report.page import figure
from polyroute.report.page.figure import FADED, HUE, OF_LANGUAGE, SOFT, A, B, C, Figure, Spec
from polyroute.results.correlation import TaskCorrelation
from polyroute.results.model import Correlations, ModelResults

_SIDES: dict[str, dict[str, Any]] = {
    "right": {"align": "left", "dx": 7}, "left": {"align": "right", "dx": -7},
    "above": {"align": "center", "dy": -11}, "below": {"align": "center", "dy": 12},
}  # fmt: skip
"""Where a name stands beside its point."""


def figures(found: ModelResults) -> Iterator[Figure]:
    """Two figures a task: points of languages, and coefficients by layer."""
    read = found.correlations
    for task, held in {} if read is None else read.tasks.items():
        assert read is not None, "it has tasks"
        if held.points:
            yield _points(found, read, task, held)
        if not correlation.curve(read, task).empty:
            yield _by_layer(found, read, task)


def _points(found: ModelResults, read: Correlations, task: str, held: TaskCorrelation) -> Figure:
    pivot = words.named(found.pivot)
    first, last = found.alignment.corpora[read.corpus].zones.middle
    known = [(code, one.divergence, round(100 * one.accuracy, 2)) for code, one in held.points.items()]
    bounds = [figure.limits([row[place] for row in known], zero=False) for place in (1, 2)]
    sides = figure.beside([(words.named(code), x, y) for code, x, y in known], *bounds)
    rows = [[code, words.named(code), x, y, side] for (code, x, y), side in zip(known, sides, strict=True)]
    x: Spec = {
        "field": "divergence",
        "type": "quantitative",
        "title": f"mean divergence D from {pivot}, middle zone",
        "scale": {"domain": bounds[0], "nice": False, "zero": False},
        "axis": {"tickCount": 7},
    }
    y: Spec = {
        "field": "accuracy",
        "type": "quantitative",
        "title": "accuracy, in percent",
        "scale": {"domain": bounds[1], "nice": False, "zero": False},
    }
    marks: list[Spec] = [
        {"mark": {"type": "line", "color": SOFT, "strokeDash": [4, 4], "tooltip": False},
         "transform": [{"regression": "accuracy", "on": "divergence"}], "encoding": {"x": x, "y": y}},
        {"transform": [HUE], "mark": {"type": "point", "filled": True, "size": 90},
         "encoding": {"x": x, "y": y, "color": OF_LANGUAGE, "opacity": FADED,
                      "tooltip": [{"field": "name", "title": "language"},
                                  {"field": "divergence", "format": ".4~f"},
                                  {"field": "accuracy", "format": ".1f", "title": "accuracy, %"}]}},
        *(_names(x, y, side) for side in _SIDES),
    ]  # fmt: skip
    zone = held.zones["middle"]
    notes = [
        f"Text: {read.corpus}; middle zone: layers {first}-{last}. Verdict: {correlation.verdict(held)}.",
        f"Pearson's r {correlation.in_words(zone)}; given tokens a sentence "
        f"{correlation.in_words(zone.given.get(correlation.TOKENS))}.",
        f"Smallest detectable over {len(held.points)} languages (80% power): {correlation.seen(held)}.",
        "Dashed: least squares.",
        *held.notes,
    ]
    return Figure(
        f"accuracy-{task}", f"Divergence and accuracy on {task}", notes, figure.rowed(marks),
        ("language", "name", "divergence", "accuracy", "side"), rows, half=True,
    )  # fmt: skip


def _names(x: Spec, y: Spec, side: str) -> Spec:
    """Names of the languages that have theirs on one side."""
    mark: Spec = {"type": "text", "fontSize": 10.5, "tooltip": False} | _SIDES[side]
    return {
        "transform": [HUE, {"filter": f"datum.side == '{side}'"}], "mark": mark,
        "encoding": {"x": x, "y": y, "text": {"field": "name"}, "color": OF_LANGUAGE, "opacity": FADED},
    }  # fmt: skip


def _by_layer(found: ModelResults, read: Correlations, task: str) -> Figure:
    kinds = {"Pearson": ("pearson", ""), "Pearson, given tokens": ("pearson", correlation.TOKENS),
             "Spearman": ("spearman", "")}  # fmt: skip
    columns = ("layer", "r", "low", "high", "q")
    rows = [
        [kind, *row]
        for kind, (method, given) in kinds.items()
        for row in figure.rows_of(correlation.curve(read, task, method, given).reset_index(), columns)
    ]
    summary = found.alignment.corpora[read.corpus]
    layers = [row[1] for row in rows]
    x = figure.across_layers(min(layers), max(layers))
    y: Spec = {"field": "r", "type": "quantitative", "title": "correlation r with accuracy, over languages",
               "scale": {"domain": [-1.05, 1.05], "nice": False}}  # fmt: skip
    colour: Spec = {"field": "kind", "type": "nominal", "title": None, "legend": {"orient": "top", "columns": 3},
                    "scale": {"domain": list(kinds), "range": [A, B, C]}}  # fmt: skip
    marks: list[Spec] = [
        *figure.zones(summary, min(layers), max(layers)),
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
         "encoding": {"y": y | {"field": "zero"}}},
        {"transform": [{"filter": "datum.kind == 'Pearson' && datum.low != null"}],
         "mark": {"type": "area", "color": A, "opacity": 0.15},
         "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "line"}, "encoding": {"x": x, "y": y, "color": colour}},
        {"mark": {"type": "point", "size": 40, "filled": True},
         "encoding": {"x": x, "y": y, "color": colour,
                      "opacity": {"condition": {"test": f"datum.q < {words.LEVEL}", "value": 1}, "value": 0.25},
                      "tooltip": [{"field": "kind"}, *({"field": name, "format": ".4~f"} for name in columns[1:]),
                                  {"field": "layer"}]}},
    ]  # fmt: skip
    return Figure(
        f"correlation-{task}", f"Correlation with accuracy on {task}, layer by layer",
        ["Descriptive: no layer is selected from this curve. Band: 95% over languages. Solid points: q < 0.05."],
        figure.rowed(marks), ("kind", *columns), rows, half=True,
    )  # fmt: skip
