from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest
from pydantic import Field

from polyroute.results.document import Document, Frozen
from polyroute.results.table import ResultsError, Row, Unit, written


class FruitRow(Row, file="fruit.csv", stage="pick", key=("tree", "day"), decimals=2, readers=("stage eat",)):
    """What a tree bore."""

    tree: str
    """Its name."""
    day: int | None
    """Counted from 0."""
    weight: Annotated[float, Field(ge=0), Unit("kg")] | None
    """Of all fruit."""
    ripe: bool
    """Whether it could be eaten."""


class AsMeasuredRow(FruitRow, file="measured.csv", stage="pick", key=("tree", "day")):
    """The same as it was measured."""


class Worms(Document, Frozen, file="worms.json", stage="pick"):
    """What was in them."""

    worms: int
    """How many."""


def fruit(**other) -> pd.DataFrame:
    columns = {"tree": ["elm", "ash"], "day": [0, 1], "weight": [1.5, np.nan], "ripe": [True, False]}
    return pd.DataFrame(columns | other)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "oak"


def test_columns_stand_in_the_order_of_the_declaration(folder: Path) -> None:
    FruitRow.write(folder, [fruit()[["ripe", "weight", "day", "tree"]], fruit(tree=["yew", "fir"])])
    assert (folder / "fruit.csv").read_text() == (
        "tree,day,weight,ripe\nelm,0,1.5,True\nash,1,,False\nyew,0,1.5,True\nfir,1,,False\n"
    )


def test_numbers_are_rounded_and_none_is_minus_zero(folder: Path) -> None:
    written = "tree,day,weight,ripe\nelm,0,0.13,True\nash,1,0.0,False\n"
    FruitRow.write(folder, fruit(weight=[0.126, -0.0]))
    assert (folder / "fruit.csv").read_text() == written
    AsMeasuredRow.write(folder, fruit(weight=[0.13, -0.0]))
    assert (folder / "measured.csv").read_text() == written


def test_values_come_back_as_what_they_are(folder: Path) -> None:
    FruitRow.write(folder, fruit(tree=["", "ash"], day=pd.array([pd.NA, 3], dtype="Int64")))
    read = FruitRow.read(folder)
    assert read.dtypes.astype(str).to_dict() == {"tree": "str", "day": "Int64", "weight": "float64", "ripe": "bool"}
    assert read["tree"].tolist() == ["", "ash"], "empty text is not missing"
    assert read["day"].isna().tolist() == [True, False]
    assert read["ripe"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (fruit().drop(columns=["day", "ripe"]), "lacks the columns day, ripe"),
        (fruit(colour=["red", "blue"]), "has the columns colour, which are not declared"),
        (fruit(weight=["1.5", "2"]), "is refused: `weight` is '1.5' in row 1 (input should be a valid number)"),
        (fruit(day=[0.5, 1.0]), "is refused: `day` is 0.5 in row 1 (input should be a valid integer)"),
        (fruit(ripe=[True, None]), "is refused: `ripe` is missing in row 2 (input should be a valid boolean)"),
        (
            fruit(weight=[1.0, -2.0]),
            "is refused: `weight` is -2.0 in row 2 (input should be greater than or equal to 0)",
        ),
        (fruit(weight=[np.inf, 0.0]), "is refused: `weight` is inf in row 1 (input should be a finite number)"),
        (fruit(tree=["elm", "elm"], day=[4, 4]), "has two rows of tree elm, day 4"),
    ],
)
def test_a_stage_may_not_write_what_is_not_declared(folder: Path, table: pd.DataFrame, what: str) -> None:
    with pytest.raises(ResultsError) as error:
        FruitRow.write(folder, table)
    assert str(error.value) == f"{folder / 'fruit.csv'} {what}: the stage `pick` may not write that"
    assert not folder.exists(), "nothing is written"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (None, "is absent"),
        ("tree,day\n", "lacks the columns weight, ripe"),
        ("tree,day,weight,ripe,colour\n", "has the columns colour, which are not declared"),
        (
            "tree,day,weight,ripe\nelm,0,much,True\n",
            "is refused: `weight` is 'much' in row 1 (input should be a valid number, unable to parse string as a "
            "number)",
        ),
        (
            "tree,day,weight,ripe\nelm,0,1,\n",
            "is refused: `ripe` is missing in row 1 (input should be a valid boolean)",
        ),
        ("tree,day,weight,ripe\nelm,,1,True\nelm,,2,True\n", "has two rows of tree elm, day <NA>"),
    ],
)
def test_a_reader_is_told_the_file_and_the_stage_to_rerun(folder: Path, text: str | None, what: str) -> None:
    folder.mkdir()
    if text is not None:
        (folder / "fruit.csv").write_text(text)
    with pytest.raises(ResultsError) as error:
        FruitRow.read(folder)
    assert str(error.value) == f"{folder / 'fruit.csv'} {what}: `dvc repro pick@oak` writes it"


def test_a_file_that_is_no_table_is_named(folder: Path) -> None:
    folder.mkdir()
    (folder / "fruit.csv").write_text("tree,day\n1,2,3,4\n5,6\n7,8,9,10,11\n")
    with pytest.raises(ResultsError, match=r"fruit\.csv cannot be read .*dvc repro pick@oak"):
        FruitRow.read(folder)


def test_a_stage_has_run_if_all_of_its_files_are_there(folder: Path) -> None:
    assert not written(folder, FruitRow, Worms)
    FruitRow.write(folder, [])
    with pytest.raises(ResultsError, match=r"worms\.json is absent, though fruit\.csv is there: `dvc repro pick@oak`"):
        written(folder, FruitRow, Worms)
    Worms.write(folder, {"worms": 3})
    assert written(folder, FruitRow, Worms)
