"""What all figures of the report share: a Vega-Lite specification, its data as a table, and the look.

A specification refers to its table by the name `rows`; the page hands the table over, so that the same numbers are
drawn and saved as CSV. Colours are names of the page's style sheet (`var(--ink)`), which is why figures follow light
and dark and print without being drawn again. Signals that the page sets: `by` (what languages are coloured by), `hot`
(the language under the pointer), `shown` (languages that are drawn).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from polyroute.report import words
from polyroute.results.alignment import CorpusAlignment

Spec = dict[str, Any]
MANY = 10
"""Beyond so many languages lines are a band, with the extremes named and others by choice."""
EXTREMES = 2
"""Languages with the highest and with the lowest values that stand beside a band."""
WIDTH, HEIGHT = 390, 300
"""Of the plot of a figure, in pixels: the width of one that takes half the page."""
INK, SOFT, GRID = "var(--ink)", "var(--soft)", "var(--grid)"
FAINT = "var(--faint)"
A, B, C, D = "var(--a)", "var(--b)", "var(--c)", "var(--d)"
"""Colours of what is no language: blue, vermilion, green, purple."""
HUE = {"calculate": "hues[by][datum.language] || 'var(--soft)'", "as": "hue"}
"""Transform: the colour of a row's language."""
OF_LANGUAGE = {"field": "hue", "type": "nominal", "scale": None, "legend": None}
"""Colour channel after `HUE`."""
FADED = {"condition": {"test": "hot == '' || hot == datum.language", "value": 1}, "value": 0.12}
"""Opacity channel: others step back from the language under the pointer."""


@dataclass(frozen=True)
class Figure:
    """One figure of one model, or of all."""

    name: str
    """In file names and anchors: `divergence-mgsm`; unique among a model's."""
    title: str
    notes: Sequence[str]
    """What a reader must know, in sentences."""
    spec: Spec
    """Vega-Lite, without data."""
    columns: Sequence[str]
    """Of the table; with units where the name does not say it."""
    rows: Sequence[Sequence[Any]]
    """Of the table, which is what is drawn and what is saved as CSV."""
    chips: Sequence[str] = ()
    """Languages that can be shown or hidden, in order."""
    shown: Sequence[str] = ()
    """Those that are shown at first."""
    ends: Mapping[str, Any] = field(default_factory=dict)
    """Columns whose last values are named at the ends of lines, `x`, `y` and `series`; `beside`, names and heights of
    other lines."""
    half: bool = False
    """Whether two of them stand side by side on a wide screen."""

    def payload(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {
            "title": self.title, "spec": self.spec, "columns": list(self.columns),
            "rows": [[clean(value) for value in row] for row in self.rows],
            "chips": list(self.chips), "shown": list(self.shown), "ends": dict(self.ends),
        }  # fmt: skip


def clean(value: Any) -> Any:
    """A value as JSON has it: plain numbers, null for what is missing."""
    if hasattr(value, "item"):
        value = value.item()
    if value is None or (isinstance(value, float) and not math.isfinite(value)) or str(value) in ("<NA>", "nan"):
        return None
    return value


def rows_of(table: Any, columns: Sequence[str]) -> list[list[Any]]:
    """Rows of a data frame's columns."""
    return [[clean(value) for value in row] for row in table[list(columns)].itertuples(index=False, name=None)]


def rowed(layers: list[Spec] | Spec, *, height: int | Spec = HEIGHT, **more: Any) -> Spec:
    """A specification over the figure's table, as wide as its place.

    Args:
        layers: of marks, or one unit.
        height: in pixels.
        more: top-level keys.
    """
    body: Spec = {"layer": layers} if isinstance(layers, list) else layers
    return {
        "width": "container", "height": height, "autosize": {"type": "fit-x", "contains": "padding", "resize": True},
        "padding": {"left": 2, "top": 16, "right": 10, "bottom": 2}, "data": {"name": "rows"}, **body, **more,
    }  # fmt: skip


def limits(values: Iterable[Any], *, zero: bool) -> list[float]:
    """Bounds of an axis that shows all values, bounds of intervals among them, with some air."""
    known = [float(value) for value in values if clean(value) is not None]
    if not known:
        return [0.0, 1.0]
    low, high = min(known), max(known)
    low, high = (min(low, 0.0), max(high, 0.0)) if zero else (low, high)
    air = 0.06 * (high - low or abs(high) or 1.0)
    bottom = low if zero and low == 0 else low - air
    return [round(bottom, 6), round(high if zero and high == 0 else high + air, 6)]


def across_layers(first: int, last: int, title: str = "layer (0 is the first)") -> Spec:
    """The horizontal axis of layers."""
    return {
        "field": "layer", "type": "quantitative", "title": title,
        "scale": {"domain": [first - 0.5, last + 0.5], "nice": False, "zero": False},
        "axis": {"tickMinStep": 1, "format": "d", "grid": False},
    }  # fmt: skip


def zones(summary: CorpusAlignment, first: int, last: int) -> list[Spec]:
    """Layers of marks behind the curves: the zones, shaded and named above the axes."""
    places = dict(summary.zones)
    values = [
        {"from": start - 0.5, "to": end + 0.5, "zone": ", ".join(z for z, at in places.items() if at == (start, end)),
         "at": (start + end) / 2}
        for start, end in dict.fromkeys(map(tuple, places.values()))
    ]  # fmt: skip
    x = across_layers(first, last)
    return [
        {
            "data": {"values": values}, "mark": {"type": "rect", "opacity": 1, "tooltip": False},
            "encoding": {
                "x": x | {"field": "from"}, "x2": {"field": "to"},
                "color": {"condition": {"test": "indexof(datum.zone, 'middle') >= 0", "value": "var(--middle)"},
                          "value": "var(--outer)"},
            },
        },
        {
            "data": {"values": values},
            "mark": {"type": "text", "baseline": "bottom", "dy": -3, "fontSize": 10, "color": SOFT, "tooltip": False},
            "encoding": {"x": x | {"field": "at"}, "y": {"value": 0}, "text": {"field": "zone"}},
        },
    ]  # fmt: skip


def end_names() -> Spec:
    """Names at the ends of lines; the page's script keeps them apart and fills in `ends`."""
    return {
        "data": {"name": "ends", "values": []},
        "transform": [HUE],
        "mark": {"type": "text", "align": "left", "baseline": "middle", "dx": 6, "fontSize": 11, "tooltip": False},
        "encoding": {
            "x": {"value": "width"}, "y": {"field": "place", "type": "quantitative", "scale": None},
            "text": {"field": "name"}, "color": OF_LANGUAGE,
            "opacity": FADED,
        },
    }  # fmt: skip


def beside(points: Sequence[tuple[str, float, float]], x: Sequence[float], y: Sequence[float]) -> list[str]:
    """On which side of its point each name stands, so that no two meet; empty where there is no room.

    Args:
        points: name, and place across and up.
        x, y: bounds of the axes, which a plot of about `WIDTH` by `HEIGHT` pixels shows.

    Returns:
        Of each point `right`, `left`, `above`, `below` or nothing.
    """
    across, up = WIDTH / (x[1] - x[0]), HEIGHT / (y[1] - y[0])
    centres = [((a - x[0]) * across, (b - y[0]) * up) for _, a, b in points]
    taken = [(a - 5, b - 5, a + 5, b + 5) for a, b in centres]
    sides = []
    for place, (name, _, _) in enumerate(points):
        (a, b), wide = centres[place], 5.8 * len(name)
        boxes = {
            "right": (a + 6, b - 6, a + 6 + wide, b + 6), "left": (a - 6 - wide, b - 6, a - 6, b + 6),
            "above": (a - wide / 2, b + 6, a + wide / 2, b + 18), "below": (a - wide / 2, b - 18, a + wide / 2, b - 6),
        }  # fmt: skip
        others = [box for other, box in enumerate(taken) if other != place]
        inside = [side for side, box in boxes.items() if box[0] > 0 and box[2] <= WIDTH]
        free = [side for side in inside if not any(_meet(boxes[side], one) for one in others)]
        sides.append(free[0] if free else "")
        taken += [boxes[side] for side in free[:1]]
    return sides


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def names(codes: Sequence[str]) -> list[str]:
    """English names of languages."""
    return [words.named(code) for code in codes]


def extremes(values: Mapping[str, float]) -> list[str]:
    """Languages with the highest and the lowest values; all of them where these are few."""
    ordered = sorted(values, key=lambda code: (values[code], code))
    return ordered if len(ordered) <= MANY else [*ordered[:EXTREMES], *ordered[-EXTREMES:]]
