"""What the stage `nulls` finds: where a model stands among random initialisations of its own architecture.

The unit is the set of weights: one that was trained against those that learnt nothing, on the same text with the same
tokenizer.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import DECIMALS, Chance, Corpus, Count, Layer
from polyroute.results.table import Row, Unit

Depth = Literal[
    "alignment_middle", "early_minus_middle", "late_minus_middle", "entropy_fall_pivot", "entropy_fall_others",
    "entropy_fall_steeper", "overlap_middle_minus_early", "overlap_middle_minus_late",
    "specificity_outer_minus_middle",
]  # fmt: skip
"""Quantities of the whole depth, means over languages: the largest sentence alignment in the middle zone; divergence D
in the early and the late zone less that in the middle; routing entropy in the early zone less that in the late, of the
pivot, of the others, and of these less the pivot; overlap of experts in the middle less that in the early and the late
zone of RISE; specificity of experts in these outer zones less that in the middle."""
ByLayer = Literal["alignment", "divergence"]
"""Means over languages in one layer: sentence alignment, and divergence D from the pivot."""
OfQuantity = Annotated[float, Unit("of the quantity")]
NullVerdict = Literal["beyond_random_init", "not_distinguishable", "not_run"]
"""Whether the model lies beyond random initialisations, p at most 0.05; or could not be ranked."""
NotRun = Literal["recorded", "too_large", "cannot_build"]
"""Why no random initialisation was drawn: the counts were recorded elsewhere, without the model; the architecture has
more weights than `nulls.most_weights`; or it cannot be built with random weights."""


class NullRow(
    Row,
    file="nulls.csv",
    stage="nulls",
    decimals=DECIMALS,
    key=("quantity", "layer", "draw"),
    readers=("stage claims", "stage multiverse", "figures alignment, divergence", "MLflow"),
):
    """One quantity of one set of weights; no row where no random initialisation was drawn."""

    quantity: Depth | ByLayer
    """Which."""
    layer: Layer | None
    """In the model's own numbering; missing of quantities of the whole depth."""
    draw: Count | None
    """Number of the random initialisation; missing of the model itself."""
    value: OfQuantity
    """Mean over languages."""


class Ranked(Frozen):
    """One quantity of the model among random initialisations."""

    value: OfQuantity
    """The model's own."""
    median: OfQuantity
    """Of the random initialisations."""
    largest: OfQuantity
    """Of the random initialisations; the model must lie above it for the smallest p."""
    p: Chance
    """(1 + random initialisations with at least the model's value) / (1 + draws), one-sided."""
    verdict: NullVerdict
    """What p says; of each quantity by itself, not corrected for there being several."""


class RankedLayer(Frozen):
    """Alignment in one layer among random initialisations."""

    layer: Layer
    """In the model's own numbering."""
    value: OfQuantity
    """The model's own, mean over languages."""
    median: OfQuantity
    """Of the random initialisations."""
    largest: OfQuantity
    """Of the random initialisations."""
    p: Chance
    """As of a whole quantity; not corrected for the layers, which few draws could not bear."""


class NullsSummary(
    Document,
    Frozen,
    file="nulls.json",
    stage="nulls",
    readers=(
        "stage claims",
        "stage multiverse",
        "figures alignment, divergence",
        "table In short",
        "polyroute results",
        "MLflow",
    ),
):
    """A model's depth and alignment among random initialisations of its architecture."""

    corpus: Corpus
    """The parallel text that all are read on."""
    items: Count | None = None
    """Sentences of it that all were read from; null where there is no random initialisation, and in older files, of
    which all were read."""
    draws: Count
    """Random initialisations; 0 where there is none."""
    attainable_p: Chance
    """The smallest p that a rank among so many can have."""
    not_run: NotRun | None
    """Why there is none; null where there are."""
    verdict: NullVerdict
    """Whether sentences are routed nearer to their translations than random initialisations route them: that of
    `alignment_middle`."""
    quantities: dict[Annotated[Depth, Unit("quantity")], Ranked]
    """Of the whole depth; empty where not run."""
    alignment: list[RankedLayer]
    """By layer; empty where not run."""


class ShortNulls(Frozen):
    """A corpus in a handful of numbers."""

    draws: Count
    """Random initialisations."""
    p: dict[Annotated[Depth, Unit("quantity")], Chance]
    """Of each quantity; empty where not run."""


class NullsMetrics(
    Document,
    RootModel[dict[Corpus, ShortNulls]],
    file="summary/nulls.json",
    stage="nulls",
    readers=("dvc metrics show",),
):
    """Ranks among random initialisations, for DVC."""

    @classmethod
    def of(cls, summary: NullsSummary) -> Self:
        """From the stage's summary."""
        ranks = {quantity: ranked.p for quantity, ranked in summary.quantities.items()}
        return cls.model_validate({summary.corpus: {"draws": summary.draws, "p": ranks}})
