"""What the stage `claims` finds: a verdict on every claim of `claims/`, with the numbers that it rests on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import Chance, Count, Items, Languages, Model
from polyroute.results.table import Unit

Code = Literal["replicated", "not_replicated", "inconclusive", "cannot_be_tested"]
OfQuantity = Annotated[float, Unit("of the quantity")]
Symbol = Annotated[str, Unit("symbol")]
Quantity = Annotated[str, Unit("quantity")]
ClaimId = Annotated[str, Field(min_length=1), Unit("claim")]


class Held(Frozen):
    """One condition."""

    condition: str
    """As the claim has it."""
    holds: bool | None
    """Whether it does; null where that hangs on something unknown."""


class Missing(Frozen):
    """Why a quantity is unknown."""

    kind: Literal["model", "stage", "task", "language", "few", "new", "edits"]
    """It is asked of certain models alone; a stage has not run; the model was not asked a task, or not measured in a
    language; there is too little to compute it of; the study does not compute it yet; or the model's entry asks for no
    edits."""
    what: str
    """Which models, stage, task or language; what would bring it; which stage would have edited the model."""


class StandIn(Frozen):
    """What was used where the claim speaks of something else."""

    kind: Literal[
        "corpus", "task", "resource", "plan", "interval", "reading", "families", "setting", "hinge", "budget"
    ]  # fmt: skip
    """A text, a task, a measure of resource, a steering plan, an interval that is wider than it need be, a reading of
    the routers; verdicts over languages and over families that differ; a setting that the source had; languages
    without any one of which a quantity would be another; or how many tokens of each sentence are counted."""
    used: str
    """What was used here; empty where nothing stands for it."""
    meant: str
    """What the claim means."""


class ClaimVerdict(Frozen):
    """One claim, asked of one model."""

    code: Code
    """The verdict, once the claims of the model are corrected together."""
    alone: Code
    """The verdict on this claim alone."""
    effect: OfQuantity | None
    """Estimate of the quantity that the claim is about; null where it is unknown."""
    low: OfQuantity | None
    """Lower bound of its interval; of that of 90% where the claim is one of equivalence."""
    high: OfQuantity | None
    """Upper bound."""
    p: Chance | None
    """The claim's own p-value."""
    q: Chance | None
    """p adjusted for the claims of the model that have one."""
    null: OfQuantity | None
    """What the effect is to beat."""
    published: OfQuantity | None
    """The published number of that quantity."""
    distance: OfQuantity | None
    """Effect less published."""
    replicated_if: list[Held]
    """All must hold."""
    not_replicated_if: list[Held]
    """One suffices."""
    values: dict[Symbol, OfQuantity]
    """Everything that was known of the claim's quantities."""
    missing: dict[Quantity, Missing]
    """What its conditions speak of and is unknown, or unknown in part."""
    stand_ins: list[StandIn]
    """Where the test is of other data than the claim's."""
    languages: Languages | None
    """At hand, the pivot apart."""
    items: Items | None
    """At hand, of each language."""
    needed: Count | None
    """Languages or items that 80% power for the published effect takes; null where it is neither."""
    needed_of: Literal["languages", "items"] | None
    """Which of them."""
    could_see: bool | None
    """Whether as many were at hand; null where either is not known."""
    digest: str
    """SHA-256 of the claim as it was asked."""
    lock: Literal["locked", "changed", "not_locked"]
    """Whether that is what was fixed before: `changed` is a claim changed after the fact."""
    fixed_on: str | None
    """Date on which it was fixed; null if it was not."""
    fixed_by: str | None
    """Commit that held it then."""


class ClaimsSummary(
    Document,
    Frozen,
    file="claims.json",
    stage="claims",
    readers=("stage multiverse", "polyroute claims", "MLflow"),
):
    """A verdict on every claim."""

    model: Model
    """Name in params.yaml."""
    claims: dict[ClaimId, ClaimVerdict]
    """Every claim of `claims/`."""


class ClaimsMetrics(Document, Frozen, file="summary/claims.json", stage="claims", readers=("dvc metrics show",)):
    """How many claims come to what, for DVC."""

    replicated: Count
    """Claims that hold."""
    not_replicated: Count
    """Claims that do not."""
    inconclusive: Count
    """Claims on which these data do not decide."""
    cannot_be_tested: Count
    """Claims that need something that is not there."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's other file."""
        counts = Counter(one.code for one in ClaimsSummary.read(folder).claims.values())
        return cls(
            replicated=counts["replicated"], not_replicated=counts["not_replicated"],
            inconclusive=counts["inconclusive"], cannot_be_tested=counts["cannot_be_tested"],
        )  # fmt: skip
