"""Rows of a data set's files as released: TSV, CSV, JSON lines, Parquet, plain lines.

Text comes back as it stands in the file, blanks included: what a model reads is what was released. Only the marks of
the file format go: a byte order mark, CR before a line's end, the quotes of CSV or a quoted TSV, JSON's escapes.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polyroute.artifacts.corpus import CorpusError

Row = dict[str, Any]
"""Column -> its cell: text, or a list of texts where that was allowed."""
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def columns(path: Path, names: Sequence[str], optional: Sequence[str] = (), lists: Sequence[str] = ()) -> list[Row]:
    """Rows of a table, each the named columns as text; an optional column that the file lacks is the empty string.

    Args:
        path: of the file; its ending says what it is.
        names: of columns; `a.b` is the field `b` of a column `a` of records.
        optional: those that may be absent.
        lists: those among them that may hold lists of texts.

    Raises:
        CorpusError: the file is broken, not UTF-8, or lacks a column that is not optional.
    """
    held, records = _opened(path, (*names, *optional))
    if held is not None:
        _require(path, names, held)
    return [cells(where, record, names, optional, lists) for where, record in records]


def fields(path: Path) -> list[str]:
    """Names of the columns of a table; of JSON lines, those of the first row.

    Raises:
        CorpusError: the file is broken, or is no table.
    """
    held, records = _opened(path, ())
    return list(next(iter(records), (path, {}))[1]) if held is None else list(held)


def cells(
    where: Path | str,
    record: Mapping[str, Any],
    names: Sequence[str],
    optional: Sequence[str] = (),
    lists: Sequence[str] = (),
) -> Row:
    """The named columns of one record, as `columns` gives them."""
    _require(where, names, record)
    return {name: _cell(where, name, _found(record, name), name in lists) for name in (*names, *optional)}


def lines(path: Path) -> list[str]:
    """Lines of a text file, without the one empty piece after the last line's end.

    Only LF and CR LF end a line: the other line separators of Unicode occur inside sentences.

    Raises:
        CorpusError: the file is not UTF-8; names the line.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{path}, line {line}: not valid UTF-8 ({error.reason} at byte {error.start})") from None
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")] if text else []


_Records = Iterable[tuple[str, Mapping[str, Any]]]
"""Where each row stands, and its cells."""


def _opened(path: Path, names: Sequence[str]) -> tuple[Sequence[str] | None, _Records]:
    """The columns of a table, None where each row has its own, and its rows; of Parquet, the named columns alone."""
    match path.suffix:
        case ".tsv":
            return _tsv(path)
        case ".csv":
            return _csv(path)
        case ".jsonl":
            return None, _jsonl(path)
        case ".parquet":
            return _parquet(path, names)
    raise CorpusError(f"{path}: a table with columns ends in .tsv, .csv, .jsonl or .parquet, not in `{path.suffix}`")


def _tsv(path: Path) -> tuple[Sequence[str], _Records]:
    table = [line.split("\t") for line in lines(path)] or [[]]
    if _is_quoted(path, table):
        table = [[_unquote(cell) for cell in row] for row in table]
    return _headed(path, table)


def _csv(path: Path) -> tuple[Sequence[str], _Records]:
    text = io.StringIO("\n".join(lines(path)), newline="")
    try:
        return _headed(path, [row for row in csv.reader(text, strict=True) if row] or [[]])
    except csv.Error as error:
        raise CorpusError(f"{path}: not valid CSV ({error})") from None


def _headed(path: Path, table: Sequence[Sequence[str]]) -> tuple[Sequence[str], _Records]:
    header, *body = table
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise CorpusError(f"{path}, line {number}: {len(row)} cells where the header has {len(header)} columns")
    return header, [(str(path), dict(zip(header, row, strict=True))) for row in body]


def _is_quoted(path: Path, table: list[list[str]]) -> bool:
    """Whether quote characters are the file format's (as CSV writers set them) or the text's own.

    SIB-200's files are quoted, MGSM's are not, and nothing in a file says which; taken wrongly, every sentence with
    direct speech has quotes too many or too few. A CSV writer quotes every cell that holds a quote character and
    doubles those inside, so one cell where that is not so tells a plain file.
    """
    plain = doubled = 0
    for number, row in enumerate(table, start=1):
        for cell in row:
            if '"' not in cell:
                continue
            if not _QUOTED.fullmatch(cell):
                plain = plain or number
            elif '""' in cell[1:-1]:
                doubled = doubled or number
    if plain and doubled:
        raise CorpusError(f"{path}: quotes are doubled on line {doubled}, as CSV does, but stand alone on line {plain}")
    return not plain


def _unquote(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def _jsonl(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(lines(path), start=1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise CorpusError(f"{path}, line {number}: not valid JSON ({error})") from None
        where = f"{path}, line {number}"
        if not isinstance(record, dict):
            raise CorpusError(f"{where}: a row must be a JSON object")
        yield where, record


def _parquet(path: Path, names: Sequence[str]) -> tuple[Sequence[str], _Records]:
    # params.yaml is read without pyarrow.
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            held = list(file.schema_arrow.names)
            wanted = list(dict.fromkeys(_column(name, held) for name in names if _column(name, held) in held))
            records = file.read(columns=wanted).to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise CorpusError(f"{path}: not a Parquet file that can be read ({error})") from None
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not valid UTF-8 ({error.reason})") from None
    return held, ((f"{path}, row {number}", record) for number, record in enumerate(records, start=1))


def _column(name: str, held: Iterable[str]) -> str:
    """The column that a name, or the field of a record that it names, is in."""
    return name if name in held else name.split(".")[0]


def _found(record: Mapping[str, Any], name: str) -> Any:
    if name in record:
        return record[name]
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _cell(where: Path | str, name: str, value: object, may_be_list: bool) -> str | list[str]:
    if may_be_list and isinstance(value, (list, tuple)):
        return [str(_cell(where, name, each, False)) for each in value]
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise CorpusError(f"{where}: column `{name}` holds {type(value).__name__}, not text")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        # JSON can escape half a surrogate pair, which no tokenizer and no file takes.
        raise CorpusError(f"{where}: column `{name}` is not valid Unicode ({error.reason})") from None
    return text


def _require(where: Path | str, names: Sequence[str], held: Iterable[str]) -> None:
    for name in names:
        if _column(name, held) not in held:
            raise CorpusError(f"{where}: no column `{name}`; there are {', '.join(held) or 'none'}")
