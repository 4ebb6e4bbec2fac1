"""The text of a file, as every reader of lines and tables takes it: UTF-8, without the marks that are no text.

- CR LF, CR CR LF (a file whose line ends were changed twice) and, in a file without any LF, CR alone end a line as LF
  does. Where other lines end in LF, a CR elsewhere could be a line end or a slip, which only the user knows.
- A byte order mark goes at the start of a line, where joined files have one. Inside a line it means that two files were
  joined without a line end between them, so that two items would be read as one.
- A text file without any line end, in which NEL (U+0085), U+2028, U+2029, VT or FF stand between texts, is refused:
  they may be its line ends.
- A Git LFS pointer, a web page and an archive are known by how they begin, and are not the file.
- A NUL character is no text: UTF-16 and UTF-32 without a byte order mark are read as UTF-8 without an error, and are
  known by it.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from polyroute.artifacts.corpus import CorpusError

MARK = "\ufeff"
"""Byte order mark."""
_OTHERS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip
"""Byte order marks of what is not UTF-8; longer ones first, since one begins with another."""

_OTHER_ENDS = re.compile("[\x0b\x0c\x85\u2028\u2029]")
_OTHER_THINGS = {
    b"version https://git-lfs": "is a Git LFS pointer, not the file itself: run `git lfs pull`",
    b"<!doctype html": "is a web page, not the file itself (was a login or a consent asked for?)",
    b"<html": "is a web page, not the file itself (was a login or a consent asked for?)",
    b"\x1f\x8b": "is compressed with gzip: unpack it", b"pk\x03\x04": "is a ZIP archive: unpack it",
}  # fmt: skip
"""How files begin, in small letters, that are no text -> what they are."""


def content(path: Path) -> str:
    """What a file says, each line's end one LF; a CR that ends no line is left.

    Raises:
        CorpusError: it is another thing than the file, is not UTF-8, or holds NUL characters or a byte order mark
            inside a line; names the line.
    """
    raw = path.read_bytes()
    start = raw[:64].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    for beginning, told in _OTHER_THINGS.items():
        if start.startswith(beginning):
            raise CorpusError(f"{path}: {told}")
    for mark, name in _OTHERS.items():
        if raw.startswith(mark):
            raise CorpusError(f"{path}: is {name}, as its byte order mark says: save it as UTF-8")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise CorpusError(f"{path}, line {line}: not valid UTF-8 ({error.reason} at byte {error.start})") from None
    if "\n" in text:
        text = re.sub(r"\r+(?=\n|\Z)", "", text)
    else:
        text = text.replace("\r", "\n")
    if (place := text.find("\0")) >= 0:
        raise CorpusError(
            f"{path}, line {line_of(text, place)}: holds a NUL character, as UTF-16 does that is read as UTF-8: save "
            "it as UTF-8"
        )
    text = re.sub(rf"^{MARK}+", "", text, flags=re.MULTILINE)
    if (place := text.find(MARK)) >= 0:
        raise CorpusError(
            f"{path}, line {line_of(text, place)}: a byte order mark (U+FEFF) inside the line, as where two files are "
            "joined without a line end between them: divide the line there, or take the mark out"
        )
    return text


def check_line_ends(path: Path, text: str) -> None:
    """Hold a text, as `content` gives it, against a CR that ends no line, and other line ends where no LF is.

    Raises:
        CorpusError: there is one; names the line.
    """
    if "\n" not in text and (other := _OTHER_ENDS.search(text.rstrip())):
        raise CorpusError(
            f"{path}: has no line end but U+{ord(other.group()):04X}, which may stand inside a text: end every line in "
            "LF"
        )
    if (place := text.find("\r")) >= 0:
        raise CorpusError(
            f"{path}, line {line_of(text, place)}: a CR inside the line, while other lines end in LF: end every line "
            "in LF, or take the CR out"
        )


def line_of(text: str, place: int) -> int:
    """Number of the line, from 1, that a character of a text is in."""
    return text.count("\n", 0, place) + 1
