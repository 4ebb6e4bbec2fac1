"""The calibration report: what was put into each pocket model, and what the instruments read.

A pocket model is a standard: its recipe says what it holds, so an instrument that misses a planted alignment, or finds
one in random weights, is wrong. Every rule below is stated before looking:

- planted: the planted layers are among the aligned ones (false discovery rate below 0.05 over layers, tested over
  languages), the most aligned layer is a planted one, and so is the layer whose divergence fell most against the same
  recipe and seed with nothing planted;
- planted with shuffled pairs, the control: not all of this is so. If it were, the loss would make the finding, and not
  the translations that it drew together;
- untrained: alignment is not beyond random initialisations (no layer is aligned, where none was read), and divergence
  over depth has no U;
- trained with nothing planted: no expectation, the reading is a finding.

What tasks showed stands in a table of its own, without a verdict: that tasks are taught mostly in English is put in,
what follows from it for steering is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.params.file import ParamsFile
from polyroute.pocket.recipe import Plant, PocketRecipe
from polyroute.readers.miniworld import MiniworldTask
from polyroute.report import correlation, steering, words
from polyroute.report.words import spans
from polyroute.results.alignment import AlignmentSummary, OverLanguages, divergence
from polyroute.results.model import ModelResults
from polyroute.results.nulls import NullsSummary
from polyroute.stats.bootstrap import Bootstrap, Interval


@dataclass(frozen=True)
class Reading:
    """What the instruments say of one pocket model on one corpus."""

    model: str
    recipe: PocketRecipe
    corpus: str
    over_languages: OverLanguages
    null: NullsSummary | None
    """Where alignment stands among random initialisations; None where it was not asked."""
    divergence: pd.Series[float]
    """Mean over languages by layer."""
    fall: Interval | None
    """By layer: how far divergence lies below that of the same recipe with nothing planted, mean over languages with
    an interval over them; None where nothing is planted or the other model is not measured."""

    @property
    def fall_layer(self) -> int | None:
        """Where divergence fell most."""
        return None if self.fall is None else int(self.divergence.index[int(np.argmax(self.fall.value))])

    @property
    def verdict(self) -> str:
        """Whether the reading is what was put in, by the rules of this module."""
        aligned, peak = self.over_languages.aligned_layers or [], self.over_languages.peak_layer
        if self.recipe.plant:
            planted = set(self.recipe.plant.layers)
            if self.fall_layer is None:
                return "nothing to compare with"
            right = planted <= set(aligned) and peak in planted and self.fall_layer in planted
            if self.recipe.plant.shuffled:
                return "FALSE FINDING" if right else "no finding, as expected"
            return "found" if right else "MISSED"
        if not self.recipe.tokens:
            null = self.null
            beyond = bool(aligned) if null is None or null.not_run else null.verdict == "beyond_random_init"
            return "FALSE FINDING" if beyond or self.over_languages.shape == "U" else "no finding, as expected"
        return "descriptive, nothing was planted"


@dataclass(frozen=True)
class TaskReading:
    """What one pocket model does on one task."""

    found: ModelResults
    recipe: PocketRecipe
    task: str
    english: float | None
    """Share of the documents of the task's kind that are in English; None for a task of another world, and where
    nothing was learnt."""


def calibrate(file: ParamsFile, paths: Paths) -> list[Reading]:
    """Read the results of every pocket model that has been measured, in the order of params.yaml.

    Raises:
        PolyrouteError: none has been, or there are too few languages for a test.
    """
    measured = {
        name: ModelResults.read(paths.metrics(name))
        for name in file.pocket
        if (paths.metrics(name) / AlignmentSummary.file).exists()
    }
    if not measured:
        raise PolyrouteError("no pocket model has been measured yet: name some in `study.models` and run `dvc repro`")
    readings = []
    for name, found in measured.items():
        recipe = file.pocket[name]
        plain = _unplanted(recipe, {other: file.pocket[other] for other in measured})
        for corpus, summary in found.alignment.corpora.items():
            if summary.over_languages.aligned_layers is None:
                raise PolyrouteError(f"metrics/{name}: {corpus} has too few languages, or sentences, for a test")
            curves = divergence(found.layers, corpus, summary.reading)
            fall = None
            if plain is not None and corpus in measured[plain].alignment.corpora:
                other = measured[plain].alignment.corpora[corpus].reading
                differences_VL = (divergence(measured[plain].layers, corpus, other) - curves).to_numpy(np.float64)
                bootstrap = Bootstrap(
                    len(differences_VL), file.intervals.resamples, file.intervals.confidence, file.study.seed
                )
                fall = bootstrap.mean(differences_VL)
            null = found.null(corpus)
            readings.append(Reading(name, recipe, corpus, summary.over_languages, null, curves.mean(), fall))
    return readings


def verdicts(readings: Sequence[Reading]) -> str:
    """A Markdown table, one row a model: what was put in, what was read, the verdict."""
    lines = [
        "| model | planted | translations aligned above chance | most in | divergence fell most in | shape | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for reading in readings:
        found = reading.over_languages
        layers, peak = found.aligned_layers, found.peak
        fell = "–"
        if reading.fall is not None:
            place = int(np.argmax(reading.fall.value))
            bounds = reading.fall.value[place], reading.fall.low[place], reading.fall.high[place]
            fell = "layer {}: {:.3f} [{:.3f}, {:.3f}]".format(reading.fall_layer, *bounds)
        cells = [
            reading.model,
            put_in(reading.recipe),
            f"layers {spans(layers)}" if layers else "no layer",
            f"layer {peak.layer}: {peak.value:.3f} [{peak.low:.3f}, {peak.high:.3f}]" if layers else "–",
            fell,
            words.shape(found),
            reading.verdict,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def on_tasks(file: ParamsFile, paths: Paths) -> list[TaskReading]:
    """Read what tasks showed of every pocket model that has been asked one, in the order of params.yaml.

    Raises:
        ResultsError: a file is unreadable.
    """
    readings = []
    for name, recipe in file.pocket.items():
        if not paths.metrics(name).exists():
            continue
        found = ModelResults.read(paths.metrics(name))
        for task in found.tasks:
            entry = file.tasks.get(task)
            english = _english(recipe, entry.content) if isinstance(entry, MiniworldTask) else None
            readings.append(TaskReading(found, recipe, task, english))
    return readings


def task_table(readings: Sequence[TaskReading]) -> str:
    """A Markdown table, one row a model and task: what was put in, accuracy, correlation, steering.

    Accuracy is in percent, differences of it are in points. The correlation is Pearson's between the middle
    zone's divergence and accuracy, as it is and given how much text of a language the model was trained on.
    """
    columns = [
        "model", "task", "planted", "accuracy, English", "accuracy, others", "chance", "divergence and accuracy",
        "given resource", "chosen plan", "deactivation",
    ]  # fmt: skip
    rows = []
    for reading in readings:
        found, task = reading.found, reading.task
        scored: list[str] = ["–"] * 3
        if found.accuracy is not None and task in found.accuracy.tasks:
            held = found.accuracy.tasks[task]
            shares = (held.pivot, held.others, held.chance)
            scored = ["–" if share is None else words.percent(share) for share in shares]
        zone = correlation.middle(found.correlations, task)
        given = None if zone is None else zone.given.get(correlation.RESOURCE)
        read = [correlation.in_words(zone), correlation.in_words(given)]
        moved = ["–"] * 2
        if found.steering is not None and task in steering.ran(found.steering):
            chosen = steering.row(steering.pooled(found.steering, task), "chosen")
            each = (chosen, steering.deactivated(found.steering, task))
            moved = ["–" if row is None else words.points_with_interval(row) for row in each]
        rows.append([found.model, task, _taught(reading), *scored, *read, *moved])
    return words.markdown(columns, rows)


def by_layer(readings: Sequence[Reading]) -> str:
    """A Markdown table of both instruments by layer, one row a standard; over seeds, the mean (least to most)."""
    layers = list(readings[0].divergence.index)
    lines = [
        f"| standard | seeds | instrument | {' | '.join(str(layer) for layer in layers)} |",
        f"|---|--:|---|{'--:|' * len(layers)}",
    ]
    groups: dict[str, list[Reading]] = {}
    for reading in readings:
        groups.setdefault(reading.recipe.model_copy(update={"seed": 0}).model_dump_json(), []).append(reading)
    instruments: dict[str, Callable[[Reading], list[float]]] = {
        "divergence": lambda reading: list(reading.divergence),
        "alignment": lambda reading: [row.value for row in reading.over_languages.alignment or ()],
    }
    for group in groups.values():
        for instrument, values in instruments.items():
            columns = zip(*map(values, group), strict=True)
            cells = [_over_seeds(column) for column in columns]
            lines.append(f"| {group[0].model} | {len(group)} | {instrument} | {' | '.join(cells)} |")
    return "\n".join(lines)


def put_in(recipe: PocketRecipe) -> str:
    """What a recipe puts into a model, in a few words."""
    if not recipe.tokens:
        return "nothing: random weights"
    text = "next-token prediction"
    if recipe.plant:
        text += f", {_planted(recipe.plant)}"
    return text if recipe.architecture == "qwen3_moe" else f"{text} ({recipe.architecture})"


def _taught(reading: TaskReading) -> str:
    """What was put in for a task, in a few words."""
    recipe = reading.recipe
    if reading.english is None:
        return put_in(recipe)
    text = f"taught, {reading.english:.0%} in English"
    return text + (f"; {_planted(recipe.plant)}" if recipe.plant else "")


def _planted(plant: Plant) -> str:
    layers = spans(sorted(plant.layers))
    return f"shuffled pairs in layers {layers}" if plant.shuffled else f"alignment in layers {layers}"


def _english(recipe: PocketRecipe, content: str) -> float | None:
    """Share of the documents of a kind that are in English."""
    if not recipe.tokens:
        return None
    own, others = (
        getattr(mixture, content) / sum(share for _, share in mixture)
        for mixture in (recipe.english_mixture, recipe.other_mixture)
    )
    english = recipe.english_share * own
    other = (1 - recipe.english_share) * others if len(recipe.languages) > 1 else 0.0
    return english / (english + other) if english + other else None


def _over_seeds(values: Sequence[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return f"{np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def _unplanted(recipe: PocketRecipe, among: dict[str, PocketRecipe]) -> str | None:
    """The model of the same recipe with nothing planted."""
    if recipe.plant is None:
        return None
    plain = recipe.model_copy(update={"plant": None})
    return next((name for name, other in among.items() if other == plain), None)
