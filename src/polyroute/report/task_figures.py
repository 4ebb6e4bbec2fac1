"""Figures of tasks by layer: divergence against accuracy over languages, and divergence of in-task text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polyroute.report import correlations, drawing, wording
from polyroute.report.drawing import COLOURS, INK, SOFT, End
from polyroute.results.alignment import divergence
from polyroute.results.model import Correlations, Experts, ModelResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PEARSON, _SPEARMAN, _GIVEN = COLOURS[0], COLOURS[2], COLOURS[1]
_LANGUAGES = "#9aa0a6"
"""Grey of the languages' mean, which is a reference here."""
_DOTTED = 24
"""Up to so many layers each has a marker; beyond, only those that say something."""


def draw(folder: Path, found: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `correlation-<task>` and `domains`.

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
            if correlations.curve(found.correlations, task).empty:
                reason = f" ({'; '.join(held.notes)})" if held.notes else ""
                missing.append(f"correlation on {task}{reason}")
            else:
                files += _correlation(folder / f"correlation-{task}", found, found.correlations, task)
    if found.experts is not None and found.experts.summary.tasks:
        if found.experts.domains["value"].notna().any():
            files += _domains(folder / "domains", found, found.experts)
        else:
            missing.append("domains")
    return files, missing


def _correlation(stem: Path, found: ModelResults, read: Correlations, task: str) -> list[Path]:
    summary = found.alignment.corpora[read.corpus]
    zones = drawing.zones_of(summary)
    pivot = wording.named(found.pivot)
    pearson = correlations.curve(read, task)
    spearman = correlations.curve(read, task, method="spearman")
    given = correlations.curve(read, task, given=correlations.TOKENS)
    layers = sorted(set(read.table[read.table["task"] == task]["layer"]))
    with drawing.page() as axes:
        axes.set_ylim(-1.04, 1.04)
        drawing.bare(axes)
        drawing.over_layers(axes, layers[0], layers[-1], zones)
        axes.axhline(0, color=SOFT, linewidth=0.8, zorder=1)
        bounded = pearson[pearson["low"].notna() & pearson["high"].notna()]
        axes.fill_between(
            bounded.index, bounded["low"], bounded["high"], color=_PEARSON, alpha=0.16, linewidth=0, zorder=2
        )
        ends = [
            _coefficients(axes, spearman, "Spearman", _SPEARMAN, len(layers), linewidth=0.9),
            _coefficients(axes, given, "Pearson, given tokens a sentence", _GIVEN, len(layers), linestyle=(0, (4, 2))),
            _coefficients(axes, pearson, "Pearson", _PEARSON, len(layers), linewidth=2.0),
        ]
        axes.set_ylabel("correlation over languages  (-1 the nearer, the better)", color=INK)
        drawing.name_ends(axes, [end for end in ends if end is not None])
        strongest = correlations.strongest(read, task)
        assert strongest is not None, "there is a curve"
        plain, rival = (
            correlations.in_words(correlations.in_layer(read, task, strongest, held))
            for held in ("", correlations.TOKENS)
        )
        drawing.head(
            axes,
            f"Divergence from {pivot} and accuracy on {task}, over {int(pearson['languages'].iloc[0])} languages",
            f"{found.model}  ·  divergence on {read.corpus}, {summary.reading}  ·  "
            "filled: q < 0.05 over layers  ·  band: 95% over languages",
            correlations.verdict(read, task, summary.zones.middle),
            f"strongest in layer {strongest}: r {plain}  ·  given tokens a sentence "
            + (rival if not given.empty else "not computed"),
        )
        return drawing.save(axes, stem)


def _coefficients(axes: Axes, rows: pd.DataFrame, name: str, colour: str, layers: int, **line: Any) -> End | None:
    """Draw one curve, its layers with q below the level filled; None where it has no point."""
    if rows.empty:
        return None
    # Layers without a coefficient leave a gap.
    whole = rows["r"].reindex(range(int(rows.index[0]), int(rows.index[-1]) + 1))
    axes.plot(whole.index, whole.to_numpy(), color=colour, zorder=3, **({"linewidth": 1.4} | line))
    told = rows["q"] < correlations.LEVEL
    for shown, face in ((rows[~told], "white"), (rows[told], colour)):
        if face == "white" and layers > _DOTTED:
            continue
        axes.plot(
            shown.index, shown["r"], linestyle="", marker="o", markersize=4.6 if face == colour else 3.4,
            markerfacecolor=face, markeredgecolor=colour, markeredgewidth=0.9, zorder=4,
        )  # fmt: skip
    return End(name, colour, float(rows.index[-1]), float(rows["r"].iloc[-1]), bold=name == "Pearson")


def _domains(stem: Path, found: ModelResults, experts: Experts) -> list[Path]:
    corpus, told = experts.summary.corpus, experts.summary.tasks
    summary = found.alignment.corpora[corpus]
    zones = drawing.zones_of(summary)
    pivot = wording.named(found.pivot)
    table = experts.domains[experts.domains["value"].notna()]
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
        shapes = [f"{task}: {told[task].domain_shape}" for task in curves if task in told]
        how = f"{found.model}  ·  generic text: {corpus}  ·  {', '.join(sorted(set(table['reading'])))}"
        if axes.collections:
            how += "  ·  bands: bootstrap over sentences of both texts"
        drawing.head(
            axes, f"Routing divergence of domains, beside that of languages from {pivot}", how,
            "  ·  ".join([*shapes, f"languages: {summary.over_languages.shape}"]),
            "paper 1: a cap for domains, a U for languages",
        )  # fmt: skip
        return drawing.save(axes, stem)
