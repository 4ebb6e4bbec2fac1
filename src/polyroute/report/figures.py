"""Figures of a model's results, as PNG and SVG, drawn from `metrics/<model>/` alone.

One figure a corpus and measure: the measure by layer, one line a language. The same results give the same bytes:
neither a date nor a version goes into the files, and the typeface is the one that matplotlib carries.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from polyroute import languages
from polyroute.paths import Paths
from polyroute.report.results import Results, spans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]

FEW = 8
"""Up to so many languages each has a colour and an interval band; beyond, colour runs with the middle-layer value."""
LABELLED = 20
"""Up to so many languages each is named at the end of its line; beyond, in a legend."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#777777")
"""Okabe and Ito's without black (kept for the pivot) and yellow (faint on white), then a wine and a grey."""
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
_INK, _SOFT, _FAINT = "#1a1a1a", "#5f6368", "#d9dce0"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": "#9aa0a6",
    "axes.linewidth": 0.8,
    "axes.labelcolor": _INK,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "svg.fonttype": "path",
    "svg.hashsalt": "polyroute",
}


@dataclass(frozen=True)
class _Measure:
    """How one measure is drawn."""

    file: str
    names: tuple[str, ...]
    """Names in layers.csv, the first that has rows is drawn."""
    title: str
    axis: str
    from_zero: bool
    """Whether heights read as amounts; else the axis shows the range of the values."""
    verdict: Callable[[dict[str, Any]], str] | None = None
    """What a corpus's summary says of it, in a line above the figure."""


@dataclass(frozen=True)
class Curve:
    """One language's values of a measure by layer."""

    language: str
    """FLORES code."""
    layers: npt.NDArray[np.int64]
    """(L,) layer numbers, ascending."""
    values: Floats
    """(L,)"""
    low: Floats | None
    high: Floats | None
    """(L,) bounds of the interval, or None where the results hold none."""


@dataclass(frozen=True)
class Drawn:
    """What a call drew."""

    files: tuple[Path, ...]
    """PNG and SVG files, in the order drawn."""
    missing: tuple[str, ...]
    """Figures that the results hold no data for, as `<measure> on <corpus>`."""


def draw(paths: Paths, results: Results) -> Drawn:
    """Draw every figure of a model into `figures/<model>/`."""
    folder = paths.figures(results.model)
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    missing: list[str] = []
    for corpus in results.align["corpora"]:
        for measure in _MEASURES:
            name, reading, curves = _curves(results, corpus, measure)
            if not curves:
                missing.append(f"{measure.file} on {corpus}")
                continue
            stem = folder / f"{measure.file}-{corpus}"
            files += _draw(stem, results, corpus, measure, name, reading, curves)
    return Drawn(tuple(files), tuple(missing))


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> Floats:
    """Positions at least `gap` apart and as near to the wanted ones as can be, in the same order.

    Args:
        wanted: (n,) positions in ascending order.
        gap: least distance between neighbours, in the same unit.
        low, high: where the first may start and the last may end; where n positions do not fit,
            they share the room evenly.

    Returns:
        (n,) positions that minimise the sum of squared moves: isotonic regression of `wanted[i] - i * gap`.
    """
    n = len(wanted)
    if n > 1 and (n - 1) * gap > high - low:
        return np.linspace(low, high, n)
    offsets = np.arange(n) * gap
    blocks: list[list[float]] = []  # of [mean, size]: neighbours that touch move as one
    for position in np.asarray(wanted, dtype=np.float64) - offsets:
        blocks.append([float(position), 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, size = blocks.pop()
            before = blocks[-1]
            before[0] = (before[0] * before[1] + mean * size) / (before[1] + size)
            before[1] += size
    fitted = np.concatenate([np.full(int(size), mean) for mean, size in blocks])
    return np.asarray(np.clip(fitted, low, high - offsets[-1]) + offsets)


def _curves(results: Results, corpus: str, measure: _Measure) -> tuple[str, str, list[Curve]]:
    """The measure's name in the file, the reading drawn, and a curve a language; no curve where there is no data.

    The reading of the summary is drawn where the measure has it, so that figure and verdicts show the same thing.
    """
    table = results.layers
    table = table[(table["corpus"] == corpus) & table["measure"].isin(measure.names) & table["value"].notna()]
    if table.empty:
        return "", "", []
    name = next(name for name in measure.names if (table["measure"] == name).any())
    table = table[table["measure"] == name]
    readings = sorted(set(table["reading"]))
    preferred = results.align["corpora"][corpus]["reading"]
    reading = preferred if preferred in readings else readings[0]
    table = table[table["reading"] == reading].sort_values(["language", "layer"])
    return name, reading, [_curve(str(code), rows) for code, rows in table.groupby("language")]


def _curve(code: str, rows: pd.DataFrame) -> Curve:
    low, high = rows["low"].to_numpy(np.float64), rows["high"].to_numpy(np.float64)
    interval = bool(np.isfinite(low).all() and np.isfinite(high).all())
    return Curve(
        code,
        rows["layer"].to_numpy(np.int64),
        rows["value"].to_numpy(np.float64),
        low if interval else None,
        high if interval else None,
    )


def _draw(
    stem: Path, results: Results, corpus: str, measure: _Measure, name: str, reading: str, curves: list[Curve]
) -> list[Path]:
    # matplotlib takes half a second to import, and reading this module should not cost that.
    from matplotlib import style
    from matplotlib.figure import Figure

    summary = results.align["corpora"][corpus]
    shape = results.align["model"]
    pivot = languages.get(results.pivot).name
    zones = {zone: (int(first), int(last)) for zone, (first, last) in (summary.get("zones") or {}).items()}
    # "default" first: a matplotlibrc of the user's would change the bytes.
    with style.context(["default", _STYLE]):
        figure = Figure(figsize=(8.0, 5.0), dpi=100)
        axes = figure.add_axes((0.0, 0.0, 0.66, 0.69))  # labels lie outside: the page grows with them when saved
        colours = _plot(axes, curves, results.pivot, zones)
        _frame(axes, curves, zones, measure.from_zero)
        axes.set_xlabel("layer", color=_INK)
        axes.set_ylabel(measure.axis.format(pivot=pivot, uniform=np.log(shape["experts"])), color=_INK)
        _name_lines(axes, curves, colours, results.pivot, zones)
        sentences = summary.get("sentences")
        how = f"{reading}, {sentences} sentences a language" if sentences else f"{reading}, counts pooled a language"
        if sentences and name.endswith("_pooled"):
            how += ", pooled over sentences first"
        notes = [measure.verdict(summary)] if measure.verdict else []
        if axes.collections:  # nothing but a band is one
            notes.append("bands: bootstrap over sentences")
        title = measure.title.format(pivot=pivot)
        _head(axes, title, f"{results.model} on {corpus}  ·  {how}", "  ·  ".join(note for note in notes if note))
        files = [stem.with_name(f"{stem.name}.{ending}") for ending in ("png", "svg")]
        figure.savefig(files[0], dpi=140, bbox_inches="tight", pad_inches=0.12, metadata={"Software": None})
        figure.savefig(files[1], bbox_inches="tight", pad_inches=0.12, metadata={"Date": None, "Creator": None})
    return files


def _plot(axes: Axes, curves: list[Curve], pivot: str, zones: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Draw the lines; returns each language's colour and dash."""
    from matplotlib import colormaps

    ranked = [curve.language for curve in _by_middle(curves, zones) if curve.language != pivot]
    styles: dict[str, Any] = {pivot: (_INK, "-")}
    if len(ranked) <= FEW:
        styles |= {code: (COLOURS[i], "-") for i, code in enumerate(sorted(ranked))}
    else:
        # Neighbours in colour differ in their dashes, until there are too many to follow one by one;
        # the palest tenth of the map would vanish on white.
        dashes = _DASHES if len(ranked) <= LABELLED else ("-",)
        for i, code in enumerate(ranked):
            styles[code] = (colormaps["viridis"](0.9 * i / (len(ranked) - 1)), dashes[i % len(dashes)])
    dots = len(curves[0].layers) <= 24 and len(ranked) <= FEW
    width = 1.8 if len(ranked) <= FEW else 1.3 if len(ranked) <= LABELLED else 0.9
    for curve in curves:
        colour, dash = styles[curve.language]
        if curve.low is not None and curve.high is not None and len(ranked) <= FEW:
            axes.fill_between(curve.layers, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0, zorder=2)
        axes.plot(
            curve.layers,
            curve.values,
            color=colour,
            linestyle=dash,
            linewidth=width + 0.4 if curve.language == pivot else width,
            marker="o" if dots else None,
            markersize=3.2,
            solid_capstyle="round",
            zorder=4 if curve.language == pivot else 3,
        )
    return styles


def _frame(axes: Axes, curves: list[Curve], zones: dict[str, tuple[int, int]], from_zero: bool) -> None:
    """Limits, ticks and the shaded zones."""
    from matplotlib.ticker import MaxNLocator

    first = min(int(curve.layers[0]) for curve in curves)
    last = max(int(curve.layers[-1]) for curve in curves)
    axes.set_xlim(first - 0.5, last + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=16, integer=True, steps=[1, 2, 4, 5, 8, 10], min_n_ticks=1))
    values = np.concatenate([band for curve in curves for band in (curve.values, curve.low, curve.high)
                             if band is not None])  # fmt: skip
    lowest, highest = float(values.min()), float(values.max())
    bottom = min(0.0, lowest) if from_zero else lowest - 0.06 * (highest - lowest)
    top = highest + 0.06 * (highest - bottom)
    axes.set_ylim(bottom, top if top > bottom else bottom + 1)
    axes.grid(axis="y", color="#eceef0", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=3)
    # In a shallow model two zones may be the same layers, and share a label.
    for start, end in dict.fromkeys(zones.values()):
        names = [zone for zone, layers in zones.items() if layers == (start, end)]
        colour = "#f1f3f5" if "middle" in names else "#f7ecdf"
        axes.axvspan(start - 0.5, end + 0.5, color=colour, zorder=0, linewidth=0)
        axes.annotate(
            ", ".join(names), ((start + end) / 2, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", va="bottom", fontsize=8, color=_SOFT,
        )  # fmt: skip


def _name_lines(
    axes: Axes, curves: list[Curve], styles: dict[str, Any], pivot: str, zones: dict[str, tuple[int, int]]
) -> None:
    names = {curve.language: languages.get(curve.language).name for curve in curves}
    if len(curves) > LABELLED:
        _legend(axes, [curve.language for curve in reversed(_by_middle(curves, zones))], names, styles)
        return
    size = 9.0 if len(curves) <= FEW else 8.0
    box, (width, height) = axes.get_position(), axes.get_figure(root=True).get_size_inches()  # type: ignore[union-attr]
    (left, edge), (low, high) = axes.get_xlim(), axes.get_ylim()
    # One typographic point, in units of either axis.
    across, up = (edge - left) / (box.width * width * 72), (high - low) / (box.height * height * 72)
    ordered = sorted(curves, key=lambda curve: (curve.values[-1], curve.language))
    places = spread([float(curve.values[-1]) for curve in ordered], 1.28 * size * up, low, high)
    for curve, place in zip(ordered, places, strict=True):
        colour = styles[curve.language][0]
        axes.text(
            edge + 14 * across, float(place), names[curve.language], va="center_baseline", fontsize=size,
            color=_darker(colour), fontweight="bold" if curve.language == pivot else "normal",
        )  # fmt: skip
        axes.plot(
            [float(curve.layers[-1]), edge + 11 * across], [float(curve.values[-1]), float(place)], color=colour,
            linewidth=0.7, alpha=0.6, clip_on=False, zorder=2, scalex=False, scaley=False,
        )  # fmt: skip


def _darker(colour: Any) -> tuple[float, ...]:
    """The colour with a third of black: thin letters need more contrast than lines."""
    from matplotlib.colors import to_rgb

    return tuple(0.67 * channel for channel in to_rgb(colour))


def _legend(axes: Axes, ranked: list[str], names: dict[str, str], styles: dict[str, Any]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=styles[code][0], linestyle=styles[code][1], linewidth=1.5) for code in ranked]
    axes.legend(
        handles, [names[code] for code in ranked], loc="upper left", bbox_to_anchor=(1.01, 1.03), frameon=False,
        fontsize=7, labelcolor=_INK, ncols=-(-len(ranked) // 31), alignment="left",
        title="by middle-layer value, highest first", title_fontsize=7.5,
        labelspacing=0.28, handlelength=2.4, columnspacing=1.2, borderaxespad=0,
    )  # fmt: skip


def _head(axes: Axes, title: str, *lines: str) -> None:
    """Title and lines above the axes, built upwards from them."""
    text = "\n".join(part for line in lines for part in textwrap.wrap(line, 105))
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(text, (0, 1), xytext=(0, 22), fontsize=9, color=_SOFT, linespacing=1.35, **place)
    height = 22 + 13.5 * (text.count("\n") + 1) + 4
    axes.annotate(title, (0, 1), xytext=(0, height), fontsize=12.5, fontweight="bold", color=_INK, **place)


def _shapes(summary: dict[str, Any]) -> str:
    """How many languages show which shape, the most frequent first."""
    held = summary["languages"].values()
    shapes = Counter(str(language["shape"]) for language in held if language.get("shape"))
    total = sum(shapes.values())
    of = f" of {total} {'language' if total == 1 else 'languages'}"
    counted = sorted(shapes.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{'U-shape' if shape == 'U' else shape} in {count}" for shape, count in counted]
    return ", ".join([parts[0] + of, *parts[1:]]) if parts else ""


def _aligned(summary: dict[str, Any]) -> str:
    """In which layers translations are nearer than chance, over languages."""
    layers = summary["over_languages"].get("aligned_layers")
    if layers is None:
        return ""
    if not layers:
        return "nearer than chance over languages in no layer"
    return f"nearer than chance over languages in layer{'s' if len(layers) > 1 else ''} {spans(layers)}"


def _by_middle(curves: list[Curve], zones: dict[str, tuple[int, int]]) -> list[Curve]:
    """Curves by their mean over the middle zone (all layers where there is no such zone), ascending."""

    def middle(curve: Curve) -> tuple[float, str]:
        start, end = zones.get("middle", (-1, -1))
        inside = (curve.layers >= start) & (curve.layers <= end)
        return float(curve.values[inside].mean() if inside.any() else curve.values.mean()), curve.language

    return sorted(curves, key=middle)


_MEASURES = (
    _Measure(
        file="divergence",
        names=("divergence", "divergence_pooled"),
        title="Routing divergence from {pivot}",
        axis="divergence from {pivot}  (0 the same, 1 as far as can be)",
        from_zero=True,
        verdict=_shapes,
    ),
    _Measure(
        file="alignment",
        names=("alignment",),
        title="Alignment of translations with {pivot}",
        axis="alignment with {pivot}  (0 chance, 1 the same)",
        from_zero=True,
        verdict=_aligned,
    ),
    _Measure(
        file="entropy",
        names=("entropy", "entropy_pooled"),
        title="Routing entropy",
        axis="entropy in nats  (uniform: {uniform:.2f})",
        from_zero=False,
    ),
    _Measure(
        file="consistency",
        names=("consistency",),
        title="Routing consistency within a sentence",
        axis="mean Jaccard similarity of two tokens’ experts",
        from_zero=True,
    ),
)
