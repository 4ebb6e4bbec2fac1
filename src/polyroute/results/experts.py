"""What the stage `experts` finds: experts of tasks and of languages, domain divergence, and the middle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from polyroute.results.alignment import Interval
from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import (
    Corpus,
    Count,
    DepthShape,
    Divergence,
    DivergenceDifference,
    Experts,
    Language,
    Layer,
    Middle,
    Model,
    Reading,
    ShareOfResamples,
    Task,
    Tau,
)
from polyroute.results.table import Row, Unit

Delta = Annotated[float, Field(ge=-1, le=1), Unit("activation frequency")]
Bound = Annotated[float, Field(ge=0), Unit("experts")]


class ExpertRow(
    Row,
    file="experts.csv",
    stage="experts",
    key=("task", "corpus", "language", "layer", "expert"),
    decimals=4,
    readers=("stage claims", "stage multiverse", "stage plan", "stage choose"),
):
    """How much more often one expert is chosen on one text than on generic text of the pivot."""

    model: Model
    """Name in params.yaml."""
    corpus: Corpus
    """The text."""
    language: str = Field(min_length=1)
    """FLORES code of the text, or `any`: the largest Delta over all languages but the pivot."""
    layer: Layer
    """In the model's own numbering."""
    expert: Annotated[int, Field(ge=0)]
    """Its number in the layer."""
    delta: Delta
    """Delta, the difference of the two frequencies (paper 1, Eq. 3)."""
    low: Delta | None
    """Lower bound of the interval over sentences; missing where there are none to resample."""
    high: Delta | None
    """Upper bound."""
    task: str
    """Whose in-task text it is; empty for generic text, which tells multilingual experts."""


class MemberRow(
    Row,
    file="membership.csv",
    stage="experts",
    key=("task", "corpus", "language", "tau", "layer", "expert"),
    decimals=4,
    unlisted="share_of_resamples",
    readers=(
        "stage claims",
        "stage multiverse",
    ),
):
    """How surely one expert belongs to the set above one threshold; those that never do have no row."""

    model: Model
    """Name in params.yaml."""
    corpus: Corpus
    """The text."""
    language: str = Field(min_length=1)
    """FLORES code of the text, or `any`."""
    layer: Layer
    """In the model's own numbering."""
    expert: Annotated[int, Field(ge=0)]
    """Its number in the layer."""
    delta: Delta
    """As in experts.csv."""
    low: Delta | None
    """As in experts.csv."""
    high: Delta | None
    """As in experts.csv."""
    tau: Tau
    """The threshold."""
    member: bool
    """Whether Delta is above it."""
    share_of_resamples: ShareOfResamples | None
    """Of resamples in which it is; missing where there are none."""
    task: str
    """As in experts.csv."""


class DomainRow(
    Row,
    file="domains.csv",
    stage="experts",
    key=("task", "layer", "reading"),
    decimals=4,
    readers=("stage claims", "stage multiverse", "figure domain", "MLflow"),
):
    """Divergence between a task's text and generic text of the same language, in one layer."""

    model: Model
    """Name in params.yaml."""
    corpus: Corpus
    """The in-task text."""
    language: Language
    """FLORES code of both texts."""
    layer: Layer
    """In the model's own numbering."""
    reading: Reading
    """What of the routers' output was read."""
    value: Divergence | None
    """D over the corpus, corrected for the bias of few sentences and not below 0."""
    low: Divergence | None
    """Lower bound of the interval over sentences of both texts; missing where they are not known."""
    high: Divergence | None
    """Upper bound."""
    plug_in: Divergence | None
    """D as it stands, uncorrected."""
    task: Task
    """Whose text it is."""


class ExpertSets(Frozen):
    """Sizes of two sets at one threshold, and how many experts are in both; intervals over sentences."""

    tau: Tau
    """The threshold on Delta."""
    task: Experts
    """Task experts."""
    task_low: Bound | None
    """Lower bound."""
    task_high: Bound | None
    """Upper bound."""
    multilingual: Experts
    """Multilingual experts."""
    multilingual_low: Bound | None
    """Lower bound."""
    multilingual_high: Bound | None
    """Upper bound."""
    both: Experts
    """Experts in both sets."""
    both_low: Bound | None
    """Lower bound."""
    both_high: Bound | None
    """Upper bound."""
    expected: Bound
    """Experts in both had each layer's sets been drawn at random."""
    share_of_resamples: ShareOfResamples | None
    """Of resamples in which an expert is in both; null where there are none."""
    both_without_one: Experts | None = None
    """Fewest experts in both with one language left out; null with fewer than two beside the pivot."""
    both_hinges_on: list[Language] = Field(default_factory=list)
    """Languages without any one of which no expert is in both."""


class DomainDepth(Frozen):
    """Divergence of a task's text from generic text over depth, less that of generic text from other generic text."""

    sentences: Count
    """Of the text that has fewer; below 20 the curve has no shape."""
    early_minus_middle: Interval
    """Early minus middle, less the floor's, over sentences of both texts."""
    late_minus_middle: Interval
    """Late minus middle, less the floor's, over sentences of both texts."""
    floor_early_minus_middle: DivergenceDifference
    """Early minus middle of two halves of the generic text, mean over splits."""
    floor_late_minus_middle: DivergenceDifference
    """Late minus middle of them."""


class OlderSets(Frozen):
    """Task experts at one threshold beside multilingual experts by an older rule of paper 1's authors."""

    tau: Tau
    """The threshold on Delta of the task experts."""
    rule: Literal["three_sd", "weighted_mean"]
    """Soft mass above that of the pivot by 3 standard deviations of the layer, in any language or in their mean."""
    multilingual: Experts
    """Multilingual experts by that rule."""
    both: Experts
    """Experts in both sets."""
    expected: Bound
    """Experts in both had each layer's sets been drawn at random."""


class TaskExperts(Frozen):
    """The experts of one task."""

    text: Corpus
    """Its in-task text."""
    sets: list[ExpertSets]
    """A record a threshold."""
    domain_shape: DepthShape | None
    """Of domain divergence over depth; null where either text has fewer than 20 sentences, or they are not known."""
    domain_depth: DomainDepth | None = None
    """The differences it rests on; null where no sentences are known."""
    older_rules: list[OlderSets] = Field(default=[])
    """A record a threshold and rule; none where only counts were recorded."""


class ExpertsSummary(
    Document,
    Frozen,
    file="experts.json",
    stage="experts",
    readers=(
        "stage claims",
        "stage multiverse",
        "stage plan",
        "stage choose",
        "table Experts",
        "figure domain",
        "polyroute results",
    ),
):
    """Sizes of the sets of experts, and the layers of the middle."""

    corpus: Corpus
    """Generic text that experts are specialised against."""
    tasks: dict[Task, TaskExperts]
    """Every task with in-task text."""
    middle: Middle
    """Layers that steering edits."""


class ShortExperts(Frozen):
    """The experts of one task at the lowest threshold."""

    tau: Tau
    """That threshold."""
    task: Experts
    """Task experts."""
    multilingual: Experts
    """Multilingual experts."""
    both: Experts
    """Experts in both sets."""
    expected: Bound
    """Experts in both had each layer's sets been drawn at random."""


class ExpertsMetrics(Document, Frozen, file="summary/experts.json", stage="experts", readers=("dvc metrics show",)):
    """Experts and the middle in a handful of numbers, for DVC."""

    first_middle_layer: Layer
    """In the model's own numbering."""
    last_middle_layer: Layer
    """In the model's own numbering."""
    tasks: dict[Task, ShortExperts]
    """Every task with in-task text."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's other files."""
        summary = ExpertsSummary.read(folder)
        first, last = summary.middle.layers
        lowest = {task: min(one.sets, key=lambda at: at.tau) for task, one in summary.tasks.items()}
        return cls(
            first_middle_layer=first,
            last_middle_layer=last,
            tasks={
                task: ShortExperts(**at.model_dump(include=set(ShortExperts.model_fields)))
                for task, at in lowest.items()
            },
        )
