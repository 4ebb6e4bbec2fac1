"""What the stage `turns` finds: whether task experts are experts of the task or of the assistant's turn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.experts import ExpertSets
from polyroute.results.quantities import (
    Chance,
    Corpus,
    Count,
    Difference,
    Experts,
    Items,
    Layer,
    LayerRange,
    Share,
    Task,
    Tau,
)
from polyroute.results.table import Row, Unit

Counted = Literal["rendered", "content", "without_digits"]
"""Which tokens count: all of the rendered conversation, as published; those of the text alone, the same in either turn;
or of these those without a digit."""
AssistantSays = Literal["question and solution", "solution"]
"""What the assistant says where task text is its own."""
Decision = Literal["holds", "rejected", "open"]
"""Of the rival, that task experts are experts of the assistant's turn; by the rule of `experts.turns`."""
NotRun = Literal["recorded", "no_texts", "no_template"]
"""Why nothing was asked: counts were recorded elsewhere; the model's entry names no conversations in `turns`; or its
tokenizer has no chat template."""
Delta = Annotated[float, Field(ge=-1, le=1), Unit("activation frequency")]
Ratio = Annotated[float, Unit("of the published Delta")]


class TurnRow(
    Row,
    file="turns.csv",
    stage="turns",
    key=("task", "counted", "layer", "expert"),
    decimals=4,
    readers=("stage choose",),
):
    """How much more often one expert is chosen by task and by turn; no row where the stage asked nothing."""

    task: Task
    """Name in params.yaml."""
    counted: Counted
    """Which tokens."""
    layer: Layer
    """In the model's own numbering; those of the setting."""
    expert: Annotated[int, Field(ge=0)]
    """Its number in the layer."""
    published: Delta
    """Question and solution in their own turns, less passages of the user."""
    turn: Delta
    """Passages of the assistant, less the same of the user."""
    task_user: Delta
    """Question and solution of the user, less passages of the user."""
    task_assistant: Delta
    """Question and solution of the assistant, less passages of the assistant."""
    solution: Delta
    """The solution alone of the assistant, less passages of the assistant."""


class Part(Frozen):
    """A share or ratio with its interval over sequences, passages and items resampled apart."""

    value: Ratio | None
    """Null where no expert is above tau."""
    low: Ratio | None
    """Lower bound."""
    high: Ratio | None
    """Upper bound."""


class TurnNull(Frozen):
    """The turn share of random sets, as large in every layer and matched in activation frequency."""

    sets: Count
    """How many."""
    mean: Share
    """Over them."""
    high: Share
    """Their 97.5% point."""
    p: Chance
    """(1 + sets with at least the turn share) / (1 + sets), one-sided."""
    unmatched: list[Layer]
    """Layers without a set within a fifth of a standard deviation; theirs are about as near as any."""


class TurnReading(Frozen):
    """The question asked of one way of counting."""

    counted: Counted
    """Which tokens."""
    assistant: AssistantSays
    """In the cell in which task text is the assistant's."""
    published: Experts
    """Above tau as published."""
    turn: Experts
    """Above tau by turn."""
    task_user: Experts
    """Above tau by task, both texts the user's."""
    task_assistant: Experts
    """Above tau by task, both texts the assistant's."""
    turn_share: Part
    """Of the published experts, those that are experts of the turn."""
    task_share: Part
    """Of the published experts, those that are experts of the task in either turn."""
    r_turn: Part
    """Delta by turn over the published experts, as a share of their published Delta."""
    r_task: Part
    """Delta by task, mean of both turns, likewise."""
    interaction: Part
    """1 less both: what turn and task do together."""
    null: TurnNull | None
    """Of the turn share; null where there is no such set."""
    decision: Decision | None
    """By these numbers alone, before anything is steered; null where no expert is above tau."""


class TurnOverlap(Frozen):
    """Task and multilingual experts, all text the user's but where said; multilingual experts are those of passages in
    any other language."""

    published: ExpertSets
    """Task experts as published: the solution is the assistant's."""
    same_turn: ExpertSets
    """Task experts by text that is all the user's."""


class TurnTask(Frozen):
    """One task."""

    text: Corpus
    """Its questions with solutions."""
    items: Items
    """Of them."""
    tau: Tau
    """Threshold on every Delta."""
    layers: LayerRange
    """First and last layer."""
    readings: list[TurnReading]
    """By tokens that count and by what the assistant says; the first is as published."""
    overlap: TurnOverlap | None
    """Null where passages are in English alone."""


class EveryTask(Frozen):
    """Experts that are task experts of every task, which differ in what they ask and share the assistant's turn."""

    experts: Experts
    """Above tau as published in all tasks."""
    turn: Experts
    """Of them above tau by turn: turn experts by any name."""
    share: Part
    """The one of the other."""


class TurnsSummary(
    Document,
    Frozen,
    file="turns.json",
    stage="turns",
    readers=("stage claims", "stage multiverse", "table Task or turn", "polyroute results"),
):
    """Whether task experts are experts of the task or of the assistant's turn."""

    not_run: NotRun | None
    """Why nothing was asked; null where it was."""
    passages: Corpus | None
    """Generic text; null where not run."""
    sequences: Count
    """Of it."""
    tasks: dict[Task, TurnTask]
    """Those whose text is conversations; empty where not run."""
    every_task: EveryTask | None
    """Over all tasks, all rendered tokens counted; null with fewer than two."""


class ShortTurns(Frozen):
    """One task in a handful of numbers, all rendered tokens counted."""

    turn_share: Ratio | None
    """Of the published experts, those of the turn."""
    null_high: Share | None
    """97.5% point of random sets."""
    r_task: Ratio | None
    """Delta by task at equal turn, as a share of the published Delta."""
    decision: Decision | None
    """Of the rival."""


class TurnsMetrics(
    Document, RootModel[dict[Task, ShortTurns]], file="summary/turns.json", stage="turns", readers=("dvc metrics show",)
):
    """Task or turn, for DVC."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's summary."""
        short = {}
        for task, found in TurnsSummary.read(folder).tasks.items():
            first = found.readings[0]
            short[task] = ShortTurns(
                turn_share=first.turn_share.value, null_high=first.null.high if first.null else None,
                r_task=first.r_task.value, decision=first.decision,
            )  # fmt: skip
        return cls(short)


class TurnSteering(Frozen):
    """Steering toward as many experts of each layer by turn or by task, less steering toward the task experts."""

    condition: str = Field(min_length=1)
    """Name of the plan."""
    value: Difference
    """Over all languages but the pivot."""
    low: Difference
    """Lower bound over items with all their translations."""
    high: Difference
    """Upper bound."""
    low90: Difference
    """Lower bound of the 90% interval."""
    high90: Difference
    """Upper bound."""
    p: Chance
    """Two-sided."""
    items: Items
    """That it rests on."""
    equivalent: bool
    """Whether the 90% interval lies within a point of 0."""
