"""Section `tasks` of params.yaml: one type a reader."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.frozen import Frozen, check_unique


class _Task(Frozen):
    text: str | None = None
    """Which entry of `corpora` holds the English in-task text that identifies the task's experts."""
    pivots: list[str] = Field(default=[])
    """Other languages whose in-task text gives experts to steer toward, beside the English ones."""
    take: int | None = Field(default=None, ge=1)
    """Only so many items (the first of each split); `null` takes all."""


class HubTask(_Task):
    """Items on the hub."""

    hub: str = Field(pattern=r"^[^/]+/[^/]+$")
    """`organisation/dataset`."""
    revision: str
    """Commit; `polyroute pin` turns a branch into one."""
    files: str
    """Path of a language's file, with `{language}`."""
    items: int = Field(ge=1)
    """Items a language that the release has; another number is an error."""

    @field_validator("files")
    @classmethod
    def _by_language(cls, files: str) -> str:
        if "{language}" not in files:
            raise ValueError("no `{language}` in it: every language would be asked the items of one")
        return files


class BelebeleTask(HubTask):
    """Passages with a question and four options; see `polyroute.evaluation.tasks.belebele`."""

    reader: Literal["belebele"]
    kind: ClassVar[TaskKind] = "choice"


class MGSMTask(HubTask):
    """Word problems; see `polyroute.evaluation.tasks.mgsm`."""

    reader: Literal["mgsm"]
    prompt: Literal["direct", "cot"]
    """Whether the answer is asked for at once or after a chain of thought."""
    kind: ClassVar[TaskKind] = "number"


class GlobalMMLUTask(HubTask):
    """Questions with four options; see `polyroute.evaluation.tasks.global_mmlu`."""

    reader: Literal["global_mmlu"]
    splits: list[str] = Field(min_length=1)
    subjects: list[str] = Field(min_length=1)
    """Subjects to keep."""
    per_subject: int = Field(ge=1)
    """Questions of each, the first in the release's order."""
    kind: ClassVar[TaskKind] = "choice"


class XQuADTask(HubTask):
    """Questions whose answer stands in a passage; see `polyroute.evaluation.tasks.xquad`."""

    reader: Literal["xquad"]
    kind: ClassVar[TaskKind] = "span"


class PolyMathTask(HubTask):
    """Mathematical problems of several levels; see `polyroute.evaluation.tasks.polymath`."""

    reader: Literal["polymath"]
    levels: list[Literal["low", "medium", "high", "top"]] = Field(min_length=1)
    """Levels to keep, each in files of its own: `{level}` in `files`."""
    items: int = Field(ge=1)
    """Problems of each level that the release has; another number is an error."""
    kind: ClassVar[TaskKind] = "number"

    @model_validator(mode="after")
    def _by_level(self) -> Self:
        if "{level}" not in self.files:
            raise ValueError("no `{level}` in `files`: every level would be the problems of one")
        check_unique("levels", list(self.levels))
        return self


class TranslationTask(HubTask):
    """English sentences to translate; see `polyroute.evaluation.tasks.translation`."""

    reader: Literal["translation"]
    layout: Literal["sib200", "flores_plus"]
    """Reader of `corpora` whose files these are."""
    splits: list[str] = Field(min_length=1)
    """Values of `{split}` in `files`, read in this order as one task."""
    kind: ClassVar[TaskKind] = "translation"


class PocketTask(_Task):
    """Problems and questions of the pocket models' mini world; see `polyroute.evaluation.tasks.pocket`."""

    reader: Literal["pocket"]
    content: Literal["arithmetic", "knowledge"]
    items: int = Field(ge=1)
    """Items of each split."""
    seed: int = Field(ge=0)
    kind: ClassVar[TaskKind] = "choice"


class LocalTask(_Task):
    """Items of the user's own; see `polyroute.evaluation.tasks.local`."""

    reader: Literal["local"]
    files: str
    """Path below `text/`, with `{language}` where each language has a file."""
    kind: TaskKind


Task = Annotated[
    BelebeleTask | MGSMTask | GlobalMMLUTask | XQuADTask | PolyMathTask | TranslationTask | PocketTask | LocalTask,
    Field(discriminator="reader"),
]
