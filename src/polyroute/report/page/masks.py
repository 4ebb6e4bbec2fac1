"""Masks of exclusive experts: what every language loses under every language's mask, and under random ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from polyroute.ground.layers import ZONES
from polyroute.report import masking, words
from polyroute.report.page import figure
from polyroute.report.page.figure import SOFT, Figure, Spec
from polyroute.results.masking import Score
from polyroute.results.model import Masking, ModelResults


def figures(found: ModelResults) -> Iterator[Figure]:
    """A figure a task and score."""
    read = found.masking
    for task, held in {} if read is None else read.tasks.items():
        assert read is not None, "it has tasks"
        for score in held.headline:
            figure_of = _matrix(read, task, score)
            if figure_of is not None:
                yield figure_of


def _matrix(read: Masking, task: str, score: Score) -> Figure | None:
    held = read.tasks[task]
    ranges = [zone for zone in ZONES if zone in held.ranges] + [name for name in held.ranges if name not in ZONES]
    rows: list[list[Any]] = []
    for kind, called in (("exclusive", "exclusive experts"), ("random", "random experts, mean of draws")):
        for where in ranges:
            matrix = masking.matrix(read, task, score, where, kind)
            rows += [
                [called, f"{where} ({words.layer_range(held.ranges[where])})", words.named(str(evaluated)),
                 words.named(str(target)), round(100 * float(value), 2), str(evaluated) == str(target)]
                for evaluated, cells in matrix.iterrows()
                for target, value in cells.items()
                if pd.notna(value)
            ]  # fmt: skip
    if not rows:
        return None
    columns = ("masked", "layers", "asked", "experts_of", "difference", "own")
    most = max(5.0, *(abs(row[4]) for row in rows))
    step = 26 if len(held.targets) <= 8 else 17
    x: Spec = {"field": "experts_of", "type": "nominal", "title": "experts of", "sort": figure.names(held.targets),
               "axis": {"labelAngle": -60, "ticks": False, "domain": False, "labelLimit": 150}}  # fmt: skip
    y: Spec = {"field": "asked", "type": "nominal", "title": "asked in", "sort": figure.names(held.languages),
               "axis": {"ticks": False, "domain": False, "labelLimit": 130}}  # fmt: skip
    spec: Spec = {
        "data": {"name": "rows"},
        "facet": {
            "column": {"field": "layers", "type": "nominal", "title": None, "sort": list(dict.fromkeys(
                row[1] for row in rows)), "header": {"labelFontWeight": "bold"}},
            "row": {"field": "masked", "type": "nominal", "title": None, "sort": list(dict.fromkeys(
                row[0] for row in rows)), "header": {"labelFontWeight": "bold", "labelLimit": 220}},
        },
        "spec": {
            "width": {"step": step}, "height": {"step": step},
            "layer": [
                {"mark": {"type": "rect"},
                 "encoding": {"x": x, "y": y,
                              "color": {"field": "difference", "type": "quantitative",
                                        "title": "difference of score, in points",
                                        "scale": {"scheme": "blueorange", "domain": [-most, most], "reverse": True},
                                        "legend": {"orient": "top", "gradientLength": 180, "titleLimit": 300}},
                              "tooltip": [{"field": "masked"}, {"field": "layers"}, {"field": "asked"},
                                          {"field": "experts_of", "title": "experts of"},
                                          {"field": "difference", "format": "+.1f"}]}},
                {"transform": [{"filter": "datum.own"}],
                 "mark": {"type": "rect", "filled": False, "stroke": "#1b1d21", "strokeWidth": 1.6,
                          "tooltip": False},
                 "encoding": {"x": x, "y": y}},
            ],
        },
        "config": {"axis": {"labelColor": "var(--ink)", "titleColor": SOFT}},
    }  # fmt: skip
    notes = [f"k = {held.k}, exclusive above {held.thr:g}; {held.unit}. Outlined: the language's own experts."]
    notes += [
        f"{where.capitalize()}: own {masking.told(one.diagonal)}, others {masking.told(one.off_diagonal)}, own under "
        f"random masks {masking.told(one.random_diagonal)} points; {masking.verdict(one)}."
        for where in ranges if (one := held.headline[score].get(where)) is not None
    ]  # fmt: skip
    named = "" if score == "accuracy" else f"-{score}"
    return Figure(
        f"masking{named}-{task}", f"Masking exclusive experts: {masking.SCORES[score]} {task}",
        notes, spec, columns, rows,
    )  # fmt: skip
