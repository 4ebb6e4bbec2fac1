"""What the stage `judge` finds of steering: what plans do to answers and to routing.

Plans are cross-fitted: each half of the items is answered under the plan that was chosen on the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import (
    Accuracy,
    Chance,
    Coefficient,
    Count,
    Difference,
    Experts,
    Items,
    K,
    Language,
    Layer,
    LayerBalance,
    LayerRange,
    LeftOut,
    Middle,
    Share,
    Task,
    Tau,
    Threshold,
    numbers_or_none,
)
from polyroute.results.table import Row, Unit
from polyroute.results.turns import TurnSteering

HELPED = "all but the pivot"
"""The group of languages whose pooled difference is the headline."""
Whole = Annotated[float, Field(ge=0, multiple_of=1)]
"""A count that its file holds with a decimal point."""
Kind = Literal[
    "chosen", "dose", "rule", "random", "multilingual", "early", "late", "all", "pivot", "published", "shared",
    "shared-chosen", "shared-random", "shared-published", "published-random", "shared-published-random", "by-turn",
    "by-task",
]  # fmt: skip


class SteerRow(
    Row,
    file="steer.csv",
    stage="judge",
    key=("task", "condition", "group"),
    decimals=4,
    readers=(
        "stage claims",
        "stage multiverse",
        "figures doses, conditions, mechanism",
        "tables Steering, Steering toward shared experts",
        "MLflow",
    ),
):
    """One condition against the model as it is, in one language or over those to be helped."""

    task: Task
    """Name in params.yaml."""
    condition: str = Field(min_length=1)
    """Name of the plan."""
    kind: Kind
    """What the condition is there for."""
    group: str = Field(min_length=1)
    """FLORES code, or `all but the pivot`: each of these languages counts the same."""
    languages: Annotated[Whole, Unit("languages")]
    """That are averaged over."""
    items: Annotated[Whole, Unit("items")]
    """Each answered under a plan that was chosen on the others, or under one that needs no choice."""
    base: Accuracy
    """Without the plan."""
    edited: Accuracy
    """With it."""
    difference: Difference
    """With less without."""
    low: Difference | None
    """Lower bound of the interval over items with all their translations; it leaves out 0 only where p is small."""
    high: Difference | None
    """Upper bound; where nothing changed that of the share of items that change at most."""
    gained: Annotated[Whole, Unit("answers")]
    """That became right, or better."""
    lost: Annotated[Whole, Unit("answers")]
    """That became wrong, or worse."""
    test: Literal["McNemar", "exchange"]
    """McNemar's exact test of one language, else the exchange of conditions by item together with Student's t."""
    p: Chance
    """Two-sided."""
    q: Chance | None
    """p adjusted for the languages of a condition; over all but the pivot, for a task's plans, random sets apart."""
    language_changed: Share | None
    """Of answers whose language changed; missing where nothing was written."""


class MechanismRow(
    Row,
    file="mechanism.csv",
    stage="judge",
    key=("task", "condition", "layer"),
    decimals=4,
    readers=(
        "stage claims",
        "stage multiverse",
        "figure mechanism",
        "table Steering toward shared experts",
        "polyroute results",
    ),
):
    """What one plan's edit does to routing in one layer, on a few prompts of the half `report`; of plans that were
    chosen, the one that was chosen on the half `select`."""

    task: Task
    """Name in params.yaml."""
    condition: str = Field(min_length=1)
    """Name of the plan."""
    layer: Layer
    """In the model's own numbering."""
    experts: Experts
    """That the plan edits."""
    tokens: Annotated[int, Field(ge=1), Unit("tokens")]
    """Real ones of the prompts."""
    rerouted: Share
    """Of tokens sent to another set of experts than without the edit."""
    edit_size: Annotated[float, Field(ge=0), Unit("logits")]
    """Mean |edited - unedited| over tokens and edited experts, after the cast to the router's dtype."""
    relative_size: Annotated[float, Field(ge=0), Unit("mean |logit|")] | None
    """Edit size by the mean |unedited| of the same; missing where that is 0."""
    share_before: Share
    """Of a token's choices, those on edited experts without the edit."""
    share_after: Share
    """The same with it."""


class TurnedRow(
    Row,
    file="turned.csv",
    stage="judge",
    key=("task", "item", "language"),
    readers=("report.html",),
):
    """An item in one language that a task's chosen plan turned right or wrong, some of each with their text."""

    task: Task
    """Name in params.yaml."""
    item: str = Field(min_length=1)
    """Its id."""
    language: Language
    """In which it was asked."""
    direction: Literal["right", "wrong"]
    """What its answer became; a graded score turns where it passes one half."""
    of: Annotated[int, Field(ge=1), Unit("items and languages")]
    """How many the plan turned this way, of which these are some."""
    prompt: str
    """The end of the question."""
    answer: str
    """The right one."""
    before: str
    """The answer without the edit."""
    after: str
    """The answer with it."""


Half = Literal["select", "report"]
"""Of a task's items."""


class Selected(Frozen):
    """What one candidate scored on the items that are chosen on."""

    condition: str
    """Name of the plan, or `baseline`."""
    accuracy: Accuracy
    """Over all languages but the pivot, each counting the same."""


VerdictCode = Literal[
    "helps", "helps_unranked", "random_do_as_well", "hurts", "no_difference", "not_distinguishable", "too_few_items",
    "cannot_be_told",
]  # fmt: skip
"""See `interventions.verdicts` for the rule."""


class Change(Frozen):
    """A change of accuracy, for tests of equivalence."""

    value: Difference
    """With less without."""
    low90: Difference
    """Lower bound of the 90% interval over items."""
    high90: Difference
    """Upper bound."""
    items: Items
    """That it rests on."""


class Power(Frozen):
    """What the items could show: how often the verdict's own rule, without the rank, finds a difference in studies that
    are simulated on them."""

    effect: Difference
    """The difference of interest: the published gain, or two points where none is published."""
    published: bool
    """Whether it is a published gain."""
    power: Share
    """Of simulated studies, those that find it."""
    detectable: Difference | None
    """Smallest difference that four of five simulated studies find; null where the largest that could be is not."""
    detectable_before: Difference | None
    """The same before a study, by a normal approximation that assumes 10% of answers to change and a correlation of .05
    between languages of an item; null where it is larger than that discordance."""
    items_needed: Annotated[int, Field(ge=1), Unit("items")] | None
    """To find the difference of interest four times in five, by the approximation, with what is observed or, where less
    than that difference changed, assumed; null where it is larger than can be."""
    discordance: Share
    """Of answers, those that changed."""
    correlation: Coefficient
    """Between the changes of an item in two languages."""


class Verdict(Frozen):
    """Whether a plan does what it is for, over all languages but the pivot."""

    code: VerdictCode
    """By the rule of `interventions.verdicts`."""
    helps: bool
    """Its pooled difference lies above 0 with its interval, and its q is below 0.05."""
    beyond_random: bool | None
    """Rank p is at most 0.05; null where too few random sets were drawn for that and none does as well."""
    rank_p: Chance | None
    """Rank among random sets, drawn one after another until 5 do as well: 5 / draws then, else (1 + sets that do as
    well) / (1 + draws). Null where none were drawn."""
    draws: Count
    """Random sets."""
    items: Items
    """That the verdict rests on, each with its translations."""
    low90: Difference
    """Lower bound of the 90% interval of the pooled difference."""
    high90: Difference
    """Upper bound."""
    margin: Difference
    """Within it on both sides a difference is none."""
    power: Power
    """What these items could show."""
    pivot_loss: Difference | None
    """Accuracy that the pivot loses."""
    pivot_change: Change | None
    """What the pivot's accuracy changes by; null where the task is not asked in it."""


class PublishedPlan(Frozen):
    """A published setting, run as it stands."""

    condition: str
    """Name of the plan."""
    verdict: Verdict
    """Among random sets of its own, if some were drawn."""


class ChosenPlan(Frozen):
    """The plan toward task experts that scored best on some items."""

    condition: str
    """Name of the candidate."""
    rule: str
    """Of steering."""
    strength: float | None
    """Lambda of the rule; null of rules without one."""
    tau: Tau
    """Threshold on Delta."""
    experts: Experts
    """That are edited."""


class PivotCorrectness(Frozen):
    """Items by whether the model as it is has them right in the pivot and in one language."""

    language: Language
    """FLORES code."""
    items: Items
    """Asked in both."""
    both: Share
    """Right in both."""
    pivot_only: Share
    """Right in the pivot alone: what steering toward its experts can give at most."""
    language_only: Share
    """Right in the language alone."""
    neither: Share
    """Right in neither."""


class ChosenShared(Frozen):
    """The plan toward shared experts that scored best on some items."""

    condition: str
    """Name of the candidate."""
    source: Language
    """Whose activation weighs the experts."""
    strength: float
    """Lambda of the rule `magnitude`."""
    experts: Experts
    """That are edited."""


class AsReleased(Frozen):
    """The best candidate on the very items that it is reported on, as paper 2's release chooses; too good by that."""

    condition: str
    """Name of the candidate."""
    difference: Difference
    """Pooled over all items."""


class NotRun(Frozen):
    """Steering that could not be done."""

    not_run: str
    """Why, in words."""


class ControlBalance(LayerBalance):
    """The same, of the random sets of one condition."""

    condition: str
    """Whose experts they stand in for."""


class TaskFold(Frozen):
    """What was chosen on one half of the items, and the other was asked under."""

    chosen: ChosenPlan
    """The best."""
    selection: list[Selected]
    """Every candidate and the baseline."""
    left_out: list[LeftOut]
    """Conditions that could not be run."""
    balance: list[ControlBalance]
    """How like random sets are, by condition and layer."""


class SharedFold(Frozen):
    """The same of steering toward shared experts."""

    chosen: ChosenShared
    """The best."""
    selection: list[Selected]
    """Every candidate and the baseline."""
    balance: list[ControlBalance]
    """How like random sets are, by condition and layer."""


class SharedSteering(Frozen):
    """Steering of one task toward experts that two dominant languages share."""

    not_run: None
    """Null: it was run."""
    pair: tuple[Language, Language]
    """The two."""
    layers: LayerRange
    """That are edited."""
    k: K
    """Experts kept of each language and layer."""
    thr: Threshold
    """Share that no language may exceed of a shared expert."""
    chosen: ChosenShared
    """The best on all items."""
    selection: list[Selected]
    """Every candidate and the baseline, on all items."""
    folds: dict[Half, SharedFold]
    """Half that was chosen on -> what the other was asked under."""
    inflation: Annotated[float, Field(ge=1)]
    """Factor of the variance of the difference, since the halves choose for each other (`stats.cross_fitting`)."""
    difference: Difference
    """Pooled, each half under the plan that was chosen on the other."""
    as_released: AsReleased
    """The best on the very items that it is told of."""
    verdict: Verdict
    """On the difference."""
    published: list[PublishedPlan]
    """Paper 2's own setting, one plan a source; none where it was not run."""


class ByTurn(Frozen):
    """Steering toward as many experts of each layer by Delta of turn, or of task at one turn, beside task experts."""

    than: Literal["published", "chosen"]
    """The condition whose experts they take the place of."""
    by_turn: TurnSteering | None
    """Experts of the assistant's turn; null where they were not steered."""
    by_task: TurnSteering | None
    """Experts of the task in either turn; null where they were not steered."""


def _ran(content: object) -> str:
    not_run = content.get("not_run") if isinstance(content, dict) else getattr(content, "not_run", None)
    return "run" if not_run is None else "not run"


Shared = Annotated[Annotated[SharedSteering, Tag("run")] | Annotated[NotRun, Tag("not run")], Discriminator(_ran)]


class NotSteered(NotRun):
    """A task that was not steered toward its experts."""

    shared: Shared
    """Steering toward shared experts."""


class Steered(Frozen):
    """A task that was steered toward its experts in the pivot."""

    not_run: None
    """Null: it was run."""
    middle: Middle
    """Layers that are edited."""
    chosen: ChosenPlan
    """The best on all items: the plan that is handed on, `plans/<model>/<task>.json`."""
    selection: list[Selected]
    """Every candidate and the baseline, on all items."""
    folds: dict[Half, TaskFold]
    """Half that was chosen on -> what the other was asked under."""
    inflation: Annotated[float, Field(ge=1)]
    """Factor of the variance of the difference, since the halves choose for each other (`stats.cross_fitting`)."""
    verdict: Verdict
    """On each half under the plan that was chosen on the other: what choosing so gains."""
    published: PublishedPlan | None
    """A paper's own setting for this model and task, on all items; null where it was not run."""
    by_pivot_correctness: list[PivotCorrectness]
    """A record a language; none where scores lie between right and wrong."""
    shared: Shared
    """Steering toward shared experts."""
    by_turn: ByTurn | None = None
    """Experts of the assistant's turn in place of task experts; absent where the stage `turns` found none."""


class SteeringSummary(
    Document,
    Frozen,
    file="steer.json",
    stage="judge",
    readers=(
        "stage claims", "stage multiverse",
        "figures doses, conditions, mechanism", "tables Steering, Steering toward shared experts", "polyroute results",
    ),
):  # fmt: skip
    """What was chosen for each task, how, and whether it helps."""

    tasks: dict[
        Task, Annotated[Annotated[Steered, Tag("run")] | Annotated[NotSteered, Tag("not run")], Discriminator(_ran)]
    ]
    """Every task that was asked."""


class ShortSteering(Frozen):
    """One task, over all languages but the pivot: each half steered by the plan that was chosen on the other."""

    base: Accuracy
    """Without the plan."""
    edited: Accuracy
    """With it."""
    difference: Difference
    """With less without."""
    low: Difference | None
    """Lower bound of the interval over items with all their translations."""
    high: Difference | None
    """Upper bound."""
    q: Chance | None
    """Of the difference, adjusted for the conditions of the study."""
    pivot_loss: Difference | None
    """Accuracy that the pivot loses."""
    toward_shared: Difference | None
    """The difference that the plan toward shared experts makes; null where there is none."""


def in_short(folder: Path) -> dict[str, ShortSteering]:
    """Every task that was steered, from the stage's other files."""
    rows: Any = SteerRow.read(folder)
    chosen = rows[(rows["kind"] == "chosen") & (rows["group"] == HELPED)].set_index("task")
    return {
        task: ShortSteering(
            **numbers_or_none(chosen.loc[task, ["base", "edited", "difference", "low", "high", "q"]]),
            pivot_loss=one.verdict.pivot_loss,
            toward_shared=one.shared.difference if isinstance(one.shared, SharedSteering) else None,
        )
        for task, one in SteeringSummary.read(folder).tasks.items()
        if isinstance(one, Steered)
    }
