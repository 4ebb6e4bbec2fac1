"""The calibration report: what was put into each pocket model, and what the instruments read.

A pocket model is a standard: its recipe says what it holds, so an instrument that misses a planted alignment, or finds
one in random weights, is wrong. Every rule below is stated before looking:

- planted: the planted layers are among the aligned ones (false discovery rate below 0.05 over layers, tested over
  languages), the most aligned layer is a planted one, and so is the layer whose divergence fell most against the same
  recipe and seed with nothing planted;
- untrained: no layer is aligned, and divergence over depth has no U;
- trained with nothing planted: no expectation, the reading is a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polyroute.errors import PolyrouteError
from polyroute.params import ParamsFile, PocketRecipe
from polyroute.paths import Paths
from polyroute.report import results
from polyroute.report.results import most_aligned, spans
from polyroute.stats.bootstrap import Bootstrap, Interval


@dataclass(frozen=True)
class Reading:
    """What the instruments say of one pocket model on one corpus."""

    model: str
    recipe: PocketRecipe
    corpus: str
    over_languages: dict[str, Any]
    """As in align.json; see `measures.over_languages`."""
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
        aligned, peak = self.over_languages["aligned_layers"], self.over_languages["peak_layer"]
        if self.recipe.plant:
            planted = set(self.recipe.plant.layers)
            if self.fall_layer is None:
                return "nothing to compare with"
            right = planted <= set(aligned) and peak in planted and self.fall_layer in planted
            return "found" if right else "MISSED"
        if not self.recipe.tokens:
            return "FALSE FINDING" if aligned or self.over_languages["shape"] == "U" else "nothing, as it should be"
        return "a finding, nothing planted"


def calibrate(file: ParamsFile, paths: Paths) -> list[Reading]:
    """Read the results of every pocket model that has been measured, in the order of params.yaml.

    Raises:
        PolyrouteError: none has been, or there are too few languages for a test.
    """
    measured = {
        name: results.load(paths, name) for name in file.pocket if (paths.metrics(name) / "align.json").exists()
    }
    if not measured:
        raise PolyrouteError("no pocket model has been measured yet: name some in `study.models` and run `dvc repro`")
    readings = []
    for name, found in measured.items():
        recipe = file.pocket[name]
        plain = _unplanted(recipe, {other: file.pocket[other] for other in measured})
        for corpus, summary in found.align["corpora"].items():
            if summary["over_languages"].get("aligned_layers") is None:
                raise PolyrouteError(f"metrics/{name}: {corpus} has too few languages, or sentences, for a test")
            curves = results.divergence(found, corpus)
            fall = None
            if plain is not None and corpus in measured[plain].align["corpora"]:
                differences_VL = (results.divergence(measured[plain], corpus) - curves).to_numpy(np.float64)
                bootstrap = Bootstrap(len(differences_VL), file.align.resamples, file.align.confidence, file.study.seed)
                fall = bootstrap.mean(differences_VL)
            readings.append(Reading(name, recipe, corpus, summary["over_languages"], curves.mean(), fall))
    return readings


def verdicts(readings: Sequence[Reading]) -> str:
    """A Markdown table, one row a model: what was put in, what was read, the verdict."""
    lines = [
        "| model | put in | translations nearer than chance | most in | divergence fell most in | shape | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for reading in readings:
        found = reading.over_languages
        layers = found["aligned_layers"]
        peak = most_aligned(found)
        fell = "–"
        if reading.fall is not None:
            place = int(np.argmax(reading.fall.value))
            bounds = reading.fall.value[place], reading.fall.low[place], reading.fall.high[place]
            fell = "layer {}: {:.3f} [{:.3f}, {:.3f}]".format(reading.fall_layer, *bounds)
        cells = [
            reading.model,
            put_in(reading.recipe),
            f"layers {spans(layers)}" if layers else "no layer",
            "layer {layer}: {value:.3f} [{low:.3f}, {high:.3f}]".format(**peak) if layers else "–",
            fell,
            found["shape"],
            reading.verdict,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


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
        "alignment": lambda reading: [row["value"] for row in reading.over_languages["alignment"]],
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
        text += f", alignment in layers {spans(sorted(recipe.plant.layers))}"
    return text if recipe.architecture == "qwen3_moe" else f"{text} ({recipe.architecture})"


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
