"""Which recorder wrote a file, told by what is in it, not by its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders import (
    csv_counts,
    json_lines,
    llama_log,
    released_json,
    responses,
    route_arrays,
    route_tables,
    step_counts,
    strict_json,
)
from polyroute.tracing.recorders.kinds import Format
from polyroute.tracing.recorders.tally import Tally


def read(path: Path, tally: Tally, *, kind: Format | None, first: int, layers: int) -> None:
    """Add a file to what a language's files add up to.

    Args:
        path: of the file.
        tally: what it is added to.
        kind: who wrote it; None has it recognised.
        first: number of the first layer of arrays, whose layers have no numbers.
        layers: of numbers in a row: how many layers each token has.

    Raises:
        RecordingError: as the format's `read`, or nothing is recognised.
    """
    kind = kind or recognise(path)
    match kind:
        case "json":
            released_json.read(path, tally)
        case "csv":
            csv_counts.read(path, tally)
        case "torch":
            step_counts.read(path, tally, first)
        case "numpy":
            route_arrays.read(path, tally, first)
        case "responses":
            responses.read(path, tally, first, layers)
        case "lines":
            json_lines.read(path, tally)
        case "parquet":
            route_tables.read(path, tally)
        case "log":
            llama_log.read(path, tally)


def recognise(path: Path) -> Format:
    """The format of a file.

    Raises:
        RecordingError: the file is absent, empty or none of these.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except FileNotFoundError:
        raise RecordingError(f"{path} is absent: name the folder that holds it") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None
    if not start:
        raise RecordingError(f"{path} is empty")
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\x93NUMPY"):
        return "numpy"
    if start.startswith(b"PK"):  # both are zip files; torch's begin with <name>/data.pkl
        return "torch" if b"data.pkl" in start else "numpy"
    if start.startswith(b"\x80"):  # torch's older files, pickles
        return "torch"
    text = strict_json.read_text(path)
    begins = next((line for line in text.split("\n") if line.strip()), "").strip()
    if begins.startswith(("{", "[{", "[[")) or begins == "[":
        return _of_json(path, text, begins)
    return "csv" if csv_counts.recognised(begins) else "log"


def _of_json(path: Path, text: str, begins: str) -> Format:
    held: Iterator[Any]
    if strict_json.is_lines(begins):
        held = (value for _, value in strict_json.values(text, str(path)))
    else:
        whole = strict_json.parse(text, str(path))
        held = iter(whole if isinstance(whole, list) else [whole])
    for value in held:
        if responses.recognised(value):
            return "responses"
        if json_lines.recognised(value):
            return "lines"
        if released_json.recognised(value):
            return "json"
    raise RecordingError(
        f"{path} is JSON, but neither paper 2's layout (layer, expert, `activation_tokens`) nor answers with "
        "`routed_experts` nor lines with `layer` and `topk_ids`: say with --format what it is "
        f"({', '.join(get_args(Format))})"
    )
