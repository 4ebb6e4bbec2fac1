"""Figures of masks: every evaluated language under the mask of every language's exclusive experts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from polyroute.report import drawing, families, masking, wording
from polyroute.report.drawing import INK, SOFT
from polyroute.results.masking import Score
from polyroute.results.model import Masking, ModelResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NUMBERED = 14
"""Up to so many languages each cell holds its number."""
LEVEL = 0.05
_ROWS = (("exclusive", "exclusive\nexperts"), ("random", "random experts\n(mean of draws)"))


def draw(folder: Path, found: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `masking-<task>`, and `masking-consistency-<task>` where answers are written.

    Args:
        folder: where they go.
        found: of the model.

    Returns:
        The files, and what could not be drawn though the stage has run, with its reason.
    """
    files: list[Path] = []
    missing: list[str] = []
    for task in found.masking.tasks if found.masking is not None else ():
        assert found.masking is not None, "it has tasks"
        table = found.masking.table
        scores = [score for score in masking.SCORES if ((table["task"] == task) & (table["score"] == score)).any()]
        if not scores:
            reasons = dict.fromkeys(one.reason for one in found.masking.tasks[task].left_out)
            missing.append(f"masking on {task}" + (f" ({'; '.join(reasons)})" if reasons else ""))
        for score in scores:
            name = f"masking-{task}" if score == "accuracy" else f"masking-{score}-{task}"
            files += _matrices(folder / name, found.model, found.masking, task, score)
    return files, missing


def _matrices(stem: Path, model: str, read: Masking, task: str, score: Score) -> list[Path]:
    held = read.tasks[task]
    headline = held.headline[score]
    ranges = {name: held.ranges[name] for name in families.ZONES}
    every = {(kind, name): 100 * masking.matrix(read, task, score, name, kind) for kind, _ in _ROWS for name in ranges}
    most = max(1.0, float(np.nanmax(np.abs(np.concatenate([one.to_numpy().ravel() for one in every.values()])))))
    rows, columns = every["exclusive", "middle"].shape
    cell = 0.4 if columns <= 8 else 0.3 if columns <= _NUMBERED else 0.13
    cell = max(cell, 1.3 / rows)
    width, height = cell * columns, cell * rows
    boxes = [
        (column * (width + 0.2), (1 - row) * (height + 0.2), width, height)
        for row in (0, 1)
        for column in range(len(ranges))
    ]
    with drawing.panels(boxes) as panels:
        for axes, ((kind, name), cells) in zip(panels, every.items(), strict=True):
            top, left = kind == "exclusive", name == next(iter(ranges))
            # A mean over draws has no test.
            sure = masking.matrix(read, task, score, name, kind, "q") < LEVEL if top else cells.isna()
            _cells(axes, cells, sure, most, cell, left=left, bottom=not top)
            if top:
                first, last = ranges[name]
                axes.set_title(
                    f"{name}, {wording.layers(range(first, last + 1))}", fontsize=9.5, color=INK, loc="left", pad=5
                )
            if left:
                axes.set_ylabel(dict(_ROWS)[kind] + "\n\nasked in", color=INK)
        panels[-1 - len(ranges) // 2].set_xlabel("language whose experts are masked", color=INK)
        _scale(panels[len(ranges) - 1])
        lines = [
            f"{name}: own language {masking.told(headline[name].diagonal)}, others "
            f"{masking.mean(headline[name].off_diagonal)}, own by random experts "
            f"{masking.mean(headline[name].random_diagonal)}: {masking.verdict(headline[name])}"
            for name in ranges if name in headline
        ]  # fmt: skip
        drawing.head(
            panels[0], f"Masking a language's exclusive experts: {masking.SCORES[score]} {task}",
            f"{model}  ·  k = {held.k}, thr = {held.thr:g}, exclusive among {len(held.among)} languages  ·  "
            "difference from the unmasked model in points", *lines,
            "outlined: its own language; bold: q < 0.05; hatched: no expert to mask"
            + ("" if _complete(every) else ", or no random one to compare with"), above=22, width=150,
        )  # fmt: skip
        return drawing.save(panels[0], stem)


def _complete(every: dict[tuple[str, str], pd.DataFrame]) -> bool:
    """Whether every mask has random ones beside it."""
    return all(
        (cells.notna().to_numpy() == every["random", name].notna().to_numpy()).all()
        for (_kind, name), cells in every.items()
    )


def _cells(
    axes: Axes, cells: pd.DataFrame, sure: pd.DataFrame, most: float, cell: float, *, left: bool, bottom: bool
) -> None:
    """One matrix; `sure` says which cells have q below the level."""
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    values = cells.to_numpy()
    axes.imshow(values, cmap=colormaps["RdBu"], vmin=-most, vmax=most, interpolation="nearest", aspect="equal")
    for row, column in np.argwhere(np.isnan(values)):
        axes.add_patch(
            Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="#f4f5f6", edgecolor="#c4c8cc", hatch="////",
                      linewidth=0)
        )  # fmt: skip
    for place in range(len(cells)):
        axes.add_patch(
            Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=1.3, zorder=4,
                      clip_on=False)
        )  # fmt: skip
    if cells.shape[1] <= _NUMBERED:
        for row, column in np.argwhere(~np.isnan(values)):
            value = values[row, column]
            axes.text(
                column, row, f"{round(value) + 0.0:.0f}".replace("-", "\N{MINUS SIGN}"), ha="center",
                va="center_baseline", fontsize=min(8.0, 24 * cell), color="white" if abs(value) > 0.6 * most else INK,
                fontweight="bold" if sure.iat[row, column] else "normal",
            )  # fmt: skip
    asked, masked = ([wording.named(code) for code in codes] for codes in (cells.index, cells.columns))
    axes.set_yticks(range(len(asked)), asked, fontsize=min(8.5, 48 * cell))
    axes.set_xticks(
        range(len(masked)), masked, fontsize=min(8.5, 48 * cell), rotation=45, ha="right", rotation_mode="anchor"
    )
    axes.tick_params(length=0, labelcolor=INK, labelleft=left, labelbottom=bottom)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _scale(axes: Axes) -> None:
    """A colour bar at the right."""
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes come from `panels`"
    box, (page, _) = axes.get_position(), figure.get_size_inches()
    beside = figure.add_axes((box.x1 + 0.18 / page, box.y0, 0.11 / page, box.height))
    bar = figure.colorbar(axes.images[0], cax=beside)
    bar.outline.set_visible(False)
    beside.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    beside.locator_params(axis="y", nbins=5)
    beside.set_ylabel("points", fontsize=8, color=SOFT)
