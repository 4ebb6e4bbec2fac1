"""Finished answers are found under what decides them, and under nothing else."""

from pathlib import Path

import pandas as pd
import pytest

from polyroute.asking.store import READ, AnswerStore, questions_digest
from polyroute.steering.condition import BASELINE, Condition
from polyroute.steering.plan import Plan

ITEMS = pd.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(3)], "language": "eng_Latn", "split": "report",
        "prompt": ["a", "bb", "ccc"], "choices": [["x", "y"]] * 3,
    }
)  # fmt: skip
ANSWERS = pd.DataFrame({"item_id": ITEMS["item_id"], "value": [0.1, 0.2, 0.3]})


def condition(name: str = "one", strength: float = 0.5, **changes) -> Condition:
    plan = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=strength, experts={1: (1, 4)})
    return Condition(name, "dose", plan.model_copy(update=changes))


def test_answers_come_back_as_they_were(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path, "settings")
    assert store.get(ITEMS, BASELINE) is None
    store.put(ITEMS, BASELINE, ANSWERS, beside=["none"])
    pd.testing.assert_frame_equal(store.get(ITEMS, BASELINE), ANSWERS, check_exact=True)
    assert store.get(ITEMS, condition()) is None


@pytest.mark.parametrize("left", [0, 50], ids=["emptied by a power cut", "cut off"])
def test_a_damaged_part_is_computed_again(left, tmp_path: Path) -> None:
    store = AnswerStore(tmp_path, "settings")
    store.put(ITEMS, BASELINE, ANSWERS, beside=["none"])
    (path,) = tmp_path.glob("answers/*")
    path.write_bytes(path.read_bytes()[:left])
    assert store.get(ITEMS, BASELINE) is None
    assert not path.exists()
    store.put(ITEMS, BASELINE, ANSWERS, beside=["none"])
    pd.testing.assert_frame_equal(store.get(ITEMS, BASELINE), ANSWERS)


def test_a_plan_is_known_by_what_it_does(tmp_path: Path) -> None:
    store, one = AnswerStore(tmp_path, "settings"), condition()
    renamed = Condition("two", "chosen", condition(source={"task": "other"}).plan)
    assert store._path(ITEMS, one) == store._path(ITEMS, renamed)
    assert store._path(ITEMS, one) != store._path(ITEMS, condition(strength=0.6))
    assert store._path(ITEMS, one) != store._path(ITEMS.head(2), one)
    assert store._path(ITEMS, one) != AnswerStore(tmp_path, "others")._path(ITEMS, one)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"answer": [0, 1, 0]}, True), ({"split": "select"}, True), ({"prompt": ["a", "bb", "cc"]}, False),
        ({"choices": [["x", "z"]] * 3}, False), ({"language": "deu_Latn"}, False), ({"item_id": list("abc")}, False),
    ],
    ids=["answer", "split", "prompt", "choices", "language", "item_id"],
)  # fmt: skip
def test_questions_are_known_by_what_a_model_reads(changed, same) -> None:
    assert (questions_digest(ITEMS.assign(**changed)) == questions_digest(ITEMS)) == same
    assert (next(iter(changed)) not in READ) == same


def test_the_order_of_questions_decides_with_what_they_are_batched() -> None:
    assert questions_digest(ITEMS.iloc[::-1]) != questions_digest(ITEMS)
    assert questions_digest(ITEMS.reset_index(drop=True)) == questions_digest(ITEMS.set_axis([5, 6, 7]))
