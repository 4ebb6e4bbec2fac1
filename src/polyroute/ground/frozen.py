"""Settings as frozen, validated types, and the checks that they share: each names the key and what would be right."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from polyroute.ground.errors import PolyrouteError


class ParamsError(PolyrouteError):
    """params.yaml says something that cannot be; the message names the key."""


class Frozen(BaseModel):
    """A section of settings: nothing in it can be changed, no unknown key is taken, and numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
"""Names are parts of paths and of DVC keys: lower case, digits and hyphens, no dot."""


class StageSettings(Frozen):
    """All that one stage of one model reads of params.yaml, as `params.resolve` works it out."""

    name: str
    """The model, an entry of `models`."""


def check_strength(key: str, strength: float) -> None:
    """A strength of steering is finite and not 0."""
    if not math.isfinite(strength) or strength == 0:
        raise ValueError(f"`{key}`: {strength:g} is no strength; 0 is the baseline, which always runs")


def check_inside(key: str, path: Path, folder: str) -> None:
    """A path lies below a folder that DVC looks at."""
    if not path.parts:
        raise ValueError(f"{key}: `{path}` names nothing; name a place below `{folder}/`")
    if path.is_absolute() or path.parts[0] != folder or ".." in path.parts:
        raise ValueError(
            f"{key}: `{path}` is not below `{folder}/`, where DVC sees it change; put it there, or links to its files"
        )


def check_known(key: str, name: str, known: Iterable[str], what: str) -> None:
    """A name is among the known ones."""
    known = list(known)
    if name not in known:
        raise ValueError(f"{key}: `{name}` is not {what}; {suggest(name, known)}")


def check_unique(key: str, names: list[str]) -> None:
    """No name is listed twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{key}: listed twice: {', '.join(twice)}")


def suggest(name: str, known: list[str]) -> str:
    """What a wrong name may have meant, or what there is."""
    begun = [candidate for candidate in known if name and candidate.startswith(name)]
    close = (begun or difflib.get_close_matches(name, known))[:3]
    if close:
        return f"did you mean {' or '.join(close)}?"
    if not known:
        return "there is none"
    listed = ", ".join(known) if len(known) <= 30 else f"{len(known)} are known, such as {', '.join(known[:8])}"
    return listed if len(known) > 30 else f"there is {listed}"
