"""The points of a run's metrics, and their names, which order MLflow's page.

MLflow makes a section of what stands before the last slash of a name and a chart of what stands behind it. It sorts
both as text and cuts a chart's title after some twenty characters. Hence the number before a section that answers a
question, and the corpus, most often the same in all names, at the end. A metric with steps is a line: the step is the
layer; all others are bars at step 0. The list of metrics on the tab Overview keeps the order in which they were logged,
so that points are sorted here.

Of a curve MLflow lists its last point, which says nothing of a curve over layers. So the section `in short` comes first
with what stands for each curve, the mean over a zone or the best layer, and the sections of curves say what is listed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from polyroute.report import correlation, experts, steering
from polyroute.results.alignment import CorpusAlignment, Depth, Interval
from polyroute.results.claims import ClaimsMetrics
from polyroute.results.distances import RecordedDistances
from polyroute.results.masking import MeanDifference
from polyroute.results.model import ModelResults

Point = tuple[str, int, float]
"""Name of the metric, step, value."""

_FIRST = (
    "in short", "divergence", "alignment", "accuracy", "steering", "masking", "correlation", "routing distance",
    "use of experts", "intervals",
)  # fmt: skip
"""Sections that come first, in this order from 0; the others follow by name."""
_BY_LAYER = " by layer - last listed"
_USED = ("evenness", "dead", "hot", "max_violation", "specificity", "overlap", "information", "information_null")
_IN_SHORT = {
    "early": "divergence early zone", "middle": "divergence middle zone", "late": "divergence late zone",
    "early_minus_middle": "divergence early minus middle", "late_minus_middle": "divergence late minus middle",
    "tokens_per_sentence": "tokens per sentence",
}  # fmt: skip
_MASKED = {
    "diagonal": "own language", "off_diagonal": "other languages", "random_diagonal": "own language random experts",
    "random_off_diagonal": "other languages random experts",
}  # fmt: skip
"""Whose scores, where the exclusive experts of a language are masked, or random ones in their place."""


def name(section: str, *parts: str) -> str:
    """A metric's name: the section, numbered where it comes first, and the parts after it, divided by slashes."""
    number = f"{_FIRST.index(section)} " if section in _FIRST else ""
    return "/".join((number + section, *parts))


def curve(section: str, *parts: str) -> str:
    """The name of a metric that has a value a layer."""
    first, _, rest = name(section, *parts).partition("/")
    return f"{first}{_BY_LAYER}/{rest}"


def of_model(found: ModelResults) -> list[Point]:
    """Means over the languages but the pivot, and what only holds of a whole model."""
    others = found.layers[found.layers["language"] != found.pivot]
    means = others.groupby(["corpus", "measure", "reading", "layer"])["value"].mean().reset_index()
    means["value"] = means["value"].map(_rounded)
    points = list(_curves(means))
    for corpus, held in found.alignment.corpora.items():
        points += _zones(corpus, held.mean)
        points += _over_languages(corpus, held)
    points += _on_tasks(found)
    points += _use_of_experts(found).get("", [])
    points += _between_languages(found)
    return sorted(points)


def of_languages(found: ModelResults) -> dict[str, list[Point]]:
    """What was measured in each language; of steering, what the chosen plan changes.

    Of a measure with several readings the one that summaries show: with 200 languages and 48 layers the others would
    be a million points more. The run of the model has the means of all, layers.csv everything. The pivot's divergence
    is that of its own sentences from one another, the floor under the other curves.
    """
    by_layer = {str(code): rows for code, rows in _headline_readings(found).groupby("language")}
    used = _use_of_experts(found)
    steered = {} if found.steering is None else _steered(found)
    points = {code: [*used.get(code, []), *steered.get(code, [])] for code in found.languages}
    for code, rows in by_layer.items():
        points[code] += _curves(rows)
        points[code] += _headlines(found, rows)
    for corpus, held in found.alignment.corpora.items():
        for code, summary in held.languages.items():
            points.setdefault(code, [])
            points[code] += _zones(corpus, summary)
        points[found.pivot] += _floor(found, corpus, held)
    if found.accuracy is not None:
        columns = (found.accuracy.table[column] for column in ("language", "task", "accuracy"))
        for code, task, value in zip(*columns, strict=True):
            if code in points:
                points[code].append((name("accuracy", task), 0, float(value)))
    return {code: sorted(some) for code, some in points.items()}


def of_language(found: ModelResults, code: str) -> list[Point]:
    """What was measured in one language."""
    return of_languages(found)[code]


def of_claims(counts: ClaimsMetrics) -> list[Point]:
    """How many claims come to what: `claims/<verdict>`."""
    return [(name("claims", code.replace("_", " ")), 0, float(count)) for code, count in counts]


def of_distances(found: RecordedDistances) -> list[Point]:
    """Of recorded distances: mean distance from the pivot by zone, and choices against softmax by layer."""
    points = []
    for reading, held in found.readings.items():
        for zone, bits in held.from_pivot.zones.items():
            points.append((name("in short", f"distance {zone} zone.{reading}.{found.corpus}"), 0, bits))
        if held.families is not None and held.families.p is not None:
            points.append((name("in short", f"families p.{reading}.{found.corpus}"), 0, held.families.p))
    by_layer = zip(found.layers, found.hard_against_soft.by_layer, strict=True)
    points += [(curve("routing distance", f"choices against softmax.{found.corpus}"), *one) for one in by_layer]
    return sorted(points)


def _headline_readings(found: ModelResults) -> pd.DataFrame:
    """`LayerRow`s of the reading that summaries show; of measures that lack it, all."""
    layers = found.layers
    shown = layers["corpus"].map({corpus: held.reading for corpus, held in found.alignment.corpora.items()})
    is_shown = layers["reading"] == shown
    has_it = is_shown.groupby([layers["corpus"], layers["measure"]]).transform("any")
    return layers[is_shown | ~has_it]


def headlines(found: ModelResults) -> tuple[str, ...]:
    """The curves of divergence and alignment that summaries show, of every corpus."""
    named = []
    for corpus, held in found.alignment.corpora.items():
        named += [_divergence(held, corpus), curve("alignment", f"{held.reading}.{corpus}")]
    return tuple(named)


def _divergence(held: CorpusAlignment, corpus: str) -> str:
    return curve("divergence" if held.sentences else "divergence pooled", f"{held.reading}.{corpus}")


def _curves(rows: pd.DataFrame) -> Iterator[Point]:
    """`<measure>/<reading>.<corpus>` by layer."""
    columns = [rows[column] for column in ("corpus", "measure", "reading", "value", "layer")]
    names: dict[tuple[str, str, str], str] = {}
    for corpus, measure, reading, value, layer in zip(*columns, strict=True):
        if math.isfinite(value):
            key = (corpus, measure, reading)
            if key not in names:
                names[key] = curve(measure.replace("_", " "), f"{reading}.{corpus}")
            yield names[key], int(layer), float(value)


def _headlines(found: ModelResults, rows: pd.DataFrame) -> Iterator[Point]:
    """Of one language: its best aligned layer, and the bounds of the curves of divergence and alignment."""
    for corpus, held in found.alignment.corpora.items():
        shown = rows[(rows["corpus"] == corpus) & (rows["reading"] == held.reading)]
        for measure in ("divergence", "alignment"):
            table = shown[(shown["measure"] == measure) & shown["value"].notna()]
            for part in ("low", "high"):
                for layer, value in zip(table["layer"], table[part], strict=True):
                    if math.isfinite(value):
                        yield curve("intervals", f"{measure} {part}.{corpus}"), int(layer), float(value)
            if measure == "alignment" and not table.empty:
                best = int(table["value"].to_numpy().argmax())
                yield from _best_layer(corpus, float(table["value"].iloc[best]), int(table["layer"].iloc[best]))


def _over_languages(corpus: str, held: CorpusAlignment) -> Iterator[Point]:
    """Of a model: the best aligned layer, and the bounds over languages of its curves."""
    over = held.over_languages
    if over.alignment and over.peak_layer is not None:
        yield from _best_layer(corpus, over.peak.value, over.peak_layer)
    rows = [("alignment", row.layer, row.low, row.high) for row in over.alignment or ()]
    if over.divergence is not None:
        rows += [("divergence", row.layer, row.low, row.high) for row in over.divergence.layers]
    for measure, layer, low, high in rows:
        for part, value in (("low", low), ("high", high)):
            if value is not None:
                yield curve("intervals", f"{measure} {part}.{corpus}"), layer, value


def _best_layer(corpus: str, value: float, layer: int) -> Iterator[Point]:
    yield name("in short", f"alignment best layer.{corpus}"), 0, value
    yield name("in short", f"alignment is best in layer.{corpus}"), 0, float(layer)


def _floor(found: ModelResults, corpus: str, held: CorpusAlignment) -> Iterator[Point]:
    """The pivot's sentences against its other sentences, under the name of the curves that it is the floor of."""
    if held.split_half is None:
        return
    layers = sorted(set(found.layers.loc[found.layers["corpus"] == corpus, "layer"]))
    for layer, value in zip(layers, held.split_half.divergence, strict=False):
        yield _divergence(held, corpus), int(layer), value


def _zones(corpus: str, depth: Depth) -> Iterator[Point]:
    """`in short/<what>.<corpus>`, and `.low` and `.high` of those with an interval."""
    for what, value in depth:
        for part, number in value if isinstance(value, Interval) else [("value", value)]:
            if isinstance(number, float) and what in _IN_SHORT:
                ending = f".{part}" if part != "value" else ""
                yield name("in short", f"{_IN_SHORT[what]}.{corpus}{ending}"), 0, number


def _steered(found: ModelResults) -> dict[str, list[Point]]:
    """Language -> accuracy without and with the chosen plan, and the difference, on the same items."""
    points: dict[str, list[Point]] = {}
    if found.steering is not None:
        table = found.steering.table
        rows = table[table["task"].isin(steering.ran(found.steering)) & (table["condition"] == "chosen")]
        for row in rows.itertuples(index=False):
            points.setdefault(str(row.group), []).extend(_with_and_without(str(row.task), row))
    return points


def _with_and_without(task: str, row: Any) -> Iterator[Point]:
    yield name("steering", task, "accuracy 1 baseline"), 0, float(row.base)
    yield name("steering", task, "accuracy 2 steered"), 0, float(row.edited)
    yield name("steering", task, "difference chosen plan"), 0, float(row.difference)


def _on_tasks(found: ModelResults) -> Iterator[Point]:
    """`accuracy/<task>` (mean of the languages but the pivot), `steering/<task>/difference <condition>` (pooled; of
    random sets a line whose step is the draw), `masking/<task>/<range>.<whose>.<score>` (headlines),
    `correlation/<task>.middle`, and by layer `correlation/<task>.pearson` and `domain divergence/<task>`.
    """
    if found.accuracy is not None:
        for task, share in found.accuracy.tasks.items():
            yield name("accuracy", task), 0, share.others
    if found.steering is not None:
        for task in found.steering.tasks:
            pooled = steering.pooled(found.steering, task)
            for row in pooled[pooled.index == "chosen"].itertuples():
                yield from _with_and_without(task, row)
            for condition, difference in pooled["difference"].items():
                kind, draw = _of_random(str(condition))
                if draw:
                    yield name("steering", task, f"difference {kind} by draw"), int(draw), float(difference)
                elif condition != "chosen":
                    yield name("steering", task, f"difference {condition}"), 0, float(difference)
    if found.masking is not None:
        for task, held in found.masking.tasks.items():
            for score, by_range in held.headline.items():
                for where, means in by_range.items():
                    for what, mean in means:
                        if isinstance(mean, MeanDifference) and mean.value is not None:
                            chart = f"{where}.{_MASKED.get(what, what.replace('_', ' '))}.{score}"
                            yield name("masking", task, chart), 0, mean.value
    if found.correlations is not None:
        for task in found.correlations.tasks:
            if (zone := correlation.middle(found.correlations, task)) is not None and zone.r is not None:
                yield name("correlation", f"{task}.middle"), 0, zone.r
            pearson = correlation.curve(found.correlations, task)["r"]
            for layer, r in pearson.items():
                yield curve("correlation", f"{task}.pearson"), int(str(layer)), float(r)
    if found.experts is not None:
        domains = found.experts.domains[found.experts.domains["value"].notna()]
        for task, layer, value in zip(domains["task"], domains["layer"], domains["value"], strict=True):
            yield curve("domain divergence", task), int(layer), float(value)


def _of_random(condition: str) -> tuple[str, str]:
    """`random17` -> `random experts`, and the number of the draw; no number in a condition of another kind."""
    match = re.fullmatch(r"(.*random)(\d+)", condition)
    return (f"{match[1]} experts".replace("-", " "), match[2]) if match else (condition, "")


def _use_of_experts(found: ModelResults) -> dict[str, list[Point]]:
    """`use of experts/<measure>.<corpus>` by layer, shared and exclusive ones among them.

    Returns:
        Language -> points; those of all languages together under the empty name.
    """
    points: dict[str, list[Point]] = {}
    if found.similarity is None:
        return points
    used = found.similarity.utilisation
    for corpus in found.similarity.corpora:
        shared = experts.setting(found.similarity.shared, corpus, found.alignment.model.experts)
        for table, measures in ((used[used["corpus"] == corpus], _USED), (shared, ("shared", "exclusive"))):
            for measure in measures:
                chart = curve("use of experts", f"{measure.replace('_', ' ')}.{corpus}")
                for code, layer, value in zip(table["language"], table["layer"], table[measure], strict=True):
                    if math.isfinite(value):
                        points.setdefault(str(code), []).append((chart, int(layer), float(value)))
    return points


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
        yield curve("routing distance", f"{measure}.{reading}.{corpus}"), int(layer), _rounded(value)


def _rounded(mean: float) -> float:
    return float(f"{mean:.6g}")
