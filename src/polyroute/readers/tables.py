"""Rows of a data set's files as released: TSV, JSON lines, Parquet, plain lines.

Text comes back as it stands in the file, blanks included: what a model reads is what was released. Only the marks of
the file format go: a byte order mark, CR before a line's end, the quotes of a quoted TSV, JSON's escapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from polyroute.artifacts.corpus import CorpusError

_QUOTED = re.compile(r'"(?:[^"]|"")*"')


def columns(path: Path, names: Sequence[str], optional: Sequence[str] = ()) -> list[dict[str, str]]:
    """Rows of a table, each the named columns as text; an optional column that the file lacks is the empty string.

    Raises:
        CorpusError: the file is broken, not UTF-8, or lacks a column that is not optional.
    """
    match path.suffix:
        case ".tsv":
            return _tsv(path, names, optional)
        case ".jsonl":
            return _jsonl(path, names, optional)
        case ".parquet":
            return _parquet(path, names, optional)
    raise CorpusError(f"{path}: a table with columns ends in .tsv, .jsonl or .parquet, not in `{path.suffix}`")


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


def _tsv(path: Path, names: Sequence[str], optional: Sequence[str]) -> list[dict[str, str]]:
    header, *body = lines(path) or [""]
    fields = header.split("\t")
    _require(path, names, fields)
    wanted = {name: fields.index(name) for name in (*names, *optional) if name in fields}
    table = []
    for number, line in enumerate(body, start=2):
        cells = line.split("\t")
        if len(cells) != len(fields):
            raise CorpusError(f"{path}, line {number}: {len(cells)} cells where the header has {len(fields)} columns")
        table.append(cells)
    if _is_quoted(path, table):
        table = [[_unquote(cell) for cell in cells] for cells in table]
    blank = dict.fromkeys(optional, "")
    return [blank | {name: cells[index] for name, index in wanted.items()} for cells in table]


def _is_quoted(path: Path, table: list[list[str]]) -> bool:
    """Whether quote characters are the file format's (as CSV writers set them) or the text's own.

    SIB-200's files are quoted, MGSM's are not, and nothing in a file says which; taken wrongly, every sentence with
    direct speech has quotes too many or too few. A CSV writer quotes every cell that holds a quote character and
    doubles those inside, so one cell where that is not so tells a plain file.
    """
    plain = doubled = 0
    for number, cells in enumerate(table, start=2):
        for cell in cells:
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


def _jsonl(path: Path, names: Sequence[str], optional: Sequence[str]) -> list[dict[str, str]]:
    rows = []
    for number, line in enumerate(lines(path), start=1):
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise CorpusError(f"{path}, line {number}: not valid JSON ({error})") from None
        where = f"{path}, line {number}"
        if not isinstance(record, dict):
            raise CorpusError(f"{where}: a row must be a JSON object")
        _require(where, names, list(record))
        rows.append({name: _cell(where, name, record.get(name, "")) for name in (*names, *optional)})
    return rows


def _parquet(path: Path, names: Sequence[str], optional: Sequence[str]) -> list[dict[str, str]]:
    # params.yaml is read without pyarrow.
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            fields = file.schema_arrow.names
            _require(path, names, fields)
            wanted = [name for name in (*names, *optional) if name in fields]
            records = file.read(columns=wanted).to_pylist()
    except pyarrow.ArrowInvalid as error:
        raise CorpusError(f"{path}: not a Parquet file that can be read ({error})") from None
    except UnicodeDecodeError as error:
        raise CorpusError(f"{path}: not valid UTF-8 ({error.reason})") from None
    return [
        {name: _cell(f"{path}, row {number}", name, record.get(name, "")) for name in (*names, *optional)}
        for number, record in enumerate(records, start=1)
    ]


def _cell(where: str, name: str, value: object) -> str:
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


def _require(where: Path | str, names: Sequence[str], fields: Sequence[str]) -> None:
    for name in names:
        if name not in fields:
            raise CorpusError(f"{where}: no column `{name}`; there are {', '.join(fields) or 'none'}")
