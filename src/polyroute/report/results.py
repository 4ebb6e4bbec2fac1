"""The results of one model as `metrics/<model>/` holds them: layers.csv and align.json.

Figures and MLflow both read here and nowhere else, so that either can be redrawn from the files in git.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths

COLUMNS = ("model", "corpus", "language", "layer", "measure", "reading", "value", "low", "high")


class ResultsError(PolyrouteError):
    """The results of a model are absent or not what the stage `align` writes; the message names the file."""


@dataclass(frozen=True)
class Results:
    """What the stage `align` found out about one model."""

    model: str
    align: dict[str, Any]
    """align.json: `model` (engine, revision, dtype, shape, digest), `pivot`, and `corpora` with their summaries."""
    layers: pd.DataFrame
    """layers.csv: one row a corpus, language, layer, measure and reading; `low` and `high` NaN without an interval."""

    @property
    def pivot(self) -> str:
        """FLORES code of the language that divergence is measured from."""
        return str(self.align["pivot"])

    def languages(self) -> list[str]:
        """FLORES codes that anything was measured in, the pivot first."""
        codes = sorted(set(self.layers["language"]))
        return sorted(codes, key=lambda code: code != self.pivot)


def divergence(found: Results, corpus: str) -> pd.DataFrame:
    """Divergence from the pivot as summaries show it: a row a language, a column a layer.

    Sentence by sentence; of counts recorded elsewhere, which hold no sentences, over the whole corpus.
    """
    table, reading = found.layers, found.align["corpora"][corpus]["reading"]
    table = table[(table["corpus"] == corpus) & (table["reading"] == reading)]
    by_sentence = table[table["measure"] == "divergence"]
    chosen = table[table["measure"] == "divergence_pooled"] if by_sentence.empty else by_sentence
    curves: pd.DataFrame = chosen.pivot(index="language", columns="layer", values="value")
    return curves


def most_aligned(over_languages: dict[str, Any]) -> dict[str, Any]:
    """The row of `alignment` at `peak_layer`: layer, value, low, high, p, q."""
    rows: list[dict[str, Any]] = over_languages["alignment"]
    return next(row for row in rows if row["layer"] == over_languages["peak_layer"])


def spans(layers: Sequence[int]) -> str:
    """Ascending layers in short: `0, 3-5`."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def load(paths: Paths, model: str) -> Results:
    """Read the results of a model.

    Raises:
        ResultsError: a file is absent, unreadable, or lacks a column or a section; names it.
    """
    folder = paths.metrics(model)
    try:
        align = json.loads((folder / "align.json").read_text(encoding="utf-8"))
        layers = pd.read_csv(
            folder / "layers.csv",
            dtype={"model": str, "corpus": str, "language": str, "measure": str, "reading": str},
            keep_default_na=False,
            na_values={name: [""] for name in ("value", "low", "high")},
        )
    except FileNotFoundError as error:
        raise ResultsError(f"{error.filename} is absent: `dvc repro align@{model}` writes it") from None
    except ValueError as error:
        raise ResultsError(f"{folder} cannot be read: {error}") from None
    absent = [name for name in COLUMNS if name not in layers.columns]
    if absent:
        raise ResultsError(f"{folder / 'layers.csv'} lacks the columns {', '.join(absent)}")
    absent = [name for name in ("model", "pivot", "corpora") if name not in align]
    if absent:
        raise ResultsError(f"{folder / 'align.json'} lacks the sections {', '.join(absent)}")
    return Results(model, align, layers)
