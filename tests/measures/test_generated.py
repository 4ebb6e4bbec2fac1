"""Divergence in prompts and in what is written, by hand."""

import numpy as np
import pandas as pd
import pytest

from polyroute.artifacts.frequency import GENERATED, PROMPT, rows
from polyroute.measures.generated import by_part
from polyroute.results.generated import GeneratedRow

LAYERS = (2, 5)
PIVOT_LE = np.array([[0.5, 0.5, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
OTHER_LE = np.array([[0.5, 0.5, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0]])


def table(*parts: tuple) -> pd.DataFrame:
    return pd.concat([rows(code, part, LAYERS, value_LE, tokens) for code, part, value_LE, tokens in parts])


def test_the_same_routing_diverges_by_nothing_and_disjoint_routing_by_all() -> None:
    found = by_part(
        table(
            ("eng_Latn", "prompt", PIVOT_LE, 30), ("deu_Latn", "prompt", PIVOT_LE, 40),
            ("eng_Latn", "generated", PIVOT_LE, 9), ("deu_Latn", "generated", OTHER_LE, 7),
        ),
        "eng_Latn",
    )  # fmt: skip
    assert list(found.columns) == ["part", "language", "layer", "divergence", "tokens"]
    by = found.set_index(["part", "layer"])
    # Half of the experts each and none in common: the midpoint is uniform, so D is 1.
    assert by["divergence"].to_dict() == pytest.approx(
        {("prompt", 2): 0, ("prompt", 5): 0, ("generated", 2): 0, ("generated", 5): 1}
    )
    assert by["tokens"].to_dict() == {
        ("prompt", 2): 30, ("prompt", 5): 30, ("generated", 2): 7, ("generated", 5): 7
    }  # fmt: skip


def test_a_task_in_which_nothing_is_written_has_no_row() -> None:
    found = by_part(table(("eng_Latn", "prompt", PIVOT_LE, 30), ("deu_Latn", "prompt", PIVOT_LE, 40)), "eng_Latn")
    assert found.empty


def test_a_language_or_a_pivot_that_wrote_nothing_is_left_out_of_that_part() -> None:
    prompts = [(code, "prompt", PIVOT_LE, 30) for code in ("eng_Latn", "deu_Latn", "fra_Latn")]
    found = by_part(
        table(*prompts, ("eng_Latn", "generated", PIVOT_LE, 9), ("fra_Latn", "generated", OTHER_LE, 9)), "eng_Latn"
    )
    assert set(found[found["part"] == "generated"]["language"]) == {"fra_Latn"}
    without = by_part(table(*prompts, ("fra_Latn", "generated", OTHER_LE, 9)), "eng_Latn")
    assert set(without["part"]) == {"prompt"}


def test_a_file_without_rows_comes_back(tmp_path) -> None:
    GeneratedRow.write(tmp_path, [])
    assert GeneratedRow.read(tmp_path).empty
    found = by_part(
        table(*((code, part, OTHER_LE, 9) for code in ("eng_Latn", "deu_Latn") for part in (PROMPT, GENERATED))),
        "eng_Latn",
    )
    GeneratedRow.write(tmp_path, [found.assign(task="maths")])
    assert GeneratedRow.read(tmp_path)["divergence"].tolist() == [0.0] * 4
