"""What the stage `multiverse` finds: verdicts under every combination of choices that the papers leave open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from polyroute.results.claims import ClaimId, Code, Missing, OfQuantity, Quantity
from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import DECIMALS, Count, Model, Share
from polyroute.results.table import Row, Unit

Level = Annotated[str, Unit("level")]
ChoiceName = Literal[
    "reading", "averaging", "distance", "zones", "numbering", "languages", "unit", "pivot", "correlation", "score",
    "domain_text", "floor", "tau", "rule", "expert_layers", "k", "thr", "amount", "resource", "linkage",
]  # fmt: skip
"""Choices that cells are made of: columns of multiverse.csv."""
ElsewhereName = Literal[
    "chat", "counted", "generic_text", "checkpoint", "task_text", "medinstruct_input", "languages", "reading",
    "first_tokens", "accuracy", "corpus", "random_init",
]  # fmt: skip
"""Choices that take another run."""
Single = Literal["needs_answers", "not_recomputed", "no_data"]


class MultiverseRow(
    Row,
    file="multiverse.csv",
    stage="multiverse",
    key=("claim", "cell"),
    decimals=4,
    readers=("figure of a claim's multiverse", "polyroute multiverse"),
):
    """One cell: a claim under one combination of choices. A choice that the claim has not is empty."""

    claim: ClaimId
    """As in `claims/`."""
    cell: Annotated[int, Field(ge=0), Unit("cell")]
    """Number of the cell within the claim; 0 is the study's own."""
    reading: Level
    """What of the routers' output is read."""
    averaging: Level
    """`sequences`: each sentence weighs the same; `pooled`: each token does."""
    distance: Level
    """Of two distributions over experts: `divergence` (D), `jsd` (nats), `cosine`, `jaccard` (sets of the top k)."""
    zones: Level
    """Early, middle and late layers: the study's; `rise` (0, 37.5, 62.5 and 100% of the depth); `published`, paper 1's
    middle between the study's ends."""
    numbering: Level
    """Of the middle: as it is, without its last layer, one layer later, one earlier."""
    languages: Level
    """All; `above_chance`, those answered above chance; or a group of params.yaml."""
    unit: Level
    """Of the interval: the language, or the family."""
    pivot: Level
    """FLORES code that divergence is measured from."""
    correlation: Level
    """`pearson` or `spearman`."""
    score: Level
    """Column of accuracy.csv that is set against divergence."""
    domain_text: Level
    """`pooled` texts, or `pairs`, arbitrary sequences of one text with those of the other."""
    floor: Level
    """Whether generic text against itself is `subtracted` or `kept`."""
    tau: Level
    """Threshold on Delta."""
    rule: Level
    """Which experts are multilingual: `any` language above tau, `three_sd`, or `weighted_mean`."""
    expert_layers: Level
    """Layers whose experts count."""
    k: Level
    """Experts kept of each language and layer."""
    thr: Level
    """Share of an expert above which it is exclusive."""
    amount: Level
    """`use`, the share of choices that fall on the experts, or `experts`, their number."""
    resource: Level
    """`text_share`, log share of the training text; `class` of Joshi et al. 2020; or `tokens`, fewer a sentence."""
    linkage: Level
    """Of the tree of languages."""
    effect: OfQuantity | None
    """The claim's effect."""
    low: OfQuantity | None
    """Lower bound of its interval."""
    high: OfQuantity | None
    """Upper bound."""
    verdict: Code
    """By the claim's own conditions, on this claim alone."""
    holding: Count
    """Conditions of `replicated_if` that hold."""
    failing: Count
    """Those that do not; the rest hang on something unknown."""
    unknown: Annotated[str, Unit("quantities")]
    """Quantities that the conditions speak of and that this cell lacks, with blanks between."""


class ChoiceShare(Frozen):
    """How much one choice moves the answer."""

    choice: ChoiceName
    """Which."""
    levels: list[Level]
    """The study's own first."""
    effect: Share | None
    """First-order share of the variance of the effect over cells; null where it does not vary, or with one level. Of
    effects in several units each is divided by the root mean square of its unit first."""
    holding: Share | None
    """The same of the number of conditions of `replicated_if` that hold."""


class Flip(Frozen):
    """One choice changed alone from the study's own cell, where that changes the verdict."""

    choice: ChoiceName
    """Which."""
    level: Level
    """What it was changed to."""
    verdict: Code
    """What the claim then comes to."""


class Elsewhere(Frozen):
    """An open choice that these data do not allow, since it takes another run."""

    choice: ElsewhereName
    """Which."""
    here: str
    """What these data were made with; empty where that is not known."""
    stage: Literal["trace", "evaluate", "nulls"]
    """The stage that would have to be run with another setting."""


class ClaimMultiverse(Frozen):
    """One claim over all its cells."""

    cells: Count
    """How many."""
    verdicts: dict[Code, Count]
    """Verdict -> cells."""
    replicated: Share
    """Share of cells that replicate the claim."""
    all_known_hold: Share
    """Share of cells in which every condition of `replicated_if` that could be told holds, and one or more could."""
    same_sign: Share | None
    """Share of cells whose effect has the sign of the study's own cell, of those that have an effect."""
    effect: OfQuantity | None
    """The claim's effect in the study's own cell."""
    lowest: OfQuantity | None
    """Smallest effect over cells in the same unit as the study's own."""
    highest: OfQuantity | None
    """Largest."""
    in_unit: Count
    """Cells with an effect in that unit."""
    board: Code | None
    """Verdict on the claim alone by the stage `claims`; null where that has not run."""
    base: Code
    """Verdict in the study's own cell."""
    choices: list[ChoiceShare]
    """From the one that moves the effect most."""
    flips: list[Flip]
    """Single choices that change the study's own verdict."""
    unknown: dict[Quantity, Missing]
    """Quantities that some cell lacks, and why."""
    elsewhere: list[Elsewhere]
    """Open choices that take another run."""


class MultiverseSummary(
    Document,
    Frozen,
    file="multiverse.json",
    stage="multiverse",
    readers=("figure of a claim's multiverse", "polyroute multiverse"),
):
    """Every claim over all its cells."""

    model: Model
    """Name in params.yaml."""
    claims: dict[ClaimId, ClaimMultiverse]
    """Claims that were recomputed."""
    single: dict[ClaimId, Single]
    """All others, and why: they rest on answers, of which every choice is another run; no choice among these data was
    recomputed for them; or the model lacks the data that the claim is of."""


class MultiverseMetrics(
    Document,
    Frozen,
    file="summary/multiverse.json",
    stage="multiverse",
    readers=("dvc metrics show",),
):
    """How many cells there are, and what they come to, for DVC."""

    cells: Count
    """Of all claims."""
    replicated: Share
    """Share of them that replicate their claim; 0 without a cell."""
    base_agrees: Share
    """Share of claims whose own cell comes to the verdict of the board; 1 without a claim."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's other file."""
        claims = MultiverseSummary.read(folder).claims.values()
        total = sum(one.cells for one in claims)
        replicated = sum(one.verdicts.get("replicated", 0) for one in claims)
        agreeing = [one.base == one.board for one in claims if one.board is not None]
        return cls(
            cells=total,
            replicated=round(replicated / total, DECIMALS) if total else 0.0,
            base_agrees=round(sum(agreeing) / len(agreeing), DECIMALS) if agreeing else 1.0,
        )
