"""Figures of routing by layer: one a corpus and measure, one line a language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from polyroute.languages import table as languages
from polyroute.measures.layer_measure import POOLED
from polyroute.measures.of_tokens import LayerMeasure
from polyroute.measures.registry import MEASURES
from polyroute.report import drawing, words
from polyroute.report.drawing import COLOURS, INK, SOFT, End, Floats
from polyroute.report.words import spans
from polyroute.results.alignment import CorpusAlignment
from polyroute.results.model import ModelResults
from polyroute.results.nulls import NullsSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 8
"""Up to so many languages each has a colour and an interval band; beyond, colour runs with the middle-layer value."""
LABELLED = 10
"""Up to so many languages each has a line, named at its end; beyond, all are a band, with the extremes as lines."""
EXTREMES = 3
"""Languages with the highest values in the middle layers, and with the lowest, that are named beside a band."""
_BAND = COLOURS[0]
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


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
class Random:
    """A measure of random initialisations by layer, mean over languages, and of the model beside them."""

    layers: npt.NDArray[np.int64]
    """(L,) layer numbers, ascending."""
    low: Floats
    high: Floats
    """(L,) range of the random initialisations."""
    own: Floats
    """(L,) of the model."""
    draws: int


def draw(folder: Path, results: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `<measure>-<corpus>`.

    Args:
        folder: where they go.
        results: of the model.

    Returns:
        The files, and what the results hold no data for.
    """
    files: list[Path] = []
    missing: list[str] = []
    for corpus in results.alignment.corpora:
        for measure in sorted((one for one in MEASURES if one.drawn), key=lambda one: not one.pivot):
            name, reading, curves = _curves(results, corpus, measure)
            if not curves:
                missing.append(f"{measure.name} on {corpus}")
                continue
            stem = folder / f"{measure.name}-{corpus}"
            files += _draw(stem, results, corpus, measure, name, reading, curves)
    return files, missing


def _curves(results: ModelResults, corpus: str, measure: LayerMeasure) -> tuple[str, str, list[Curve]]:
    """The measure's name in the file, the reading drawn, and a curve a language; no curve where there is no data.

    The reading of the summary is drawn where the measure has it, so that figure and verdicts show the same thing.
    """
    table = results.layers
    names = (measure.name, measure.name + POOLED)
    table = table[(table["corpus"] == corpus) & table["measure"].isin(names) & table["value"].notna()]
    if table.empty:
        return "", "", []
    name = next(name for name in names if (table["measure"] == name).any())
    table = table[table["measure"] == name]
    readings = sorted(set(table["reading"]))
    preferred = results.alignment.corpora[corpus].reading
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
    stem: Path, results: ModelResults, corpus: str, measure: LayerMeasure, name: str, reading: str, curves: list[Curve]
) -> list[Path]:
    summary, null = results.alignment.corpora[corpus], results.null(corpus)
    pivot = languages.get(results.pivot).name
    zones = drawing.zones_of(summary)
    random = _random(results, corpus, measure)
    with drawing.page() as axes:
        colours = _plot(axes, curves, results.pivot, zones)
        floor = summary.split_half.divergence if summary.split_half and measure.name == "divergence" else None
        floor = None if name.endswith(POOLED) else floor
        if floor is not None:
            axes.plot(curves[0].layers, floor, color=INK, linestyle=(0, (1, 2)), linewidth=1.4, zorder=5)
        if random is not None:
            _plot_random(axes, random)
        _frame(axes, curves, random, floor, zones, from_zero=bool(np.isfinite(measure.bounds[1])))
        label = measure.axis or f"{measure.title} ({measure.unit})"
        axes.set_ylabel(label.format(pivot=pivot, uniform=np.log(results.alignment.model.experts)), color=INK)
        _name_lines(axes, curves, colours, results.pivot)
        sentences = summary.sentences
        how = f"{reading}, {sentences} sentences a language" if sentences else f"{reading}, counts pooled a language"
        if sentences and name.endswith(POOLED):
            how += ", pooled over sentences first"
        notes = [_VERDICTS[measure.name](summary, null)] if measure.name in _VERDICTS else []
        if len(curves) > LABELLED:
            notes.append(
                f"band: all languages, the middle 80% darker; named: the {EXTREMES} highest and {EXTREMES} lowest in "
                "the middle layers"
            )
        elif len(axes.collections) > (random is not None):  # nothing but a band is one
            notes.append("bands: bootstrap over sentences")
        if floor is not None:
            notes.append(f"dotted: {pivot} against {pivot}, other sentences")
        if random is not None:
            notes.append(f"dashed: mean over languages; grey: range over {random.draws} random initialisations")
        title = measure.title.format(pivot=pivot)
        told = "  ·  ".join(note for note in notes if note)
        drawing.head(axes, title, f"{results.model} on {corpus}  ·  {how}", told)
        return drawing.save(axes, stem)


def _plot(axes: Axes, curves: list[Curve], pivot: str, zones: dict[str, tuple[int, int]]) -> dict[str, Any]:
    """Draw the lines; returns each language's colour and dash."""
    from matplotlib import colormaps

    ranked = [curve.language for curve in _by_middle(curves, zones) if curve.language != pivot]
    styles: dict[str, Any] = {pivot: (INK, "-")}
    few = len(ranked) <= FEW
    if few:
        styles |= {code: (COLOURS[i], "-") for i, code in enumerate(sorted(ranked))}
    else:
        if len(curves) > LABELLED:
            _plot_band(axes, [curve for curve in curves if curve.language != pivot])
            ranked = [*ranked[:EXTREMES], *ranked[-EXTREMES:]]
        # Neighbours in colour differ in their dashes; the palest tenth of the map would vanish on white.
        for i, code in enumerate(ranked):
            styles[code] = (colormaps["viridis"](0.9 * i / (len(ranked) - 1)), _DASHES[i % len(_DASHES)])
    dots = len(curves[0].layers) <= 24 and few
    width = 1.8 if few else 1.3
    for curve in curves:
        if curve.language not in styles:
            continue
        colour, dash = styles[curve.language]
        if curve.low is not None and curve.high is not None and few:
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


def _plot_band(axes: Axes, curves: list[Curve]) -> None:
    """From the lowest to the highest language of each layer, the middle 80% of them darker, and their median."""
    values_VL, layers = np.stack([curve.values for curve in curves]), curves[0].layers
    lowest, low, median, high, highest = np.nanquantile(values_VL, [0, 0.1, 0.5, 0.9, 1], axis=0)
    axes.fill_between(layers, lowest, highest, color=_BAND, alpha=0.14, linewidth=0, zorder=1)
    axes.fill_between(layers, low, high, color=_BAND, alpha=0.22, linewidth=0, zorder=1)
    axes.plot(layers, median, color=_BAND, linewidth=2.4, zorder=3)


def _random(results: ModelResults, corpus: str, measure: LayerMeasure) -> Random | None:
    """What random initialisations do; None where none was read on this corpus, or not this measure."""
    null = results.null(corpus)
    if results.nulls is None or null is None or null.not_run is not None:
        return None
    table = results.nulls.table
    table = table[(table["quantity"] == measure.name) & table["layer"].notna()]
    if table.empty:
        return None
    drawn = table[table["draw"].notna()].groupby("layer")["value"]
    own = table[table["draw"].isna()].sort_values("layer")
    layers, low, high = own["layer"].to_numpy(np.int64), drawn.min().to_numpy(), drawn.max().to_numpy()
    return Random(layers, low, high, own["value"].to_numpy(), null.draws)


def _plot_random(axes: Axes, random: Random) -> None:
    """Behind everything but the zones; the model's mean in front of the languages."""
    axes.fill_between(random.layers, random.low, random.high, color=SOFT, alpha=0.35, linewidth=0, zorder=1)
    axes.plot(random.layers, random.own, color=INK, linestyle=(0, (5, 1.5)), linewidth=1.8, zorder=5)


def _frame(
    axes: Axes, curves: list[Curve], random: Random | None, floor: list[float] | None,
    zones: dict[str, tuple[int, int]], *, from_zero: bool,
) -> None:  # fmt: skip
    """Limits, ticks and the shaded zones."""
    first = min(int(curve.layers[0]) for curve in curves)
    last = max(int(curve.layers[-1]) for curve in curves)
    shown = [part for curve in curves for part in (curve.values, curve.low, curve.high) if part is not None]
    shown += [] if random is None else [random.low, random.high, random.own]
    shown += [] if floor is None else [np.array(floor)]
    axes.set_ylim(*drawing.limits(shown, from_zero=from_zero))
    drawing.bare(axes)
    drawing.over_layers(axes, first, last, zones)


def _name_lines(axes: Axes, curves: list[Curve], styles: dict[str, Any], pivot: str) -> None:
    names = {curve.language: languages.get(curve.language).name for curve in curves}
    # In order of code, so that lines that end at the same height always stand the same way round.
    ends = [
        End(
            names[curve.language], styles[curve.language][0], float(curve.layers[-1]), float(curve.values[-1]),
            curve.language == pivot,
        )
        for curve in sorted(curves, key=lambda curve: curve.language)
        if curve.language in styles
    ]  # fmt: skip
    if len(curves) > LABELLED:
        others = [curve for curve in curves if curve.language != pivot]
        last = float(np.nanmedian([curve.values[-1] for curve in others]))
        ends.append(End(f"median of {len(others)}", _BAND, float(curves[0].layers[-1]), last))
    drawing.name_ends(axes, ends, 9.0 if len(curves) <= FEW else 8.0)


def _shapes(summary: CorpusAlignment, null: NullsSummary | None) -> str:
    """How many languages show which shape, the most frequent first, and whether random initialisations show it too."""
    shapes = Counter(language.shape for language in summary.languages.values())
    total = sum(shapes.values())
    of = f" of {total} {'language' if total == 1 else 'languages'}"
    counted = sorted(shapes.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{'U-shape' if shape == 'U' else shape} in {count}" for shape, count in counted]
    told = ", ".join([parts[0] + of, *parts[1:]]) if parts else ""
    return "; ".join(part for part in (told, words.depth_nulls(null)) if part)


def _aligned(summary: CorpusAlignment, null: NullsSummary | None) -> str:
    """Where alignment stands among random initialisations; without any, in which layers a permutation shows it."""
    if null is not None and null.not_run is None:
        return words.nulls(null)
    layers = summary.over_languages.aligned_layers
    if layers is None:
        return ""
    where = f"layer{'s' if len(layers) > 1 else ''} {spans(layers)}" if layers else "no layer"
    return f"closer than other sentences over languages in {where} ({words.WITHIN})"


def _by_middle(curves: list[Curve], zones: dict[str, tuple[int, int]]) -> list[Curve]:
    """Curves by their mean over the middle zone (all layers where there is no such zone), ascending."""

    def middle(curve: Curve) -> tuple[float, str]:
        start, end = zones.get("middle", (-1, -1))
        inside = (curve.layers >= start) & (curve.layers <= end)
        return float(curve.values[inside].mean() if inside.any() else curve.values.mean()), curve.language

    return sorted(curves, key=middle)


_VERDICTS: dict[str, Callable[[CorpusAlignment, NullsSummary | None], str]] = {
    "divergence": _shapes,
    "alignment": _aligned,
}
"""Measure -> what a corpus's summary says of it, in a line above the figure."""
