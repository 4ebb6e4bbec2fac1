"""What the stage `score` finds: how well the model answers in every language, as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import Accuracy, Items, Language, Share, Task
from polyroute.results.table import Row, Unit

Score = Annotated[float, Field(ge=0, le=1), Unit("score")]


class AccuracyRow(
    Row,
    file="accuracy.csv",
    stage="score",
    key=("task", "language"),
    decimals=4,
    readers=("stage claims", "stage multiverse", "stage correlate", "table Accuracy", "MLflow"),
):
    """Answers of the model to one task in one language; each kind of task fills columns of its own."""

    task: Task
    """Name in params.yaml."""
    language: Language
    """FLORES code."""
    items: Items
    """Asked."""
    accuracy: Accuracy
    """Share of right answers, or the mean score where a score lies between right and wrong."""
    low: Accuracy | None
    """Lower bound of the interval over items: Wilson's, or Student's of a mean score."""
    high: Accuracy | None
    """Upper bound."""
    chance: Accuracy | None
    """What the best constant answer gets, or guessing evenly where that is more; missing of spans and translations."""
    stated: Accuracy | None
    """Facts of the mini world: accuracy in those that training states in the language."""
    stated_items: Items | None
    """How many they are."""
    transfer: Accuracy | None
    """Facts of the mini world: accuracy in those that training states in other languages alone."""
    transfer_items: Items | None
    """How many they are."""
    accuracy_by_token: Accuracy | None
    """Choices: by likelihood a token."""
    accuracy_by_character: Accuracy | None
    """Choices: by likelihood a character."""
    tied: Share | None
    """Choices: of items whose largest likelihoods are equal."""
    empty: Share | None
    """Written answers: of those that are empty."""
    truncated: Share | None
    """Written answers: of those that were cut off."""
    without_number: Share | None
    """Numbers: of answers that are finished and not empty, but have no number."""
    as_read: Accuracy | None
    """Numbers: accuracy as our own reader takes them, in the conventions of the language."""
    flexible_extract: Accuracy | None
    """Numbers: accuracy by lm-evaluation-harness's rule `flexible-extract`."""
    inclusion: Score | None
    """Spans: of answers that hold the right one."""
    inclusion_as_released: Score | None
    """Spans: the same by the rule of paper 2's release."""
    exact_match: Score | None
    """Spans: of answers that are the right one."""
    f1: Score | None
    """Spans: F1 of words, mean over items."""
    chrf: Score | None
    """Translation: chrF, mean over sentences."""
    chrf_corpus: Score | None
    """Translation: chrF of the whole text."""
    in_language: Share | None
    """Written answers: of those long enough to tell, those in the language of the item."""
    undetermined: Share | None
    """Written answers: of those too short to tell."""


class TaskAccuracy(Frozen):
    """One task in a few numbers."""

    kind: Literal["choice", "number", "span", "translation"]
    """How it is asked and scored."""
    chance: Accuracy | None
    """What the best constant answer gets, or guessing evenly where that is more, mean over languages; null for spans
    and translations."""
    uniform: Accuracy | None
    """What guessing evenly gets; null where the answer is written."""
    pivot: Accuracy
    """In the pivot."""
    others: Accuracy
    """Mean of the other languages, each counting the same."""
    stated: Accuracy | None
    """Of `others`, in facts that training states in the language; null of other tasks."""
    transfer: Accuracy | None
    """Of `others`, in facts that only transfer can answer."""


class AccuracySummary(
    Document,
    Frozen,
    file="accuracy.json",
    stage="score",
    readers=("stage claims", "stage multiverse", "table Accuracy", "polyroute results", "MLflow"),
):
    """Accuracy in a few numbers a task."""

    tasks: dict[Task, TaskAccuracy]
    """Every task that was asked."""


class ShortAccuracy(Frozen):
    """One task in a handful of numbers."""

    pivot: Accuracy
    """In the pivot."""
    others: Accuracy
    """Mean of the other languages, each counting the same."""
    lowest: Accuracy
    """In the language that is answered worst."""
    chance: Accuracy | None
    """What the best constant answer gets, or guessing evenly where that is more."""
    stated: Accuracy | None
    """Of the others, in facts that training states in the language."""
    transfer: Accuracy | None
    """Of the others, in facts that only transfer can answer."""


class AccuracyMetrics(
    Document,
    RootModel[dict[Task, ShortAccuracy]],
    file="summary/score.json",
    stage="score",
    readers=("dvc metrics show",),
):
    """Accuracy in a handful of numbers a task, for DVC."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's other files."""
        lowest = AccuracyRow.read(folder).groupby("task")["accuracy"].min()
        return cls(
            {
                task: ShortAccuracy(
                    pivot=one.pivot,
                    others=one.others,
                    lowest=lowest[task],
                    chance=one.chance,
                    stated=one.stated,
                    transfer=one.transfer,
                )
                for task, one in AccuracySummary.read(folder).tasks.items()
            }
        )
