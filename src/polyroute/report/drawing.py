"""What all figures share: page, colours, head, shaded zones, names at the ends of lines, and files whose bytes repeat.

The same results give the same bytes: neither a date nor a version goes into the files, and the typeface is the one
that matplotlib carries.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from polyroute.results.alignment import CorpusAlignment

# matplotlib takes half a second to import, so functions import it: reading this module should not cost that.

Floats = npt.NDArray[np.float64]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#777777")
"""Okabe and Ito's without black (kept for the pivot) and yellow (faint on white), then a wine and a grey."""
INK, SOFT, GRID = "#1a1a1a", "#5f6368", "#eceef0"
_STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": "#9aa0a6",
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "svg.fonttype": "path",
    "svg.hashsalt": "polyroute",
}
_WIDTH, _HEIGHT = 8.0, 5.0
"""Of the page in inches; saved, it grows with what lies outside of it."""


@dataclass(frozen=True)
class End:
    """A name at the end of a line."""

    name: str
    colour: Any
    x: float
    y: float
    """Where the line ends."""
    bold: bool = False


@contextmanager
def page(height: float = 0.69 * _HEIGHT) -> Iterator[Axes]:
    """Axes of the study's look on a page of their own.

    Args:
        height: of the axes, in inches.
    """
    with panels([(0.0, 0.0, 0.66 * _WIDTH, height)]) as (axes,):
        yield axes


@contextmanager
def panels(boxes: Sequence[tuple[float, float, float, float]]) -> Iterator[list[Axes]]:
    """Several axes of the study's look on one page.

    Args:
        boxes: left, bottom, width and height of each, in inches.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    # "default" first: a matplotlibrc of the user's would change the bytes.
    with style.context(["default", _STYLE]):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=100)
        sizes = (_WIDTH, _HEIGHT, _WIDTH, _HEIGHT)
        yield [
            figure.add_axes((box[0] / sizes[0], box[1] / sizes[1], box[2] / sizes[2], box[3] / sizes[3]))
            for box in boxes
        ]


def save(axes: Axes, stem: Path) -> list[Path]:
    """Write the page of these axes as PNG and SVG; call it inside `page`."""
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes come from `page`"
    files = [stem.with_name(f"{stem.name}.{ending}") for ending in ("png", "svg")]
    # "tight" would draw the page once more for each file to find what it needs.
    figure.draw_without_rendering()
    page_inches = figure.get_tightbbox().padded(0.12)
    figure.savefig(files[0], dpi=140, bbox_inches=page_inches, metadata={"Software": None})
    figure.savefig(files[1], bbox_inches=page_inches, metadata={"Date": None, "Creator": None})
    return files


def head(axes: Axes, title: str, *lines: str, above: float = 22, width: int = 105) -> None:
    """Title and lines above the axes, built upwards from them.

    Args:
        axes: of the figure; of several, those at the top left.
        title: in bold.
        lines: below it, wrapped where they are long.
        above: distance of the lowest from the axes, in points.
        width: characters of a line.
    """
    text = "\n".join(part for line in lines for part in textwrap.wrap(line, width))
    place: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(text, (0, 1), xytext=(0, above), fontsize=9, color=SOFT, linespacing=1.35, **place)
    height = above + 13.5 * (text.count("\n") + 1) + 4
    axes.annotate(title, (0, 1), xytext=(0, height), fontsize=12.5, fontweight="bold", color=INK, **place)


def wrapped(text: str, width: int) -> str:
    """Text in lines of up to so many characters."""
    return "\n".join(textwrap.wrap(text, width))


def bare(axes: Axes, grid: str = "y") -> None:
    """Two spines, short ticks, and faint lines across."""
    axes.grid(axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=3)


def over_layers(axes: Axes, first: int, last: int, zones: Mapping[str, tuple[int, int]]) -> None:
    """Layers across, the zones shaded and named."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(first - 0.5, last + 0.5)
    axes.set_xlabel("layer", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=16, integer=True, steps=[1, 2, 4, 5, 8, 10], min_n_ticks=1))
    # In a shallow model two zones may be the same layers, and share a label.
    for start, end in dict.fromkeys(zones.values()):
        names = [zone for zone, layers in zones.items() if layers == (start, end)]
        colour = "#f1f3f5" if "middle" in names else "#f7ecdf"
        axes.axvspan(start - 0.5, end + 0.5, color=colour, zorder=0, linewidth=0)
        axes.annotate(
            ", ".join(names), ((start + end) / 2, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", va="bottom", fontsize=8, color=SOFT,
        )  # fmt: skip


def zones_of(summary: CorpusAlignment) -> dict[str, tuple[int, int]]:
    """First and last layer of the zones of a corpus's summary, in order of name: the order in which they are drawn."""
    return dict(sorted(summary.zones))


def limits(values: Sequence[Floats], *, from_zero: bool) -> tuple[float, float]:
    """Bottom and top of an axis that shows all values with some air.

    Args:
        values: whatever is drawn, bounds among them; NaN are ignored.
        from_zero: whether heights read as amounts; else the axis shows the range of the values.
    """
    every = np.concatenate([np.ravel(part) for part in values])
    lowest, highest = float(np.nanmin(every)), float(np.nanmax(every))
    bottom = min(0.0, lowest) if from_zero else lowest - 0.06 * (highest - lowest)
    top = highest + 0.06 * (highest - bottom)
    return bottom, top if top > bottom else bottom + 1


def name_ends(axes: Axes, ends: Sequence[End], size: float = 9.0) -> None:
    """Write names beside the right edge, apart from one another, each joined to the end of its line.

    Limits of the axes must be set before. Of ends at the same height the first stands lowest.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes come from `page`"
    box, (width, height) = axes.get_position(), figure.get_size_inches()
    (left, edge), (low, high) = axes.get_xlim(), axes.get_ylim()
    # One typographic point, in units of either axis.
    across, up = (edge - left) / (box.width * width * 72), (high - low) / (box.height * height * 72)
    ordered = sorted(ends, key=lambda end: end.y)
    places = spread([end.y for end in ordered], 1.28 * size * up, low, high)
    for end, place in zip(ordered, places, strict=True):
        axes.text(
            edge + 14 * across, float(place), end.name, va="center_baseline", fontsize=size,
            color=darker(end.colour), fontweight="bold" if end.bold else "normal",
        )  # fmt: skip
        axes.plot(
            [end.x, edge + 11 * across], [end.y, float(place)], color=end.colour,
            linewidth=0.7, alpha=0.6, clip_on=False, zorder=2, scalex=False, scaley=False,
        )  # fmt: skip


def darker(colour: Any) -> tuple[float, ...]:
    """The colour with a third of black: thin letters need more contrast than lines."""
    from matplotlib.colors import to_rgb

    return tuple(0.67 * channel for channel in to_rgb(colour))


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
