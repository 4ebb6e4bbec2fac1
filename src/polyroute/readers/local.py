"""Files of the user's own: a corpus or a task as TSV, JSON lines, Parquet or (a corpus) plain lines, on disk.

With `{language}` in the path there is one file a language, named by FLORES code; else one file holds them all, a
column telling them apart. TSV may be quoted as CSV or not at all, but no cell holds a tab or a line break: use JSON
lines for such text. Licence and source: the user's.

As a corpus: tables have the columns that params.yaml names (`item_id`, `text`, `language`). A plain text file has one
item a line, the same item on the same line in every language: its id is the line's number.

As a task: `item_id` (the same in every language), `language`, `prompt` (exactly what the model reads), `answer`, and
where there are choices `choice_1`, `choice_2`, ... up to `choice_26`: the texts that follow the prompt, a blank before
them where one belongs there. `answer` is the number of the right choice, counted from 1; or the right number, a plain
decimal such as 18 or -18.5, or a formula between dollar signs; or the right short answer (span); or the reference
(translation). A column `split` (`select` or `report`), if there, divides the items; else a hash does.
A choice may end early in the columns, not in the middle: an item with `choice_1` and `choice_3` lacks one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.ground.hub import HubSource
from polyroute.readers.spec import CorpusSpec, Item, TaskSpec, Text, numbered
from polyroute.readers.tables import columns, lines

_MARK = "{language}"
_CHOICES = tuple(f"choice_{number}" for number in range(1, 27))


class LocalCorpus(CorpusSpec):
    """Text of the user's own."""

    reader: Literal["local"]
    files: str
    """Path of a file, or of a file a language with `{language}`; the ending tells the format: tsv, jsonl,
    parquet (columns below) or txt (one item a line, aligned across languages by line number)."""
    parallel: bool = True
    """Whether every item exists in every language; in-task text is English only."""
    id_column: str = "item_id"
    text_column: str = "text"
    language_column: str = "language"
    """Read where `files` has no `{language}`; holds FLORES codes."""
    repeats_allowed: ClassVar[bool] = True

    def is_parallel(self) -> bool:
        """As params.yaml says."""
        return self.parallel

    def paths(self, language: str) -> list[str]:
        """The one file of a language."""
        return [self.files.replace(_MARK, language)]

    def read(self, codes: Sequence[str], _source: HubSource) -> list[Text]:
        """All items of the languages."""
        if _MARK not in self.files and not self.files.endswith(".txt"):
            return self._together(codes)
        if _MARK not in self.files and len(codes) > 1:
            raise CorpusError(f"{self.files}: plain lines hold one language; put `{_MARK}` in the path, or use a table")
        rows: list[Text] = []
        for code in codes:
            file = _present(self.paths(code)[0])
            if file.suffix == ".txt":
                rows += [(numbered("", number, 7), code, text) for number, text in enumerate(lines(file), start=1)]
            else:
                table = columns(file, (self.id_column, self.text_column))
                rows += [(row[self.id_column], code, row[self.text_column]) for row in table]
        return rows

    def _together(self, codes: Sequence[str]) -> list[Text]:
        file = _present(self.files)
        table = columns(file, (self.id_column, self.language_column, self.text_column))
        held = sorted({row[self.language_column] for row in table})
        for code in codes:
            if code not in held:
                raise CorpusError(f"{file}: no rows of {code}; column `{self.language_column}` holds {', '.join(held)}")
        rows = ((row[self.id_column], row[self.language_column], row[self.text_column]) for row in table)
        return [row for row in rows if row[1] in codes]


def _present(path: str) -> Path:
    file = Path(path)
    if not file.is_file():
        raise CorpusError(f"{file} is absent: `files` in params.yaml counts from the root of the study")
    return file


class LocalTask(TaskSpec):
    """Items of the user's own."""

    reader: Literal["local"]
    files: str
    """Path below `text/`, with `{language}` where each language has a file."""
    kind: TaskKind

    def paths(self, language: str) -> list[str]:
        """The one file of a language."""
        return [self.files.replace(_MARK, language)]

    def read(self, task: str, codes: Sequence[str], _source: HubSource) -> list[Item]:
        """All items of the languages."""
        if _MARK in self.files:
            return [self._item(row, code) for code in codes for row in self._rows(task, code)]
        rows = self._rows(task, "", ("language",))
        held = sorted({row["language"] for row in rows})
        for code in codes:
            if code not in held:
                raise TaskError(f"task `{task}`: {self.files}: no items in {code}; it holds {', '.join(held)}")
        return [self._item(row, row["language"]) for row in rows if row["language"] in codes]

    def _rows(self, task: str, code: str, more: tuple[str, ...] = ()) -> list[dict[str, str]]:
        file = Path(self.files.replace(_MARK, code))
        if not file.is_file():
            raise TaskError(
                f"task `{task}`: {file} is absent: `files` in params.yaml counts from the root of the study"
            )
        needed = ("item_id", *more, "prompt", "answer", *(_CHOICES[:2] if self.kind == "choice" else ()))
        return columns(file, needed, ("split", *_CHOICES))

    def _item(self, row: dict[str, str], code: str) -> Item:
        split = row["split"] or None
        if self.kind != "choice":
            return Item(row["item_id"], code, row["prompt"], row["answer"].strip(), split=split)
        texts = [row[name] for name in _CHOICES]
        while texts and not texts[-1]:
            texts.pop()
        told = row["answer"].strip()
        answer = int(told) - 1 if told.isascii() and told.isdigit() else -1
        return Item(row["item_id"], code, row["prompt"], answer, tuple(texts), split=split)
