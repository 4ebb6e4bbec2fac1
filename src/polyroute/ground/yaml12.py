"""YAML as DVC reads it, version 1.2: `no` is a word, 010 is ten. The one reader of what this package keeps in YAML."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from polyroute.ground.errors import PolyrouteError


class NotYamlError(PolyrouteError):
    """A text that is no YAML, or holds what settings cannot; the message says where in it."""


def load(text: str) -> Any:
    """What a text says, in plain data: mappings with text for keys, lists, text, numbers, truth values and None.

    Raises:
        NotYamlError: it is no YAML, has a key twice, or holds a date or a key that is no text.
    """
    try:
        return _plain(YAML(typ="safe", pure=True).load(text), "")
    except DuplicateKeyError:
        key, first, again = next(_twice(compose(text)))
        raise NotYamlError(
            f"it has the key `{key}` twice, in lines {first} and {again}: put both parts under one"
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = "" if mark is None else f"line {mark.line + 1}: "
        raise NotYamlError(f"{where}{error.problem or error.context or 'not YAML'}") from None
    except YAMLError as error:
        raise NotYamlError(" ".join(str(error).split())) from None
    except RecursionError:
        raise NotYamlError("it is nested too deeply to be read") from None
    except (ValueError, OverflowError) as error:
        raise NotYamlError(f"it holds what is no number or text: {error}") from None


def compose(text: str) -> Node:
    """The nodes of a text that `load` reads, which know where in it they stand."""
    root: Node = YAML(typ="safe", pure=True).compose(text)
    return root


def dump(data: Any) -> str:
    """Plain data as YAML, keys in order."""
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    stream = io.StringIO()
    writer.dump(data, stream)
    return stream.getvalue()


def _twice(node: Node) -> Iterator[tuple[str, int, int]]:
    """Keys that a mapping has twice, with the lines that they are in."""
    if isinstance(node, MappingNode):
        seen: dict[str, int] = {}
        for name, inner in node.value:
            line = name.start_mark.line + 1
            if name.value in seen:
                yield name.value, seen[name.value], line
            seen[name.value] = line
            yield from _twice(inner)
    elif isinstance(node, SequenceNode):
        for inner in node.value:
            yield from _twice(inner)


def _plain(value: Any, key: str) -> Any:
    """The same, checked."""
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                where = f"`{key}`" if key else "the file"
                shown = name.isoformat() if isinstance(name, date) else name
                raise NotYamlError(f"{where} has the key {shown}, which is no text: put it in quotes")
            _check_whole(name, key)
        return {name: _plain(inner, f"{key}.{name}" if key else name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, f"{key}.{place}") for place, inner in enumerate(value)]
    if isinstance(value, str):
        _check_whole(value, key)
        return value
    if isinstance(value, (int, float)) or value is None:
        return value
    shown = value.isoformat() if isinstance(value, date) else type(value).__name__
    raise NotYamlError(f"`{key}` is {shown}, which is neither text nor a number: put it in quotes")


def _check_whole(text: str, key: str) -> None:
    """YAML can escape half a surrogate pair, which no file takes."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        where = f"`{key}`" if key else "the file"
        raise NotYamlError(f"{where} holds {text!a}, which is not valid Unicode ({error.reason})") from None
