"""What a plan is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from polyroute.asking.settings import AskedTask, Asking, AskSettings
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import LayerRange
from polyroute.interventions.settings import SteerPlans
from polyroute.languages.table import ENGLISH
from polyroute.models.settings import Checkpoint, ModelSettings

if TYPE_CHECKING:
    from polyroute.artifacts.key import Key
    from polyroute.artifacts.questions import Questions
    from polyroute.artifacts.turns import Item
    from polyroute.models.load import LoadedModel
    from polyroute.tracing.collect import TraceSettings

BATCH_TOKENS = 4096
"""Padded tokens a batch of a model that has no entry in params.yaml."""


class PlanningError(PolyrouteError):
    """A plan that cannot be made; the message says why and what to change."""


@dataclass(frozen=True)
class Given:
    """A model, text and items."""

    name: str
    """Of the model."""
    loaded: LoadedModel
    spec: Checkpoint
    task: str
    questions: Questions
    """In every language that is asked."""
    key: Key
    score: str
    """The one that is compared."""
    targets: tuple[str, ...]
    """Languages that the plan is for."""
    others: tuple[str, ...]
    """Languages, usually the pivot first, in which it is measured what the plan costs."""
    generic: Mapping[str, Mapping[str, Item]]
    """Language -> item id -> generic text: the pivot's first, and translations in which the middle is told."""
    text: Mapping[str, Item]
    """In-task text in English."""
    grid: SteerPlans
    """What is tried, and how many random plans at most."""
    asking: Asking
    """How models answer."""
    own: Mapping[str, bool | int | float | dict[str, JsonValue]] = field(default_factory=dict)
    """Settings of `asking` that the task has otherwise."""
    tracing: TraceSettings | None = None
    """How text is traced; by default as a study does."""
    middle: LayerRange | None = None
    """Layers to steer; chosen from the divergence of generic text where None."""
    default_middle: LayerRange | None = None
    """Where that has no trough; by share of depth where None."""
    items: int | None = None
    """Of each half that are asked; all where None."""
    confidence: float = 0.95
    studies: int = 1000
    """That are simulated to tell what the items could show."""
    seed: int = 0
    parts: Path = Path(".polyroute/parts")
    """Where finished answers are kept, so that a run that was killed goes on."""

    def __post_init__(self) -> None:
        if not self.targets:
            raise PlanningError("name at least one language that the plan is for, as in --for swh_Latn")
        if ENGLISH not in self.generic:
            raise PlanningError(f"generic text in {ENGLISH} is needed, which in-task text is held against")
        if both := [code for code in self.targets if code in self.others or code == self.pivot]:
            raise PlanningError(f"{both[0]} cannot be the language to be helped and one beside it: leave one out")
        if self.questions.kind != "choice" and len(self.questions.languages) < 2:
            raise PlanningError(
                f"the language of what is written is told among those that are asked, and {self.targets[0]} is the "
                "only one: name another with --beside"
            )

    @property
    def pivot(self) -> str:
        """The language that divergence is measured from."""
        return next(iter(self.generic))

    def ask_settings(self) -> AskSettings:
        """As the stages that ask a model read it."""
        spec = self.spec
        about = {name: getattr(spec, name) for name in Checkpoint.model_fields}
        model = ModelSettings(
            **about, digest=self.loaded.digest, batch_tokens=getattr(spec, "batch_tokens", BATCH_TOKENS),
            max_tokens=getattr(spec, "max_tokens", BATCH_TOKENS),
        )  # fmt: skip
        asked = AskedTask(
            kind=self.questions.kind, languages=[*self.targets, *self.others], items=self.items, own=dict(self.own)
        )
        return AskSettings(
            **self.asking.model_dump(), name=self.name, model=model, tasks={self.task: asked}, mechanism_items=0,
            seed=self.seed,
        )  # fmt: skip
