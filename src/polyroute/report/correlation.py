"""What divergence and accuracy have to do with one another: the verdict on the middle zone, and the curve over layers.

Paper 1 finds correlations that are negative in the middle layers: the nearer a language is routed to the pivot there,
the better the model answers in it. The verdict is that of correlation.json: it rests on one number a language, the mean
divergence of the middle zone, which is fixed before anything is measured. Beside it stand early and late zones, and
what rivals leave of it. The curve over layers describes; no layer is picked from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from polyroute.report import drawing, words
from polyroute.report.drawing import COLOURS, INK, SOFT, End
from polyroute.report.words import LEVEL, NONE
from polyroute.results.correlation import Given, TaskCorrelation, ZoneCorrelation
from polyroute.results.model import Correlations, ModelResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PEARSON, _SPEARMAN, _GIVEN = COLOURS[0], COLOURS[2], COLOURS[1]
_HEIGHT = 3.45
"""Of both panels, in inches."""
_DOTTED = 24
"""Up to so many layers each has a marker; beyond, only those that say something."""
TOKENS, RESOURCE = "tokens_per_sentence", "resource"
"""Rivals that tables name: mean tokens of a sentence in each language, and how much text of it there is."""


def curve(found: Correlations, task: str, method: str = "pearson", controlled_for: str = "") -> pd.DataFrame:
    """Rows of one curve over depth that hold a coefficient, indexed by layer."""
    table = found.table
    chosen = table[(table["task"] == task) & (table["method"] == method) & (table["controlled_for"] == controlled_for)]
    return chosen[chosen["r"].notna()].set_index("layer").sort_index()


def middle(found: Correlations | None, task: str) -> ZoneCorrelation | None:
    """The middle zone's correlation; None where there is no coefficient."""
    held = None if found is None else found.tasks.get(task)
    return None if held is None or held.zones["middle"].r is None else held.zones["middle"]


def verdict(held: TaskCorrelation) -> str:
    """The verdict on a task, and whether it holds with the family as the unit."""
    if held.verdict is None:
        return f"no verdict: {'; '.join(held.notes) or 'there is no coefficient'}"
    said, by_family = words.CORRELATION[held.verdict], held.by_family
    if by_family.verdict is None:
        return f"{said} (too few families to check)"
    return said if by_family.agrees else f"{said} (by family {words.CORRELATION_BY_FAMILY[by_family.verdict]})"


def seen(held: TaskCorrelation) -> str:
    """What so many languages could show: `r of ±0.62 or beyond`."""
    return NONE if held.detectable_r is None else f"r of ±{words.coefficient(held.detectable_r)} or beyond"


def in_words(one: ZoneCorrelation | Given | None) -> str:
    """`-0.81 [-0.93, -0.55], p 0.004`; without the interval where there is none."""
    if one is None or one.r is None or one.p is None:
        return NONE
    bounds = (one.low, one.high) if isinstance(one, ZoneCorrelation) else (None, None)
    return f"{words.coefficient(one.r)}{_interval(*bounds)}, p {words.chance(one.p)}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{words.coefficient(low)}, {words.coefficient(high)}]"


def correlation_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: the middle zone's Pearson r, what rivals leave of it, the other zones, and the verdict.

    The interval by family leaves out one family at a time; the last column but one says which correlation so many
    unrelated languages show 80% of the time.
    """
    columns = [
        "model", "task", "languages", "r, middle zone", "interval by family", "given tokens a sentence",
        "given resource", "early", "late", "could be seen", "verdict",
    ]  # fmt: skip
    rows = []
    for one in measured:
        for task, held in {} if one.correlations is None else one.correlations.tasks.items():
            zone, by_family = held.zones["middle"], held.by_family
            rows.append([
                one.model, task, str(len(held.points)), in_words(zone),
                _interval(by_family.low, by_family.high).strip() or NONE,
                *(in_words(zone.given.get(name)) for name in (TOKENS, RESOURCE)),
                *(in_words(held.zones[name]) for name in ("early", "late")), seen(held), verdict(held),
            ])  # fmt: skip
    return words.markdown(columns, rows)


def draw(folder: Path, found: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `correlation-<task>`: languages in the middle zone, and the curve over layers beside them.

    Args:
        folder: where they go.
        found: of the model.

    Returns:
        The files, and what could not be drawn though the stage has run, with its reason.
    """
    files: list[Path] = []
    missing: list[str] = []
    if found.correlations is not None:
        for task, held in found.correlations.tasks.items():
            if curve(found.correlations, task).empty:
                reason = f" ({'; '.join(held.notes)})" if held.notes else ""
                missing.append(f"correlation on {task}{reason}")
            else:
                files += _correlation(folder / f"correlation-{task}", found, found.correlations, task)
    return files, missing


def _correlation(stem: Path, found: ModelResults, read: Correlations, task: str) -> list[Path]:
    summary, held = found.alignment.corpora[read.corpus], read.tasks[task]
    pivot = words.named(found.pivot)
    zone = held.zones["middle"]
    rival = in_words(zone.given.get(TOKENS))
    with drawing.panels([(0.0, 0.0, 2.6, _HEIGHT), (3.3, 0.0, 3.3, _HEIGHT)]) as (points, curves):
        _points(points, held, pivot)
        _curves(curves, read, task, drawing.zones_of(summary))
        drawing.head(
            points,
            f"Divergence from {pivot} and accuracy on {task}, over {len(held.points)} languages",
            f"{found.model}  ·  divergence on {read.corpus}, {summary.reading}  ·  left: mean over the middle zone, "
            f"layers {words.layer_range(summary.zones.middle)}, which the verdict rests on  ·  right: each layer, "
            "filled where q < 0.05, band 95% over languages",
            f"verdict: {verdict(held)}",
            f"r {in_words(zone)}  ·  given tokens a sentence {'not computed' if rival == NONE else rival}",
            f"could be seen: {seen(held)}",
        )
        return drawing.save(points, stem)


def _points(axes: Axes, held: TaskCorrelation, pivot: str) -> None:
    """A dot a language: mean divergence of the middle zone across, accuracy upwards."""
    drawing.bare(axes, grid="both")
    points = held.points
    across = [one.divergence for one in points.values()]
    up = [100 * one.accuracy for one in points.values()]
    axes.plot(across, up, linestyle="", marker="o", markersize=4.2, color=_PEARSON, zorder=3)
    for code, x, y in zip(points, across, up, strict=True):
        axes.annotate(
            code.partition("_")[0], (x, y), xytext=(3.5, 2.5), textcoords="offset points", fontsize=6.5, color=SOFT
        )
    axes.margins(0.12)
    axes.set_xlabel(f"divergence from {pivot}, middle zone", color=INK)
    axes.set_ylabel("accuracy in percent", color=INK)


def _curves(axes: Axes, read: Correlations, task: str, zones: dict[str, tuple[int, int]]) -> None:
    """The coefficients of each layer."""
    pearson = curve(read, task)
    layers = sorted(set(read.table[read.table["task"] == task]["layer"]))
    axes.set_ylim(-1.04, 1.04)
    drawing.bare(axes)
    drawing.over_layers(axes, layers[0], layers[-1], zones)
    axes.axhline(0, color=SOFT, linewidth=0.8, zorder=1)
    bounded = pearson[pearson["low"].notna() & pearson["high"].notna()]
    axes.fill_between(bounded.index, bounded["low"], bounded["high"], color=_PEARSON, alpha=0.16, linewidth=0, zorder=2)
    ends = [
        _coefficients(axes, curve(read, task, method="spearman"), "Spearman", _SPEARMAN, len(layers), linewidth=0.9),
        _coefficients(
            axes, curve(read, task, controlled_for=TOKENS), "Pearson, given tokens", _GIVEN, len(layers),
            linestyle=(0, (4, 2)),
        ),
        _coefficients(axes, pearson, "Pearson", _PEARSON, len(layers), linewidth=2.0),
    ]  # fmt: skip
    axes.set_ylabel("correlation r with accuracy, over languages", color=INK)
    drawing.name_ends(axes, [end for end in ends if end is not None])


def _coefficients(axes: Axes, rows: pd.DataFrame, name: str, colour: str, layers: int, **line: Any) -> End | None:
    """Draw one curve, its layers with q below the level filled; None where it has no point."""
    if rows.empty:
        return None
    # Layers without a coefficient leave a gap.
    whole = rows["r"].reindex(range(int(rows.index[0]), int(rows.index[-1]) + 1))
    axes.plot(whole.index, whole.to_numpy(), color=colour, zorder=3, **({"linewidth": 1.4} | line))
    told = rows["q"] < LEVEL
    for shown, face in ((rows[~told], "white"), (rows[told], colour)):
        if face == "white" and layers > _DOTTED:
            continue
        axes.plot(
            shown.index, shown["r"], linestyle="", marker="o", markersize=4.6 if face == colour else 3.4,
            markerfacecolor=face, markeredgecolor=colour, markeredgewidth=0.9, zorder=4,
        )  # fmt: skip
    return End(name, colour, float(rows.index[-1]), float(rows["r"].iloc[-1]), bold=name == "Pearson")
