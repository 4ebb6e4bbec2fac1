"""Two runs of one file: matched by key, within the tolerance of the unit, and what differs is named."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest
from pydantic import Field, RootModel

from polyroute.results import reference
from polyroute.results.compare import compare, declared
from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import DECIMALS, Accuracy, Chance
from polyroute.results.table import Row, Unit
from polyroute.results.tolerances import BY_UNIT, NUMBERS, Tolerance, of
from tiny import ROOT


class SizeRow(Row, file="sizes.csv", stage="pick", key=("tree", "day")):
    tree: str
    """Its name."""
    day: int | None
    """Counted from 0."""
    size: Annotated[float, Field(ge=0), Unit("m")] | None
    """Of the tree."""
    right: Accuracy
    """Of guesses."""
    code: str
    """What it is."""


class DrawRow(Row, file="draws.csv", stage="pick", key=("tree",), unlisted="share"):
    tree: str
    """Its name."""
    share: float
    """Of draws; 0 of trees without a row."""


class Inner(Frozen):
    value: Annotated[float, Unit("m")] | None
    """A number."""
    p: Chance
    """A p-value."""
    code: str
    """A code."""
    layers: tuple[int, int]
    """First and last."""


class Tree(Document, Frozen, file="tree.json", stage="pick"):
    parts: dict[str, Inner]
    """By name."""
    sizes: list[float]
    """By layer."""
    versions: dict[Annotated[str, Unit("library")], str] = Field(default={})
    """Of libraries."""


class Joins(Document, Frozen, file="joins.json", stage="pick"):
    joins: list[tuple[int, float]]
    """Of clusters: a number and a height."""


class Curve(Document, RootModel[list[Inner]], file="curve.json", stage="pick"):
    """A list alone."""


def sizes(**other) -> pd.DataFrame:
    columns = {"tree": ["elm", "ash"], "day": [0, 1], "size": [1.5, np.nan], "right": [0.5, 0.7], "code": ["U", "flat"]}
    return pd.DataFrame(columns | other)


def tree(**other) -> dict:
    inner = {"value": 0.1, "p": 0.5, "code": "U", "layers": [2, 4]} | other
    return {"parts": {"bark": inner}, "sizes": [1.0, 2.0], "versions": {"torch": "1"}}


@pytest.fixture
def between(tmp_path: Path):
    def differences(kind, before, now) -> list[tuple]:
        folders = tmp_path / "before" / "oak", tmp_path / "now" / "oak"
        kind.write(folders[0], before)
        kind.write(folders[1], now)
        found = compare(kind, "oak", *folders)
        return [(one.column, one.worst, one.values, one.compared, one.place, one.within) for one in found]

    return differences


def test_the_same_rows_in_another_order_agree(between) -> None:
    assert between(SizeRow, sizes(), sizes().iloc[::-1]) == []


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"size": [1.5004, np.nan]}, ("size", "0.0004", 1, 2, "elm, 0", True)),
        ({"size": [1.51, np.nan]}, ("size", "0.01", 1, 2, "elm, 0", False)),
        ({"size": [1.5, 2.0]}, ("size", "missing, now 2", 1, 2, "ash, 1", False)),
        ({"right": [0.51, 0.73]}, ("right", "0.03", 1, 2, "ash, 1", False)),
        ({"right": [0.51, 0.69]}, ("right", "0.01", 2, 2, "elm, 0", True)),
        ({"code": ["U", "rising"]}, ("code", "flat, now rising", 1, 2, "ash, 1", False)),
        ({"day": [0, 2]}, ("", "rows no longer there: 1, such as ash, 1", 1, 1, "", False)),
    ],
)
def test_a_column_names_its_worst_difference_and_where_it_is(between, other, expected) -> None:
    assert expected in between(SizeRow, sizes(), sizes(**other))


def test_a_row_without_a_number_in_its_key_is_named_by_the_rest(between) -> None:
    day = pd.array([None, 1], dtype="Int64")
    before, now = sizes(day=day), sizes(day=day, size=[1.51, np.nan])
    assert between(SizeRow, before, now) == [("size", "0.01", 1, 2, "elm", False)]


def test_what_has_no_row_is_zero_where_a_file_says_so(between) -> None:
    before = pd.DataFrame({"tree": ["elm", "ash"], "share": [0.5, 0.0004]})
    assert between(DrawRow, before, before.iloc[:1]) == [("share", "0.0004", 1, 2, "ash", True)]
    assert between(DrawRow, before.iloc[1:], before) == [("share", "0.5", 1, 2, "elm", False)]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"value": 0.1001}, ("parts.*.value", "0.0001", 1, 1, "bark", True)),
        ({"value": None}, ("parts.*.value", "0.1, now missing", 1, 1, "bark", False)),
        ({"p": 0.52}, ("parts.*.p", "0.02", 1, 1, "bark", False)),
        ({"code": "flat"}, ("parts.*.code", "U, now flat", 1, 1, "bark", False)),
        ({"layers": [2, 5]}, ("parts.*.layers[]", "1", 1, 3, "bark 2", False)),
    ],
)
def test_keys_of_a_json_file(between, other, expected) -> None:
    assert between(Tree, tree(), tree(**other)) == [expected]


def test_names_and_lengths_of_a_json_file_and_versions_of_libraries(between) -> None:
    other = tree() | {"sizes": [1.0], "versions": {"torch": "2"}}
    other["parts"]["leaf"] = other["parts"]["bark"]
    assert between(Tree, tree(), other) == [
        ("parts.*", "bark, now bark, leaf", 1, 1, "", False),
        ("sizes[]", "1", 1, 1, "", False),
    ]
    inner = tree()["parts"]["bark"]
    assert between(Curve, [inner, inner], [inner, inner | {"code": "cap"}]) == [
        ("[].code", "U, now cap", 1, 2, "2", False)
    ]


def test_whole_numbers_beside_others_agree_exactly_and_the_others_do_not_need_to(between) -> None:
    before = {"joins": [[1, 0.5], [2, 0.7]]}
    assert between(Joins, before, {"joins": [[1, 0.5001], [3, 0.7]]}) == [
        ("joins[][]", "1", 1, 4, "2 1", False),
        ("joins[][]", "0.0001", 1, 2, "1 2", True),
    ]


@pytest.mark.parametrize(
    ("tolerance", "one", "other", "holds"),
    [
        (Tolerance(absolute=0.01), 0.5, 0.51, True),
        (Tolerance(absolute=0.01), 0.5, 0.5101, False),
        (Tolerance(relative=0.1), 90.0, 100.0, True),
        (Tolerance(relative=0.1), 89.9, 100.0, False),
        (Tolerance(0.5), None, None, True),
        (Tolerance(0.5), float("nan"), 0.1, False),
    ],
)
def test_a_tolerance(tolerance, one, other, holds) -> None:
    assert tolerance.holds(one, other) == tolerance.holds(other, one) == holds


def test_tolerances_are_of_units_that_files_have_and_larger_than_rounding() -> None:
    page = reference.render()
    assert all(f"| {unit} |" in page for unit in BY_UNIT)
    assert all(one.absolute >= 2 * 10**-DECIMALS for one in (NUMBERS, *BY_UNIT.values()))
    assert (of("accuracy"), of("nats")) == (BY_UNIT["accuracy"], NUMBERS)


def test_every_file_is_found_by_its_path() -> None:
    assert all(declared(Path(one.file)) is one for one in reference.ALL)
    assert declared(Path("notes.txt")) is None


def test_the_page_lists_every_tolerance() -> None:
    page = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    assert all(f"| {unit} | {one.absolute:g} | |" in page for unit, one in BY_UNIT.items())
    assert f"| any other | {NUMBERS.absolute:g} | {NUMBERS.relative:.1%} |" in page
