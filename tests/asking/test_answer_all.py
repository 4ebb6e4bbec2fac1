"""Conditions that share work give the bits of conditions that do not."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from models.tiny_models import tiny
from polyroute.asking import answer_all as module
from polyroute.asking.answer_all import answer_all
from polyroute.asking.store import AnswerStore
from polyroute.models.routers import find_routers
from polyroute.steering.condition import BASELINE, Condition
from polyroute.steering.plan import Plan

ITEMS = pd.DataFrame(
    {
        "item_id": [f"i{n}" for n in range(7)],
        "language": "eng_Latn",
        "prompt": ["a" * length for length in (3, 5, 2, 3, 6, 5, 4)],
    }
)


class Killed(Exception):
    pass


@pytest.fixture(scope="module")
def found():
    model = tiny("qwen3_moe")
    return model, find_routers(model)


def plan(strength: float, layer: int) -> Plan:
    return Plan(
        model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=strength, experts={layer: (1, 4)},
    )  # fmt: skip


CONDITIONS = [
    BASELINE,
    Condition("weak", "dose", plan(0.5, 1)),
    Condition("strong", "dose", plan(1.0, 1)),
    Condition("late", "late", plan(1.0, 2)),
    Condition("early", "early", plan(1.0, 0)),
]


def answering(model, calls: list[int] | None = None, cached: bool = False):
    """Raw answers: the sum of the logits after each prompt."""

    def answer(items: pd.DataFrame) -> pd.DataFrame:
        if calls is not None:
            calls.append(len(items))
        rows = []
        for item_id, prompt in zip(items.item_id, items.prompt, strict=True):
            ids = torch.arange(1, len(prompt) + 1)[None] * 3 % 60
            with torch.inference_mode():
                rows.append((item_id, float(model(ids, use_cache=cached).logits[0, -1].double().sum())))
        return pd.DataFrame(rows, columns=["item_id", "value"])

    return answer


def answered(found, folder: Path, **options) -> dict[str, pd.DataFrame]:
    model, routers = found
    answer = options.pop("answer", answering(model))
    store = AnswerStore(folder, "settings")
    return answer_all(model, routers, ITEMS, CONDITIONS, answer, store, batch_tokens=2, **options)


def test_shared_and_separate_runs_give_the_same_bits(found, tmp_path: Path) -> None:
    shared = answered(found, tmp_path / "one")
    separate = answered(found, tmp_path / "two", share=False)
    assert list(shared) == ["baseline", "weak", "strong", "late", "early"]
    for name, answers in shared.items():
        pd.testing.assert_frame_equal(answers, separate[name])
        assert answers.item_id.tolist() == ITEMS.item_id.tolist()
    assert len({tuple(answers.value) for answers in shared.values()}) == 5, "every condition does something"


def test_a_finished_baseline_is_not_run_for_the_others(found, tmp_path: Path) -> None:
    separate = answered(found, tmp_path / "alone", share=False)
    store = AnswerStore(tmp_path, "settings")
    store.put(ITEMS, BASELINE, separate["baseline"])
    calls: list[int] = []
    shared = answered(found, tmp_path, answer=answering(found[0], calls))
    assert sum(calls) == (len(CONDITIONS) - 1) * len(ITEMS)
    for name, answers in separate.items():
        pd.testing.assert_frame_equal(answers, shared[name], check_exact=True)


def test_layers_that_cannot_be_left_out_are_run(tmp_path: Path) -> None:
    model = tiny("qwen3_next")  # most of its layers keep a recurrent state
    found = model, find_routers(model)
    shared = answered(found, tmp_path / "one", answer=answering(model, cached=True))
    separate = answered(found, tmp_path / "two", answer=answering(model, cached=True), share=False)
    for name, answers in separate.items():
        pd.testing.assert_frame_equal(answers, shared[name], check_exact=True)


def test_finished_conditions_are_not_run_again(found, tmp_path: Path) -> None:
    first = answered(found, tmp_path)
    calls: list[int] = []
    told: list[int] = []
    again = answered(found, tmp_path, answer=answering(found[0], calls), progress=told.append)
    assert calls == []
    assert sum(told) == len(CONDITIONS) * len(ITEMS)
    for name, answers in first.items():
        pd.testing.assert_frame_equal(answers, again[name])


def test_a_killed_run_keeps_what_was_finished(found, tmp_path: Path, monkeypatch) -> None:
    put = AnswerStore.put
    kept: list[str] = []

    def killing(self, items, condition, answers) -> None:
        if len(kept) == 2:
            raise Killed
        kept.append(condition.name)
        put(self, items, condition, answers)

    monkeypatch.setattr(AnswerStore, "put", killing)
    with pytest.raises(Killed):
        answered(found, tmp_path)
    monkeypatch.undo()
    resumed = answered(found, tmp_path)
    whole = answered(found, tmp_path / "whole")
    for name, answers in whole.items():
        pd.testing.assert_frame_equal(answers, resumed[name])
    files = len(list(tmp_path.glob("answers/*")))
    assert files == len(CONDITIONS)


def test_the_first_layer_is_the_lowest_that_is_edited() -> None:
    assert [module._first_layer(condition) for condition in CONDITIONS] == [None, 1, 1, 2, 0]


def test_chunks_hold_every_item_once(monkeypatch) -> None:
    chunks = list(module._chunks(ITEMS, 8))
    assert sorted(item for chunk in chunks for item in chunk.item_id) == ITEMS.item_id.tolist()
    assert all(chunk.prompt.str.len().sum() <= 8 for chunk in chunks)
    assert next(iter(module._chunks(ITEMS, 1))).item_id.tolist() == ["i2"], "one larger than a chunk is one by itself"
