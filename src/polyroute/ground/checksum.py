"""The checksum inside every stored file, and of what the file is: written once, held when it is read.

A file holds one stamp, a line of text where its format has room for it (the metadata of safetensors and Parquet, a key
of JSON, the first line of CSV):

    polyroute-sha256-<64 digits> of <what the file is of>;

The digits are the SHA-256 of the whole file with zeros in their place, so that no bit of it can change unseen. What a
file is of is its place in `data/`, such as `traces/pocket-plain/sib200/fra_Latn.safetensors`, or the key of a finished
part: a file in another's place is found by its stamp, whatever its kind.
"""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import IO
from urllib.parse import quote, unquote

from polyroute.ground import again
from polyroute.ground.errors import PolyrouteError

KEY = "checksum"
"""Of the stamp in JSON and in metadata."""
_MARK = b"polyroute-sha256-"
_STAMP = re.compile(_MARK + rb"([0-9a-f]{64}) of ([\w./%~-]{0,2000});")
_LONGEST = len(_MARK) + 64 + 4 + 2000 + 1
"""Of a stamp, in bytes."""
_BLOCK = 1 << 16
_ZEROS = b"0" * 64
_PLACE = re.compile(
    r".*/data/(traces/[^/]+/[^/]+/[^/]+\.safetensors|traces/[^/]+/[^/]+\.parquet|"
    r"(?:answers|scored|plans|chosen|inputs|draws)/.+)"
)


class ChecksumError(PolyrouteError):
    """A stored file is damaged, in another's place, or carries no checksum; the message names it and the remedy."""


def named(*parts: str) -> str:
    """What a file is of, as a stamp has it: names, whatever is in them, divided by slashes."""
    return "/".join(quote(part, safe="") for part in parts)


def place(path: Path) -> str:
    """What a file at this path must be of: its path below `data/`; empty where it is not of the study's data."""
    found = _PLACE.fullmatch(path.absolute().as_posix())
    return "" if found is None else named(*found[1].split("/"))


def blank(of: str = "") -> str:
    """The stamp of a file that is not whole yet; `filled` puts the digits in.

    Args:
        of: what the file is of, as `named` or `place` give it.
    """
    return f"{_MARK.decode()}{_ZEROS.decode()} of {of};"


def filled(content: bytes) -> bytes:
    """The content with its checksum in its only stamp.

    Raises:
        ChecksumError: it holds no stamp or several, as where a text looks like one.
    """
    found = list(_STAMP.finditer(content))
    if len(found) != 1:
        raise ChecksumError(f"what is to be written holds {len(found)} times what marks a checksum: take it out of it")
    start, end = found[0].span(1)
    return b"".join((content[:start], _digest(io.BytesIO(content))[0].encode(), content[end:]))


def stamped(content: bytes) -> bool:
    """Whether there is a stamp in it, or what is left of one."""
    return _MARK in content


def prove(
    file: Path, content: bytes | None = None, *, of: str | None = None, otherwise: str = "delete it and make it anew",
    error: type[PolyrouteError] = ChecksumError,
) -> None:  # fmt: skip
    """Hold a file against its stamp.

    Args:
        file: where it is; it is read in blocks, so that a large one takes no memory.
        content: of it, where that is at hand.
        of: what it must be of; by default what its place says, if it is in one.
        otherwise: the remedy where it is not of the study's data.
        error: what is raised.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        PolyrouteError: of the kind `error`: it is damaged, is of something else, or has no checksum; names file and
            remedy.
    """
    if content is None:
        with file.open("rb") as opened:
            found, stamps = _digest(opened)
    else:
        found, stamps = _digest(io.BytesIO(content))
    if place(file):
        otherwise = again.damaged(file)
    if len(stamps) != 1:
        raise error(f"{file} carries no checksum: it is damaged, or older than checksums; {otherwise}")
    digits, held = stamps[0]
    if digits != found:
        raise error(f"{file} is damaged: its content is not what its checksum says; {otherwise}")
    wanted = place(file) if of is None else of
    if wanted and held != wanted:
        told = f"is of {unquote(held)}" if held else "was written elsewhere"
        raise error(f"{file} {told}, not of {unquote(wanted)}: it is in another's place; {otherwise}")


def read(
    file: Path, *, of: str | None = None, otherwise: str = "delete it and make it anew",
    error: type[PolyrouteError] = ChecksumError,
) -> bytes:  # fmt: skip
    """The content of a file that is proved.

    Raises:
        FileNotFoundError, OSError, PolyrouteError: as `prove`.
    """
    content = file.read_bytes()
    prove(file, content, of=of, otherwise=otherwise, error=error)
    return content


def _digest(file: IO[bytes]) -> tuple[str, list[tuple[str, str]]]:
    """SHA-256 with zeros for the digits of stamps; and the digits and what it is of, stamp by stamp."""
    total, stamps, rest = hashlib.sha256(), [], b""
    while block := file.read(_BLOCK):
        window = rest + block
        done, view = 0, memoryview(window)
        if _MARK in window:
            for stamp in _STAMP.finditer(window):
                stamps.append((stamp[1].decode(), stamp[2].decode()))
                total.update(view[done : stamp.start(1)])
                total.update(_ZEROS)
                done = stamp.end(1)
        # A stamp may lie across two blocks.
        end = max(done, len(window) - _LONGEST + 1)
        total.update(view[done:end])
        rest = window[end:]
    total.update(rest)
    return total.hexdigest(), stamps
