"""What masks of exclusive experts did on one task, and a verdict by a stated rule.

Paper 2 finds that masking the experts that are exclusive to a language hurts that language, in early and late layers
most. For each score and range of layers mask.json holds the mean difference of the masked from the unmasked model with
95% intervals over items: `diagonal`, where the asked language is the one whose experts are masked, and how it differs
from other languages' (`own_minus_others`) and from random experts, as many and as frequent (`own_minus_random`). The
verdict, for each range by itself, is the code of mask.json in words, and where masks hurt their own language

- "more than others", if `own_minus_others` lies below 0 with its interval; nothing where no other language met them;
- "more than random masks", if at most 5% of random draws cost as much; "too few random masks to rank it" where so few
  were drawn that this cannot be, though none cost as much;
- "masking random experts costs more", if `own_minus_random` lies above 0 with its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from polyroute.ground.layers import ZONES
from polyroute.report import drawing, words
from polyroute.report.drawing import INK, SOFT
from polyroute.report.words import LEVEL
from polyroute.results.masking import MaskHeadline, MeanDifference, Score
from polyroute.results.model import Masking, ModelResults
from polyroute.results.quantities import Zone

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCORES: dict[Score, str] = {"accuracy": "score on", "consistency": "answers in the asked language on"}
"""What mask.csv calls a score -> in plain words, before the name of a task."""
CHINESE = "zho_Hans"
UNPUBLISHED = (
    "Chinese translations have no published number to be compared with: paper 2's rule for the language of an answer "
    "compares zh-cn with zh, which never agree."
)
"""Its own column of FLORES is no measurement; ours is, by another detector."""
_NUMBERED = 14
"""Up to so many languages each cell holds its number."""
_ROWS = (("exclusive", "exclusive\nexperts"), ("random", "random experts\n(mean of draws)"))


def verdict(headline: MaskHeadline) -> str:
    """The verdict on a range, by the rule of this module.

    Args:
        headline: of one score and range.
    """
    said = words.OWN_LOSS[headline.code]
    if headline.code == "hurts":
        others, random = headline.beyond_others, headline.beyond_random
        more = [what for what, so in (("others", others), ("random masks", random)) if so]
        not_more = ["others"] * (others is False) + ["random masks"] * (
            random is False and not headline.random_costs_more
        )
        said += (", more than " if len(more) > 1 else " more than ") * bool(more) + " and more than ".join(more)
        said += ", but not significantly more than " * bool(not_more) + " or ".join(not_more)
        if random is None:
            said += "; too few random masks to rank it"
    return f"{said}; masking random experts costs more" if headline.random_costs_more else said


def matrix(found: Masking, task: str, score: str, where: str, kind: str, column: str = "difference") -> pd.DataFrame:
    """A column of mask.csv for every pair: a row an evaluated language, a column a target; the mean over draws.

    Args:
        found: of a model.
        task: one of `found.tasks`.
        score: `accuracy` or `consistency`.
        where: range of layers.
        kind: `exclusive` or `random`.
        column: which.

    Returns:
        Rows in the order of the task's languages; the same columns, and after them targets in which the task is not
        asked. NaN where there was no mask.
    """
    table = found.table
    rows = table[(table["task"] == task) & (table["score"] == score)]
    rows = rows[(rows["range"] == where) & (rows["kind"] == kind)]
    held = found.tasks[task]
    codes = held.languages
    means = rows.groupby(["evaluated", "target"])[column].mean().unstack("target")
    return means.reindex(index=codes, columns=[*codes, *(code for code in held.targets if code not in codes)])


def mean(held: MeanDifference) -> str:
    """`-3.1` in points; a dash where there is none."""
    return "–" if held.value is None else words.points(held.value)


def told(held: MeanDifference) -> str:
    """`-3.1 [-4.0, -2.2]` in points; a dash where there is none."""
    if held.value is None:
        return "–"
    return words.points_with_interval(pd.Series({"difference": held.value, "low": held.low, "high": held.high}))


def masking_table(measured: Sequence[ModelResults]) -> str:
    """A row a model, task, score and range of layers: what masks of exclusive experts do, in points.

    `own`: in the language whose experts are masked; `others`: in all others; `random`: in the own language under masks
    of as many random experts, as frequent. Means over languages, intervals over `items`. The rule of the verdict is
    that of `masking`.
    """
    columns = ["model", "task", "score", "layers", "items", "own", "others", "random", "verdict"]
    rows, unpublished = [], False
    for one in measured:
        found = one.masking
        for task, held in found.tasks.items() if found is not None else ():
            for score, by_range in held.headline.items():
                unpublished |= _unpublished(one, task, score)
                for name in (zone for zone in ZONES if zone in by_range):
                    means = by_range[name]
                    rows.append(
                        [
                            one.model, task, score, f"{name} ({words.layer_range(held.ranges[name])})",
                            str(means.items),
                            *map(told, (means.diagonal, means.off_diagonal, means.random_diagonal)),
                            verdict(means),
                        ]
                    )  # fmt: skip
    return words.markdown(columns, rows) + (f"\n\n{UNPUBLISHED}" if unpublished else "")


def _unpublished(one: ModelResults, task: str, score: str) -> bool:
    """Whether the languages of answers are told of a translation task that Chinese is among."""
    told = None if one.accuracy is None else one.accuracy.tasks.get(task)
    if told is None or told.kind != "translation" or one.masking is None or score != "consistency":
        return False
    return CHINESE in one.masking.tasks[task].languages


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
        scores = [score for score in SCORES if ((table["task"] == task) & (table["score"] == score)).any()]
        if not scores:
            reasons = dict.fromkeys(one.reason for one in found.masking.tasks[task].left_out)
            missing.append(f"masking on {task}" + (f" ({'; '.join(reasons)})" if reasons else ""))
        for score in scores:
            name = f"masking-{task}" if score == "accuracy" else f"masking-{score}-{task}"
            files += _matrices(folder / name, found, found.masking, task, score)
    return files, missing


def _matrices(stem: Path, found: ModelResults, read: Masking, task: str, score: Score) -> list[Path]:
    held = read.tasks[task]
    headline = held.headline[score]
    ranges = {name: held.ranges[name] for name in ZONES}
    every = {(kind, name): 100 * matrix(read, task, score, name, kind) for kind, _ in _ROWS for name in ranges}
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
            sure = matrix(read, task, score, name, kind, "q") < LEVEL if top else cells.isna()
            _cells(axes, cells, sure, most, cell, left=left, bottom=not top)
            if top:
                first, last = ranges[name]
                axes.set_title(
                    f"{name}, {words.layers(range(first, last + 1))}", fontsize=9.5, color=INK, loc="left", pad=5
                )
            if left:
                axes.set_ylabel(dict(_ROWS)[kind] + "\n\nasked in", color=INK)
        panels[-1 - len(ranges) // 2].set_xlabel("language whose experts are masked", color=INK)
        _scale(panels[len(ranges) - 1])
        lines = [
            f"{name}: own language {told(headline[name].diagonal)}, others "
            f"{mean(headline[name].off_diagonal)}, random experts in its place "
            f"{mean(headline[name].random_diagonal)}, {headline[name].items} items: {verdict(headline[name])}"
            for name in ranges if name in headline
        ]  # fmt: skip
        lines += [UNPUBLISHED] if _unpublished(found, task, score) else []
        drawing.head(
            panels[0], f"Masking a language's exclusive experts: {SCORES[score]} {task}",
            f"{found.model}  ·  k = {held.k}, thr = {held.thr:g}, exclusive among {len(held.targets)} languages  ·  "
            "difference from the unmasked model in points", *lines,
            "outlined: its own language; bold: q < 0.05; hatched: no expert to mask"
            + (", or not asked: each language meets its own masks alone" if held.own_only else "")
            + ("" if _complete(every) else ", or no random one to compare with"), above=22, width=150,
        )  # fmt: skip
        return drawing.save(panels[0], stem)


def _complete(every: dict[tuple[str, Zone], pd.DataFrame]) -> bool:
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
    asked, masked = ([words.named(code) for code in codes] for codes in (cells.index, cells.columns))
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
