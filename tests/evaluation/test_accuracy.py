"""Accuracy in every language."""

import numpy as np
import pandas as pd
import pytest

from polyroute.evaluation import accuracy


def scored(**right) -> pd.DataFrame:
    """Answers by language: True where right."""
    rows = [
        {
            "item_id": f"i{number}", "language": language, "log_likelihoods": [-1.0, -2.0], "correct": hit,
            "correct_by_token": True, "correct_by_character": False,
        }
        for language, hits in right.items()
        for number, hit in enumerate(hits)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_wilson_intervals_by_hand() -> None:
    table = accuracy.table(scored(eng_Latn=[True] * 10, deu_Latn=[True, False, False, False, False])).set_index(
        "language"
    )
    assert list(table.index) == ["eng_Latn", "deu_Latn"]
    assert table["items"].tolist() == [10, 5]
    assert table.accuracy.tolist() == [1.0, 0.2]
    # Wilson: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), z = 1.96
    assert table.low.tolist() == pytest.approx([0.7225, 0.0362], abs=1e-4)
    assert table.high.tolist() == pytest.approx([1.0, 0.6245], abs=1e-4)
    assert table.accuracy_by_token.tolist() == [1.0, 1.0]
    assert table.accuracy_by_character.tolist() == [0.0, 0.0]
    assert table["empty"].isna().all(), "there is no text that could be empty"


def test_a_task_in_three_numbers() -> None:
    table = accuracy.table(scored(eng_Latn=[True, True], deu_Latn=[True, False], swh_Latn=[False, False]))
    items = pd.DataFrame({"choices": [["a", "b"], ["a", "b", "c", "d"]]})
    assert accuracy.in_short(table, items, "eng_Latn") == {"chance": 0.375, "pivot": 1.0, "others": 0.25}
    assert accuracy.in_short(table, pd.DataFrame({"answer": ["1"]}), "eng_Latn")["chance"] is None


def test_numbers_are_told_with_what_went_wrong() -> None:
    frame = pd.DataFrame(
        {
            "item_id": ["a", "b", "c"], "language": "swh_Latn", "output": ["18", "", "many"],
            "finished": [True, True, False], "extracted": ["18", None, None], "correct": [True, False, False],
            "output_language": ["swh_Latn", None, "eng_Latn"],
        }
    )  # fmt: skip
    (row,) = accuracy.table(frame).to_dict("records")
    assert (row["accuracy"], row["empty"], row["truncated"]) == (0.3333, 0.3333, 0.3333)
    assert row["in_language"] == 0.5
    assert np.isnan(row["accuracy_by_token"])
