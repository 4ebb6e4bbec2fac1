"""A claim's specification curve (Simonsohn, Simmons and Nelson 2020): its effect under every combination of choices.

Above, the combinations by effect; below, which level of each choice they have. Neighbours share a cell where there are
more of them than can be told apart, and the cell's shade is the share of them that has the level.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from polyroute.claims.claim import Claims
from polyroute.report.claims import WORDS
from polyroute.report.multiverse import CHOICES, in_unit, level
from polyroute.report.page import figure
from polyroute.report.page.effects import CODE_SHAPES, MARK_COLOURS, meaning
from polyroute.report.page.figure import FAINT, INK, SOFT, Figure, Spec
from polyroute.report.topics import short
from polyroute.results.multiverse import ChoiceShare, ClaimMultiverse, MultiverseSummary

CELLS = 120
"""Cells of a level's row at most."""
CURVE, GAP, ROW = 170, 16, 14
"""Pixels: height of the curve, what is left below it, height of a level."""
BETWEEN = ": "
"""What stands between a choice and its level in the name of a row."""


def figures(summary: MultiverseSummary, cells: pd.DataFrame, claims: Claims) -> Iterator[Figure]:
    """A curve a claim whose effect is known in two combinations or more.

    Args:
        summary: of a model.
        cells: `MultiverseRow`s of the model.
        claims: what the effects are.
    """
    for name, one in summary.claims.items():
        rows = in_unit(one, cells[(cells["claim"] == name) & cells["effect"].notna()])
        if len(rows) > 1 and name in claims.by_id:
            yield _curve(claims, name, one, rows)


def _curve(claims: Claims, name: str, one: ClaimMultiverse, rows: pd.DataFrame) -> Figure:
    shown = [choice for choice in one.choices if rows[choice.choice].nunique() > 1]
    verdicts = [WORDS[code] for code in rows["verdict"]]
    columns = ["place", "effect", "low", "high", "verdict", "own", *(CHOICES[choice.choice] for choice in shown)]
    levels = [[level(choice.choice, value) for value in rows[choice.choice]] for choice in shown]
    data = [
        [place, row.effect, row.low, row.high, verdict, "yes" if row.cell == 0 else "", *of]
        for place, (row, verdict, *of) in enumerate(zip(rows.itertuples(), verdicts, *levels, strict=True))
    ]
    counts = ", ".join(f"{WORDS[code]} in {count}" for code, count in one.verdicts.items())
    few = f" The {len(rows)} with the study's own distance are drawn." if len(rows) < one.cells else ""
    claim = claims.by_id[name]
    return Figure(
        f"specification-{name.replace('.', '-').replace('_', '-')}", f"{name}: {short(name) or claim.statement}",
        [f"{one.cells} combinations: {counts}.{few}", f"Effect: {meaning(claim)}."],
        _spec(rows, shown, len(data)), columns, data, half=True,
    )  # fmt: skip


def _spec(rows: pd.DataFrame, shown: list[ChoiceShare], count: int) -> Spec:
    cells = min(CELLS, count)
    x: Spec = {
        "field": "place", "type": "quantitative", "title": "combinations of choices, by effect",
        "scale": {"domain": [-0.5, count - 0.5], "nice": False, "zero": False},
        "axis": {"ticks": False, "labels": False, "grid": False},
    }  # fmt: skip
    bounds = [*rows["effect"], *rows["low"], *rows["high"]]
    y: Spec = {
        "type": "quantitative", "title": "effect",
        "scale": {"domain": figure.limits([0.0, *bounds], zero=False), "nice": False, "range": [CURVE, 0]},
        "axis": {"orient": "left", "tickCount": 5},
    }  # fmt: skip
    names = [row for choice in shown for row in (_head(choice), *_rows(choice))]
    own = [_rows(choice)[0] for choice in shown]
    heads = f"indexof(datum.value, '{BETWEEN}') < 0"
    bottom = CURVE + GAP + ROW * len(names)
    lower: Spec = {
        "field": "row", "type": "nominal", "title": None,
        "scale": {"domain": names, "range": [CURVE + GAP, bottom], "paddingInner": 0.12},
        "axis": {
            "orient": "left", "ticks": False, "domain": False, "labelLimit": 190, "labelOverlap": False,
            "labelExpr": f"{heads} ? datum.value : slice(datum.value, indexof(datum.value, '{BETWEEN}') + 2)",
            "labelFontWeight": {"condition": {"test": heads, "value": "bold"}, "value": "normal"},
            "labelColor": {"condition": {"test": f"{heads} || indexof({own!r}, datum.value) >= 0", "value": INK},
                           "value": SOFT},
        },
    }  # fmt: skip
    verdict: Spec = {
        "field": "verdict", "type": "nominal", "title": None, "legend": {"orient": "top", "columns": 2},
        "scale": {"domain": [WORDS[code] for code in MARK_COLOURS], "range": list(MARK_COLOURS.values())},
    }  # fmt: skip
    shape = {"scale": {"domain": [WORDS[code] for code in CODE_SHAPES], "range": list(CODE_SHAPES.values())}}
    tooltip = [
        {"field": "effect", "format": ".4~f"}, {"field": "low", "format": ".4~f"}, {"field": "high", "format": ".4~f"},
        {"field": "verdict"}, *({"field": CHOICES[choice.choice]} for choice in shown),
    ]  # fmt: skip
    curve: list[Spec] = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": SOFT},
         "encoding": {"y": y | {"field": "zero"}}},
        {"mark": {"type": "area", "color": FAINT, "opacity": 0.45, "tooltip": False},
         "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}},
        {"mark": {"type": "point", "filled": True, "size": 14, "opacity": 1},
         "encoding": {"x": x, "y": y | {"field": "effect"}, "color": verdict, "shape": verdict | shape,
                      "tooltip": tooltip}},
        {"transform": [{"filter": "datum.own == 'yes'"}],
         "mark": {"type": "point", "color": INK, "size": 130, "strokeWidth": 1.6, "tooltip": False},
         "encoding": {"x": x, "y": y | {"field": "effect"}}},
    ]  # fmt: skip
    levels: Spec = {
        "transform": [
            {"fold": [CHOICES[choice.choice] for choice in shown], "as": ["choice", "level"]},
            {"calculate": f"floor(datum.place * {cells} / {count})", "as": "bin"},
            {"calculate": f"ceil(datum.bin * {count} / {cells}) - 0.5", "as": "from"},
            {"calculate": f"ceil((datum.bin + 1) * {count} / {cells}) - 0.5", "as": "to"},
            {"calculate": f"datum.choice + '{BETWEEN}' + datum.level", "as": "row"},
            {"aggregate": [{"op": "count", "as": "n"}], "groupby": ["bin", "from", "to", "row"]},
            {"calculate": "datum.n / (datum.to - datum.from)", "as": "share"},
        ],
        "mark": {"type": "rect", "color": INK, "tooltip": False},
        "encoding": {"x": x | {"field": "from"}, "x2": {"field": "to"}, "y": lower,
                     "opacity": {"field": "share", "type": "quantitative", "legend": None,
                                 "scale": {"domain": [0, 1], "range": [0, 0.85]}}},
    }  # fmt: skip
    return figure.rowed([{"layer": curve}, levels], height=bottom, resolve={"scale": {"y": "independent"}})


def _head(choice: ChoiceShare) -> str:
    share = "" if choice.effect is None else f", {choice.effect:.0%}"
    return f"{CHOICES[choice.choice]}{share}"


def _rows(choice: ChoiceShare) -> list[str]:
    return [f"{CHOICES[choice.choice]}{BETWEEN}{level(choice.choice, name)}" for name in choice.levels]
