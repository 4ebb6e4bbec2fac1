"""What builds of llama.cpp print about the experts of a token, in three ways that are in use.

1. `llama-eval-callback`: a line with the tensor `ffn_moe_topk-<layer>`, then its values in brackets, a row a token.
   It prints the first and last three of a row and `...` between: with K above 6 experts are lacking, which is refused.
2. One token and layer a line: `layer 3 ... experts: [5, 1]`, `layer=3 experts=5,1`.
3. Counts: `layer 3 expert 5: 120`, `layer 3, expert 5, count 120`.

Other lines are passed over. A log that mixes routes and counts is refused, as these would be counted twice.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders import strict_json
from polyroute.tracing.recorders.tally import Tally

_TENSOR = re.compile(r"\bffn_moe_topk-(\d{1,6})\b[^(\[]*=\s*\(i32\)")
_OTHER_TENSOR = re.compile(r"\b[\w.]+-\d+\b[^=]*=\s*\(\w+\)")
_ROW = re.compile(r"^[^\[\]\d.-]*\[+\s*(-?\d+(?:\s*,\s*(?:-?\d+|\.\.\.))*)\s*,?\s*\]+,?\s*$")
_LAYER = r"\b(?:layer|blk)[\s_.:=#]*(\d{1,6})\b"
_ROUTE = re.compile(
    _LAYER + r".*?\bexperts?(?:_ids)?\s*[:=]?\s*\[?\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]?\s*$", re.IGNORECASE
)
_COUNT = re.compile(
    _LAYER + r"\W+expert[\s_:=#]*(\d{1,9})\b\s*(?:\W\s*)?(?:count|tokens|hits)?[\s:=]+(\d+)\s*(?:tokens|hits)?\s*$",
    re.IGNORECASE,
)
_GAP = "..."


def read(path: Path, tally: Tally) -> None:
    """Add one log.

    Raises:
        RecordingError: no line names experts of a layer, experts were left out in print, or routes and counts are
            mixed; names the line.
    """
    routes: dict[int, list[list[int]]] = {}
    counted: set[tuple[int, int]] = set()
    tensor: int | None = None
    for number, line in enumerate(strict_json.read_text(path).splitlines(), start=1):
        place = f"{path}: line {number}"
        if match := _TENSOR.search(line):
            tensor = int(match[1])
        elif tensor is not None and _OTHER_TENSOR.search(line):
            tensor = None
        elif tensor is not None and line.strip() == _GAP + ",":
            raise RecordingError(f"{place}: tokens were left out in print (`...`): print short texts, or whole tensors")
        elif tensor is not None and (match := _ROW.match(line)):
            routes.setdefault(tensor, []).append(_experts(match[1], place, tally))
        elif match := _COUNT.search(line):
            layer, expert = int(match[1]), tally.expert(match[2], f"line {number}")
            if (layer, expert) in counted:
                raise RecordingError(f"{place}: layer {layer}, expert {expert} is there twice")
            counted.add((layer, expert))
            tally.add(layer, expert, match[3], f"line {number}, layer {layer}, expert {expert}")
        elif match := _ROUTE.search(line):
            routes.setdefault(int(match[1]), []).append(_experts(match[2], place, tally))
    if routes and counted:
        raise RecordingError(f"{path}: some lines are routes of tokens and some are counts: keep one of them")
    if not routes and not counted:
        raise RecordingError(
            f"{path}: no line names the experts of a layer; known are `ffn_moe_topk-3 = (i32)` with its values, "
            "`layer 3 experts: [5, 1]` and `layer 3 expert 5: 120`"
        )
    for layer, rows in routes.items():
        tally.route(layer, np.array(rows, dtype=np.int64), "")


def _experts(text: str, place: str, tally: Tally) -> list[int]:
    cells = [cell.strip() for cell in text.split(",")]
    if _GAP in cells:
        raise RecordingError(f"{place}: experts were left out in print (`...`): print whole tensors")
    if len(cells) != tally.shape.top_k:
        raise RecordingError(f"{place}: a token has {len(cells)} experts, not {tally.shape.top_k}: is --top-k right?")
    return [min(int(cell), 2**31) if len(cell) < 20 else 2**31 for cell in cells]
