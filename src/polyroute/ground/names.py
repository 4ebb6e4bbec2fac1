"""Names that become parts of paths: of models, corpora, languages, repositories and the files in them.

They come from params.yaml, from recordings and from the hub, and mean a place below a folder that is ours: none may
lead out of it. One rule for all who make a path of a name.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from polyroute.ground.errors import PolyrouteError

LONGEST = 255
"""Bytes of a name, as file systems have it."""
_PART = r"[A-Za-z0-9][A-Za-z0-9._+-]*"
_MODEL = re.compile(rf"{_PART}(/{_PART})?")
_CORPUS = re.compile(_PART)


class PlaceError(PolyrouteError):
    """A name that is to become part of a path leads elsewhere."""


def flaw(name: str) -> str:
    """Why a name is no name of one file or folder; empty if it is one."""
    if not name:
        return "is empty"
    if name in (".", ".."):
        return "means another folder"
    if "/" in name or "\\" in name:
        return "is a path, where a name belongs"
    if not name.isprintable():
        return "holds a control character"
    if len(name.encode(errors="replace")) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    return ""


def flaw_below(path: str) -> str:
    """Why a path with slashes does not lie below the folder that it counts from; empty if it does."""
    if path.startswith("/"):
        return "begins with a slash, and so leads out of its folder"
    for part in path.split("/"):
        if part in (".", ".."):
            return f"has `{part}` in it, and so may lead out of its folder"
        if why := flaw(part):
            return f"has a part that {why}"
    return ""


def plain(name: str, what: str = "the name") -> str:
    """A name, unchanged, that is part of a path.

    Raises:
        PlaceError: it would lead elsewhere.
    """
    if why := flaw(name):
        raise PlaceError(f"{what} {name!r} {why}: give it a name without slashes")
    return name


def check_names(model: str, corpus: str) -> None:
    """The names of the model and of the text of a recording, as on a hub or in params.yaml.

    Raises:
        ValueError: names the one that is none.
    """
    if not _MODEL.fullmatch(model) or ".." in model:
        raise ValueError(f"`model`: {model[:80]!r} is no name of a model, such as `organisation/model`")
    check_corpus(corpus)


def check_corpus(corpus: str) -> None:
    """The short name of a text, which is part of paths.

    Raises:
        ValueError: it is none.
    """
    if not _CORPUS.fullmatch(corpus) or ".." in corpus:
        raise ValueError(
            f"`corpus`: {corpus[:80]!r} is no name of a text: letters, digits, dots, hyphens and underscores, no path"
        )


def _repository(name: str) -> str:
    if name.count("/") != 1:
        raise ValueError(f"`{name}` is no name on the hub: write `organisation/name`")
    return _below(name)


def _below(path: str) -> str:
    if why := flaw_below(path):
        raise ValueError(f"`{path}` {why}: write a path below it, without `..`")
    return path


def _splits(value: list[str]) -> list[str]:
    for part in value:
        if part:
            _below(part)
    return value


RepositoryName = Annotated[str, AfterValidator(_repository)]
"""`organisation/name` on the hub, part of a mirror's paths."""
PathBelow = Annotated[str, AfterValidator(_below)]
"""A path below a folder or repository, `{language}` and `{split}` in it or not."""
Splits = Annotated[list[str], AfterValidator(_splits)]
"""What stands in such a path for `{split}`; may be empty."""
