"""A measure by layer, a line a language; of many languages a band, with the extremes named and others by choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from polyroute.languages import table as languages
from polyroute.measures.layer_measure import POOLED
from polyroute.measures.registry import MEASURES
from polyroute.report import words
from polyroute.report.page import figure
from polyroute.report.page.figure import FADED, HUE, INK, MANY, OF_LANGUAGE, SOFT, Figure, Spec
from polyroute.results.alignment import CorpusAlignment
from polyroute.results.model import ModelResults

FLOOR = "{pivot} against {pivot}"


def of_measure(found: ModelResults, corpus: str, name: str) -> Figure | None:
    """The figure of a measure on a corpus; None where the results hold no data for it.

    Args:
        found: results of a model.
        corpus: which.
        name: of the measure, as in layers.csv.
    """
    measure = next(one for one in MEASURES if one.name == name)
    table, reading, pooled = rows(found, corpus, name)
    if table.empty:
        return None
    summary = found.alignment.corpora[corpus]
    pivot = languages.get(found.pivot).name
    floor = None if pooled or name != "divergence" or summary.split_half is None else summary.split_half.divergence
    random = _random(found, corpus, name)
    layers = sorted(table["layer"].unique())
    codes = [str(code) for code in table["language"].unique()]
    middle = table[table["layer"].between(*summary.zones.middle)].groupby("language")["value"].mean()
    extremes = figure.extremes({str(code): float(value) for code, value in middle.dropna().items()})
    shown = list(dict.fromkeys([*extremes, *(code for code in codes if code == found.pivot)]))
    values = [*table["value"], *table["low"], *table["high"], *(floor or ()), *_bounds(random)]
    domain = figure.limits(values, zero=bool(np.isfinite(measure.bounds[1])))
    axis = (measure.axis or f"{measure.title} ({measure.unit})").format(
        pivot=pivot, uniform=np.log(found.alignment.model.experts)
    )
    spec = figure.rowed(
        _marks(summary, layers, domain, " ".join(axis.split()), len(codes) > MANY, floor, pivot, random),
        height=330,
    )
    return Figure(
        f"{name.replace('_', '-')}-{corpus}", measure.title.format(pivot=pivot),
        _notes(summary, corpus, reading, pooled, codes, found.pivot, floor, random), spec,
        ("language", "layer", "value", "low", "high"),
        figure.rows_of(table, ("language", "layer", "value", "low", "high")),
        chips=sorted(codes, key=lambda code: -float(middle.get(code, 0.0))), shown=shown,
        ends={"x": "layer", "y": "value", "series": "language",
              "beside": [["floor", floor[-1]]] if floor else []},
    )  # fmt: skip


def rows(found: ModelResults, corpus: str, name: str) -> tuple[pd.DataFrame, str, bool]:
    """Rows of a measure by language and layer, what of the routers they read, and whether counts were pooled.

    The reading is that of the summary where the measure has it, so that figure and verdicts show the same thing.
    """
    table = found.layers
    table = table[(table["corpus"] == corpus) & table["value"].notna()]
    pooled = not (table["measure"] == name).any()
    table = table[table["measure"] == (name + POOLED if pooled else name)]
    readings = sorted(set(table["reading"]))
    if not readings:
        return table, "", pooled
    preferred = found.alignment.corpora[corpus].reading
    reading = preferred if preferred in readings else readings[0]
    order = {code: place for place, code in enumerate(found.languages)}
    table = table[table["reading"] == reading]
    table = table.assign(order=table["language"].map(order)).sort_values(["order", "layer"])
    return table.drop(columns="order"), reading, pooled


def _marks(
    summary: CorpusAlignment, layers: list[int], domain: list[float], axis: str, many: bool,
    floor: list[float] | None, pivot: str, random: pd.DataFrame | None,
) -> list[Spec]:  # fmt: skip
    x = figure.across_layers(layers[0], layers[-1])
    y: Spec = {"field": "value", "type": "quantitative", "title": axis, "scale": {"domain": domain, "nice": False}}
    only = {"filter": "indexof(shown, datum.language) >= 0"}
    series = {"field": "language", "type": "nominal"}
    marks = figure.zones(summary, layers[0], layers[-1])
    if random is not None:
        marks.append({
            "data": {"values": random.to_dict("records")}, "mark": {"type": "area", "color": SOFT, "opacity": 0.18},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
        })  # fmt: skip
    if many:
        each = [{"aggregate": [{"op": op, "field": "value", "as": op} for op in ("min", "max", "mean")],
                 "groupby": ["layer"]}]  # fmt: skip
        marks += [
            {"transform": each, "mark": {"type": "area", "color": "var(--a)", "opacity": 0.14},
             "encoding": {"x": x, "y": y | {"field": "min"}, "y2": {"field": "max"}}},
            {"transform": each, "mark": {"type": "line", "color": SOFT, "strokeWidth": 1.5, "strokeDash": [5, 3]},
             "encoding": {"x": x, "y": y | {"field": "mean"}}},
        ]  # fmt: skip
    marks += [
        {"transform": [only, HUE, {"filter": "datum.low != null"}],
         "mark": {"type": "area", "tooltip": False},
         "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "detail": series,
                      "color": OF_LANGUAGE,
                      "opacity": {"condition": {"test": "hot == datum.language", "value": 0.35}, "value": 0.13}}},
        {"transform": [only, HUE], "mark": {"type": "line", "strokeWidth": 2, "tooltip": False},
         "encoding": {"x": x, "y": y, "detail": series, "color": OF_LANGUAGE, "opacity": FADED}},
    ]  # fmt: skip
    if floor is not None:
        values = [{"layer": layer, "value": value, "what": FLOOR.format(pivot=pivot)}
                  for layer, value in zip(layers, floor, strict=False)]  # fmt: skip
        marks += [
            {"data": {"values": values}, "mark": {"type": "line", "color": INK, "strokeDash": [2, 3]},
             "encoding": {"x": x, "y": y,
                          "tooltip": [{"field": "what", "title": "floor"}, {"field": "layer"}, {"field": "value"}]}},
        ]  # fmt: skip
    marks.append({
        "transform": [only, HUE, {"calculate": "names[datum.language]", "as": "name"}],
        "mark": {"type": "point", "filled": True, "size": 90},
        "encoding": {
            "x": x, "y": y, "color": OF_LANGUAGE,
            "opacity": {"condition": {"test": "hot == datum.language", "value": 0.9}, "value": 0.001},
            "tooltip": [
                {"field": "name", "title": "language"}, {"field": "layer"},
                {"field": "value", "format": ".4~f"}, {"field": "low", "format": ".4~f"},
                {"field": "high", "format": ".4~f"},
            ],
        },
    })  # fmt: skip
    return [*marks, figure.end_names()]


def _random(found: ModelResults, corpus: str, name: str) -> pd.DataFrame | None:
    """Lowest and highest of the random initialisations by layer, mean over languages; None where none was read."""
    if found.nulls is None or found.null(corpus) is None:
        return None
    table: Any = found.nulls.table
    drawn = table[(table["quantity"] == name) & table["draw"].notna() & table["layer"].notna()]
    if drawn.empty:
        return None
    bounds: pd.DataFrame = drawn.groupby("layer")["value"].agg(low="min", high="max").reset_index()
    return bounds.astype({"layer": int, "low": float, "high": float})


def _bounds(random: pd.DataFrame | None) -> list[float]:
    return [] if random is None else [*random["low"], *random["high"]]


def _notes(
    summary: CorpusAlignment, corpus: str, reading: str, pooled: bool, codes: list[str], pivot: str,
    floor: list[float] | None, random: pd.DataFrame | None,
) -> list[str]:  # fmt: skip
    text = (
        f"{summary.sentences} sentences a language" if summary.sentences and not pooled else "counts pooled a language"
    )
    notes = [f"Text: {corpus}, {text}. Read from the routers: {reading}."]
    if not pooled:
        notes.append("Bands around lines: 95% intervals over sentences.")
    if len(codes) > MANY:
        notes.append(
            f"Wide band: from the lowest to the highest of {len(codes)} languages, dashed their mean; the extremes of "
            "the middle zone are drawn, others by choice."
        )
    if floor is not None:
        name = words.named(pivot)
        notes.append(f"Dotted: the floor, {name} against another half of {name}.")
    if random is not None:
        notes.append("Grey band: random initialisations of the architecture, mean over languages.")
    return notes
