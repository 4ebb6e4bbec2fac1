"""Tables whose columns params.yaml names: a corpus or a task from files as they are.

Where the languages are, by what the entry says:

- `{language}` in the path: a file a language (on the hub, often a configuration a language);
- `{language}` in the name of a column: a column a language, such as `text: "{language}"` or `prompt: "{q_{language}}"`;
- else a column that says the language of a row (`language`), or, where there is none, one language in the whole table.

Languages may be written as FLORES codes, BCP 47 tags or ISO 639-3; `codes` says which where that must be known before
a file is seen, and is a mapping where the files have names of their own. Rows without ids are numbered, so that a row
is the same item in every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field

from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.kinds import TaskKind
from polyroute.artifacts.questions import TaskError
from polyroute.artifacts.turns import ASSISTANT, USER, Turn
from polyroute.ground.frozen import Frozen
from polyroute.ground.hub import HubSource
from polyroute.ground.names import Splits, flaw
from polyroute.languages import table as languages
from polyroute.languages.table import Scheme
from polyroute.readers.spec import CorpusSpec, Item, TaskSpec, Text, lettered, numbered, options_lettered
from polyroute.readers.tables import Row

MARK = "{language}"
OPTIONS = "{options}"
_FIELD = re.compile(r"\{([^{}]+)\}")
_CHOICES = [f"choice_{number}" for number in range(1, 27)]


class Tables(Frozen):
    """Where tables lie and which of their columns says what."""

    files: str
    """Path, with `{language}` where each language has a file and `{split}` where `splits` vary. The ending tells the
    format."""
    splits: Splits = Field(default=[""])
    """Values of `{split}`, read in this order as one data set."""
    id: str | None = None
    """Column of the items' ids; null takes `item_id` where there is one, and else numbers the rows."""
    language: str = "language"
    """Column of the language of a row, where neither `files` nor a column's name has `{language}`."""
    codes: Scheme | dict[str, str] | None = None
    """How languages are written: a standard, or FLORES code -> what the files have; null takes any standard."""
    languages: list[str] | None = Field(default=None, min_length=1)
    """FLORES codes that the data set holds; null finds out where the files are at hand."""
    first_row: ClassVar[int] = 0
    """Number of the first row, where rows are numbered."""
    digits: ClassVar[int] = 5
    """Digits of the numbers of rows."""

    def rows_kept(self) -> int | None:
        """How many rows of a file are read where rows are numbered; None for all."""
        return None

    def table_columns(self, path: str, source: HubSource) -> list[str]:
        """Names of the columns of a file."""
        raise NotImplementedError

    def table_rows(
        self, path: str, names: Sequence[str], optional: Sequence[str], lists: Sequence[str], source: HubSource
    ) -> Iterable[Row]:
        """Rows of a file, as `tables.columns` gives them."""
        raise NotImplementedError

    def names_at_hand(self) -> list[str]:
        """Paths on disk that `files` may mean; none where they are on the hub."""
        return []

    def written(self, code: str, held: Iterable[str] = (), pattern: str = MARK) -> str:
        """How a language is written in names of a pattern that are at hand; by `codes` where none of them is.

        Raises:
            CorpusError: two names are of the language.
            LanguageError: the code is unknown.
        """
        if isinstance(self.codes, dict) and code in self.codes:
            return self.codes[code]
        if isinstance(self.codes, str):
            return languages.code_in(code, self.codes)
        found = self.languages_in(held, pattern).get(code, [code])
        if len(found) > 1 and code not in found:
            raise CorpusError(
                f"`{self.files}`: {' and '.join(f'`{name}`' for name in found)} are both {code}: say which with "
                f"`codes: {{{code}: {found[0]}}}`"
            )
        return code if code in found else found[0]

    def languages_in(self, held: Iterable[str], pattern: str = MARK) -> dict[str, list[str]]:
        """FLORES code -> how names of a pattern write it, for every language that is among them."""
        before, _, after = (re.escape(part) for part in pattern.replace("{split}", "\0").partition(MARK))
        named = re.compile((before + "([^/]+)" + after).replace("\0", "[^/]*").replace(re.escape(MARK), r"\1"))
        fixed = {name: code for code, name in self.codes.items()} if isinstance(self.codes, dict) else {}
        found: dict[str, list[str]] = {}
        for name in dict.fromkeys(held):
            match = named.fullmatch(name)
            code = None if match is None else fixed.get(match[1]) or languages.recognise(match[1])
            if match is not None and code is not None and match[1] not in found.setdefault(code, []):
                found[code].append(match[1])
        return found

    def place(self, code: str, split: str) -> str:
        """Path of a language's file.

        Raises:
            CorpusError: what the language is called there is no name of a file.
        """
        path = self.files.replace("{split}", split)
        if MARK not in path:
            return path
        written = self.written(code, self.names_at_hand(), self.files)
        if why := flaw(written):
            raise CorpusError(f"`{self.files}`: {code} is called {written!r} there, which {why}: correct `codes`")
        return path.replace(MARK, written)

    def places(self, code: str) -> list[str]:
        """Paths of a language's files, in the order of the splits."""
        return [self.place(code, split) for split in self.splits]

    def named_columns(self) -> list[str]:
        """Columns that must be there, as params.yaml names them."""
        raise NotImplementedError

    def language_names(self, patterns: Sequence[str], source: HubSource) -> tuple[str, list[str], str]:
        """Where languages are named, the names there, and the pattern that they are of.

        Args:
            patterns: columns that are read, as params.yaml has them.
            source: where files of the hub come from.

        Raises:
            CorpusError: a file is absent or broken.
        """
        if MARK in self.files:
            return "files", self.names_at_hand(), self.files
        path = self.files.replace("{split}", self.splits[0])
        columns = self.table_columns(path, source)
        wide = _wide(patterns)
        if wide is not None:
            return "columns", [column for column in columns if column not in (self.id, "item_id")], wide
        if self.language not in columns:
            return "", [], MARK
        rows = self.table_rows(path, [self.language], (), (), source)
        return f"column `{self.language}`", list(dict.fromkeys(row[self.language] for row in rows)), MARK

    def language_rows(
        self,
        codes: Sequence[str],
        needed: Sequence[str],
        optional: Sequence[str],
        lists: Sequence[str],
        source: HubSource,
    ) -> Iterator[tuple[str, str, Row]]:
        """FLORES code, id and cells of every row; the cells by the names that params.yaml gives them.

        Args:
            codes: of the languages that are wanted.
            needed: columns, with `{language}` where each language has one.
            optional: those that may be absent.
            lists: those among them that may hold lists of texts.
            source: where files of the hub come from.

        Raises:
            CorpusError: a file, a column or a language is not there.
        """
        for split in self.splits:
            if MARK in self.files:
                for code in codes:
                    rows = self._rows(self.place(code, split), needed, optional, lists, source)
                    own = self._with_ids(self.place(code, split), rows, split)
                    yield from ((code, item, row) for item, row in own)
            else:
                yield from self._of_one_file(codes, split, needed, optional, lists, source)

    def _of_one_file(
        self,
        codes: Sequence[str],
        split: str,
        needed: Sequence[str],
        optional: Sequence[str],
        lists: Sequence[str],
        source: HubSource,
    ) -> Iterator[tuple[str, str, Row]]:
        path = self.files.replace("{split}", split)
        columns = self.table_columns(path, source)
        wide = _wide([*needed, *optional])
        if wide is not None:
            names = {code: self.written(code, columns, wide) for code in codes}
            for code in codes:
                if code not in self.languages_in(columns, wide) and wide.replace(MARK, names[code]) not in columns:
                    raise CorpusError(f"{path}: no column of {code}; there are {', '.join(columns)}")
            of = {code: {name: name.replace(MARK, names[code]) for name in (*needed, *optional)} for code in codes}
            every = list(dict.fromkeys(of[code][name] for code in codes for name in needed))
            some = list(dict.fromkeys(of[code][name] for code in codes for name in optional))
            many = [of[code][name] for code in codes for name in lists]
            for item, row in self._with_ids(path, self._rows(path, every, some, many, source), split):
                for code in codes:
                    yield code, item, {name: row[column] for name, column in of[code].items()} | _id(row, self.id)
            return
        if self.language not in columns:
            if len(codes) > 1:
                raise CorpusError(
                    f"{path} holds one language: no column `{self.language}`, and no `{MARK}` in its path or in the "
                    f"name of a column; there are {', '.join(columns) or 'none'}"
                )
            rows = self._rows(path, needed, optional, lists, source)
            yield from ((codes[0], item, row) for item, row in self._with_ids(path, rows, split))
            return
        rows = list(self._rows(path, [*needed, self.language], optional, lists, source))
        values = list(dict.fromkeys(row[self.language] for row in rows))
        for code in codes:
            name = self.written(code, values)
            if name not in values:
                raise CorpusError(
                    f"{path}: no rows of {code}; column `{self.language}` holds {', '.join(sorted(values))}"
                )
            own = (row for row in rows if row[self.language] == name)
            yield from ((code, item, row) for item, row in self._with_ids(path, own, split))

    def _rows(
        self, path: str, needed: Sequence[str], optional: Sequence[str], lists: Sequence[str], source: HubSource
    ) -> Iterable[Row]:
        if self.id is not None:
            return self.table_rows(path, [*needed, self.id], optional, lists, source)
        return self.table_rows(path, needed, [*optional, "item_id"], lists, source)

    def _with_ids(self, path: str, rows: Iterable[Row], split: str) -> Iterator[tuple[str, Row]]:
        """Rows with their ids: all have one, or none does.

        Raises:
            CorpusError: some have one; names the row.
        """
        if self.id is not None:
            yield from ((row[self.id], row) for row in rows)
            return
        kept = self.rows_kept()
        named = False
        for number, row in enumerate(rows):
            own = row["item_id"]
            named = own != "" if number == 0 else named
            if (own != "") != named:
                raise CorpusError(
                    f"{path}: row {number + 1} has {'no' if named else 'an'} `item_id`, unlike those before it: give "
                    "every row one, or leave the column out"
                )
            if not own and number == kept:
                return
            yield own or numbered(split, number + self.first_row, self.digits), row


def _wide(patterns: Sequence[str]) -> str | None:
    """The first column that each language has one of."""
    return next((pattern for pattern in patterns if MARK in pattern), None)


def _id(row: Row, column: str | None) -> Row:
    return {} if column is None else {column: row[column]}


class TableCorpus(Tables, CorpusSpec):
    """Text in a column."""

    text: str = "text"
    """Column of the text; with `{language}` where each language has one."""
    reply: str | None = None
    """Column of what the assistant says to the text, which is then the user's; null where items are texts alone."""
    parallel: bool = True
    """Whether every item exists in every language; in-task text is in English only."""

    def is_parallel(self) -> bool:
        """As params.yaml says."""
        return self.parallel

    def covered(self) -> list[str] | None:
        """As params.yaml says."""
        return None if self.languages is None else sorted(self.languages)

    def paths(self, language: str) -> list[str]:
        """Files that a language is read from."""
        return self.places(language)

    def named_columns(self) -> list[str]:
        """The column of the text, and that of the reply."""
        return [self.text] if self.reply is None else [self.text, self.reply]

    def rows_kept(self) -> int | None:
        """As many as are taken, where their number is not checked."""
        return self.take if self.items is None else None

    def read(self, codes: Sequence[str], source: HubSource) -> list[Text]:
        """All items of the languages."""
        for code in codes:
            languages.get(code)
            if self.languages is not None and code not in self.languages:
                raise CorpusError(f"{self.files} does not hold {code}; it holds {', '.join(self.languages)}")
        rows = self.language_rows(codes, self.named_columns(), (), (), source)
        if self.reply is None:
            return [(item, code, row[self.text]) for code, item, row in rows]
        return [
            (item, code, (Turn(USER, row[self.text]), Turn(ASSISTANT, row[self.reply]))) for code, item, row in rows
        ]


class TableTask(Tables, TaskSpec):
    """Items in columns."""

    kind: TaskKind
    prompt: str = "prompt"
    """Column of the prompt, exactly what the model reads; or a text with columns in braces, `{options}` where the
    options are listed with letters, which are then the choices."""
    options: str | list[str] | None = None
    """Columns of the choices, or the one column that holds a list of them; with braces a text around a column, such as
    `" {option_a}"`. Null takes `choice_1`, `choice_2` and so on."""
    answer: str = "answer"
    """Column of what is right."""
    answer_is: Literal["number", "index", "letter", "text"] = "number"
    """How a right choice is told: counted from 1, counted from 0, by its letter, or by its text."""
    split: str = "split"
    """Column that divides the items into `select` and `report`; where there is none, a hash does."""

    def covered(self) -> list[str] | None:
        """As params.yaml says."""
        return None if self.languages is None else sorted(self.languages)

    def paths(self, language: str) -> list[str]:
        """Files that a language is read from."""
        return self.places(language)

    def languages_of(self, codes: Sequence[str]) -> tuple[list[str], list[str]]:
        """Which languages the task exists in, found out where its files are on disk, and which it lacks."""
        if self.languages is not None or self.repository() is not None:
            return super().languages_of(codes)
        codes = [code for code in codes if self.asked_in is None or code in self.asked_in]
        # A table of one language does not say which; absent files are the reader's to name.
        try:
            _, names, pattern = self.language_names(self.named_columns(), HubSource())
            held = list(self.languages_in(names, pattern)) or list(codes)
        except CorpusError:
            held = list(codes)
        return [code for code in codes if code in held], [code for code in codes if code not in held]

    def read(self, task: str, codes: Sequence[str], source: HubSource) -> list[Item]:
        """All items of the languages."""
        options = self._options()
        optional = [self.split, *(_CHOICES[2:] if self.options is None and self.kind == "choice" else ())]
        lists = _fields(self.options) if isinstance(self.options, str) else []
        try:
            rows = self.language_rows(codes, self.named_columns(), optional, lists, source)
            return [self._item(code, item, row, options) for code, item, row in rows]
        except CorpusError as error:
            raise TaskError(f"task `{task}`: {error}") from None

    def named_columns(self) -> list[str]:
        """Columns that must be there."""
        needed = [*_fields(self.prompt, OPTIONS), self.answer]
        if self.kind == "choice":
            options = _CHOICES[:2] if self.options is None else self._options()
            needed += [name for text in options for name in _fields(text)]
        return list(dict.fromkeys(needed))

    def _options(self) -> list[str]:
        if self.options is None:
            return _CHOICES
        return [self.options] if isinstance(self.options, str) else self.options

    def _item(self, code: str, item: str, row: Row, options: Sequence[str]) -> Item:
        split = row[self.split] or None
        right = row[self.answer]
        if self.kind != "choice":
            return Item(item, code, _filled(self.prompt, row), right.strip(), split=split)
        texts = [text for option in options for text in _each(option, row)]
        while texts and not texts[-1]:
            texts.pop()
        if OPTIONS in self.prompt:
            prompt = _filled(self.prompt, row | {"options": options_lettered([text.strip() for text in texts], ".")})
            return Item(item, code, prompt, self._index(right.strip(), texts), lettered(texts), tuple(texts), split)
        return Item(item, code, _filled(self.prompt, row), self._index(right.strip(), texts), tuple(texts), split=split)

    def _index(self, right: str, texts: Sequence[str]) -> int:
        """Index of the right choice; -1, which no task passes with, where none is named."""
        match self.answer_is:
            case "letter":
                return "ABCDEFGHIJKLMNOPQRSTUVWXYZ".find(right.upper()) if len(right) == 1 else -1
            case "text":
                same = [number for number, text in enumerate(texts) if text.strip() == right]
                return same[0] if same else -1
        if not right.isascii() or not right.isdigit():
            return -1
        return int(right) - (self.answer_is == "number")


def _fields(text: str, *other: str) -> list[str]:
    """Columns that a text names: those in braces, or the text itself."""
    inner = text.replace(MARK, "\0")
    found = [name.replace("\0", MARK) for name in _FIELD.findall(inner)]
    return [name for name in found if f"{{{name}}}" not in other] if found else [text]


def _filled(text: str, row: Mapping[str, Any]) -> str:
    inner = text.replace(MARK, "\0")
    if not _FIELD.search(inner):
        return str(row[text])
    return _FIELD.sub(lambda match: str(row[match[1].replace("\0", MARK)]), inner)


def _each(option: str, row: Row) -> list[str]:
    """The choices that an option of params.yaml stands for: one, or each of a list."""
    (name,) = _fields(option)
    held = row[name]
    return [_filled(option, row | {name: text}) for text in (held if isinstance(held, list) else [held])]


def present(path: str) -> Path:
    """A file on disk.

    Raises:
        CorpusError: it is not there.
    """
    file = Path(path)
    if file.is_dir():
        raise CorpusError(f"{file} is a folder: name the files in it, such as `{file.as_posix()}/{MARK}.txt`")
    if not file.is_file():
        advice = f"; a language is written `{MARK}` in it" if _FIELD.search(path) else ""
        raise CorpusError(f"{file} is absent: `files` in params.yaml counts from the root of the study{advice}")
    return file
