"""What the stage `judge` finds of masks: what languages lose when the experts exclusive to one are masked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import (
    Accuracy,
    Chance,
    Count,
    Difference,
    Experts,
    Items,
    K,
    Language,
    LayerBalance,
    LayerRange,
    LeftOut,
    Share,
    Task,
    Threshold,
)
from polyroute.results.steering import Power, ShortSteering
from polyroute.results.steering import in_short as steered_in_short
from polyroute.results.table import Row, Unit

Range = Annotated[str, Field(min_length=1), Unit("range")]
Score = Annotated[Literal["accuracy", "consistency"], Unit("score")]
"""What decides the task, and whether a text is in the language that was asked in."""


class MaskRow(
    Row,
    file="mask.csv",
    stage="judge",
    key=("task", "score", "evaluated", "target", "range", "kind", "draw"),
    decimals=4,
    readers=("stage claims", "stage multiverse", "figure masking", "MLflow"),
):
    """One language under one mask, against the model as it is."""

    task: Task
    """Name in params.yaml."""
    score: Score
    """What is compared."""
    evaluated: Language
    """FLORES code of the language that was asked."""
    target: Language
    """FLORES code of the language whose experts were masked."""
    range: Range
    """Layers of the mask, by the name that mask.json gives their first and last."""
    kind: Literal["exclusive", "random"]
    """Whether exclusive experts were masked, or as many random ones that are as frequent."""
    draw: Count | None
    """Number of the random mask; missing of exclusive ones."""
    experts: Experts
    """That were masked."""
    items: Items
    """Of the task."""
    base: Accuracy
    """Without the mask."""
    edited: Accuracy
    """With it."""
    difference: Difference
    """With less without."""
    low: Difference | None
    """Lower bound of the interval over items."""
    high: Difference | None
    """Upper bound."""
    p: Chance
    """Two-sided, of this pair."""
    q: Chance
    """p adjusted for all pairs and ranges, of exclusive and of random masks apart."""
    share_before: Share | None
    """Of a token's choices, those on the masked experts without the mask, mean over masked layers."""
    rerouted: Share | None
    """Of tokens sent to other experts by the mask, mean over masked layers."""


class MeanDifference(Frozen):
    """A mean difference of scores; null where there is none."""

    value: Difference | None
    """With less without the mask."""
    low: Difference | None
    """Lower bound of the interval over items with all their translations."""
    high: Difference | None
    """Upper bound."""


class MeanOverPairs(MeanDifference):
    """The same over pairs of an evaluated language and a mask."""

    pairs: Count
    """That are averaged over, each counting the same."""


MaskCode = Literal["hurts", "helps", "no_loss", "not_distinguishable", "too_few_items", "cannot_be_told", "not_masked"]
"""See `interventions.mask_effects.headlines` for the rule."""


class MaskHeadline(Frozen):
    """What masks of one range do to one score."""

    code: MaskCode
    """What they do in the language whose exclusive experts are masked."""
    items: Items
    """That the verdict rests on, each under all masks; 0 where nothing was masked."""
    low90: Difference | None
    """Lower bound of the 90% interval of `diagonal`."""
    high90: Difference | None
    """Upper bound."""
    margin: Difference
    """Within it on both sides a difference is none."""
    power: Power | None
    """What these items could show of a loss, which counts as positive; null where nothing was masked."""
    beyond_others: bool | None
    """`own_minus_others` lies below 0 with its interval; null where no other language met these masks."""
    beyond_random: bool | None
    """Rank p is at most 0.05; null where too few random masks were drawn for that and none costs as much."""
    random_costs_more: bool
    """`own_minus_random` lies above 0 with its interval."""
    rank_p: Chance | None
    """Rank of the loss among random masks, of all languages together; null where none were drawn."""
    draws: Count
    """Random masks of each language."""

    diagonal: MeanOverPairs
    """In the language whose exclusive experts are masked."""
    off_diagonal: MeanOverPairs
    """In all others."""
    random_diagonal: MeanOverPairs
    """In the language whose experts the random ones are drawn for."""
    random_off_diagonal: MeanOverPairs
    """In all others."""
    own_minus_others: MeanDifference
    """`diagonal` less `off_diagonal`."""
    own_minus_random: MeanDifference
    """`diagonal` less `random_diagonal`."""


class MaskedTask(Frozen):
    """Masks on one task."""

    languages: list[Language]
    """That were asked."""
    targets: list[Language]
    """Whose experts are masked."""
    targets_without_task: list[Language]
    """In which the task does not exist."""
    own_only: bool = False
    """Whether each language met the masks of its own experts alone, and no other's."""
    k: K
    """Experts kept of each language and layer."""
    thr: Threshold
    """Share above which an expert is exclusive."""
    ranges: dict[Range, LayerRange]
    """First and last layer."""
    exclusive: dict[Range, dict[Language, Experts]]
    """How many there are."""
    left_out: list[LeftOut]
    """Masks that could not be made."""
    balance: dict[Annotated[str, Unit("mask")], list[LayerBalance]]
    """How like random masks are, by layer; without masks that have none."""
    headline: dict[Score, dict[Range, MaskHeadline]]
    """Means over pairs of languages."""
    unit: str
    """Of the headline's intervals, in words."""


class MaskingSummary(
    Document,
    Frozen,
    file="mask.json",
    stage="judge",
    readers=(
        "stage claims",
        "stage multiverse",
        "figure masking",
        "table Masking exclusive experts",
        "polyroute results",
        "MLflow",
    ),
):
    """What masks do to their own language, to others, and what random masks do."""

    tasks: dict[Task, MaskedTask]
    """Every task that is masked and exists in a masked language."""


class ShortMasking(Frozen):
    """What masks of one range of layers do to accuracy, means over pairs of languages; null where there are none."""

    own: Difference | None
    """In the language whose exclusive experts are masked."""
    others: Difference | None
    """In all others."""
    random: Difference | None
    """In the language whose experts as many random ones are drawn for."""


class InterventionMetrics(Document, Frozen, file="summary/judge.json", stage="judge", readers=("dvc metrics show",)):
    """What steering and masks do in a handful of numbers, for DVC."""

    steer: dict[Task, ShortSteering]
    """Every task that was steered toward its experts."""
    mask: dict[Task, dict[Range, ShortMasking]]
    """Every task that is masked and exists in a masked language."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's other files."""
        masked = {
            task: {
                name: ShortMasking(
                    own=means.diagonal.value, others=means.off_diagonal.value, random=means.random_diagonal.value
                )
                for name, means in one.headline["accuracy"].items()
            }
            for task, one in MaskingSummary.read(folder).tasks.items()
        }
        return cls(steer=steered_in_short(folder), mask=masked)
