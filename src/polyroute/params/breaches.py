"""What is wrong with params.yaml, in sentences: the key, what is the matter, and what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag

from polyroute.ground.frozen import suggest

MOVED = {
    "hub": "a mirror is named by the environment variable POLYROUTE_MIRROR alone",
    "align.resamples": "it is now `intervals.resamples`",
    "align.confidence": "it is now `intervals.confidence`",
    "align.shuffles": "it is now `align.nearest`, other sentences of the most similar length",
    "evaluate.likeliest": "it is now `score.choice`",
    "evaluate.span": "it is now `score.span`",
}
"""Keys of earlier versions -> where they went."""


def sentence(root: type[BaseModel], breach: Any) -> str:
    """One breach that pydantic found as `key: what is wrong; what would be right`.

    Args:
        root: type of the whole file.
        breach: of `ValidationError.errors()`.
    """
    location = list(breach["loc"])
    path, kind = _walk(root, location)
    key = ".".join(path)
    message = breach["msg"].removeprefix("Value error, ")
    if breach["type"] == "extra_forbidden":
        if key in MOVED:
            return f"{key}: no longer a key; {MOVED[key]}"
        return f"{key}: unknown key; {suggest(str(location[-1]), list(kind.model_fields))}"
    if location and location[-1] == "[key]":
        return f"{'.'.join(path[:-1])}: a name is lower case letters, digits and hyphens, as part of paths and DVC keys"
    if breach["type"] == "missing":
        generic = "; name the corpus among `corpora` that is the generic text" if location[-1] == "generic" else ""
        return f"{key}: missing key{generic}"
    if breach["type"] in ("union_tag_invalid", "union_tag_not_found"):
        tag = breach["ctx"]["discriminator"].strip("'")
        if "tag" not in breach["ctx"]:
            return f"{key}.{tag}: missing key"
        return f"{key}.{tag}: `{breach['ctx']['tag']}` is not known; there is {breach['ctx']['expected_tags']}"
    if breach["type"] == "string_type" and (breach["input"] is None or _kind(breach["input"])):
        shown = _shown(breach["input"])
        return f"{key}: `{shown}` is {_kind(breach['input']) or 'no value'}, and text belongs here: put it in quotes"
    return f"{key}: {message}" if key else message


def said_once(breaches: Sequence[str], raw: Any) -> list[str]:
    """Breaches without those of a model's `evaluate` or `steer` that stand in the section, from where it has them.

    Args:
        breaches: of the file with what models take from sections filled in.
        raw: the file as it is.
    """
    return [one for one in breaches if not (own := _IN_SECTION.match(one)) or not _inherited(raw, *own.groups())]


_IN_SECTION = re.compile(r"models\.([^.]+)\.(evaluate|steer)\.([^.:]+)")


def _inherited(raw: Any, model: str, section: str, key: str) -> bool:
    models = raw.get("models")
    entry = models.get(model) if isinstance(models, dict) else None
    own = entry.get(section) if isinstance(entry, dict) else None
    shared = raw.get(section)
    return not (isinstance(own, dict) and key in own) and isinstance(shared, dict) and key in shared


def taken_for_another(given: Any, taken: Any, key: str = "") -> Iterator[str]:
    """Values that pydantic would take for another kind, `true` for 1 or "5" for 5, as sentences.

    Args:
        given: as the file has it.
        taken: the same, checked and turned into plain data again.
        key: dotted, of both.
    """
    if isinstance(given, dict) and isinstance(taken, dict):
        for name in given.keys() & taken.keys():
            yield from taken_for_another(given[name], taken[name], f"{key}.{name}" if key else name)
    elif isinstance(given, list) and isinstance(taken, list):
        for place, (one, other) in enumerate(zip(given, taken, strict=False)):
            yield from taken_for_another(one, other, f"{key}.{place}")
    elif (was := _kind(given)) and (wanted := _kind(taken)) and was != wanted:
        yield f"{key}: `{_shown(given)}` is {was}, and {wanted} belongs here"


def _shown(value: Any) -> str:
    """A value as YAML writes it."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _kind(value: Any) -> str:
    """What a plain value is called; empty for what holds others, and for null."""
    if isinstance(value, bool):
        return "a truth value"
    return "text" if isinstance(value, str) else "a number" if isinstance(value, (int, float)) else ""


def _walk(root: type[BaseModel], location: Sequence[str | int]) -> tuple[list[str], Any]:
    """The keys of the file on the way to a location, and the type of what holds the last of them.

    Read off the types, so there is no table to forget. Pydantic puts the tag of a union into a location; the file has
    no such key.
    """
    kind: Any = root
    path: list[str] = []
    for place, part in enumerate(location):
        tagged = _tagged(kind).get(str(part))
        if tagged is not None:
            kind = tagged
            continue
        path.append(str(part))
        if place < len(location) - 1:
            kind = _inside(kind, part)
    return path, kind


def _inside(kind: Any, part: str | int) -> Any:
    """The type of a field, of an entry of a mapping or of an item of a list; Any where nothing is known of it."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        return Any if field is None else _plain(field.annotation)
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return _plain(arguments[1])
    return _plain(arguments[0]) if get_origin(kind) in (list, tuple) else Any


def _plain(kind: Any) -> Any:
    """A type without its annotations and without None."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in (Union, UnionType):
        members = [member for member in get_args(kind) if member is not NoneType]
        return _plain(members[0]) if len(members) == 1 else Union[tuple(members)]  # noqa: UP007
    return kind


def _tagged(kind: Any) -> dict[str, Any]:
    """The types of a union by a `Tag`, or by the value of their one-valued field, as `reader` is, or their `engine`."""
    marked = {
        mark.tag: get_args(member)[0]
        for member in (get_args(kind) if get_origin(kind) in (Union, UnionType) else ())
        for mark in getattr(member, "__metadata__", ())
        if isinstance(mark, Tag)
    }
    return marked or {tag: member for member in _members(kind) for tag in _tags(member)}


def _members(kind: Any) -> Iterator[type[BaseModel]]:
    if get_origin(kind) in (Union, UnionType):
        yield from (one for one in get_args(kind) if isinstance(one, type) and issubclass(one, BaseModel))


def _tags(member: type[BaseModel]) -> Iterator[str]:
    for name, field in member.model_fields.items():
        values = get_args(field.annotation)
        if field.is_required() and (len(values) == 1 or name == "engine") and isinstance(values[0], str):
            yield from values
