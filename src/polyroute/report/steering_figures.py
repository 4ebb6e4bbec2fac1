"""Figures of steering: the dose-response of a plan, every condition beside the others, and what edits do to routing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polyroute.report import drawing, steering, words
from polyroute.report.drawing import COLOURS, INK, SOFT, End
from polyroute.results.model import ModelResults, Steering

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GROUPS = (("chosen",), ("rule",), ("multilingual",), ("early", "late", "all"), ("pivot",), ("published",),
           ("by-turn", "by-task"))  # fmt: skip
"""Kinds of conditions that stand together, from the top; random experts come last, in one row."""
_SHOWN, _DRAWN = COLOURS[0], "#9aa0a6"
_ROW = 0.27
"""Height of a row of the forest plot in inches."""


def draw(folder: Path, found: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `doses-<task>`, `conditions-<task>` and `mechanism-<task>`.

    Args:
        folder: where they go.
        found: of the model.

    Returns:
        The files, and what could not be drawn though the stage has run, with its reason.
    """
    files: list[Path] = []
    missing: list[str] = []
    if found.steering is None:
        return files, missing
    for task, held in found.steering.tasks.items():
        rerouting = steering.mechanism(found.steering, task)
        if not rerouting.empty:
            files += _mechanism(folder / f"mechanism-{task}", found, found.steering, task, rerouting)
        for lead, part in (("steering", held), ("steering toward shared experts", held.shared)):
            if part.not_run is not None:
                missing.append(f"{lead} on {task} ({part.not_run})")
        if held.not_run is not None:
            continue
        if steering.doses(found.steering, task).empty:
            missing.append(f"doses on {task}")
        else:
            files += _doses(folder / f"doses-{task}", found, found.steering, task)
        if steering.pooled(found.steering, task).empty:
            missing.append(f"conditions on {task}")
        else:
            files += _conditions(folder / f"conditions-{task}", found, found.steering, task)
    return files, missing


def _doses(stem: Path, found: ModelResults, read: Steering, task: str) -> list[Path]:
    pivot = words.named(found.pivot)
    helped = steering.doses(read, task)
    count = int(helped["languages"].iloc[0])
    mean = f"mean of {count} languages" if count > 1 else "the other language"
    lines = [(mean, _SHOWN, helped), (pivot, COLOURS[1], steering.doses(read, task, group=found.pivot))]
    lines = [(name, colour, rows) for name, colour, rows in lines if not rows.empty]
    strengths = [0.0, *(float(strength) for _, _, rows in lines for strength in rows.index)]
    room = max(strengths) - min(strengths)
    with drawing.page() as axes:
        axes.set_xlim(min(strengths) - 0.05 * room, max(strengths) + 0.05 * room)
        shown = [
            100 * rows[name].to_numpy(np.float64) for _, _, rows in lines for name in ("difference", "low", "high")
        ]
        axes.set_ylim(*drawing.limits([np.zeros(1), *shown], from_zero=False))
        drawing.bare(axes)
        axes.axhline(0, color=SOFT, linewidth=0.8, zorder=1)
        axes.axvline(0, color=drawing.GRID, linewidth=0.8, zorder=1)
        # Aside from one another, so that neither interval hides the other.
        ends = [_line(axes, *line, aside=0.006 * room * side) for line, side in zip(lines, (-1, 1), strict=False)]
        ticks = sorted(set(strengths))
        axes.set_xticks(ticks, [f"{strength:g}".replace("-", "\N{MINUS SIGN}") for strength in ticks])
        axes.set_xlabel("strength λ of soft steering  (0: the baseline)", color=INK)
        axes.set_ylabel("difference of accuracy, in points", color=INK)
        drawing.name_ends(axes, ends)
        drawing.head(
            axes, f"What steering does to {task}, by its strength",
            _about(found, read, task), _verdict(found, read, task),
            "bars: 95% over items", above=10,
        )  # fmt: skip
        return drawing.save(axes, stem)


def _line(axes: Axes, name: str, colour: str, rows: pd.DataFrame, *, aside: float) -> End:
    """A dose-response through 0."""
    strengths, points = rows.index.to_numpy(np.float64), 100 * rows[["difference", "low", "high"]].to_numpy(np.float64)
    through = sorted([(0.0, 0.0), *zip(strengths, points[:, 0], strict=True)])
    axes.plot(
        [x + aside * (x != 0) for x, _ in through], [y for _, y in through], color=colour, linewidth=1.8,
        marker="o", markersize=3.6, zorder=4,
    )  # fmt: skip
    axes.vlines(strengths + aside, points[:, 1], points[:, 2], color=colour, linewidth=1.3, alpha=0.55, zorder=3)
    return End(name, colour, through[-1][0] + aside, float(through[-1][1]), bold=aside < 0)


@dataclass(frozen=True)
class _Row:
    """One line of the forest plot."""

    name: str
    points: tuple[tuple[float, float, float], ...]
    """Difference with its bounds in points; several for random experts, none where it was not run."""
    text: str
    """At the right."""
    y: float
    """Downwards from 0, groups half a row apart."""
    kind: str
    """Of the condition, `random` for all control sets; empty where it was not run."""


def _conditions(stem: Path, found: ModelResults, read: Steering, task: str) -> list[Path]:
    pooled = steering.pooled(read, task)
    count = int(pooled["languages"].iloc[0])
    rows = list(_rows(read, task))
    depth = rows[-1].y + 0.7
    with drawing.page(height=_ROW * (depth + 0.7)) as axes:
        bounds = np.array([point for row in rows for point in row.points])
        axes.set_xlim(*drawing.limits([np.zeros(1), bounds], from_zero=False))
        axes.set_ylim(depth, -0.7)
        drawing.bare(axes, grid="x")
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.axvline(0, color=SOFT, linewidth=0.8, zorder=1)
        for row in rows:
            _mark(axes, row)
        axes.set_yticks([row.y for row in rows], [row.name for row in rows], color=INK)
        axes.set_xlabel(
            "difference of accuracy, in points  "
            + (f"(mean of {count} languages, without {words.named(found.pivot)})" if count > 1 else ""), color=INK,
        )  # fmt: skip
        drawing.head(
            axes, f"Steering {task} and its controls", _about(found, read, task),
            _verdict(found, read, task), "bars: 95% over items  ·  q: adjusted for the conditions", above=10,
        )  # fmt: skip
        return drawing.save(axes, stem)


def _rows(read: Steering, task: str) -> Iterator[_Row]:
    """Conditions by group, those that were not run among them, and random experts."""
    pooled = steering.pooled(read, task)
    reasons = {name: why for name, why in steering.left_out(read.steered[task]).items() if name not in pooled.index}
    y, before = 0.0, False
    for kinds in _GROUPS:
        if before:
            y += 0.5
        before = False
        named = [
            name for kind in kinds
            for name in (*map(str, pooled.index[pooled["kind"] == kind]), *(n for n in reasons if _kind(n) == kind))
        ]  # fmt: skip
        for name in named:
            row = steering.row(pooled, name)
            if row is None:
                points: tuple[tuple[float, float, float], ...] = ()
                text = "\n".join(textwrap.wrap(f"not run: {reasons[name]}", 64, max_lines=2, placeholder=" …"))
            else:
                points = (tuple(100 * float(row[part]) for part in ("difference", "low", "high")),)  # type: ignore[assignment]
                text = f"{words.points_with_interval(row)}, q {words.chance(row['q'])}"
            yield _Row(steering.called(name), points, text, y, "" if row is None else str(row["kind"]))
            y, before = y + 1, True
    drawn = pooled[pooled["kind"] == "random"]["difference"]
    if not drawn.empty:
        each = tuple((100 * float(one),) * 3 for one in drawn)
        draws = f"{len(drawn)} draw{'s' if len(drawn) > 1 else ''}"
        best = f"{draws}, best {words.points(drawn.max())}"
        yield _Row("random experts", each, best, y + (0.5 if before else 0), "random")


def _kind(name: str) -> str:
    """The kind of a condition that was not run, from its name."""
    if name.startswith("pivot-"):
        return "pivot"
    return "rule" if name in steering.RULES else name


def _mark(axes: Axes, row: _Row) -> None:
    colour = _SHOWN if row.kind == "chosen" else INK
    for value, low, high in row.points:
        if row.kind == "random":
            axes.plot(value, row.y, "o", color=_DRAWN, markersize=4.5, alpha=0.75, markeredgewidth=0, zorder=3)
        else:
            axes.plot([low, high], [row.y, row.y], color=colour, linewidth=1.5, zorder=3)
            axes.plot(value, row.y, "o", color=colour, markersize=5.5, zorder=4)
    axes.annotate(
        row.text, (1.0, row.y), xycoords=("axes fraction", "data"), xytext=(10, 0), textcoords="offset points",
        va="center", fontsize=8 if row.points else 7, color=INK if row.points else SOFT, linespacing=1.1,
    )  # fmt: skip


_EDITS = {
    "chosen": ("task experts, soft", COLOURS[0], "o"),
    "dose": ("task experts, soft", COLOURS[0], "o"),
    "rule": ("task experts, hard rules", COLOURS[1], "s"),
    "random": ("random in their place", "#777777", "x"),
    "published-random": ("random in their place", "#777777", "x"),
    "shared": ("shared experts, |z|", COLOURS[2], "^"),
    "shared-chosen": ("shared experts, |z|", COLOURS[2], "^"),
    "shared-published": ("shared experts, |z|", COLOURS[2], "^"),
    "shared-random": ("random in their place, |z|", "#777777", "+"),
    "shared-published-random": ("random in their place, |z|", "#777777", "+"),
}
"""Kind of a condition -> whom it edits and how, colour and mark."""
_OTHER = ("other experts or layers", COLOURS[3], "D")


def _mechanism(stem: Path, found: ModelResults, read: Steering, task: str, rerouting: pd.DataFrame) -> list[Path]:
    width, gap, height = 3.0, 0.35, 2.6
    shown = {_edit(read, task, str(kind)): None for kind in rerouting["kind"]}
    with drawing.panels([(place * (width + gap), 0.0, width, height) for place in (0, 1)]) as panels:
        bounds = [100 * rerouting[name].to_numpy(np.float64) for name in ("low", "high")]
        for axes, column in zip(panels, ("rerouted", "relative_size"), strict=True):
            for _, row in rerouting.iterrows():
                _edited(axes, row, column, _edit(read, task, str(row["kind"])))
            axes.set_ylim(*drawing.limits([np.zeros(1), *bounds], from_zero=False))
            drawing.bare(axes, grid="both")
            axes.axhline(0, color=SOFT, linewidth=0.8, zorder=1)
        panels[0].set_xlim(-2, 102)
        panels[0].set_xlabel("rerouted tokens, in percent", color=INK)
        panels[0].set_ylabel("difference of accuracy, in points", color=INK)
        panels[1].set_xscale("log")
        panels[1].set_xlabel("mean |edit| / mean |logit|", color=INK)
        panels[1].tick_params(labelleft=False)
        _edits_legend(panels[1], list(shown))
        drawing.head(
            panels[0], f"What edits of router logits do to routing, and to {task}",
            f"{found.model}  ·  a point a condition; routing: mean over the edited layers, on prompts of the task",
            "bars: 95% over items; ringed: the plans that were chosen on other items", above=10,
        )  # fmt: skip
        return drawing.save(panels[0], stem)


def _edit(read: Steering, task: str, kind: str) -> tuple[str, str, str]:
    if kind == "chosen" and read.steered[task].folds["select"].chosen.rule != "soft":
        kind = "rule"
    return _EDITS.get(kind, _OTHER)


def _edited(axes: Axes, row: pd.Series[Any], column: str, style: tuple[str, str, str]) -> None:
    _name, colour, mark = style
    x, points = 100 * row[column] if column == "rerouted" else row[column], 100 * row[["difference", "low", "high"]]
    if column == "relative_size" and not x > 0:  # no place on a logarithmic axis
        return
    axes.plot([x, x], [points["low"], points["high"]], color=colour, linewidth=1.1, alpha=0.4, zorder=2)
    axes.plot(x, points["difference"], linestyle="", marker=mark, color=colour, markersize=5.5, zorder=3)
    if row["is_chosen"]:
        axes.plot(
            x, points["difference"], linestyle="", marker="o", markersize=11, markerfacecolor="none",
            markeredgecolor=INK, markeredgewidth=1.0, zorder=4,
        )  # fmt: skip


def _edits_legend(axes: Axes, shown: list[tuple[str, str, str]]) -> None:
    from matplotlib.lines import Line2D

    order = [style for style in dict.fromkeys([*_EDITS.values(), _OTHER]) if style in shown]
    handles = [Line2D([], [], linestyle="", marker=mark, color=colour, markersize=5.5) for _, colour, mark in order]
    axes.legend(
        handles, [name for name, _, _ in order], loc="upper left", bbox_to_anchor=(1.03, 1.02), frameon=False,
        fontsize=8, labelcolor=INK, borderaxespad=0, handletextpad=0.3,
    )  # fmt: skip


def _about(found: ModelResults, read: Steering, task: str) -> str:
    return f"{found.model}  ·  {steering.plan(read.steered[task])}"


def _verdict(found: ModelResults, read: Steering, task: str) -> str:
    chosen = steering.row(steering.pooled(read, task), "chosen")
    assert chosen is not None, "the chosen plan is run on both halves"
    verdict = read.steered[task].verdict
    told = (
        f"chosen plan: {words.points_with_interval(chosen)} points, {verdict.items} items  ·  "
        f"does it help? {words.HELPS[verdict.code]}"
    )
    loss = verdict.pivot_loss
    return told if loss is None else f"{told}  ·  {words.named(found.pivot)} {words.points(-loss)}"
