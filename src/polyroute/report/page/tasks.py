"""Experts of tasks beside those of languages: a map of both under a tau that can be moved, and domains over depth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from polyroute.report import experts, words
from polyroute.report.page import figure
from polyroute.report.page.figure import GRID, SOFT, A, B, C, Figure, Spec
from polyroute.results.alignment import divergence
from polyroute.results.experts import ExpertRow
from polyroute.results.model import Experts, ModelResults

SETS = {"neither": GRID, "task expert": A, "multilingual expert": B, "both": "var(--both)"}
"""Kind of an expert -> its colour."""


def figures(found: ModelResults, folder: Path) -> Iterator[Figure]:
    """A map of experts a task; of a model without tasks one of multilingual experts alone."""
    if found.experts is None:
        return
    table = ExpertRow.read(folder)
    generic = table[(table["task"] == "") & (table["language"] == "any")]
    if generic.empty:
        return
    tasks: list[str] = [task for task in dict.fromkeys(table["task"]) if task] or [""]
    for task in tasks:
        yield _map(found.experts, task, generic, table[table["task"] == task] if task else None)


def _map(held: Experts, task: str, generic: pd.DataFrame, rows: pd.DataFrame | None) -> Figure:
    key = ["layer", "expert"]
    data = generic[[*key, "delta"]].rename(columns={"delta": "multilingual"})
    if rows is None:
        data = data.assign(task=None)
    else:
        data = data.merge(rows[[*key, "delta"]].rename(columns={"delta": "task"}), on=key, how="left")
    columns = (*key, "multilingual", "task")
    many = int(data["expert"].max()) + 1
    kind = (
        "datum.task > tau && datum.multilingual > tau ? 'both' : datum.task > tau ? 'task expert' : "
        "datum.multilingual > tau ? 'multilingual expert' : 'neither'"
    )
    shown = [name for name in SETS if rows is not None or name in ("neither", "multilingual expert")]
    spec = figure.rowed(
        {
            "transform": [{"calculate": kind, "as": "kind"}], "mark": {"type": "rect"},
            "encoding": {
                "x": {"field": "layer", "type": "ordinal", "title": "layer (0 is the first)",
                      "axis": {"labelAngle": 0, "labelOverlap": True, "ticks": False}},
                "y": {"field": "expert", "type": "ordinal", "title": "expert (its number in the layer)",
                      "axis": {"ticks": False, "labelOverlap": True, "values": list(range(0, many, max(1, many // 8)))},
                      "scale": {"paddingInner": 0.08}},
                "color": {"field": "kind", "type": "nominal", "title": None,
                          "legend": {"orient": "top", "columns": 2, "symbolType": "square"},
                          "scale": {"domain": shown, "range": [SETS[name] for name in shown]}},
                "tooltip": [{"field": "layer"}, {"field": "expert"},
                            {"field": "task", "format": ".3f", "title": f"Delta of {task or 'a task'}"},
                            {"field": "multilingual", "format": ".3f", "title": "largest Delta of a language"}],
            },
        },
        height=max(200, min(460, 6 * many)),
        params=[{"name": "tau", "value": experts.TAU,
                 "bind": {"input": "range", "min": 0.02, "max": 0.6, "step": 0.02, "name": "tau"}}],
    )  # fmt: skip
    notes = ["An expert is of a set if Delta, its frequency there less that on generic English, is above tau: move it."]
    sets = held.summary.tasks.get(task)
    if sets is not None:
        notes += [
            f"Above {row.tau:g}: {row.task} task experts, {row.multilingual} multilingual, {row.both} in both (random "
            f"sets as large would share {row.expected:.1f})."
            for row in experts.told_sets(sets.sets)
        ]
    return Figure(
        f"experts-{task or 'languages'}",
        f"Experts of {task} and of languages" if task else "Multilingual experts", notes, spec, columns,
        figure.rows_of(data, columns), half=True,
    )  # fmt: skip


def of_domains(found: ModelResults) -> Figure | None:
    """Divergence of tasks' text from generic text, beside the mean of languages; None where there is none."""
    if found.experts is None or not found.experts.domains["value"].notna().any():
        return None
    summary = found.experts.summary
    corpus, table = summary.corpus, found.experts.domains[found.experts.domains["value"].notna()]
    aligned = found.alignment.corpora[corpus]
    mean = divergence(found.layers, corpus, aligned.reading).drop(index=found.pivot, errors="ignore")
    called = f"languages (mean of {len(mean)})"
    rows = [[called, int(layer), float(value), None, None] for layer, value in mean.mean().items()]  # type: ignore[call-overload]
    tasks = list(dict.fromkeys(map(str, table["task"])))
    for task in tasks:
        of = table[table["task"] == task]
        rows += [[task, *row] for row in figure.rows_of(of, ("layer", "value", "low", "high"))]
    layers = [row[1] for row in rows]
    x = figure.across_layers(min(layers), max(layers))
    y: Spec = {
        "field": "value",
        "type": "quantitative",
        "title": "divergence D from generic text (0 same, 1 apart)",
        "scale": {"domain": figure.limits([v for row in rows for v in row[2:]], zero=True), "nice": False},
    }
    kinds = [called, *tasks]
    colour: Spec = {
        "field": "text",
        "type": "nominal",
        "title": None,
        "legend": {"orient": "top", "columns": 3, "symbolOpacity": 1},
        "scale": {"domain": kinds, "range": [SOFT, A, B, C, "var(--d)", "var(--both)"][: len(kinds)]},
    }
    marks: list[Spec] = [
        *figure.zones(aligned, min(layers), max(layers)),
        {"transform": [{"filter": "datum.low != null"}], "mark": {"type": "area", "opacity": 0.15},
         "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}, "color": colour}},
        {"mark": {"type": "line", "point": {"size": 30}},
         "encoding": {"x": x, "y": y, "color": colour,
                      "tooltip": [{"field": "text"}, {"field": "layer"},
                                  *({"field": name, "format": ".4~f"} for name in ("value", "low", "high"))]}},
    ]  # fmt: skip
    shapes = "; ".join(f"{task}: {words.domain_shape(summary.tasks[task])}" for task in tasks if task in summary.tasks)
    return Figure(
        "domains", "Domains beside languages",
        [f"Generic text: {corpus}. Shapes over depth: {shapes or 'none'}; languages: "
         f"{words.shape(aligned.over_languages)}.", "Paper 1 reports a cap for domains and a U for languages. Bands: "
         "95% over sentences of both texts."],
        figure.rowed(marks), ("text", "layer", "value", "low", "high"), rows,
    )  # fmt: skip
