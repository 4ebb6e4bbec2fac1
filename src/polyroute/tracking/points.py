"""The points of a run's metrics, and their names, which order MLflow's page.

MLflow makes a section of what stands before the last slash of a name and a chart of what stands behind it. It sorts
both as text and cuts a chart's title after some twenty characters. Hence the number before a section that answers a
question, and the corpus, most often the same in all names, at the end. A metric with steps is a line: the step is the
layer; all others are bars at step 0. The list of metrics on the tab Overview keeps the order in which they were logged,
so that points are sorted here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from polyroute.report import correlations, exclusive, steering
from polyroute.report.results import Results
from polyroute.report.task_results import TaskResults

Point = tuple[str, int, float]
"""Name of the metric, step, value."""

_FIRST = (
    "divergence", "alignment", "accuracy", "correlation", "steering", "masking", "routing distance", "use of experts",
    "zones",
)  # fmt: skip
"""Sections that come first, in this order; the others follow by name."""
_USED = ("evenness", "dead", "hot", "max_violation", "specificity", "overlap", "information", "information_null")


def name(section: str, *parts: str) -> str:
    """A metric's name: the section, numbered where it comes first, and the parts after it, divided by slashes."""
    number = f"{_FIRST.index(section) + 1} " if section in _FIRST else ""
    return "/".join((number + section, *parts))


def of_model(found: Results, tasks: TaskResults) -> list[Point]:
    """Means over the languages but the pivot, and what only holds of a whole model."""
    others = found.layers[found.layers["language"] != found.pivot]
    means = others.groupby(["corpus", "measure", "reading", "layer"])["value"].mean().reset_index()
    means["value"] = means["value"].map(_rounded)
    points = list(_curves(means))
    for corpus, held in found.align["corpora"].items():
        points += _zones(corpus, held["mean"])
    points += _on_tasks(tasks)
    points += _use_of_experts(tasks, found.align["model"]["experts"], "")
    points += _between_languages(tasks)
    return sorted(points)


def of_language(found: Results, tasks: TaskResults, code: str) -> list[Point]:
    """What was measured in one language; of steering, what the chosen plan changes."""
    points = list(_curves(found.layers[found.layers["language"] == code]))
    for corpus, held in found.align["corpora"].items():
        if summary := held["languages"].get(code):
            points += _zones(corpus, summary)
    if tasks.accuracy is not None:
        rows = tasks.accuracy.table[tasks.accuracy.table["language"] == code]
        points += [
            (name("accuracy", task), 0, float(value))
            for task, value in zip(rows["task"], rows["accuracy"], strict=True)
        ]
    if tasks.steering is not None:
        for task in steering.ran(tasks.steering):
            chosen = steering.row(steering.of_language(tasks.steering, task, code), "chosen")
            if chosen is not None:
                points.append((name("steering", task, "chosen"), 0, float(chosen["difference"])))
    points += _use_of_experts(tasks, found.align["model"]["experts"], code)
    return sorted(points)


def _curves(rows: pd.DataFrame) -> Iterator[Point]:
    """`<measure>/<reading>.<corpus>` by layer."""
    columns = [rows[column] for column in ("corpus", "measure", "reading", "value", "layer")]
    for corpus, measure, reading, value, layer in zip(*columns, strict=True):
        if math.isfinite(value):
            yield name(measure.replace("_", " "), f"{reading}.{corpus}"), int(layer), float(value)


def _zones(corpus: str, summary: dict[str, Any]) -> Iterator[Point]:
    """`zones/<what>.<corpus>`, and `.low` and `.high` of those with an interval."""
    for what, value in summary.items():
        for part, held in (value if isinstance(value, dict) else {"value": value}).items():
            if isinstance(held, int | float):
                yield name("zones", f"{what}.{corpus}" + (f".{part}" if part != "value" else "")), 0, float(held)


def _on_tasks(tasks: TaskResults) -> Iterator[Point]:
    """`accuracy/<task>` (mean of the languages but the pivot), `steering/<task>/<condition>` (pooled differences),
    `masking/<task>/<range>.<what>.<score>` (headlines), and by layer `correlation/<task>.pearson` and
    `domain divergence/<task>`.
    """
    if tasks.accuracy is not None:
        for task, held in tasks.accuracy.tasks.items():
            yield name("accuracy", task), 0, float(held["others"])
    if tasks.steering is not None:
        for task in tasks.steering.tasks:
            for condition, difference in steering.pooled(tasks.steering, task)["difference"].items():
                yield name("steering", task, str(condition)), 0, float(difference)
    if tasks.masking is not None:
        for task, held in tasks.masking.tasks.items():
            for score, by_range in held["headline"].items():
                for where, means in by_range.items():
                    for what, mean in means.items():
                        if mean["value"] is not None:
                            chart = f"{where}.{what.replace('_', ' ')}.{score}"
                            yield name("masking", task, chart), 0, float(mean["value"])
    if tasks.correlations is not None:
        for task in tasks.correlations.tasks:
            pearson = correlations.curve(tasks.correlations, task)["r"]
            for layer, r in pearson.items():
                yield name("correlation", f"{task}.pearson"), int(str(layer)), float(r)
    if tasks.experts is not None:
        domains = tasks.experts.domains[tasks.experts.domains["value"].notna()]
        for task, layer, value in zip(domains["task"], domains["layer"], domains["value"], strict=True):
            yield name("domain divergence", task), int(layer), float(value)


def _use_of_experts(tasks: TaskResults, experts: int | None, code: str) -> Iterator[Point]:
    """`use of experts/<measure>.<corpus>` by layer, shared and exclusive ones among them.

    Args:
        tasks: of the model.
        experts: of a layer, which says what k of shared and exclusive experts is shown.
        code: of a language; empty for all of them together.
    """
    if tasks.similarity is None:
        return
    used = tasks.similarity.utilisation
    for corpus in tasks.similarity.corpora:
        shared = exclusive.setting(tasks.similarity.shared, corpus, experts)
        for table, measures in ((used[used["corpus"] == corpus], _USED), (shared, ("shared", "exclusive"))):
            rows = table[table["language"] == code]
            for measure in measures:
                for layer, value in zip(rows["layer"], rows[measure], strict=True):
                    if math.isfinite(value):
                        chart = f"{measure.replace('_', ' ')}.{corpus}"
                        yield name("use of experts", chart), int(layer), float(value)


def _between_languages(tasks: TaskResults) -> Iterator[Point]:
    """`groupings/<label>.<zone>.<corpus>` (Rand index; `.p`), `covariates/<covariate>.<zone>.<corpus>` (Mantel's r;
    `.given others`), and by layer `routing distance/<measure>.<reading>.<corpus>`, the mean of all pairs.
    """
    if tasks.similarity is None:
        return
    for corpus, held in tasks.similarity.corpora.items():
        for zone, found in held["zones"].items():
            for section, groups, parts in (
                ("groupings", found["labels"], {"rand": "", "p": ".p"}),
                ("covariates", found["rivals"], {"mantel": "", "partial": ".given others"}),
            ):
                for group, values in groups.items():
                    for part, ending in parts.items():
                        if values[part] is not None:
                            yield name(section, f"{group}.{zone}.{corpus}{ending}"), 0, float(values[part])
    table = tasks.similarity.distances
    means = table[table["layer"].notna()].groupby(["corpus", "measure", "reading", "layer"])["distance"].mean()
    for corpus, measure, reading, layer, value in means.reset_index().itertuples(index=False, name=None):
        yield name("routing distance", f"{measure}.{reading}.{corpus}"), int(layer), _rounded(value)


def _rounded(mean: float) -> float:
    return float(f"{mean:.6g}")
