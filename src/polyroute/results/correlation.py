"""What the stage `correlate` finds: whether languages that are routed like the pivot are answered better."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import Chance, Coefficient, Corpus, Languages, Layer, Task, numbers_or_none
from polyroute.results.table import Row


class CorrelationRow(
    Row,
    file="correlation.csv",
    stage="correlate",
    key=("task", "method", "controlled_for", "layer"),
    decimals=4,
    readers=("stage claims", "figure correlation", "table Divergence and accuracy", "polyroute results", "MLflow"),
):
    """Correlation of divergence with accuracy over languages, in one layer."""

    task: Task
    """Name in params.yaml."""
    layer: Layer
    """In the model's own numbering."""
    method: Literal["pearson", "spearman"]
    """r or rho."""
    controlled_for: str
    """What is held fixed: nothing if empty, `tokens_per_sentence`, `script`, `resource`, or `all` of them."""
    r: Coefficient | None
    """The coefficient; missing where correlation.json says why."""
    low: Coefficient | None
    """Lower bound of the interval over languages; missing of partial correlations."""
    high: Coefficient | None
    """Upper bound."""
    p: Chance | None
    """Two-sided, by permutation of languages."""
    q: Chance | None
    """p adjusted for the layers."""
    languages: Languages
    """How many, the pivot apart."""


class TaskCorrelation(Frozen):
    """One task."""

    notes: list[str]
    """A sentence for everything that was not computed."""


class CorrelationSummary(
    Document,
    Frozen,
    file="correlation.json",
    stage="correlate",
    readers=("stage claims", "figure correlation", "table Divergence and accuracy"),
):
    """What was correlated, and what was not."""

    corpus: Corpus
    """Text whose divergence is set against accuracy."""
    resource: str
    """What `resource` among the covariates is."""
    tasks: dict[Task, TaskCorrelation]
    """Every task with accuracy."""


class ShortCorrelation(Frozen):
    """One task in a handful of numbers, all of the layer whose Pearson correlation is strongest."""

    layer: Layer
    """In the model's own numbering."""
    r: Coefficient
    """Pearson's."""
    low: Coefficient | None
    """Lower bound of the interval over languages."""
    high: Coefficient | None
    """Upper bound."""
    q: Chance | None
    """Of r, adjusted for the layers."""
    rho: Coefficient | None
    """Spearman's."""
    r_controlled_for_all: Coefficient | None
    """Pearson's with all covariates held fixed."""
    languages: Languages
    """How many, the pivot apart."""


class CorrelationMetrics(
    Document,
    RootModel[dict[Task, ShortCorrelation]],
    file="summary/correlate.json",
    stage="correlate",
    readers=("dvc metrics show",),
):
    """Correlation in a handful of numbers a task, for DVC; a task without any is left out."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's other files."""
        rows: Any = CorrelationRow.read(folder)
        found = {}
        for task, table in rows.groupby("task", sort=False):
            by = {key: one.set_index("layer") for key, one in table.groupby(["method", "controlled_for"])}
            plain = by["pearson", ""].dropna(subset=["r"])
            if plain.empty:
                continue
            layer = plain["r"].abs().idxmax()
            row = plain.loc[layer]
            found[task] = {
                "layer": layer, "languages": row["languages"], **numbers_or_none(row[["r", "low", "high", "q"]]),
                **{
                    name: numbers_or_none(by[key].loc[layer, ["r"]])["r"] if key in by else None
                    for name, key in (("rho", ("spearman", "")), ("r_controlled_for_all", ("pearson", "all")))
                },
            }  # fmt: skip
        return cls.model_validate(found)
