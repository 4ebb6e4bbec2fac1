"""What an entry of `corpora` or `tasks` in params.yaml says, and how its data set is read.

Each data set has a module with one type for its corpus, one for its task, or both. Their fields are the keys of
params.yaml; their methods read the files, as released. Nothing here needs pandas, pyarrow or the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, JsonValue, field_validator, model_validator

from polyroute.artifacts import turns
from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.ground.frozen import Frozen
from polyroute.ground.hub import HubSource
from polyroute.ground.names import PathBelow, RepositoryName, Splits
from polyroute.languages import table as languages

Text = tuple[str, str, turns.Item]
"""Item id, FLORES code and text, or turns. Ids sort as the items stand in the release, so numbers are padded with
zeros."""
_ASKING = ("chat", "thinking", "max_new_tokens", "temperature", "top_p", "top_k", "chat_template")
"""Keys of a task that win over those of section `evaluate`."""
Repository = str
"""`organisation/dataset` on the hub."""


@dataclass(frozen=True)
class Item:
    """One item of a task in one language, as a model is asked it."""

    item_id: str
    """The same in every language; sorts as the release has it."""
    language: str
    """FLORES code."""
    prompt: str
    answer: int | str
    """Index of the right choice; or text: the right number, a plain decimal, or a formula between dollar signs; the
    right short answer; the reference translation."""
    choices: tuple[str, ...] = ()
    """Texts that follow the prompt, blanks before them included; none where the answer is written."""
    shown: tuple[str, ...] = ()
    """Options that the prompt lists, where the choices are but their letters."""
    split: str | None = None
    """Where the task has splits of its own."""
    together: str | None = None
    """What must not be divided between the splits, such as the passage that questions share; else the item's id."""


class CorpusSpec(Frozen):
    """A corpus: parallel text, or text of a task."""

    reader: str
    items: int | None = Field(default=None, ge=1)
    """Items in each language; any other number is an error (null takes what is there)."""
    unicode: Literal["as-is", "NFC"] = "as-is"
    """Whether text is normalised to NFC on the way in."""
    take: int | None = Field(default=None, ge=1)
    """Keep the first so many items in order of id, read as text (null keeps all)."""
    take_seed: int | None = Field(default=None, ge=0)
    """With `take`: seed of a random draw of so many items, by NumPy's `RandomState`; null takes the first."""
    chat: turns.ChatText | None = None
    """How the corpus is traced as a chat; null traces its text as it is."""
    questions_of: ClassVar[str | None] = None
    """The task, by `TaskSpec.items_of`, whose items the corpus holds."""
    repeats_allowed: ClassVar[bool] = False
    """Whether any number of texts may repeat, as in text of the user's own."""

    @model_validator(mode="after")
    def _drawn(self) -> Self:
        if self.take_seed is not None and self.take is None:
            raise ValueError("`take_seed` draws `take` items: give both, or neither")
        return self

    def is_parallel(self) -> bool:
        """Whether every item exists in every language; in-task text need not."""
        return True

    def covered(self) -> list[str] | None:
        """FLORES codes that the data set holds, sorted; None where that depends on the files."""
        return None

    def repository(self) -> tuple[Repository, str] | None:
        """Data set on the hub and its commit; None where nothing is downloaded."""
        return None

    def on_disk(self) -> str | None:
        """Path of the user's own files; None where there are none."""
        return None

    def paths(self, language: str) -> list[str]:
        """Files that a language is read from: paths in the data set on the hub, or on disk."""
        raise NotImplementedError

    def read(self, codes: Sequence[str], source: HubSource) -> list[Text]:
        """All items of the languages, as released.

        Raises:
            CorpusError: the data set lacks a language, or a file is not what it should be.
            SourceError: a file cannot be had.
        """
        raise NotImplementedError


class TaskSpec(Frozen):
    """A task: questions with their answers."""

    reader: str
    text: str | None = None
    """Which entry of `corpora` holds the English in-task text that identifies the task's experts."""
    pivots: list[str] = Field(default=[])
    """Other languages whose in-task text gives experts to steer toward, beside the English ones."""
    take: int | None = Field(default=None, ge=1)
    """Only so many items (the first of each split); `null` takes all."""
    edited: int | None = Field(default=None, ge=1)
    """Items of each half that are asked under plans and masks, at equal distances: an item is asked under some forty
    of them; `null`: all."""
    asked_in: list[str] | None = Field(default=None, min_length=2)
    """FLORES codes that it is asked in, the pivot among them, of those that a model is measured in; `null`: all."""
    divided_as: ClassVar[str | None] = None
    """By which name items are divided into halves, where another task has the same ones; else the task's own."""
    chat: bool | None = None
    """Whether prompts go into the tokenizer's chat template; this and the next keys win over those of section
    `evaluate`, which hold where they are `null`."""
    thinking: bool | None = None
    """Whether the template lets the model think before it answers."""
    max_new_tokens: int | None = Field(default=None, ge=1)
    """Where a generated answer that does not end is cut off, in tokens."""
    temperature: float | None = Field(default=None, ge=0)
    """0 is greedy."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Draw among the fewest tokens whose probabilities add up to this."""
    top_k: int | None = Field(default=None, ge=0)
    """Draw among the likeliest so many tokens; 0 among all."""
    chat_template: dict[str, JsonValue] | None = Field(default=None, exclude_if=lambda given: given is None)
    """Variables of the chat template, in place of those of section `evaluate`."""
    version: ClassVar[int] = 1
    """Goes up whenever the same files give other items or prompts, so that answers are not taken for those of another
    task."""

    if TYPE_CHECKING:

        @property
        def kind(self) -> TaskKind:
            """What the answer is: of the data set, or a key of params.yaml."""

    def covered(self) -> list[str] | None:
        """FLORES codes that the task has, sorted; None where that depends on the files."""
        return None

    def repository(self) -> tuple[Repository, str] | None:
        """Data set on the hub and its commit; None where nothing is downloaded."""
        return None

    def on_disk(self) -> str | None:
        """Path of the user's own files; None where there are none."""
        return None

    def paths(self, language: str) -> list[str]:
        """Files that a language is read from: paths in the data set on the hub, or on disk."""
        raise NotImplementedError

    def read(self, task: str, codes: Sequence[str], source: HubSource) -> list[Item]:
        """All items of the languages.

        Args:
            task: its name in params.yaml, for messages.
            codes: FLORES codes.
            source: where files of the hub come from.

        Raises:
            TaskError: the files are not what they should be.
            CorpusError: a file is broken or lacks a column.
            SourceError: a file cannot be had.
        """
        raise NotImplementedError

    def languages_of(self, codes: Sequence[str]) -> tuple[list[str], list[str]]:
        """In which of a model's languages the task is asked, and which it lacks; both in the order of `codes`."""
        held = self.covered()
        codes = [code for code in codes if self.asked_in is None or code in self.asked_in]
        if held is None:
            return list(codes), []
        return [code for code in codes if code in held], [code for code in codes if code not in held]

    def items_of(self) -> str:
        """Whose items they are: tasks and corpora of one name ask and hold the same ones."""
        return self.divided_as or self.reader

    def stops(self, _language: str) -> tuple[str, ...]:
        """Strings that end a generated answer in a language: those with which a next item would begin."""
        return ()

    def own_asking(self) -> dict[str, bool | int | float | dict[str, JsonValue]]:
        """Settings of section `evaluate` that the task has otherwise."""
        named = {name: getattr(self, name) for name in _ASKING}
        return {name: value for name, value in named.items() if value is not None}

    def own_score(self) -> str | None:
        """The score that is compared, where the task and not section `score` says which."""
        return None


class HubCorpus(CorpusSpec):
    """Text of one data set on the hub."""

    hub: RepositoryName
    """`organisation/dataset`."""
    revision: str
    """Commit of the data set; `polyroute pin` turns a branch into one."""
    files: PathBelow
    """Path in the data set, with `{language}` and `{split}` where they vary."""
    splits: Splits = Field(default=[""])
    """Values of `{split}`, read in this order as one corpus."""
    items: int | None = Field(ge=1)
    """Items in each language that the release holds; any other number is an error (null takes what is there)."""

    def repository(self) -> tuple[Repository, str]:
        """Data set on the hub and its commit."""
        return self.hub, self.revision

    def written(self, language: str) -> str:
        """How file names write a language."""
        return language

    def file_items(self, file: Path, split: str, language: str) -> Sequence[tuple[str, turns.Item]]:
        """Ids and texts, or turns, of a file."""
        raise NotImplementedError

    def paths(self, language: str) -> list[str]:
        """Paths in the data set that a language is read from, in the order of the splits."""
        code = self.written(language)
        return [self.files.replace("{language}", code).replace("{split}", split) for split in self.splits]

    def read(self, codes: Sequence[str], source: HubSource) -> list[Text]:
        """All items of the languages, as released."""
        held = self.covered()
        for code in codes:
            languages.get(code)
            if held is not None and code not in held:
                raise CorpusError(f"{self.hub} does not hold {code}; it holds {', '.join(held)}")
        return [
            (item, code, text)
            for code in codes
            for path, split in zip(self.paths(code), self.splits, strict=True)
            for item, text in self.file_items(source.file(self.hub, self.revision, path), split, code)
        ]


class HubTask(TaskSpec):
    """Items of one data set on the hub."""

    hub: RepositoryName
    """`organisation/dataset`."""
    revision: str
    """Commit; `polyroute pin` turns a branch into one."""
    files: PathBelow
    """Path of a language's file, with `{language}`."""
    items: int = Field(ge=1)
    """Items a language that the release has; another number is an error."""

    @field_validator("files")
    @classmethod
    def _by_language(cls, files: str) -> str:
        if "{language}" not in files:
            raise ValueError("no `{language}` in it: every language would be asked the items of one")
        return files

    def repository(self) -> tuple[Repository, str]:
        """Data set on the hub and its commit."""
        return self.hub, self.revision

    def language_items(self, task: str, code: str, source: HubSource) -> list[Item]:
        """All items of one language."""
        raise NotImplementedError

    def read(self, task: str, codes: Sequence[str], source: HubSource) -> list[Item]:
        """All items of the languages."""
        return [item for code in codes for item in self.language_items(task, code, source)]

    def check_count(self, task: str, code: str, place: str, found: int) -> None:
        """Hold the number of items in a release against `items`.

        Raises:
            TaskError: they differ.
        """
        if found != self.items:
            raise TaskError(
                f"task `{task}`: {place} has {found} items in {code} where {self.items} are expected: it is another "
                "release, or was cut off"
            )


def numbered(split: str, number: int, digits: int) -> str:
    """Id of an item that its release numbers within a split."""
    return f"{split}-{number:0{digits}d}" if split else f"{number:0{digits}d}"


def lettered(options: Sequence[str]) -> tuple[str, ...]:
    """Letters of options as choices that follow `Answer:`."""
    return tuple(f" {letter}" for letter, _ in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", options, strict=False))


def options_lettered(options: Sequence[str], mark: str) -> str:
    """Options one a line, each behind its letter and a mark."""
    return "\n".join(
        f"{letter}{mark} {option}" for letter, option in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", options, strict=False)
    )
