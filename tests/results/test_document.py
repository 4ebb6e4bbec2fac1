import json
from pathlib import Path

import pytest
from pydantic import RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.table import ResultsError


class Worm(Frozen):
    """One worm."""

    length: float
    """In mm."""
    name: str | None = None
    """If it has one."""


class Worms(Document, Frozen, file="worms.json", stage="pick", readers=("stage eat",)):
    """Worms by tree."""

    trees: dict[str, list[Worm]]
    """Tree -> worms."""


class Names(Document, RootModel[list[str]], file="names.json", stage="pick"):
    """Names."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "oak"


def test_a_document_is_attributes_and_keeps_absent_keys_absent(folder: Path) -> None:
    Worms.write(folder, {"trees": {"elm": [{"length": 3.5, "name": "Ada"}, {"length": 1.0}]}})
    text = (folder / "worms.json").read_text()
    assert json.loads(text) == {"trees": {"elm": [{"length": 3.5, "name": "Ada"}, {"length": 1.0}]}}
    read = Worms.read(folder)
    assert [worm.name for worm in read.trees["elm"]] == ["Ada", None]
    Worms.write(folder, read)
    assert (folder / "worms.json").read_text() == text
    Names.write(folder, ["Ada"])
    assert Names.read(folder).root == ["Ada"]


def test_nothing_is_written_as_minus_zero(folder: Path) -> None:
    Worms.write(folder, {"trees": {"elm": [{"length": -0.0}, {"length": -1.5}]}})
    assert "-0.0" not in (folder / "worms.json").read_text()
    assert [worm.length for worm in Worms.read(folder).trees["elm"]] == [0.0, -1.5]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({}, "lacks `trees`"),
        ({"trees": {"elm": [{}]}}, "lacks `trees.elm.0.length`"),
        ({"trees": {}, "leaves": 3}, "has `leaves`, which is not declared"),
        ({"trees": {"elm": [{"length": "long"}]}}, "is refused: `trees.elm.0.length` (input should be a valid number"),
    ],
)
def test_a_document_that_is_not_as_declared_is_refused(folder: Path, content: dict, what: str) -> None:
    with pytest.raises(ResultsError) as error:
        Worms.write(folder, content)
    assert str(error.value).startswith(f"{folder / 'worms.json'} {what}")
    assert str(error.value).endswith("the stage `pick` may not write that")
    folder.mkdir()
    (folder / "worms.json").write_text(json.dumps(content))
    with pytest.raises(ResultsError) as error:
        Worms.read(folder)
    assert str(error.value).startswith(f"{folder / 'worms.json'} {what}")
    assert str(error.value).endswith("`dvc repro pick@oak` writes it")


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_document_that_is_none_is_named(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "worms.json").write_text(text)
    with pytest.raises(ResultsError, match=r"worms\.json is refused: `content`.*dvc repro pick@oak"):
        Worms.read(folder)
