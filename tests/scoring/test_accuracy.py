"""Accuracy in every language."""

import numpy as np
import pandas as pd
import pytest

from polyroute.ground.errors import AnswerError
from polyroute.scoring import accuracy
from polyroute.scoring.chrf import of_corpus
from polyroute.scoring.kinds import IN_LANGUAGE, by_score


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
    tied = scored(eng_Latn=[True, False]).assign(log_likelihoods=[[-1.0, -1.0], [-1.0, -2.0]])
    assert accuracy.table(tied)["tied"].tolist() == [0.5]


def test_a_task_in_a_few_numbers() -> None:
    right = scored(eng_Latn=[True, True], deu_Latn=[True, False], swh_Latn=[False, False])
    table = accuracy.table(right, chance=pd.Series({"eng_Latn": 0.5, "deu_Latn": 0.25, "swh_Latn": 0.25}))
    assert table["chance"].tolist() == [0.5, 0.25, 0.25]
    assert accuracy.in_short(table, 0.2, "eng_Latn") == {
        "chance": 0.3333, "uniform": 0.2, "pivot": 1.0, "others": 0.25, "stated": None, "transfer": None,
    }  # fmt: skip
    without = accuracy.in_short(accuracy.table(right), None, "eng_Latn")
    assert (without["chance"], without["uniform"]) == (None, None)


def test_facts_that_training_states_stand_apart_from_those_that_need_transfer() -> None:
    right = scored(eng_Latn=[True, True], deu_Latn=[True, False, False], swh_Latn=[False, False])
    table = accuracy.table(right.assign(stated=[True, True, True, True, False, False, False])).set_index("language")
    assert table.loc["deu_Latn", ["stated", "stated_items", "transfer", "transfer_items"]].tolist() == [0.5, 2, 0, 1]
    assert table.loc["eng_Latn", "transfer_items"] == table.loc["swh_Latn", "stated_items"] == 0
    assert np.isnan([table.loc["eng_Latn", "transfer"], table.loc["swh_Latn", "stated"]]).all()
    short = accuracy.in_short(table.reset_index(), None, "eng_Latn")
    assert (short["stated"], short["transfer"]) == (0.5, 0.0), "over the languages that have such facts"


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


def written(**columns) -> pd.DataFrame:
    """Answers in Swahili that were written."""
    count = len(columns["output"])
    given = {"item_id": [f"i{number}" for number in range(count)], "language": "swh_Latn", "finished": True}
    return pd.DataFrame(given | columns)


def test_numbers_are_told_by_both_readings_and_compared_by_one() -> None:
    frame = written(
        output=["18.00", "18", "17"], extracted=["18", "18", "17"], correct=[True, True, False],
        flexible_extract=[False, True, False], output_language=None,
    )  # fmt: skip
    (row,) = accuracy.table(by_score(frame, "number", "flexible_extract")).to_dict("records")
    assert (row["accuracy"], row["flexible_extract"], row["as_read"]) == (0.3333, 0.3333, 0.6667)
    (row,) = accuracy.table(by_score(frame, "number", "correct")).to_dict("records")
    assert (row["accuracy"], row["flexible_extract"], row["as_read"]) == (0.6667, 0.3333, 0.6667)


def test_wrong_answers_are_counted_by_why() -> None:
    frame = written(
        output=["18", "", "who knows", "kwa 18", "18"], extracted=["18", None, None, "18", "18"],
        finished=[True, True, True, True, False], correct=[True, False, False, True, False],
        output_language=["undetermined", "undetermined", "eng_Latn", "swh_Latn", None],
    )  # fmt: skip
    (row,) = accuracy.table(frame).to_dict("records")
    assert (row["accuracy"], row["empty"], row["truncated"], row["without_number"]) == (0.4, 0.2, 0.2, 0.2)
    assert (row["in_language"], row["undetermined"]) == (0.25, 0.5)
    assert accuracy.table(frame.assign(output_language=None))["in_language"].isna().all()


def test_a_span_is_told_by_every_score_and_compared_by_one() -> None:
    frame = written(
        output=["a b", "", "c"], inclusion=[True, False, True], inclusion_as_released=[True, True, True],
        exact_match=[False, False, True], f1=[0.5, 0.0, 1.0], output_language=None,
    )  # fmt: skip
    (row,) = accuracy.table(by_score(frame, "span", "inclusion")).to_dict("records")
    assert [row[name] for name in ("accuracy", "inclusion", "inclusion_as_released", "exact_match", "f1", "empty")] == [
        0.6667, 0.6667, 1.0, 0.3333, 0.5, 0.3333
    ]  # fmt: skip
    released = accuracy.table(by_score(frame, "span", "inclusion_as_released"))
    assert released["accuracy"].tolist() == [1.0]
    assert np.isnan(row["without_number"])
    assert np.isnan(row["in_language"])


def test_students_interval_of_scores_by_hand() -> None:
    frame = written(output=["a", "b", "c"], f1=[0.2, 0.5, 0.8], output_language="swh_Latn")
    (row,) = accuracy.table(by_score(frame, "span", "f1"), confidence=0.5).to_dict("records")
    # Mean 0.5, standard error 0.3 / sqrt(3), t of 2 degrees at 3/4 is sqrt(2/3).
    reach = 0.3 / 3**0.5 * (2 / 3) ** 0.5
    assert (row["low"], row["high"]) == pytest.approx((0.5 - reach, 0.5 + reach), abs=1e-4)
    wide = accuracy.table(by_score(frame, "span", "f1"), confidence=0.99)
    assert (wide["low"].tolist(), wide["high"].tolist()) == ([0.0], [1.0]), "cut where no score can be"
    alone = accuracy.table(by_score(frame[:1], "span", "f1"))
    assert (alone["accuracy"].tolist(), alone["low"].isna().tolist()) == ([0.2], [True])


def test_translations_have_chrf_by_sentence_and_together() -> None:
    frame = written(
        output=["abc", "<think>no</think>"], reference=["abc", "abcdefgh"], chrf=[1.0, 0.0],
        output_language=["swh_Latn", "undetermined"],
    )  # fmt: skip
    (row,) = accuracy.table(by_score(frame, "translation", "chrf")).to_dict("records")
    assert (row["accuracy"], row["chrf"], row["empty"], row["in_language"]) == (0.5, 0.5, 0.5, 0.5)
    assert row["chrf_corpus"] == round(of_corpus(["abc", ""], ["abc", "abcdefgh"]), 4)
    assert 0 < row["chrf_corpus"] < 0.5


def test_the_language_of_what_is_written_is_a_score_too() -> None:
    frame = written(output=["a", "b", "c"], correct=True, output_language=["swh_Latn", "mixed", None])
    found = by_score(frame, "number", IN_LANGUAGE)
    assert found["item_id"].tolist() == ["i0", "i1"]
    assert found["correct"].tolist() == [True, False]
    assert accuracy.table(found)["accuracy"].tolist() == [0.5]


@pytest.mark.parametrize(("kind", "score"), [("choice", IN_LANGUAGE), ("span", "sum"), ("translation", "f1")])
def test_a_score_that_a_kind_lacks_is_an_error(kind, score) -> None:
    with pytest.raises(AnswerError, match=f"{kind} tasks have no score `{score}`; there is "):
        by_score(written(output=["a"]), kind, score)
