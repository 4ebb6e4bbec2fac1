"""JSON as recorders write it, read without loss: no key twice, no number that is rounded in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from polyroute.artifacts.recording import RecordingError

_DIGITS = 400


class _KeyTwiceError(ValueError):
    pass


def parse(text: str, place: str) -> Any:
    """The value of a text.

    Args:
        text: one JSON value.
        place: how errors name it.

    Raises:
        RecordingError: it is no JSON, has a key twice in one object, or is nested without end.
    """
    try:
        return json.loads(text, object_pairs_hook=_once, parse_int=_whole)
    except _KeyTwiceError as error:
        raise RecordingError(f"{place}: the key `{error}` is there twice in one object: which of them holds?") from None
    except RecursionError:
        raise RecordingError(f"{place} is nested too deeply to be a recording of routing") from None
    except ValueError as error:
        raise RecordingError(f"{place} is not JSON: {error}") from None


def values(text: str, place: str) -> Iterator[tuple[int | None, Any]]:
    """The values of a text: one, or one a line, as JSON lines have them.

    Yields:
        The number of the line, None where the text is one value, and the value. A list of objects is its items.

    Raises:
        RecordingError: as `parse`; names the line.
    """
    lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    if len(lines) > 1 and is_lines(lines[0][1]):
        for number, line in lines:
            yield number, parse(line, f"{place}: line {number}")
        return
    value = parse(text, place)
    for item in value if isinstance(value, list) else [value]:
        yield None, item


def is_lines(first_line: str) -> bool:
    """Whether a text that begins so is JSON lines: its first line is a whole object."""
    try:
        return isinstance(json.loads(first_line), dict)
    except (ValueError, RecursionError):
        return False


def read_text(path: Path) -> str:
    """A file's text in UTF-8.

    Raises:
        RecordingError: the file is absent, cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RecordingError(f"{path} is absent: name the folder that holds it") from None
    except UnicodeDecodeError:
        raise RecordingError(f"{path} is no text in UTF-8: say with --format what it is") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}") from None


def _whole(digits: str) -> int:
    """A number; of so many digits that Python would not read them, one that is as absurd."""
    return int(digits) if len(digits) <= _DIGITS else int(digits[:_DIGITS])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _KeyTwiceError(key if len(key) <= 40 else key[:40] + "...")
        found[key] = value
    return found
