"""The picture of two checkpoints compared: D over depth under both, and its change by language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from polyroute.comparing.compare import Comparison
from polyroute.ground.layers import ZONES
from polyroute.report import drawing, words
from polyroute.report.drawing import COLOURS, INK, SOFT, End

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 40
"""Languages with a row."""
_ROW = 0.2
"""Height of a language in inches."""


def draw(stem: Path, found: Comparison, title: str) -> list[Path]:
    """Draw it as PNG and SVG.

    Args:
        stem: path without its ending.
        found: of two checkpoints.
        title: the answer in short.
    """
    shown = found.most_changed(_MOST)
    rows = max(_ROW * (len(shown) + 1), 0.8)
    with drawing.panels([(0.0, rows + 1.0, 5.3, 2.6), *((2.45 * place, 0.0, 2.1, rows) for place in range(3))]) as all_:
        curves, *forest = all_
        _curves(curves, found)
        for axes, zone in zip(forest, ZONES, strict=True):
            _changes(axes, found, shown, zone)
        forest[0].set_yticks(range(len(shown) + 1))
        forest[0].set_yticklabels([*map(words.named, shown), "mean"], fontsize=8)
        text = "whole corpus" if found.sentences is None else f"{found.sentences} sentences"
        told = f"{found.one} -> {found.other} on {found.corpus}, {text}, {len(found.languages)} languages"
        most = "" if len(shown) == len(found.languages) else f" of the {len(shown)} languages that change most"
        below = f"below: change of D by language and zone{most}"
        if found.mean["middle"].low is not None:
            below += f", {found.confidence:.0%} intervals over sentences (paired)"
        drawing.head(curves, "Two checkpoints: routing divergence from " + words.named(found.pivot), title, told, below)
        return drawing.save(curves, stem)


def _curves(axes: Axes, found: Comparison) -> None:
    layers = list(found.layers)
    lines = {
        name: np.array([getattr(found.mean[str(layer)], part) for layer in layers])
        for name, part in ((found.one, "one"), (found.other, "other"))
    }
    drawing.over_layers(axes, layers[0], layers[-1], found.zones)
    axes.set_ylim(*drawing.limits(list(lines.values()), from_zero=True))
    drawing.bare(axes)
    ends = []
    for (name, values), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot(layers, values, color=colour, linewidth=1.8, marker="o", markersize=3)
        ends.append(End(name, colour, layers[-1], float(values[-1])))
    axes.set_ylabel("D, mean over languages", color=INK)
    drawing.name_ends(axes, ends)


def _changes(axes: Axes, found: Comparison, shown: Sequence[str], zone: str) -> None:
    rows = [*(found.languages[code] for code in shown), found.mean]
    changes = [row[zone] for row in rows]
    drawing.bare(axes, grid="x")
    axes.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
    for place, change in enumerate(changes):
        colour = SOFT if not change.sign else COLOURS[0] if change.sign < 0 else COLOURS[1]
        mean = place == len(rows) - 1
        if change.low is not None and change.high is not None:
            axes.plot([change.low, change.high], [place, place], color=colour, linewidth=2.2 if mean else 1.3)
        axes.plot(change.difference, place, marker="D" if mean else "o", color=colour, markersize=5 if mean else 4)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels([])
    axes.set_title(f"{zone}: nearer < 0 < farther", fontsize=8.5, color=INK, loc="left", pad=4)
    axes.locator_params(axis="x", nbins=4)
    axes.tick_params(axis="x", labelsize=7.5)
