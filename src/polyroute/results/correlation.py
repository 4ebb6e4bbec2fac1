"""What the stage `correlate` finds: whether languages that are routed like the pivot are answered better."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import (
    Accuracy,
    Chance,
    Coefficient,
    Corpus,
    Divergence,
    Items,
    Language,
    Languages,
    Layer,
    Task,
    Zone,
)
from polyroute.results.table import Row, Unit

CorrelationVerdict = Literal["negative", "positive", "not_distinguishable", "cannot_be_seen"]
"""The sign where two-sided p < 0.05; else whether so many languages could show a correlation of 0.8 at all."""


class CorrelationRow(
    Row,
    file="correlation.csv",
    stage="correlate",
    key=("task", "method", "controlled_for", "layer"),
    decimals=4,
    readers=("stage claims", "stage multiverse", "figure correlation", "MLflow"),
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
    """Lower bound of the interval, languages left out in turn; none of partial correlations, nor where r is 1 or -1."""
    high: Coefficient | None
    """Upper bound."""
    p: Chance | None
    """Two-sided, by permutation of languages."""
    q: Chance | None
    """p adjusted for the layers. The curve describes; the verdict rests on the middle zone in correlation.json."""
    languages: Languages
    """How many, the pivot apart."""


class Given(Frozen):
    """A partial correlation of either sign."""

    r: Coefficient | None
    """Pearson's, with the covariate held fixed; missing where `notes` says why."""
    p: Chance | None
    """Two-sided, by permutation of languages."""


class ZoneCorrelation(Frozen):
    """Mean divergence of one zone against accuracy, over languages."""

    r: Coefficient | None
    """Pearson's; missing where `notes` says why."""
    low: Coefficient | None
    """Lower bound of the interval, languages left out in turn."""
    high: Coefficient | None
    """Upper bound."""
    p: Chance | None
    """Two-sided, by permutation of languages."""
    rho: Coefficient | None
    """Spearman's."""
    rho_p: Chance | None
    """Of rho, two-sided."""
    given: dict[str, Given]
    """`tokens_per_sentence`, `script`, `resource`, and `all` of them."""


class CorrelationOverFamilies(Frozen):
    """The middle zone's r with the family as the unit: each is left out in turn."""

    families: Annotated[int, Field(ge=0), Unit("families")]
    """How many; fewer than three have no interval."""
    low: Coefficient | None
    """Lower bound of the interval."""
    high: Coefficient | None
    """Upper bound."""
    verdict: CorrelationVerdict | None
    """The sign where the interval lies on one side of 0, else `not_distinguishable`."""
    agrees: bool | None
    """Whether it says the same as the verdict over languages."""


class MiddlePoint(Frozen):
    """One language."""

    divergence: Divergence
    """Mean over the layers of the middle zone."""
    accuracy: Accuracy
    """Share of right answers."""


class OverSomeLanguages(Frozen):
    """The middle zone's r over some of the languages, with nothing held fixed."""

    languages: Languages
    """How many, the pivot apart."""
    r: Coefficient | None
    """Pearson's; missing where there are too few languages."""
    low: Coefficient | None
    """Lower bound of the interval, languages left out in turn."""
    high: Coefficient | None
    """Upper bound."""
    p: Chance | None
    """Two-sided, by permutation of these languages."""
    verdict: CorrelationVerdict | None
    """As of all languages."""


class GroupCorrelation(Frozen):
    """Divergence and accuracy over one group of languages, such as those that a paper had."""

    whole: OverSomeLanguages
    """All of its languages that the task was asked in."""
    lacking: list[Language]
    """Those that it was not asked in."""
    near_chance: list[Language]
    """Those named as answered about as well as by guessing (`near_chance` in params.yaml)."""
    without: OverSomeLanguages | None
    """The same without these; missing where there are none."""


class PublishedPoint(Frozen):
    """Accuracy of the model in one language, as others published it."""

    accuracy: Accuracy
    """Share of right answers, mean over runs."""
    items: Items
    """Of the data set."""
    runs: Annotated[int, Field(ge=1), Unit("runs")]
    """Published of the same model and task."""
    low: Accuracy
    """Lower bound of Wilson's interval over so many items, of 95%."""
    high: Accuracy
    """Upper bound."""
    chance: Accuracy | None
    """What guessing evenly gets; null where it gets nothing."""
    certainty: Literal["C", "I", "N"]
    """Read in code or result files, inferred, or known from a secondary note."""
    source: str
    """Repository and file."""


class TaskCorrelation(Frozen):
    """One task."""

    verdict: CorrelationVerdict | None
    """Of the middle zone's r, with nothing held fixed; missing for fewer than five languages, or without r."""
    detectable_r: Coefficient | None
    """The weakest correlation that the verdict finds 80% of the time over so many unrelated languages."""
    by_family: CorrelationOverFamilies
    """Whether the verdict holds over families."""
    zones: dict[Zone, ZoneCorrelation]
    """The middle's is the one test; early and late stand beside it."""
    points: dict[Language, MiddlePoint]
    """What is correlated in the middle zone, the pivot apart."""
    notes: list[str]
    """A sentence for everything that was not computed."""
    groups: dict[str, GroupCorrelation] = Field(default={})
    """Entry of `languages` -> the same over its languages alone."""
    published: dict[Language, PublishedPoint] | None = None
    """Every language with a published accuracy, traced or not; null where the model was asked itself."""
    languages_needed: Languages | None = None
    """Fewer give no verdict on published accuracies; null where the model was asked itself."""


class CorrelationSummary(
    Document,
    Frozen,
    file="correlation.json",
    stage="correlate",
    readers=(
        "stage claims",
        "stage multiverse",
        "figure correlation",
        "table Divergence and accuracy",
        "polyroute results",
        "MLflow",
    ),
):
    """What was correlated, and what was not."""

    corpus: Corpus
    """Text whose divergence is set against accuracy."""
    resource: str
    """What `resource` among the covariates is."""
    tasks: dict[Task, TaskCorrelation]
    """Every task with accuracy."""


class ShortCorrelation(Frozen):
    """One task in a handful of numbers, all of the middle zone's mean divergence."""

    verdict: CorrelationVerdict | None
    """As in correlation.json."""
    r: Coefficient
    """Pearson's."""
    low: Coefficient | None
    """Lower bound of the interval over languages."""
    high: Coefficient | None
    """Upper bound."""
    p: Chance
    """Of r, two-sided."""
    rho: Coefficient | None
    """Spearman's."""
    r_controlled_for_all: Coefficient | None
    """Pearson's with all covariates held fixed."""
    detectable_r: Coefficient | None
    """The weakest that so many languages show 80% of the time."""
    agrees_by_family: bool | None
    """Whether the verdict holds over families."""
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
        found: dict[str, Any] = {}
        for task, held in CorrelationSummary.read(folder).tasks.items():
            middle = held.zones["middle"]
            if middle.r is None:
                continue
            given = middle.given.get("all")
            found[task] = {
                "verdict": held.verdict, "r": middle.r, "low": middle.low, "high": middle.high, "p": middle.p,
                "rho": middle.rho, "r_controlled_for_all": None if given is None else given.r,
                "detectable_r": held.detectable_r, "agrees_by_family": held.by_family.agrees,
                "languages": len(held.points),
            }  # fmt: skip
        return cls.model_validate(found)
