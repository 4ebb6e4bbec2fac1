"""Which choice is the likeliest, and whether it is right."""

import numpy as np
import pytest

from asking.asked import items
from polyroute.artifacts.answers import NORMALISATIONS
from polyroute.ground.errors import AnswerError
from polyroute.scoring.choices import likeliest, score_choices
from scoring.answered import raw_choices


def test_the_likeliest_choice_by_sum_by_token_and_by_character() -> None:
    task = items(("a", ["yes", "n"]), ("b", ["yes", "n"]), ("c", ["yes", "n"]))
    # By token -4 against -3, by character -1 against -6; the sums go the other way in the second item.
    scored = score_choices(raw_choices([-4.0, -6.0], [-9.0, -6.0], [-1.0, -6.0]), task, "t")
    assert scored["extracted"].tolist() == [0, 1, 0]
    assert scored["extracted_by_token"].tolist() == [1, 1, 0]
    assert scored["extracted_by_character"].tolist() == [0, 0, 0]
    assert scored["correct"].tolist() == [True, False, True]
    assert scored["correct_by_token"].tolist() == [False, False, True]
    assert scored["correct_by_character"].tolist() == [True, True, True]
    assert scored["split"].tolist() == task["split"].tolist()


def test_items_may_have_other_numbers_of_choices() -> None:
    task = items(("a", ["b", "c", "d"]), ("b", ["b", "c"]))
    raw = raw_choices([-3.0, -2.0, -1.0], [-2.0, -9.0])
    raw["tokens"] = raw["characters"] = [[1, 1, 1], [1, 1]]
    scored = score_choices(raw, task, "t")
    assert scored["extracted"].tolist() == scored["extracted_by_token"].tolist() == [2, 0]


def test_answers_and_items_are_matched_by_id_and_not_by_place() -> None:
    task = items(("a", ["yes", "n"]), ("b", ["yes", "n"]))
    task["answer"] = [0, 1]
    scored = score_choices(raw_choices([-1.0, -2.0], [-2.0, -1.0]), task.iloc[::-1], "t")
    assert scored["item_id"].tolist() == ["i0", "i1"]
    assert scored["correct"].all()


def test_ties_go_to_every_choice_alike_and_to_the_same_one_each_time() -> None:
    names = [f"item {number}" for number in range(3000)]
    picks = likeliest(np.tile([-1.0, -1.0, -2.0, -1.0], (3000, 1)), names).tolist()
    for choice in (0, 1, 3):
        # Three standard errors of a third of 3,000.
        assert picks.count(choice) == pytest.approx(1000, abs=78)
    # Alone, and beside an item with more choices.
    longer = likeliest(np.array([[-1.0, -1.0, -2.0, -1.0, np.nan], [-5.0, -4.0, -3.0, -2.0, -1.0]]), ["item 7", "any"])
    assert longer.tolist() == [picks[7], 4]


def test_every_normalisation_has_its_columns() -> None:
    scored = score_choices(raw_choices([-1.0, -2.0]), items(("a", ["b", "c"])), "t")
    for ending in NORMALISATIONS:
        assert {f"extracted{ending}", f"correct{ending}"} <= set(scored.columns)


def test_an_answer_with_another_number_of_choices_is_refused_by_name() -> None:
    task = items(("a", ["b", "c"]), ("b", ["b", "c"]))
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: 2 choices, but its answer has 3 log_likelihoods"):
        score_choices(raw_choices([-1.0, -2.0, -3.0], [-1.0, -2.0]), task, "t")
