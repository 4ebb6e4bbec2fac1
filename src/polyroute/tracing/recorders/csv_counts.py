"""Counts as CSV: SGLang's `layer_id,expert_id,count`, one file a rank, and `layer,expert,count,weight` of llama.cpp.

Both leave out experts that no token chose. SGLang writes a file a rank; with data-parallel attention each holds other
tokens, and files of one language are added up. Under tensor parallelism every rank sees the same tokens and files are
alike, which is refused: give one of them. Other columns, such as weights, are left alone.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders import strict_json
from polyroute.tracing.recorders.tally import Tally, whole

_LAYER = ("layer_id", "layer", "layer_idx", "layer_index")
_EXPERT = ("expert_id", "expert", "expert_idx", "expert_index")
_COUNT = ("count", "count_all_topk", "tokens")


def recognised(first_line: str) -> bool:
    """Whether a file's first line names a layer and an expert, and no experts of single tokens."""
    cells = _cells(first_line)
    return bool(set(cells) & set(_LAYER) and set(cells) & set(_EXPERT))


def _delimiter(first_line: str) -> str:
    """What stands between cells: a comma, or what a spreadsheet or pandas put in its place."""
    return max(",;\t", key=first_line.count)


def read(path: Path, tally: Tally) -> None:
    """Add one file.

    Raises:
        RecordingError: a column is lacking or there twice, a row has other cells than the header, a layer and expert
            are there twice, or a number is none; names the line.
    """
    text = strict_json.read_text(path)
    delimiter = _delimiter(text.partition("\n")[0])
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        places = [_place(path, header, names) for names in (_LAYER, _EXPERT, _COUNT)]
        seen: set[tuple[int, int]] = set()
        for row in rows:
            if not row or row == [""]:
                continue
            where = f"line {rows.line_num}"
            if len(row) != len(header):
                raise RecordingError(f"{path}: {where} has {len(row)} cells, its header {len(header)}: cut short?")
            layer = whole(row[places[0]], f"{path}: {where}", "the layer's number")
            expert = tally.expert(row[places[1]], f"{where}, layer {layer}")
            if (layer, expert) in seen:
                raise RecordingError(f"{path}: {where}: layer {layer}, expert {expert} is there twice")
            seen.add((layer, expert))
            tally.add(layer, expert, row[places[2]], f"{where}, layer {layer}, expert {expert}")
    except csv.Error as error:
        raise RecordingError(f"{path}: line {rows.line_num} is not CSV: {error}") from None


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(_delimiter(line))]


def _place(path: Path, header: list[str], names: tuple[str, ...]) -> int:
    found = [place for place, cell in enumerate(header) if cell in names]
    if len(found) != 1:
        raise RecordingError(
            f"{path}: its header names {len(found)} columns `{names[0]}` (or {', '.join(names[1:])}), not one; it is "
            f"{','.join(header)[:80] or 'empty'}"
        )
    return found[0]
