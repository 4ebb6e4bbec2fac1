"""Figures of experts: how evenly languages load them, shared and exclusive ones, and domains beside languages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from polyroute.report import drawing, experts, words
from polyroute.report.drawing import COLOURS, INK, SOFT, End
from polyroute.results.alignment import divergence
from polyroute.results.model import Experts, ModelResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH = 5.28
_LOAD, _INFORMATION, _CHANCE = COLOURS[0], COLOURS[1], "#777777"
_EMPTY = "#f4f5f6"
"""Of cells without an expert: nearly the page, so that colour means at least one."""
_LANGUAGES = "#9aa0a6"
"""Grey of the languages' mean, which is a reference here."""
_DOTTED = 24
"""Up to so many layers each has a marker."""


def draw(folder: Path, found: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `utilisation-<corpus>`, `shared-<corpus>` and `domains`.

    Args:
        folder: where they go.
        found: of the model.

    Returns:
        The files, and what could not be drawn though the stage has run.
    """
    files: list[Path] = []
    missing: list[str] = []
    for corpus in found.similarity.corpora if found.similarity is not None else ():
        assert found.similarity is not None, "it has corpora"
        used = found.similarity.utilisation
        used = used[used["corpus"] == corpus]
        shared = experts.setting(found.similarity.shared, corpus, found.alignment.model.experts)
        if used.empty:
            missing.append(f"utilisation on {corpus}")
        else:
            files += _utilisation(folder / f"utilisation-{corpus}", found, corpus, used)
        if shared.empty:
            missing.append(f"shared experts on {corpus}")
        else:
            files += _shared(folder / f"shared-{corpus}", found, corpus, shared)
    if found.experts is not None and found.experts.summary.tasks:
        if found.experts.domains["value"].notna().any():
            files += _domains(folder / "domains", found, found.experts)
        else:
            missing.append("domains")
    return files, missing


def _utilisation(stem: Path, found: ModelResults, corpus: str, used: pd.DataFrame) -> list[Path]:
    zones = drawing.zones_of(found.alignment.corpora[corpus])
    whole = used[used["language"] == ""].sort_values("layer")
    each = used[used["language"] != ""]
    height, gap = 1.45, 0.62
    with drawing.panels([(0, place * (height + gap), _WIDTH, height) for place in (2, 1, 0)]) as panels:
        for axes, column, axis in zip(
            panels, ("evenness", "max_violation", "information"),
            ("entropy of load / ln E\n(1: every expert alike)", "MaxVio\n(0: every expert alike)",
             "information gain\n(share of expert entropy)"), strict=True,
        ):  # fmt: skip
            ends = []
            values = [whole[column].to_numpy(np.float64)]
            if column == "information":
                chance = whole["information_null"].to_numpy(np.float64)
                ends.append(_line(axes, whole, column, "of language about expert", _INFORMATION))
                if np.isfinite(chance).all():
                    values.append(chance)
                    ends.append(_line(axes, whole, "information_null", "by chance", _CHANCE, dashed=True))
            else:
                spread = each.groupby("layer")[column].agg(["min", "max", "mean"])
                values += [spread["min"].to_numpy(np.float64), spread["max"].to_numpy(np.float64)]
                axes.fill_between(
                    spread.index, spread["min"], spread["max"], color=_LOAD, alpha=0.16, linewidth=0, zorder=2
                )
                mean = spread.reset_index()
                ends.append(_line(axes, mean, "mean", f"mean of {each['language'].nunique()} languages", _LOAD))
                ends.append(_line(axes, whole, column, "all languages together", INK))
            axes.set_ylim(*drawing.limits(values, from_zero=column != "evenness"))
            drawing.bare(axes)
            drawing.over_layers(axes, int(whole["layer"].min()), int(whole["layer"].max()), zones)
            axes.set_ylabel(axis, color=INK)
            if axes is not panels[-1]:
                axes.set_xlabel("")
            drawing.name_ends(axes, ends, 8.5)
        for axes in panels:
            axes.yaxis.set_label_coords(-0.085, 0.5)
        told = whole["information_p"].notna().any()
        drawing.head(
            panels[0], "How evenly languages load the experts",
            f"{found.model} on {corpus}  ·  bands: from the lowest to the highest language",
            "chance: sentences permuted between languages" if told else
            "no chance level of information gain: counts of whole corpora have no sentences to permute",
        )  # fmt: skip
        return drawing.save(panels[0], stem)


def _line(axes: Axes, rows: pd.DataFrame, column: str, name: str, colour: str, *, dashed: bool = False) -> End:
    axes.plot(
        rows["layer"], rows[column], color=colour, linewidth=1.7, linestyle=(0, (4, 2)) if dashed else "-",
        marker="o" if len(rows) <= 24 and not dashed else None, markersize=3.0, zorder=3,
    )  # fmt: skip
    return End(name, colour, float(rows["layer"].iloc[-1]), float(rows[column].iloc[-1]))


def _shared(stem: Path, found: ModelResults, corpus: str, shared: pd.DataFrame) -> list[Path]:
    zones = drawing.zones_of(found.alignment.corpora[corpus])
    of_layer, k, thr = found.alignment.model.experts, int(shared["k"].iloc[0]), float(shared["thr"].iloc[0])
    whole = shared[shared["language"] == ""].set_index("layer").sort_index()
    classes = experts.by_resource(shared)
    rows = shared[shared["language"] != ""]
    cell = max(0.135, 0.19 - 0.0016 * max(0, len(classes) - 12))
    width, gap, bars = 3.1, 0.3, 0.75
    height = cell * len(classes)
    boxes = [(place * (width + gap), height + 0.16, width, bars) for place in (0, 1)]
    boxes += [(place * (width + gap), 0.0, width, height) for place in (0, 1)]
    highest = 1.05 * max(1.0, float(whole[["shared", "exclusive"]].to_numpy().max()))
    with drawing.panels(boxes) as panels:
        for upper, lower, column, title in zip(
            panels[:2], panels[2:], ("shared", "exclusive"),
            ("shared by the set", "exclusive to a language"), strict=True,
        ):  # fmt: skip
            left = column == "shared"
            counts = rows.pivot(index="language", columns="layer", values=column).loc[list(classes.index)]
            _bars(upper, whole[column], highest, zones, title, named=left)
            _cells(lower, counts, classes, k, min(8.5, 60 * cell), named=left)
        _classes(panels[3], classes)
        _scale(panels[2], k)
        of_all = f"{k} of {of_layer}" if of_layer else str(k)
        drawing.head(
            panels[0], "Shared and exclusive experts by layer",
            f"{found.model} on {corpus}  ·  each language's k = {of_all} most frequent experts of a layer",
            f"exclusive: share above {thr:g}; shared: in some language's top k, no language's share above {thr:g}",
            "bars: all languages; cells: within that language's top k; which are exclusive depends on the languages",
            above=34, width=120,
        )  # fmt: skip
        return drawing.save(panels[0], stem)


def _bars(
    axes: Axes, counts: pd.Series[float], highest: float, zones: dict[str, tuple[int, int]], title: str, *, named: bool
) -> None:
    axes.bar(counts.index, counts.to_numpy(), width=0.82, color="#5f6368", zorder=2)
    drawing.over_layers(axes, int(counts.index[0]), int(counts.index[-1]), zones)
    axes.set_ylim(0, highest)
    drawing.bare(axes)
    axes.set_xlabel("")
    axes.tick_params(labelbottom=False, labelleft=named)
    axes.locator_params(axis="y", nbins=4, integer=True)
    axes.set_ylabel("experts" if named else "", color=INK)
    axes.set_title(title, fontsize=9.5, color=INK, loc="left", pad=16)


def _cells(axes: Axes, counts: pd.DataFrame, classes: pd.Series[float], most: int, size: float, *, named: bool) -> None:
    """Counts as colours: pale for none, the darker the more, up to k."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap
    from matplotlib.ticker import MaxNLocator

    layers = counts.columns.to_numpy()
    # A colour a count, so that the scale reads as counts.
    steps = ListedColormap(colormaps["YlGnBu"](np.linspace(0.25, 1.0, most)))
    axes.imshow(
        counts.to_numpy(), aspect="auto", cmap=steps.with_extremes(under=_EMPTY), vmin=0.5, vmax=most + 0.5,
        interpolation="nearest", extent=(layers[0] - 0.5, layers[-1] + 0.5, len(counts) - 0.5, -0.5),
    )  # fmt: skip
    for place in _ends(classes)[:-1]:
        axes.axhline(place + 0.5, color="white", linewidth=2.2)
    axes.set_xlabel("layer", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, steps=[1, 2, 4, 5, 8, 10], min_n_ticks=1))
    axes.set_yticks(range(len(counts)), [words.named(code) for code in counts.index], fontsize=size)
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelleft=named)
    for side in axes.spines.values():
        side.set_visible(False)


def _ends(classes: pd.Series[float]) -> list[int]:
    """Row of the last language of each class."""
    values = classes.fillna(-1).tolist()
    return [place for place, value in enumerate(values) if place + 1 == len(values) or values[place + 1] != value]


def _classes(axes: Axes, classes: pd.Series[float]) -> None:
    """Resource classes at the right of their rows."""
    first = 0
    for last in _ends(classes):
        value = float(classes.iloc[last])
        axes.annotate(
            "class unknown" if np.isnan(value) else f"class {value:.0f}", (1, (first + last) / 2),
            xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points", va="center_baseline",
            fontsize=8, color=SOFT, annotation_clip=False,
        )  # fmt: skip
        first = last + 1


def _scale(axes: Axes, most: int) -> None:
    """A colour bar below, from 1 to k."""
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes come from `panels`"
    box, (_, page) = axes.get_position(), figure.get_size_inches()
    beside = figure.add_axes((box.x0, box.y0 - 0.66 / page, 0.6 * box.width, 0.09 / page))
    bar = figure.colorbar(axes.images[0], cax=beside, orientation="horizontal")
    bar.outline.set_visible(False)
    step = -(-most // 8)
    bar.set_ticks([float(tick) for tick in range(step, most + 1, step)])
    beside.tick_params(length=0, labelsize=8, labelcolor=SOFT)
    beside.set_xlabel("experts  (pale: none)", fontsize=8, color=SOFT)


def _domains(stem: Path, found: ModelResults, diverging: Experts) -> list[Path]:
    corpus, told = diverging.summary.corpus, diverging.summary.tasks
    summary = found.alignment.corpora[corpus]
    zones = drawing.zones_of(summary)
    pivot = words.named(found.pivot)
    table = diverging.domains[diverging.domains["value"].notna()]
    curves = {str(task): rows.sort_values("layer") for task, rows in table.groupby("task")}
    mean = divergence(found.layers, corpus, summary.reading).drop(index=found.pivot, errors="ignore")
    languages = mean.mean()
    count = len(mean)
    with drawing.page() as axes:
        shown = [table[name].to_numpy(np.float64) for name in ("value", "low", "high")]
        axes.set_ylim(*drawing.limits([*shown, languages.to_numpy()], from_zero=True))
        drawing.bare(axes)
        layers = sorted({*table["layer"], *languages.index})
        drawing.over_layers(axes, layers[0], layers[-1], zones)
        marker = "o" if len(layers) <= _DOTTED else None
        axes.plot(languages.index, languages.to_numpy(), color=_LANGUAGES, linewidth=1.8, zorder=2)
        name = f"languages (mean of {count})" if count > 1 else "the other language"
        ends = [End(name, _LANGUAGES, float(languages.index[-1]), float(languages.iloc[-1]))]
        for place, (task, rows) in enumerate(curves.items()):
            colour = COLOURS[place % len(COLOURS)]
            if rows[["low", "high"]].notna().all(axis=None):
                axes.fill_between(
                    rows["layer"], rows["low"], rows["high"], color=colour, alpha=0.16, linewidth=0, zorder=2
                )
            axes.plot(
                rows["layer"], rows["value"], color=colour, linewidth=1.8, marker=marker, markersize=3.2, zorder=3
            )
            ends.append(End(task, colour, float(rows["layer"].iloc[-1]), float(rows["value"].iloc[-1])))
        axes.set_ylabel("divergence from generic text  (0 the same, 1 as far as can be)", color=INK)
        drawing.name_ends(axes, ends)
        shapes = [f"{task}: {words.domain_shape(told[task])}" for task in curves if task in told]
        how = f"{found.model}  ·  generic text: {corpus}  ·  {', '.join(sorted(set(table['reading'])))}"
        if axes.collections:
            how += "  ·  bands: over sentences of both texts"
        drawing.head(
            axes, f"Routing divergence of domains, beside that of languages from {pivot}", how,
            "  ·  ".join([*shapes, f"languages: {words.shape(summary.over_languages)}"]),
            "paper 1: a cap for domains, a U for languages",
        )  # fmt: skip
        return drawing.save(axes, stem)
