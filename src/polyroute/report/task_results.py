"""What a model's tasks showed, as `metrics/<model>/` holds it: answers, experts, correlation, steering.

Each part is what one stage wrote, and None where the stage has not run. `results` holds what routing alone showed.
Figures, tables and MLflow read these two and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

from polyroute.paths import Paths
from polyroute.report.results import ResultsError

HELPED = "all but the pivot"
"""What steer.csv calls the group of languages whose pooled difference is the headline."""
FILES = {
    "evaluate": ("accuracy.csv", "evaluate.json"),
    "experts": ("experts.csv", "experts.json", "domains.csv"),
    "correlate": ("correlation.csv", "correlation.json"),
    "steer": ("steer.csv", "steer.json"),
}
"""Stage -> the files that it writes into `metrics/<model>/`."""

_TEXT = {
    "accuracy.csv": ("task", "language"),
    "domains.csv": ("model", "corpus", "language", "reading", "task"),
    "correlation.csv": ("task", "method", "given"),
    "steer.csv": ("task", "condition", "kind", "over", "test"),
}
_NUMBERS = {
    "accuracy.csv": ("items", "accuracy", "low", "high"),
    "domains.csv": ("layer", "value", "low", "high", "plug_in"),
    "correlation.csv": ("layer", "r", "low", "high", "p", "q", "languages"),
    "steer.csv": (
        "languages", "items", "base", "other", "difference", "low", "high", "gained", "lost", "p", "q", "moved",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Accuracy:
    """What `evaluate` found out."""

    table: pd.DataFrame
    """accuracy.csv: a row a task and language, `low` and `high` by Wilson over items."""
    tasks: dict[str, dict[str, Any]]
    """Task -> `kind`, `chance` (None for numbers), `pivot` and `others`, all shares of right answers."""


@dataclass(frozen=True)
class Experts:
    """What `experts` found out."""

    corpus: str
    """Generic text that experts are specialised against."""
    tasks: dict[str, dict[str, Any]]
    """Task -> `text`, `sets` (a row a tau, as `experts.specialised.overlap` returns it), `domain_shape`."""
    middle: dict[str, Any] | None
    """`layers` (first and last), `found`, `reason`."""
    domains: pd.DataFrame
    """domains.csv: divergence of in-task from generic English text, a row a task and layer."""


@dataclass(frozen=True)
class Correlations:
    """What `correlate` found out."""

    corpus: str
    """Text whose divergence is set against accuracy."""
    tasks: dict[str, dict[str, Any]]
    """Task -> `notes`: a sentence for everything that was not computed."""
    table: pd.DataFrame
    """correlation.csv: a row a task, layer, method and what is given."""


@dataclass(frozen=True)
class Steering:
    """What `steer` found out."""

    tasks: dict[str, dict[str, Any]]
    """Task -> `not_run`, a reason; or None and `middle`, `chosen`, `selection`, `left_out`, `verdict`, ..."""
    table: pd.DataFrame
    """steer.csv: every condition against the baseline, a row a task, condition and language or `HELPED`."""


@dataclass(frozen=True)
class TaskResults:
    """What the tasks of one model showed."""

    model: str
    accuracy: Accuracy | None = None
    experts: Experts | None = None
    correlations: Correlations | None = None
    steering: Steering | None = None

    @property
    def tasks(self) -> list[str]:
        """Every task that a stage says something of, in order of name."""
        parts = (self.accuracy, self.experts, self.correlations, self.steering)
        return sorted({task for part in parts if part is not None for task in part.tasks})


def load(paths: Paths, model: str) -> TaskResults:
    """Read what the stages after `align` wrote; parts whose stage has not run are None.

    Raises:
        ResultsError: a file is unreadable, lacks a column or key, or is absent beside another of its stage; names the
            file and the stage that writes it.
    """
    folder = _Folder(paths.metrics(model), model)
    accuracy = experts = correlations = steering = None
    if folder.holds("evaluate"):
        tasks = folder.json("evaluate", "evaluate.json", task_keys=("kind", "chance", "pivot", "others"))["tasks"]
        accuracy = Accuracy(folder.table("evaluate", "accuracy.csv"), tasks)
    if folder.holds("experts"):
        found = folder.json("experts", "experts.json", ("corpus", "middle"), ("text", "sets", "domain_shape"))
        domains = folder.table("experts", "domains.csv")
        experts = Experts(found["corpus"], found["tasks"], found["middle"], domains)
    if folder.holds("correlate"):
        found = folder.json("correlate", "correlation.json", ("corpus",), ("notes",))
        correlations = Correlations(found["corpus"], found["tasks"], folder.table("correlate", "correlation.csv"))
    if folder.holds("steer"):
        tasks = folder.json("steer", "steer.json", task_keys=("not_run",))["tasks"]
        run = {task: held for task, held in tasks.items() if held["not_run"] is None}
        folder.check_keys("steer", "steer.json", run, ("middle", "chosen", "left_out", "verdict", "detectable"))
        steering = Steering(tasks, folder.table("steer", "steer.csv"))
    return TaskResults(model, accuracy, experts, correlations, steering)


def written(paths: Paths, model: str) -> list[Path]:
    """The files of `FILES` that are there."""
    every = (paths.metrics(model) / name for names in FILES.values() for name in names)
    return [path for path in every if path.exists()]


def plans(paths: Paths, found: TaskResults) -> list[Path]:
    """The files of the plans that were chosen.

    Raises:
        ResultsError: one is absent; names it and the stage that writes it.
    """
    if found.steering is None:
        return []
    chosen = [paths.plan(found.model, task) for task, held in found.steering.tasks.items() if held["not_run"] is None]
    for path in chosen:
        if not path.exists():
            raise ResultsError(f"{path} is absent: `dvc repro steer@{found.model}` writes it")
    return chosen


@dataclass(frozen=True)
class _Folder:
    """`metrics/<model>/`, and errors that say what to rerun."""

    path: Path
    model: str

    def holds(self, stage: str) -> bool:
        """Whether the stage has run."""
        there = [name for name in FILES[stage] if (self.path / name).exists()]
        lacking = [name for name in FILES[stage] if name not in there]
        if there and lacking:
            self._refuse(stage, lacking[0], f"is absent, though {there[0]} is there")
        return bool(there)

    def json(self, stage: str, name: str, keys: Sequence[str] = (), task_keys: Sequence[str] = ()) -> dict[str, Any]:
        """The content of a JSON file that holds `tasks`."""
        try:
            content = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self._refuse(stage, name, f"cannot be read ({error})", error)
        lacking = [key for key in ("tasks", *keys) if not isinstance(content, dict) or key not in content]
        if lacking:
            self._refuse(stage, name, f"lacks {_listed(lacking)}")
        if not isinstance(content["tasks"], dict):
            self._refuse(stage, name, "does not list `tasks` by name")
        self.check_keys(stage, name, content["tasks"], task_keys)
        return dict(content)

    def check_keys(self, stage: str, name: str, tasks: dict[str, Any], keys: Sequence[str]) -> None:
        """Refuse a file in which a task lacks a key."""
        for task, held in tasks.items():
            lacking = [key for key in keys if not isinstance(held, dict) or key not in held]
            if lacking:
                self._refuse(stage, name, f"lacks {_listed(lacking)} of task {task}")

    def table(self, stage: str, name: str) -> pd.DataFrame:
        """The rows of a CSV file; numbers that are empty are NaN, text that is empty is empty."""
        types: dict[str, Any] = dict.fromkeys(_TEXT[name], str)
        types |= dict.fromkeys(_NUMBERS[name], "float64")
        empty = {column: [""] for column in _NUMBERS[name]}
        try:
            table = pd.read_csv(self.path / name, dtype=types, keep_default_na=False, na_values=empty)
        except (OSError, ValueError) as error:
            self._refuse(stage, name, f"cannot be read ({error})", error)
        lacking = [column for column in types if column not in table.columns]
        if lacking:
            self._refuse(stage, name, f"lacks the columns {', '.join(lacking)}")
        if "layer" in table:
            table["layer"] = table["layer"].astype("int64")
        return table

    def _refuse(self, stage: str, name: str, what: str, cause: BaseException | None = None) -> NoReturn:
        raise ResultsError(f"{self.path / name} {what}: `dvc repro {stage}@{self.model}` writes it") from cause


def _listed(keys: Iterable[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)
