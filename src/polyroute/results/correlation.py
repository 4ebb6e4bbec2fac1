"""What the stage `correlate` finds: whether languages that are routed like the pivot are answered better."""

from __future__ import annotations

from typing import Literal

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import Chance, Coefficient, Corpus, Languages, Layer, Task
from polyroute.results.table import Row


class CorrelationRow(
    Row,
    file="correlation.csv",
    stage="correlate",
    key=("task", "method", "given", "layer"),
    decimals=4,
    readers=("figure correlation", "table Divergence and accuracy", "polyroute results", "MLflow"),
):
    """Correlation of divergence with accuracy over languages, in one layer."""

    task: Task
    """Name in params.yaml."""
    layer: Layer
    """In the model's own numbering."""
    method: Literal["pearson", "spearman"]
    """r or rho."""
    given: str
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
    readers=("figure correlation", "table Divergence and accuracy"),
):
    """What was correlated, and what was not."""

    corpus: Corpus
    """Text whose divergence is set against accuracy."""
    resource: str
    """What `resource` among the covariates is."""
    tasks: dict[Task, TaskCorrelation]
    """Every task with accuracy."""
