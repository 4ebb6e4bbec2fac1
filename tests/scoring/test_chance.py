"""What is right without reading the question."""

import numpy as np
import pandas as pd

from polyroute.scoring.chance import by_language


def items(*rows: tuple[str, object, list[str] | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["language", "answer", "choices"])
    return frame.drop(columns="choices") if frame["choices"].isna().all() else frame


def test_a_place_that_is_often_right_beats_guessing() -> None:
    ordered = [("eng_Latn", place, [f" {number}." for number in range(start, start + 4)])
               for place, start in ((2, 1), (2, 5), (2, 9), (0, 20))]  # fmt: skip
    row = by_language(items(*ordered)).loc["eng_Latn"]
    assert row.tolist() == [0.25, 0.75, 0.75]


def test_the_same_words_at_other_places_are_a_constant_too() -> None:
    shuffled = [("deu_Latn", 0, ["ja", "nein"]), ("deu_Latn", 1, ["nein", " ja"]), ("deu_Latn", 0, ["ja", "nein"])]
    assert by_language(items(*shuffled)).loc["deu_Latn", "constant"] == 1.0


def test_guessing_evenly_counts_where_no_constant_does_better() -> None:
    single = [("eng_Latn", place, [f"{item}{choice}" for choice in "abc"]) for item, place in enumerate((0, 1, 2))]
    both = [*single, ("swh_Latn", 0, ["x", "y"])]
    found = by_language(items(*both))
    assert list(found.index) == ["eng_Latn", "swh_Latn"]
    assert found["chance"].tolist() == [1 / 3, 1.0]


def test_written_answers_have_the_commonest_of_them() -> None:
    found = by_language(items(("eng_Latn", "18", None), ("eng_Latn", "18", None), ("eng_Latn", "7", None)))
    assert found.loc["eng_Latn", "chance"] == 2 / 3
    assert np.isnan(found.loc["eng_Latn", "uniform"])


def test_items_of_two_and_four_choices_are_guessed_right_in_three_of_eight() -> None:
    items = pd.DataFrame(
        {"language": ["eng_Latn"] * 2, "answer": [0, 3], "choices": [["a", "b"], ["c", "d", "e", "f"]]}
    )
    assert by_language(items)["uniform"].tolist() == [(1 / 2 + 1 / 4) / 2]
