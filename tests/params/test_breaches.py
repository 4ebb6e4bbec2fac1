"""Whatever key is mistyped, wherever it stands, the nearest key of that very section is named."""

from collections.abc import Iterator
from typing import Any

import pytest

from polyroute.ground.frozen import ParamsError
from polyroute.params.file import parse
from tiny import raw_params

OPEN = {
    "languages", "corpora", "tasks", "models", "distances", "pocket", "published", "published_shared", "strengths",
    "texts",
}  # fmt: skip
"""Keys whose entries have names of the user's own."""


def shipped() -> dict[str, Any]:
    # Through JSON, so that what YAML merges share is apart.
    raw = raw_params()
    raw["corpora"]["own"] = {"reader": "local", "files": "text/a.tsv", "id": "name"}
    raw["tasks"]["own"] = {"reader": "local", "files": "text/a.tsv", "kind": "choice"}
    return raw


def sections(place: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every mapping whose keys are fields, with the way to it."""
    named = (bool(path) and path[-1] in OPEN and path[0] != "mask") or path == ("mask", "tasks")
    if not named:
        yield path, place
    for key, inner in place.items():
        if isinstance(inner, dict):
            yield from sections(inner, (*path, key))


def test_a_typo_in_each_key_at_each_depth_names_that_key() -> None:
    raw = shipped()
    typos = []
    for path, section in list(sections(raw)):
        for key in list(section):
            typos.append((".".join([*path, f"{key}x"]), key))
            section[f"{key}x"] = None
    with pytest.raises(ParamsError) as error:
        parse(raw)
    told = dict(line.strip().split(": ", 1) for line in str(error.value).splitlines()[1:])
    assert len(typos) > 500
    for place, key in typos:
        assert told[place].startswith("unknown key; did you mean "), place
        assert key in told[place], place
    assert {len(place.split(".")) for place, _ in typos} >= {1, 2, 3, 4, 5}


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (("mask", "tasks", "xquad"), "there is k, thr, width"),
        (("pocket", "pocket-plain", "english_mixture"), "there is generic, arithmetic, knowledge"),
        (("pocket", "pocket-planted", "plant"), "there is layers, pairs, temperature, weight"),
        (("models", "qwen3-30b-a3b", "published_shared", "polymath"), "there is layers, k, thr, strengths"),
        (("models", "qwen3-30b-a3b-counts", "zones"), "there is early, middle, late"),
    ],
)
def test_a_key_like_no_other_lists_those_of_its_section(path, known) -> None:
    raw = shipped()
    place = raw
    for part in path:
        place = place[part]
    place["zzz"] = None
    with pytest.raises(ParamsError, match=rf"{'.'.join(path)}\.zzz: unknown key; {known}"):
        parse(raw)
