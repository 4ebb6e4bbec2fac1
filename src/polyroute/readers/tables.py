"""Rows of a data set's files as released: TSV, CSV, JSON lines, Parquet, plain lines.

Text comes back as it stands in the file, blanks included: what a model reads is what was released. Only the marks of
the file format go: a byte order mark, CR before a line's end, the quotes of CSV or a quoted TSV, JSON's escapes. Empty
lines of JSON lines, and those of CSV with several columns, are passed over. A column or key that is there twice is
refused, since nothing says which was meant.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from polyroute.artifacts.corpus import CorpusError
from polyroute.readers import text_files, tsv

Row = dict[str, Any]
"""Column -> its cell: text, or a list of texts where that was allowed."""


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

    LF, CR LF, CR CR LF and, in a file without LF, CR end a line: the other line separators of Unicode occur inside
    sentences.

    Raises:
        CorpusError: the file is not UTF-8, or `polyroute.readers.text_files` finds marks that are no text; names the
            line.
    """
    text = text_files.content(path)
    text_files.check_line_ends(path, text)
    return text.removesuffix("\n").split("\n") if text else []


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
    text = text_files.content(path)
    if not text:
        return [], ()
    return _headed(path, [(line.number, line.cells) for line in tsv.rows(path, text.removesuffix("\n"))])


def _csv(path: Path) -> tuple[Sequence[str], _Records]:
    reader = csv.reader(io.StringIO(text_files.content(path), newline=""), strict=True)
    try:
        table = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise CorpusError(f"{path}, line {reader.line_num}: not valid CSV ({error})") from None
    while table and not table[-1][1]:
        table.pop()
    if not table:
        return [], ()
    # Of a table with one column an empty line is an item without text, not an empty line.
    lone = len(table[0][1]) == 1
    return _headed(path, [(number, row or [""]) for number, row in table if row or lone])


def _headed(path: Path, table: Sequence[tuple[int, Sequence[str]]]) -> tuple[Sequence[str], _Records]:
    (_, header), *body = table
    _check_once(path, header)
    for number, row in body:
        if len(row) != len(header):
            raise CorpusError(f"{path}, line {number}: {len(row)} cells where the header has {len(header)} columns")
        if row == header:
            raise CorpusError(f"{path}, line {number}: the header again, as where two tables are joined: take it out")
    return header, [(f"{path}, line {number}", dict(zip(header, row, strict=True))) for number, row in body]


def _check_once(path: Path, held: Sequence[str]) -> None:
    """No column is there twice; those without a name, as indexes are written, cannot be asked for."""
    twice = sorted({name for name in held if name and held.count(name) > 1})
    if twice:
        names = ", ".join(f"`{name}`" for name in twice)
        raise CorpusError(f"{path}: the column {names} is there twice: take one out, or give it another name")


def _jsonl(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            record = json.loads(line, object_pairs_hook=_once)
        except _TwiceError as error:
            raise CorpusError(f"{where}: the key `{error}` is there twice: take one out") from None
        except RecursionError:
            raise CorpusError(f"{where}: nested too deeply to be read") from None
        except ValueError as error:
            # Python reads no number of more than 4,300 digits.
            raise CorpusError(f"{where}: not valid JSON ({error})") from None
        if not isinstance(record, dict):
            raise CorpusError(f"{where}: a row must be a JSON object")
        yield where, record


class _TwiceError(Exception):
    """A key that an object has twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return found


def _parquet(path: Path, names: Sequence[str]) -> tuple[Sequence[str], _Records]:
    # params.yaml is read without pyarrow.
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, page_checksum_verification=True) as file:
            held = list(file.schema_arrow.names)
            _check_once(path, held)
            wanted = list(dict.fromkeys(_column(name, held) for name in names if _column(name, held) in held))
            records = file.read(columns=wanted).to_pylist()
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not valid UTF-8 ({error.reason})") from None
    # Damaged pages and headers are told by errors of many kinds, that of a read that fails among them.
    except (pyarrow.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise CorpusError(f"{path}: not a Parquet file that can be read ({' '.join(str(error).split())})") from None
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
