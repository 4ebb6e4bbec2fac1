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

import pandas as pd

from polyroute.report import correlation, experts, steering
from polyroute.results.alignment import Depth, Interval
from polyroute.results.claims import ClaimsMetrics
from polyroute.results.masking import MeanDifference
from polyroute.results.model import ModelResults

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


def of_model(found: ModelResults) -> list[Point]:
    """Means over the languages but the pivot, and what only holds of a whole model."""
    others = found.layers[found.layers["language"] != found.pivot]
    means = others.groupby(["corpus", "measure", "reading", "layer"])["value"].mean().reset_index()
    means["value"] = means["value"].map(_rounded)
    points = list(_curves(means))
    for corpus, held in found.alignment.corpora.items():
        points += _zones(corpus, held.mean)
    points += _on_tasks(found)
    points += _use_of_experts(found, "")
    points += _between_languages(found)
    return sorted(points)


def of_language(found: ModelResults, code: str) -> list[Point]:
    """What was measured in one language; of steering, what the chosen plan changes."""
    points = list(_curves(found.layers[found.layers["language"] == code]))
    for corpus, held in found.alignment.corpora.items():
        if summary := held.languages.get(code):
            points += _zones(corpus, summary)
    if found.accuracy is not None:
        rows = found.accuracy.table[found.accuracy.table["language"] == code]
        points += [
            (name("accuracy", task), 0, float(value))
            for task, value in zip(rows["task"], rows["accuracy"], strict=True)
        ]
    if found.steering is not None:
        for task in steering.ran(found.steering):
            chosen = steering.row(steering.of_language(found.steering, task, code), "chosen")
            if chosen is not None:
                points.append((name("steering", task, "chosen"), 0, float(chosen["difference"])))
    points += _use_of_experts(found, code)
    return sorted(points)


def of_claims(counts: ClaimsMetrics) -> list[Point]:
    """How many claims come to what: `claims/<verdict>`."""
    return [(name("claims", code.replace("_", " ")), 0, float(count)) for code, count in counts]


def _curves(rows: pd.DataFrame) -> Iterator[Point]:
    """`<measure>/<reading>.<corpus>` by layer."""
    columns = [rows[column] for column in ("corpus", "measure", "reading", "value", "layer")]
    for corpus, measure, reading, value, layer in zip(*columns, strict=True):
        if math.isfinite(value):
            yield name(measure.replace("_", " "), f"{reading}.{corpus}"), int(layer), float(value)


def _zones(corpus: str, depth: Depth) -> Iterator[Point]:
    """`zones/<what>.<corpus>`, and `.low` and `.high` of those with an interval."""
    for what, value in depth:
        for part, number in value if isinstance(value, Interval) else [("value", value)]:
            if isinstance(number, float):
                yield name("zones", f"{what}.{corpus}" + (f".{part}" if part != "value" else "")), 0, number


def _on_tasks(found: ModelResults) -> Iterator[Point]:
    """`accuracy/<task>` (mean of the languages but the pivot), `steering/<task>/<condition>` (pooled differences),
    `masking/<task>/<range>.<what>.<score>` (headlines), `correlation/<task>.middle`, and by layer
    `correlation/<task>.pearson` and `domain divergence/<task>`.
    """
    if found.accuracy is not None:
        for task, share in found.accuracy.tasks.items():
            yield name("accuracy", task), 0, share.others
    if found.steering is not None:
        for task in found.steering.tasks:
            for condition, difference in steering.pooled(found.steering, task)["difference"].items():
                yield name("steering", task, str(condition)), 0, float(difference)
    if found.masking is not None:
        for task, held in found.masking.tasks.items():
            for score, by_range in held.headline.items():
                for where, means in by_range.items():
                    for what, mean in means:
                        if isinstance(mean, MeanDifference) and mean.value is not None:
                            chart = f"{where}.{what.replace('_', ' ')}.{score}"
                            yield name("masking", task, chart), 0, mean.value
    if found.correlations is not None:
        for task in found.correlations.tasks:
            if (zone := correlation.middle(found.correlations, task)) is not None and zone.r is not None:
                yield name("correlation", f"{task}.middle"), 0, zone.r
            pearson = correlation.curve(found.correlations, task)["r"]
            for layer, r in pearson.items():
                yield name("correlation", f"{task}.pearson"), int(str(layer)), float(r)
    if found.experts is not None:
        domains = found.experts.domains[found.experts.domains["value"].notna()]
        for task, layer, value in zip(domains["task"], domains["layer"], domains["value"], strict=True):
            yield name("domain divergence", task), int(layer), float(value)


def _use_of_experts(found: ModelResults, code: str) -> Iterator[Point]:
    """`use of experts/<measure>.<corpus>` by layer, shared and exclusive ones among them.

    Args:
        found: of the model.
        code: of a language; empty for all of them together.
    """
    if found.similarity is None:
        return
    used = found.similarity.utilisation
    for corpus in found.similarity.corpora:
        shared = experts.setting(found.similarity.shared, corpus, found.alignment.model.experts)
        for table, measures in ((used[used["corpus"] == corpus], _USED), (shared, ("shared", "exclusive"))):
            rows = table[table["language"] == code]
            for measure in measures:
                for layer, value in zip(rows["layer"], rows[measure], strict=True):
                    if math.isfinite(value):
                        chart = f"{measure.replace('_', ' ')}.{corpus}"
                        yield name("use of experts", chart), int(layer), float(value)


def _between_languages(found: ModelResults) -> Iterator[Point]:
    """`groupings/<label>.<zone>.<corpus>` (Rand index; `.p`), `covariates/<covariate>.<zone>.<corpus>` (Mantel's r;
    `.given others`), and by layer `routing distance/<measure>.<reading>.<corpus>`, the mean of all pairs.
    """
    if found.similarity is None:
        return
    for corpus, held in found.similarity.corpora.items():
        for zone, compared in held.zones.items():
            for section, groups, parts in (
                ("groupings", compared.labels, {"rand": "", "p": ".p"}),
                ("covariates", compared.rivals, {"mantel": "", "partial": ".given others"}),
            ):
                for group, values in groups.items():
                    for part, ending in parts.items():
                        if (value := getattr(values, part)) is not None:
                            yield name(section, f"{group}.{zone}.{corpus}{ending}"), 0, value
    table = found.similarity.distances
    means = table[table["layer"].notna()].groupby(["corpus", "measure", "reading", "layer"])["distance"].mean()
    for corpus, measure, reading, layer, value in means.reset_index().itertuples(index=False, name=None):
        yield name("routing distance", f"{measure}.{reading}.{corpus}"), int(layer), _rounded(value)


def _rounded(mean: float) -> float:
    return float(f"{mean:.6g}")
