"""Text of the user's own: TSV, JSON lines, Parquet or plain lines, on disk.

With `{language}` in the path there is one file a language, named by FLORES code; else one file holds them all, its
`language_column` telling them apart. Tables have the columns that params.yaml names (`item_id`, `text`, `language`).
A plain text file has one item a line, the same item on the same line in every language: its id is the line's number.
TSV may be quoted as CSV or not at all, but no cell holds a tab or a line break: use JSON lines for such text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from polyroute.corpora.reader import COLUMNS, numbered
from polyroute.corpora.tables import CorpusError, columns, lines
from polyroute.params.corpora import LocalFiles

_MARK = "{language}"


def path(spec: LocalFiles, language: str) -> Path:
    """File that a language is read from."""
    return Path(spec.files.replace(_MARK, language))


def read(spec: LocalFiles, languages: Sequence[str]) -> pd.DataFrame:
    """All items of the languages.

    Raises:
        CorpusError: a file is absent or broken, or lacks a column or a language.
    """
    if _MARK not in spec.files and not spec.files.endswith(".txt"):
        return _together(spec, languages)
    if _MARK not in spec.files and len(languages) > 1:
        raise CorpusError(f"{spec.files}: plain lines hold one language; put `{_MARK}` in the path, or use a table")
    rows = []
    for code in languages:
        file = _present(path(spec, code))
        if file.suffix == ".txt":
            rows += [(numbered("", number, 7), code, text) for number, text in enumerate(lines(file), start=1)]
        else:
            table = columns(file, (spec.id_column, spec.text_column))
            rows += [(row[spec.id_column], code, row[spec.text_column]) for row in table]
    return pd.DataFrame(rows, columns=COLUMNS)


def _together(spec: LocalFiles, languages: Sequence[str]) -> pd.DataFrame:
    file = _present(Path(spec.files))
    table = columns(file, (spec.id_column, spec.language_column, spec.text_column))
    held = sorted({row[spec.language_column] for row in table})
    for code in languages:
        if code not in held:
            raise CorpusError(f"{file}: no rows of {code}; column `{spec.language_column}` holds {', '.join(held)}")
    rows = [
        (row[spec.id_column], row[spec.language_column], row[spec.text_column])
        for row in table
        if row[spec.language_column] in languages
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _present(file: Path) -> Path:
    if not file.is_file():
        raise CorpusError(f"{file} is absent: `files` in params.yaml counts from the root of the study")
    return file
