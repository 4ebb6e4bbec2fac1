"""What is tried, reported and masked, and the settings that papers published."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from polyroute.artifacts.kinds import TaskKind
from polyroute.experts.settings import TaskText
from polyroute.ground.frozen import Frozen, check_known, check_strength, check_unique
from polyroute.ground.layers import LayerRange, check_range
from polyroute.languages.own import StudySettings
from polyroute.stats.settings import Intervals


class PublishedSteering(Frozen):
    """A paper's own setting for a task on a model, run as published."""

    layers: LayerRange
    tau: float = Field(ge=0, lt=1)
    rule: Literal["soft", "activate", "deactivate"]
    strength: float | None = None
    """lambda of soft steering."""
    gain: float | None = Field(default=None, gt=0, lt=1)
    """Published gain of mean accuracy, which the items should be able to show."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        check_range("layers", self.layers)
        if (self.rule == "soft") != (self.strength is not None):
            raise ValueError(f"`strength`: {'is needed by soft' if self.rule == 'soft' else f'{self.rule} takes none'}")
        if self.strength is not None:
            check_strength("strength", self.strength)
        return self


class PublishedShared(Frozen):
    """Paper 2's own setting for a task on a model: steering toward experts that dominant languages share."""

    layers: LayerRange
    k: int = Field(ge=1)
    """Experts kept for each language and layer."""
    thr: float = Field(ge=0, lt=1)
    """Largest share of one language in a shared expert."""
    strengths: dict[str, float] = Field(min_length=1)
    """Source language, one of the model's `dominant` -> lambda."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        check_range("layers", self.layers)
        for source, strength in self.strengths.items():
            check_strength(f"strengths.{source}", strength)
        return self


class OwnMasks(Frozen):
    """Masks of a task of which each language meets its own alone."""

    languages: str
    """Which entry of `languages`: each is a target, and asked under its own masks."""
    among: str | None = None
    """Which entry of `languages` experts are exclusive among; `null` takes `languages`."""
    k: int | None = Field(default=None, ge=1, le=128)
    """As in section `mask`; this and the next two are as there where they are `null`."""
    thr: float | None = Field(default=None, ge=0, lt=1)
    width: int | None = Field(default=None, ge=1, le=48)


class Masked(Frozen):
    """Which languages and tasks of a model meet masks of exclusive experts."""

    languages: str
    """Which entry of `languages`: each is a target and is asked."""
    tasks: list[str] = Field(min_length=1)
    """Among the model's tasks."""
    among: str | None = None
    """Which entry of `languages` experts are exclusive among: a language's share of an expert is of what all of these
    use it, so other languages make other experts exclusive. `null` takes `languages`."""
    corpus: str | None = None
    """Which entry of `corpora` shares are counted on; `null` takes the model's generic text."""
    own: dict[str, OwnMasks] = Field(default={})
    """Tasks, of `tasks`, that have languages of their own, each asked under its own masks and no other's."""

    def among_of(self, task: str) -> str:
        """Which entry of `languages` a task's experts are exclusive among."""
        own = self.own.get(task)
        return (self.among or self.languages) if own is None else (own.among or own.languages)

    @model_validator(mode="after")
    def _once(self) -> Self:
        check_unique("tasks", self.tasks)
        for task in self.own:
            check_known("own", task, self.tasks, "among `tasks`")
        return self


class Magnitude(Frozen):
    """Steering toward experts shared by dominant languages: z_e += strength s_e |z_e| (paper 2)."""

    k: int = Field(ge=1, le=128)
    """Experts kept for each language in a layer of 128, paper 2's; a layer of E keeps the same share of them."""
    thr: float = Field(ge=0, lt=1)
    """Largest share of one language in a shared expert."""
    strengths: list[float] = Field(min_length=1)
    """Strengths that are tried, with each of the two languages as source."""

    @model_validator(mode="after")
    def _finite(self) -> Self:
        for strength in self.strengths:
            check_strength("strengths", strength)
        check_unique("strengths", [f"{strength:g}" for strength in self.strengths])
        return self


class MaskedSet(Frozen):
    """Which experts are masked together (paper 2)."""

    k: int = Field(ge=1, le=128)
    """Experts kept for each language in a layer of 128, paper 2's; a layer of E keeps the same share of them."""
    thr: float = Field(ge=0, lt=1)
    """An expert is exclusive to a language that holds more than this share of it."""
    width: int = Field(ge=1, le=48)
    """Layers masked together at the start, in the centre and at the end of 48, paper 2's; others take the same share
    of their depth."""


class MaskPlans(MaskedSet):
    """Which experts are masked, and which in their stead (paper 2)."""

    tasks: dict[str, MaskedSet] = Field(default={})
    """Task -> what is masked there instead."""
    draws: int = Field(ge=1)
    """Random masks for each mask."""


class Mask(MaskPlans):
    """How experts that are exclusive to a language are masked (paper 2)."""

    mechanism_items: int = Field(ge=1)
    """Items in each language on whose prompts it is measured what the masks do to routing."""


class SteerGrid(Frozen):
    """What is tried."""

    taus: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=1)
    """Thresholds on Delta."""
    strengths: list[float] = Field(min_length=1)
    """Strengths of soft steering."""
    std: Literal["population", "sample"]
    """Divisor of std(z) in soft steering; the paper leaves it open."""
    eps: Literal["variance", "std"]
    """What 1e-6 is in eps ~ N(0, 1e-6); the paper leaves it open."""
    allow_more_than_k: bool = False
    """Whether more experts of a layer may be activated than a token is sent to."""
    magnitude: Magnitude

    @model_validator(mode="after")
    def _finite(self) -> Self:
        for key in ("strengths", "doses"):
            for strength in getattr(self, key, ()):
                check_strength(key, strength)
            check_unique(key, [f"{strength:g}" for strength in getattr(self, key, ())])
        check_unique("taus", [f"{tau:g}" for tau in self.taus])
        return self


class SteerPlans(SteerGrid):
    """What is tried, and what is reported beside the best."""

    doses: list[float]
    """Strengths of soft steering that are reported beside the chosen plan."""
    draws: int = Field(ge=1)
    """Random control sets at most, fewer where some soon do as well (`stats.sequential`). With 19 p can be .05, with 99
    .01."""


class Steer(SteerPlans):
    """The intervention study."""

    mechanism_items: int = Field(ge=1)
    """Items in each language on whose prompts it is measured what the plans do to routing."""


class MaskedTask(Frozen):
    """In which languages a task meets masks."""

    languages: list[str]
    """FLORES codes in which it is asked."""
    lacking: list[str]
    """Languages whose experts are masked, and that the task does not exist in."""
    among: list[str] | None = None
    """FLORES codes among which experts are exclusive; None takes the model's."""
    own_only: bool = False
    """Whether each language meets its own masks alone."""


class PlannedTask(TaskText):
    """What the conditions of a task are made from."""

    published_shared: PublishedShared | None
    shared_corpus: str | None = None
    """The corpus on which shared experts are told; None takes the generic text."""


class PlanSettings(StudySettings):
    """What the stage `plan` reads."""

    pivot: str
    generic: str
    """The corpus on which experts are told and controls match in frequency."""
    tasks: dict[str, PlannedTask]
    dominant: tuple[str, str] | None
    steer: SteerGrid
    mask: MaskPlans | None
    """None where nothing is masked; its `tasks` are of the model."""
    among: list[str]
    """FLORES codes among which experts are exclusive; none where nothing is masked."""
    mask_corpus: str | None = None
    """The corpus on which exclusive experts are told; None takes the generic text."""
    masked: dict[str, MaskedTask]
    seed: int


class StudiedTask(PlannedTask):
    """What steering of a task is chosen and reported by."""

    kind: TaskKind
    score: str
    """The one that is compared."""
    items: int | None
    """Of each half; None: all."""
    published: PublishedSteering | None


class ChooseSettings(StudySettings):
    """What the stage `choose` reads."""

    pivot: str
    generic: str
    """The corpus on which experts are told and controls match in frequency."""
    tasks: dict[str, StudiedTask]
    dominant: tuple[str, str] | None
    steer: SteerPlans
    seed: int


class JudgedTask(Frozen):
    """What the effects on a task are told by."""

    kind: TaskKind
    score: str
    """The one that is compared."""
    items: int | None = None
    """Of each half; None: all."""
    gain: float | None = None
    """Published gain of mean accuracy; None where none is."""


class JudgeSettings(StudySettings):
    """What the stage `judge` reads."""

    pivot: str
    tasks: dict[str, JudgedTask]
    masked: dict[str, MaskedTask]
    intervals: Intervals
    seed: int
