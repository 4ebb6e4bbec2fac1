"""A claim's specification curve (Simonsohn, Simmons and Nelson 2020): its cells by effect, and the choices of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from polyroute.report import drawing
from polyroute.report.claims import WORDS
from polyroute.report.drawing import COLOURS, GRID, INK, SOFT
from polyroute.report.multiverse import CHOICES, in_unit, level
from polyroute.results.claims import Code
from polyroute.results.multiverse import ChoiceShare, ClaimMultiverse, MultiverseRow, MultiverseSummary
from polyroute.results.table import written

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap

_WIDTH, _HEIGHT, _ROW, _GAP = 5.28, 2.4, 0.155, 0.12
"""Of the panels in inches: width, height of the curve, of a level, and between choices."""
_MARKS: dict[Code, tuple[str, str]] = {
    "replicated": ("P", COLOURS[2]), "not_replicated": ("X", COLOURS[1]), "inconclusive": ("D", COLOURS[0]),
    "cannot_be_tested": ("o", "#9aa0a6"),
}  # fmt: skip
"""Verdict -> marker and colour."""


def draw(folder: Path, metrics: Path) -> tuple[list[Path], list[str]]:
    """Draw `multiverse-<claim>` of every claim that varies.

    Args:
        folder: where figures go.
        metrics: `metrics/<model>/`; nothing is drawn where the stage `multiverse` has not run.

    Returns:
        The files, and claims whose cells have no effect.
    """
    if not written(metrics, MultiverseSummary, MultiverseRow):
        return [], []
    summary, table = MultiverseSummary.read(metrics), MultiverseRow.read(metrics)
    files: list[Path] = []
    lacking: list[str] = []
    for name, one in summary.claims.items():
        rows = in_unit(one, table[(table["claim"] == name) & table["effect"].notna()])
        if len(rows) < 2:
            lacking.append(f"multiverse of {name}")
            continue
        stem = folder / f"multiverse-{name.replace('.', '-').replace('_', '-')}"
        files += _curve(stem, summary.model, name, one, rows)
    return files, lacking


def _curve(stem: Path, model: str, name: str, one: ClaimMultiverse, rows: pd.DataFrame) -> list[Path]:
    shown = [choice for choice in one.choices if rows[choice.choice].nunique() > 1]
    below = sum(_ROW * len(choice.levels) + _GAP for choice in shown)
    with drawing.panels([(0, below, _WIDTH, _HEIGHT), (0, 0, _WIDTH, below)]) as (curve, choices):
        _effects(curve, rows)
        _levels(choices, shown, rows, below)
        verdicts = ", ".join(f"{count} {WORDS[code]}" for code, count in one.verdicts.items())
        few = f"; the {len(rows)} of the study's own unit are drawn" if len(rows) < one.cells else ""
        most = one.choices[0]
        moved = "" if most.effect is None else f"; {CHOICES[most.choice]} moves the effect most ({most.effect:.0%})"
        drawing.head(curve, f"{name} over open choices", f"{model}, {one.cells} cells: {verdicts}{few}{moved}")
        return drawing.save(curve, stem)


def _effects(axes: Axes, rows: pd.DataFrame) -> None:
    x = np.arange(len(rows))
    known = rows[["low", "high"]].notna().all(axis=1).to_numpy()
    axes.vlines(x[known], rows["low"][known], rows["high"][known], color="#d5d8dc", linewidth=0.7, rasterized=True)
    for code, (marker, colour) in _MARKS.items():
        of = (rows["verdict"] == code).to_numpy()
        if of.any():
            axes.scatter(x[of], rows["effect"][of], s=9, marker=marker, color=colour, linewidths=0, label=WORDS[code])
    own = np.flatnonzero(rows["cell"] == 0)
    axes.scatter(
        own, rows["effect"][own], s=60, facecolors="none", edgecolors=INK, linewidths=1.1, label="the study's own"
    )
    axes.axhline(0, color=SOFT, linewidth=0.8)
    axes.set_ylabel("effect", color=INK)
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.set_xticks([])
    drawing.bare(axes)
    axes.legend(loc="upper left", fontsize=7.5, frameon=False, bbox_to_anchor=(1.01, 1.0), handletextpad=0.3)


def _levels(axes: Axes, shown: list[ChoiceShare], rows: pd.DataFrame, height: float) -> None:
    """Below the curve, which level each cell has of every choice."""
    y = 0.0
    for choice in shown:
        y += _GAP
        for name in choice.levels:
            of = (rows[choice.choice] == name).to_numpy()
            own = name == choice.levels[0]
            axes.imshow(
                np.where(of, 1.0, np.nan)[None], extent=(-0.5, len(rows) - 0.5, y + 0.86 * _ROW, y + 0.14 * _ROW),
                aspect="auto", interpolation="nearest", cmap=_one_colour(INK if own else SOFT), vmin=0, vmax=1,
            )  # fmt: skip
            axes.text(
                1.01, y + _ROW / 2, level(choice.choice, name), transform=axes.get_yaxis_transform(), va="center",
                fontsize=7.5, color=INK if own else SOFT,
            )  # fmt: skip
            y += _ROW
        middle = y - _ROW * len(choice.levels) / 2
        share = "" if choice.effect is None else f" {choice.effect:.0%}"
        axes.text(
            -0.01, middle, f"{CHOICES[choice.choice]}{share}", transform=axes.get_yaxis_transform(), va="center",
            ha="right", fontsize=7.5, color=INK,
        )  # fmt: skip
        axes.axhline(y + _GAP / 2, color=GRID, linewidth=0.8)
    axes.set_xlim(-0.5, len(rows) - 0.5)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.set_xticks([])
    for side in axes.spines.values():
        side.set_visible(False)


def _one_colour(colour: str) -> ListedColormap:
    from matplotlib.colors import ListedColormap

    return ListedColormap([colour])
