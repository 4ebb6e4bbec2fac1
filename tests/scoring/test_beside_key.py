"""Answers meet their items by name, all of them and no other."""

import pandas as pd
import pytest

from polyroute.ground.errors import AnswerError
from polyroute.scoring.beside_key import beside_key
from scoring.answered import number_task, raw_numbers


def test_answers_stand_beside_their_items_in_the_order_of_the_answers() -> None:
    raw, task = raw_numbers("first", "second", "third"), number_task("1", "2", "3")
    found = beside_key(raw, task.iloc[[2, 0, 1]], "t", ["split", "answer"])
    assert found["output"].tolist() == ["first", "second", "third"]
    assert found["answer"].tolist() == ["1", "2", "3"]
    assert list(found.columns) == [*raw.columns, "split", "answer"]


def test_answers_of_another_task_are_refused_by_name() -> None:
    task = number_task("1", "2")
    with pytest.raises(AnswerError, match=r"task t: item i1 in eng_Latn not answered \(1 such\)"):
        beside_key(raw_numbers("1"), task, "t", ["answer"])
    with pytest.raises(AnswerError, match=r"task t: item i2 in eng_Latn answered, but not of the task"):
        beside_key(raw_numbers("1", "2", "3"), task, "t", ["answer"])
    twice = pd.concat([raw_numbers("1")] * 2)
    with pytest.raises(AnswerError, match=r"task t: answers hold item i0 in eng_Latn twice"):
        beside_key(twice, task, "t", ["answer"])
    with pytest.raises(AnswerError, match=r"task t: items hold item i0 in eng_Latn twice"):
        beside_key(raw_numbers("1"), pd.concat([number_task("1")] * 2), "t", ["answer"])
