"""Distances between languages of models of which nothing else was recorded: whether relatives are nearer."""

from __future__ import annotations

from polyroute.report import words
from polyroute.report.distances import READ
from polyroute.report.page import figure
from polyroute.report.page.figure import SOFT, A, B, Figure, Spec
from polyroute.report.page.study import Study
from polyroute.results.similarity import Relatedness


def of_families(study: Study) -> Figure | None:
    """Across less within families, by the distance across: every recorded model, and the middle zone of the others."""
    found: list[tuple[str, str, Relatedness]] = []
    for name, recorded in study.distances.items():
        for reading, of in recorded.readings.items():
            if of.families is not None:
                found.append((study.title(name), f"mean of layers, {READ[reading]}", of.families))
    for name, results in study.models.items():
        for held in (results.similarity.corpora if results.similarity is not None else {}).values():
            related = held.zones["middle"].relatedness
            if related is not None:
                found.append((study.title(name), "middle zone", related))
    rows = [
        [f"{model} ({what})", model, what, *(_percent(value, of.across) for value in (of.gap, of.low, of.high)), of.p,
         of.other_script_p, len(of.groups)]
        for model, what, of in found
        if of.across > 0
    ]  # fmt: skip
    if not rows:
        return None
    columns = ("row", "model", "distances", "gap", "low", "high", "p", "p_other_scripts", "families")
    order = [row[0] for row in rows]
    x: Spec = {"field": "gap", "type": "quantitative", "title": "how much nearer relatives are, in percent of the "
               "distance across families",
               "scale": {"domain": figure.limits([0.0, *(v for row in rows for v in row[3:6])], zero=False),
                         "nice": False}}  # fmt: skip
    y: Spec = {"field": "row", "type": "nominal", "title": None, "sort": order,
               "axis": {"labelLimit": 320, "ticks": False, "domain": False, "grid": True}}  # fmt: skip
    colour = {"condition": {"test": f"datum.p != null && datum.p < {words.LEVEL}", "value": A}, "value": B}
    tooltip = [
        {"field": "row", "title": "model"},
        *({"field": name, "format": ".1f"} for name in ("gap", "low", "high")),
        *({"field": name, "format": ".4~f"} for name in ("p", "p_other_scripts")),
        {"field": "families"},
    ]
    marks: list[Spec] = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
         "encoding": {"x": x | {"field": "zero"}}},
        {"mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {"x": x | {"field": "low"}, "x2": {"field": "high"}, "y": y, "color": colour}},
        {"mark": {"type": "point", "filled": True, "size": 80, "opacity": 1},
         "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip}},
    ]  # fmt: skip
    return Figure(
        "related-all-models", "Relatives in every model, recorded distances among them",
        ["Bars: 95%, a language left out at a time. Blue: p < 0.05 by exchanging labels of languages; orange: not. "
         f"{words.named(study.settings.pivot)} is left out."],
        figure.rowed(marks, height=24 * len(rows)), columns, rows,
    )  # fmt: skip


def _percent(value: float | None, by: float) -> float | None:
    return None if value is None else round(100 * value / by, 2)
