"""What correlations of divergence with accuracy say of one task: the strongest layer, and a verdict by a stated rule.

Paper 1 finds them negative in the middle layers: the nearer a language is routed to the pivot there, the better the
model answers in it. The verdict asks no more than that, in the zone `middle` of align.json, which is fixed before
anything is measured:

- "as the paper: negative in the middle": some middle layer has q < 0.05 and r < 0, and none has q < 0.05 and r > 0;
- "opposite: positive in the middle": the other way round;
- "both signs in the middle": some have the one and some the other;
- "not distinguishable from chance in the middle": no middle layer has q < 0.05;
- "not computed: reason": there is no coefficient at all.

r is Pearson's with nothing held fixed; q adjusts for the layers. Whether a rival explains it is told beside the
verdict, by partial correlations in the strongest layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from polyroute.report import drawing, words
from polyroute.report.drawing import COLOURS, INK, SOFT, End
from polyroute.report.words import LEVEL, NONE
from polyroute.results.model import Correlations, ModelResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PEARSON, _SPEARMAN, _GIVEN = COLOURS[0], COLOURS[2], COLOURS[1]
_DOTTED = 24
"""Up to so many layers each has a marker; beyond, only those that say something."""
TOKENS, RESOURCE = "tokens_per_sentence", "resource"
"""Rivals that tables name: mean tokens of a sentence in each language, and how much text of it there is."""


def curve(found: Correlations, task: str, method: str = "pearson", controlled_for: str = "") -> pd.DataFrame:
    """Rows of one curve over depth that hold a coefficient, indexed by layer."""
    table = found.table
    chosen = table[(table["task"] == task) & (table["method"] == method) & (table["controlled_for"] == controlled_for)]
    return chosen[chosen["r"].notna()].set_index("layer").sort_index()


def strongest(found: Correlations, task: str) -> int | None:
    """The layer in which Pearson's r lies furthest from 0; the first of equals, None where there is no r."""
    pearson = curve(found, task)
    return None if pearson.empty else int(pearson.index[int(pearson["r"].abs().argmax())])


def verdict(found: Correlations, task: str, middle: Sequence[int]) -> str:
    """The verdict on a task, by the rule of this module.

    Args:
        found: of the model.
        task: one of `found.tasks`.
        middle: first and last layer of the zone `middle`.
    """
    pearson = curve(found, task)
    if pearson.empty:
        return f"not computed: {'; '.join(found.tasks[task].notes) or 'there are no rows of it'}"
    inside = pearson.loc[(pearson.index >= middle[0]) & (pearson.index <= middle[1])]
    told = inside[inside["q"] < LEVEL]["r"]
    if told.empty:
        return "not distinguishable from chance in the middle"
    if (told < 0).all():
        return "as the paper: negative in the middle"
    return "opposite: positive in the middle" if (told > 0).all() else "both signs in the middle"


def in_layer(found: Correlations, task: str, layer: int, controlled_for: str = "") -> pd.Series[Any] | None:
    """Pearson's row of a layer; None where it was not computed."""
    pearson = curve(found, task, controlled_for=controlled_for)
    there = pearson[pearson.index == layer]
    return None if there.empty else there.iloc[0]


def in_words(row: pd.Series[Any] | None) -> str:
    """`-0.81 [-0.93, -0.55], q 0.004`; without the interval where there is none."""
    if row is None:
        return "–"
    coefficient = words.coefficient
    interval = ""
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        interval = f" [{coefficient(row['low'])}, {coefficient(row['high'])}]"
    return f"{coefficient(row['r'])}{interval}, q {words.chance(row['q'])}"


def correlation_table(measured: Sequence[ModelResults]) -> str:
    """A row a model and task: the strongest layer by Pearson, what rivals leave of it there, and the verdict.

    The rule of the verdict is that of `correlations`.
    """
    columns = [
        "model", "task", "languages", "strongest in", "r", "given tokens a sentence", "given resource", "verdict",
    ]  # fmt: skip
    rows = []
    for one in measured:
        found = one.correlations
        for task in found.tasks if found is not None else ():
            assert found is not None, "it has tasks"
            layer = strongest(found, task)
            middle = one.alignment.corpora[found.corpus].zones.middle
            cells = [NONE] * 5
            if layer is not None:
                there = [in_layer(found, task, layer, given) for given in ("", TOKENS, RESOURCE)]
                plain = there[0]
                assert plain is not None, "the strongest layer has a coefficient"
                cells = [str(int(plain["languages"])), f"layer {layer}", *map(in_words, there)]
            rows.append([one.model, task, *cells, verdict(found, task, middle)])
    return words.markdown(columns, rows)


def draw(folder: Path, found: ModelResults) -> tuple[list[Path], list[str]]:
    """Draw `correlation-<task>`.

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
    summary = found.alignment.corpora[read.corpus]
    zones = drawing.zones_of(summary)
    pivot = words.named(found.pivot)
    pearson = curve(read, task)
    spearman = curve(read, task, method="spearman")
    given = curve(read, task, controlled_for=TOKENS)
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
        layer = strongest(read, task)
        assert layer is not None, "there is a curve"
        plain, rival = (in_words(in_layer(read, task, layer, held)) for held in ("", TOKENS))
        drawing.head(
            axes,
            f"Divergence from {pivot} and accuracy on {task}, over {int(pearson['languages'].iloc[0])} languages",
            f"{found.model}  ·  divergence on {read.corpus}, {summary.reading}  ·  "
            "filled: q < 0.05 over layers  ·  band: 95% over languages",
            verdict(read, task, summary.zones.middle),
            f"strongest in layer {layer}: r {plain}  ·  given tokens a sentence "
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
    told = rows["q"] < LEVEL
    for shown, face in ((rows[~told], "white"), (rows[told], colour)):
        if face == "white" and layers > _DOTTED:
            continue
        axes.plot(
            shown.index, shown["r"], linestyle="", marker="o", markersize=4.6 if face == colour else 3.4,
            markerfacecolor=face, markeredgecolor=colour, markeredgewidth=0.9, zorder=4,
        )  # fmt: skip
    return End(name, colour, float(rows.index[-1]), float(rows["r"].iloc[-1]), bold=name == "Pearson")
