"""params.yaml with one thing changed: it is read, or refused by the name of a key."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from polyroute.ground import yaml12
from polyroute.params.file import parse, parse_text
from properties.made import few, told, values
from tiny import ROOT

TEXT = (ROOT / "params.yaml").read_text(encoding="utf-8")
RAW = yaml12.load(TEXT)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every key and every place of a list, by its path."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, value in inner for found in ((*path, key), *places(value, (*path, key)))]


PLACES = places(RAW)


@pytest.fixture(autouse=True)
def _no_language_left():
    yield
    parse(RAW)


@few
@given(path=st.sampled_from(PLACES), value=values)
@example(path=("study", "seed"), value=10**400)
def test_a_value_of_another_kind_is_read_or_refused_by_its_key(path, value) -> None:
    raw = copy.deepcopy(RAW)
    node = raw
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    file = told(lambda: parse(raw), *map(str, path))
    if file is not None:
        assert parse(file.model_dump(mode="json", exclude_unset=True)) == file


@few
@given(
    path=st.sampled_from([path for path in PLACES if isinstance(path[-1], str)]), name=st.text(max_size=12) | st.none()
)
def test_a_key_that_is_left_out_or_called_otherwise_is_read_or_refused(path, name) -> None:
    raw = copy.deepcopy(RAW)
    node = raw
    for key in path[:-1]:
        node = node[key]
    value = node.pop(path[-1])
    if name is not None:
        node[name] = value
    told(lambda: parse(raw))


@few
@given(
    place=st.integers(0, len(TEXT) - 1),
    put=st.sampled_from(["\t", ":", "-", "[", "&a ", "*a ", "!!x ", '"', "\0", "é", "  "]),
)
def test_a_character_too_many_is_read_or_refused(place, put) -> None:
    told(lambda: parse_text(TEXT[:place] + put + TEXT[place:]), "params.yaml")


@pytest.mark.parametrize("name", ['"\\uD800"', '"a\\uDFFFb"', '"x\\0"'])
def test_half_a_character_is_refused_as_value_and_as_key(name) -> None:
    told(lambda: parse_text(TEXT.replace("  name: ", f"  name: {name} #", 1)), "params.yaml")
    told(lambda: parse_text(f"{TEXT}\n{name}: 1\n"), "params.yaml")
