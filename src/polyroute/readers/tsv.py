"""Rows of tab-separated text, quoted as CSV writers do or plain.

SIB-200's files are quoted, MGSM's are plain, and nothing in a file says which; taken wrongly, every sentence with
direct speech has quotes too many or too few. A writer of CSV quotes every cell that holds a quote character, a tab or a
line break, and doubles the quotes inside, so one cell where that is not so tells a plain file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from polyroute.artifacts.corpus import CorpusError
from polyroute.readers.text_files import check_line_ends

_CELL = re.compile(r'(?:"((?:[^"]|"")*)"|([^"\t\n]*))(\t|\n|\Z)')
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True)
class Line:
    """One row."""

    number: int
    """Line of the file that it begins in, from 1."""
    cells: list[str]


def rows(path: Path, text: str) -> list[Line]:
    """Rows of a file's text, its last line's end apart.

    Raises:
        CorpusError: quotes are used in two ways, or may be the format's as well as the text's; names the line.
    """
    plain = [Line(number, line.split("\t")) for number, line in enumerate(text.split("\n"), start=1)]
    quoted = _quoted(text)
    if quoted is None:
        _check_one_way(path, plain)
        check_line_ends(path, text)
        return plain
    found, over_lines, always = quoted
    if over_lines is None:
        check_line_ends(path, text)
    elif _is_even(plain) and not always:
        raise CorpusError(
            f"{path}, line {over_lines}: a quote that is closed in another cell may be the text's own or the table's: "
            "save the table as CSV or JSON lines"
        )
    return found


def _quoted(text: str) -> tuple[list[Line], int | None, bool] | None:
    """Rows as a reader of CSV has them, the first line with a cell that holds a tab or a line break, and whether some
    column without such cells is quoted throughout; None where that is not how quotes are used."""
    found: list[Line] = []
    whole: list[list[bool]] = []
    row, marks, number, line, place = list[str](), list[bool](), 1, 1, 0
    over_lines = None
    while match := _CELL.match(text, place):
        held, bare, end = match.groups()
        row.append(bare if held is None else held.replace('""', '"'))
        marks.append(held is not None and "\n" not in held and "\t" not in held)
        if held is not None and ("\n" in held or "\t" in held):
            over_lines = over_lines or line
            line += held.count("\n")
        place = match.end()
        if end != "\t":
            found.append(Line(number, row))
            whole.append(marks)
            line += 1
            row, marks, number = [], [], line
            if not end:
                break
    else:
        return None
    if over_lines is not None and not _is_even(found):
        return None
    always = len(whole) > 2 and any(all(column) for column in zip(*whole[1:], strict=False))
    return found, over_lines, always


def _is_even(table: list[Line]) -> bool:
    """Whether every row has as many cells as the first."""
    return len({len(line.cells) for line in table}) == 1


def _check_one_way(path: Path, table: list[Line]) -> None:
    plain = doubled = 0
    for line in table:
        for cell in line.cells:
            if '"' not in cell:
                continue
            if not _QUOTED.fullmatch(cell):
                plain = plain or line.number
            elif '""' in cell[1:-1]:
                doubled = doubled or line.number
    if plain and doubled:
        raise CorpusError(f"{path}: quotes are doubled on line {doubled}, as CSV does, but stand alone on line {plain}")
