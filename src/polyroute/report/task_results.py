"""What the stages after `align` found as plain data, which `tracking` reads; everything else reads `results.model`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from polyroute.ground.paths import Paths
from polyroute.results.model import Correlations, Experts, ModelResults, Steering
from polyroute.results.table import ResultsError

_FILES = (
    "similarity.csv", "similarity.json", "utilisation.csv", "rise.csv", "shared.csv", "accuracy.csv", "accuracy.json",
    "experts.csv", "experts.json", "domains.csv", "correlation.csv", "correlation.json", "steer.csv", "steer.json",
    "mechanism.csv", "mask.csv", "mask.json",
)  # fmt: skip


@dataclass(frozen=True)
class TaskResults:
    """Parts of `ModelResults`; what JSON files hold is plain data in those of type `Any`."""

    model: str
    similarity: Any
    accuracy: Any
    experts: Experts | None
    correlations: Correlations | None
    steering: Steering | None
    masking: Any


def load(paths: Paths, model: str) -> TaskResults:
    """Read them.

    Raises:
        ResultsError: as `ModelResults.read`.
    """
    found = ModelResults.read(paths.metrics(model))
    similarity: Any = found.similarity and replace(found.similarity, corpora=_plain(found.similarity.corpora))
    accuracy: Any = found.accuracy and replace(found.accuracy, tasks=_plain(found.accuracy.tasks))
    masking: Any = found.masking and replace(found.masking, tasks=_plain(found.masking.tasks))
    return TaskResults(model, similarity, accuracy, found.experts, found.correlations, found.steering, masking)


def written(paths: Paths, model: str) -> list[Path]:
    """Files of these stages that are there."""
    every = (paths.metrics(model) / name for name in _FILES)
    return [path for path in every if path.exists()]


def plans(paths: Paths, found: TaskResults) -> list[Path]:
    """The files of the plans that were chosen.

    Raises:
        ResultsError: one is absent; names it and the stage that writes it.
    """
    chosen = [paths.plan(found.model, task) for task in (found.steering.steered if found.steering else ())]
    for path in chosen:
        if not path.exists():
            raise ResultsError(f"{path} is absent: `dvc repro steer@{found.model}` writes it")
    return chosen


def _plain(parts: Mapping[str, BaseModel]) -> Any:
    return {name: part.model_dump(mode="json", exclude_unset=True) for name, part in parts.items()}
