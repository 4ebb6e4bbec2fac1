"""What the stages after `align` found out, as `metrics/<model>/` holds it.

That is how languages compare with one another, answers to tasks, experts, correlation, steering and masks. Each part is
what one stage wrote, and None where the stage has not run. `results` holds what `align` wrote. Figures, tables and
MLflow read these two and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.report.folder import Folder
from polyroute.report.results import ResultsError

HELPED = "all but the pivot"
"""What steer.csv calls the group of languages whose pooled difference is the headline."""
FILES = {
    "similarity": ("similarity.csv", "similarity.json", "utilisation.csv", "rise.csv", "shared.csv"),
    "evaluate": ("accuracy.csv", "evaluate.json"),
    "experts": ("experts.csv", "experts.json", "domains.csv"),
    "correlate": ("correlation.csv", "correlation.json"),
    "steer": ("steer.csv", "steer.json", "mechanism.csv"),
    "mask": ("mask.csv", "mask.json"),
}
"""Stage -> the files that it writes into `metrics/<model>/`."""

_TEXT = {
    "similarity.csv": ("corpus", "measure", "reading", "zone", "a", "b"),
    "utilisation.csv": ("corpus", "language"),
    "rise.csv": ("corpus", "zone", "language"),
    "shared.csv": ("corpus", "language", "family", "left_out", "left_out_relation"),
    "accuracy.csv": ("task", "language"),
    "domains.csv": ("model", "corpus", "language", "reading", "task"),
    "correlation.csv": ("task", "method", "given"),
    "steer.csv": ("task", "condition", "kind", "over", "test"),
    "mechanism.csv": ("task", "condition"),
    "mask.csv": ("task", "score", "evaluated", "target", "range", "kind"),
}
_NUMBERS = {
    "similarity.csv": ("layer", "distance", "low", "high"),
    "utilisation.csv": (
        "layer", "entropy", "evenness", "dead", "hot", "max_violation", "specificity", "overlap", "information",
        "information_null", "information_p",
    ),
    "rise.csv": ("first", "last", "specificity", "overlap"),
    "shared.csv": (
        "layer", "resource", "shared", "exclusive", "shared_use", "exclusive_use", "left_out_exclusive", "balanced",
        "balanced_low", "balanced_high", "same_size", "k", "thr",
    ),
    "accuracy.csv": ("items", "accuracy", "low", "high"),
    "domains.csv": ("layer", "value", "low", "high", "plug_in"),
    "correlation.csv": ("layer", "r", "low", "high", "p", "q", "languages"),
    "steer.csv": (
        "languages", "items", "base", "other", "difference", "low", "high", "gained", "lost", "p", "q", "moved",
    ),
    "mechanism.csv": ("layer", "experts", "tokens", "changed", "size", "relative", "before", "after"),
    "mask.csv": (
        "draw", "experts", "items", "base", "other", "difference", "low", "high", "p", "q", "before", "changed",
    ),
}  # fmt: skip
_OF_ZONE = ("layers", "linkage", "labels", "rivals", "sensitivity")
"""What similarity.json says of each zone."""


@dataclass(frozen=True)
class Similarity:
    """What `similarity` found out."""

    corpora: dict[str, dict[str, Any]]
    """Corpus -> `languages`, `headline` (measure and reading of the trees), `zones` (each with `layers`, `linkage`,
    `labels`, `rivals`, `sensitivity`), and `confound` (a row a k and thr)."""
    distances: pd.DataFrame
    """similarity.csv: distance of two languages, a row a pair, measure, reading and zone; of the headline by layer."""
    utilisation: pd.DataFrame
    """utilisation.csv: use of experts, a row a corpus, layer and language; language "" is all of them together."""
    rise: pd.DataFrame
    """rise.csv: specificity and overlap in RISE's zones."""
    shared: pd.DataFrame
    """shared.csv: shared and exclusive experts, a row a corpus, k, thr, layer and language; language "" as above."""


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
    """Task -> `not_run`, a reason; or None and `middle`, `chosen`, `selection`, `left_out`, `verdict`, ... Either way
    `shared`, of steering toward shared experts: `not_run`, or None and `pair`, `chosen`, `as_released`, `verdict`."""
    table: pd.DataFrame
    """steer.csv: every condition against the baseline, a row a task, condition and language or `HELPED`."""
    mechanism: pd.DataFrame
    """mechanism.csv: what each condition does to routing, a row a task, condition and edited layer."""


@dataclass(frozen=True)
class Masking:
    """What `mask` found out."""

    tasks: dict[str, dict[str, Any]]
    """Task -> `languages`, `k`, `thr`, `ranges`, `exclusive` (range -> language -> experts), `left_out`, `headline`
    (score -> range -> what -> value with interval)."""
    table: pd.DataFrame
    """mask.csv: a row a task, score, evaluated language and mask; `draw` NaN for exclusive experts."""


@dataclass(frozen=True)
class TaskResults:
    """What the stages after `align` showed of one model."""

    model: str
    similarity: Similarity | None = None
    accuracy: Accuracy | None = None
    experts: Experts | None = None
    correlations: Correlations | None = None
    steering: Steering | None = None
    masking: Masking | None = None

    @property
    def tasks(self) -> list[str]:
        """Every task that a stage says something of, in order of name."""
        parts = (self.accuracy, self.experts, self.correlations, self.steering, self.masking)
        return sorted({task for part in parts if part is not None for task in part.tasks})


def load(paths: Paths, model: str) -> TaskResults:
    """Read what the stages after `align` wrote; parts whose stage has not run are None.

    Raises:
        ResultsError: a file is unreadable, lacks a column or key, or is absent beside another of its stage; names the
            file and the stage that writes it.
    """
    folder = Folder(paths.metrics(model), model)
    similarity = accuracy = experts = correlations = steering = masking = None

    def there(stage: str) -> bool:
        return folder.holds(stage, FILES[stage])

    def table(stage: str, name: str) -> pd.DataFrame:
        return folder.table(stage, name, _TEXT[name], _NUMBERS[name])

    if there("similarity"):
        of_corpus = ("languages", "headline", "zones", "confound")
        corpora = folder.json("similarity", "similarity.json", entries="corpora", entry_keys=of_corpus)["corpora"]
        for held in corpora.values():
            folder.check_keys("similarity", "similarity.json", held["zones"], _OF_ZONE, "zones")
        names = ("similarity.csv", "utilisation.csv", "rise.csv", "shared.csv")
        similarity = Similarity(corpora, *(table("similarity", name) for name in names))
    if there("evaluate"):
        tasks = folder.json("evaluate", "evaluate.json", entry_keys=("kind", "chance", "pivot", "others"))["tasks"]
        accuracy = Accuracy(table("evaluate", "accuracy.csv"), tasks)
    if there("experts"):
        found = folder.json(
            "experts", "experts.json", ("corpus", "middle"), entry_keys=("text", "sets", "domain_shape")
        )
        domains = table("experts", "domains.csv")
        experts = Experts(found["corpus"], found["tasks"], found["middle"], domains)
    if there("correlate"):
        found = folder.json("correlate", "correlation.json", ("corpus",), entry_keys=("notes",))
        correlations = Correlations(found["corpus"], found["tasks"], table("correlate", "correlation.csv"))
    if there("steer"):
        tasks = folder.json("steer", "steer.json", entry_keys=("not_run", "shared"))["tasks"]
        run = {task: held for task, held in tasks.items() if held["not_run"] is None}
        folder.check_keys("steer", "steer.json", run, ("middle", "chosen", "left_out", "verdict", "detectable"))
        of_shared = {task: held["shared"] for task, held in tasks.items()}
        folder.check_keys("steer", "steer.json", of_shared, ("not_run",))
        run = {task: held for task, held in of_shared.items() if held["not_run"] is None}
        folder.check_keys("steer", "steer.json", run, ("pair", "layers", "chosen", "as_released", "verdict"))
        steering = Steering(tasks, table("steer", "steer.csv"), table("steer", "mechanism.csv"))
    if there("mask"):
        keys = ("languages", "k", "thr", "ranges", "exclusive", "left_out", "headline")
        tasks = folder.json("mask", "mask.json", entry_keys=keys)["tasks"]
        masking = Masking(tasks, table("mask", "mask.csv"))
    return TaskResults(model, similarity, accuracy, experts, correlations, steering, masking)


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
