"""What is kept of conditions that are answered together, and what is asked beside what."""

import json
import logging
from pathlib import Path

import pandas as pd
import pyarrow.parquet
import pytest

from polyroute.asking import answer_all as module
from polyroute.asking.answer_all import answer_all
from polyroute.asking.store import AnswerStore, plan_of
from polyroute.ground.files import digest
from polyroute.steering.condition import BASELINE, Condition
from polyroute.steering.plan import Plan

ITEMS = pd.DataFrame({"item_id": [f"i{n}" for n in range(7)], "language": "eng_Latn", "prompt": list("abcdefg")})


class Killed(Exception):
    pass


def condition(name: str, strength: float) -> Condition:
    plan = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=strength, experts={1: (1, 4)})
    return Condition(name, "dose", plan)


CONDITIONS = [BASELINE, condition("weak", 0.5), condition("strong", 1.0)]


class Answering:
    """Writes a prompt and the strength it is asked under, and notes what was asked together."""

    def __init__(self, rounding: str = "") -> None:
        self.rounding = rounding
        self.calls: list[tuple[int, list[float | None]]] = []

    def __call__(self, items, plans, progress) -> list[pd.DataFrame]:
        strengths = [None if plan is None else plan.strength for plan in plans]
        self.calls.append((len(items), strengths))
        progress(len(items) * len(plans))
        return [items[["item_id"]].assign(output=items["prompt"] + f"{one}{self.rounding}") for one in strengths]


def answered(folder: Path, answer=None, conditions=CONDITIONS, **options) -> dict[str, pd.DataFrame]:
    return answer_all(ITEMS, conditions, answer or Answering(), AnswerStore(folder, "settings"), **options)


def test_all_conditions_are_asked_together(tmp_path: Path) -> None:
    answer, told = Answering(), []
    found = answered(tmp_path, answer, progress=told.append)
    assert answer.calls == [(7, [None, 0.5, 1.0])]
    assert list(found) == ["baseline", "weak", "strong"]
    assert found["weak"]["output"].tolist() == [f"{letter}0.5" for letter in "abcdefg"]
    assert sum(told) == 21


def test_finished_conditions_are_not_asked_again(tmp_path: Path) -> None:
    first, answer, told = answered(tmp_path), Answering(), []
    again = answered(tmp_path, answer, progress=told.append)
    assert answer.calls == []
    assert sum(told) == 21
    for name, answers in first.items():
        pd.testing.assert_frame_equal(answers, again[name])


def test_a_new_condition_is_asked_beside_the_baseline_alone(tmp_path: Path) -> None:
    answered(tmp_path)
    answer = Answering()
    found = answered(tmp_path, answer, [*CONDITIONS, condition("new", 2.0)])
    assert answer.calls == [(7, [None, 2.0])]
    assert found["new"]["output"].tolist() == [f"{letter}2.0" for letter in "abcdefg"]


def test_a_baseline_that_comes_out_otherwise_is_counted(tmp_path: Path, caplog) -> None:
    kept = answered(tmp_path)["baseline"]
    with caplog.at_level(logging.WARNING):
        found = answered(tmp_path, Answering("!"), [*CONDITIONS, condition("new", 2.0)])
    assert "baseline: 7 of 7 kept answers differ" in caplog.text
    pd.testing.assert_frame_equal(found["baseline"], kept)


def test_choices_differ_where_another_is_likeliest() -> None:
    kept = pd.DataFrame({"log_likelihoods": [[-1.0, -2.0], [-3.0, -1.0]]})
    again = pd.DataFrame({"log_likelihoods": [[-1.0000001, -2.0], [-1.0, -3.0]]})
    assert module._differing(kept, again) == 1


def test_a_part_says_which_plans_shared_its_batches(tmp_path: Path) -> None:
    answered(tmp_path)
    expected = [digest(plan_of(one)) for one in CONDITIONS]
    paths = list(tmp_path.glob("answers/*"))
    assert len(paths) == 3
    for path in paths:
        assert json.loads(pyarrow.parquet.read_schema(path).metadata[b"polyroute.beside"]) == expected


def test_a_killed_run_keeps_the_parts_that_were_finished(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(module, "PART_ITEMS", 3)

    def killed(items, plans, progress):
        if "g" in set(items["prompt"]):
            raise Killed
        return Answering()(items, plans, progress)

    with pytest.raises(Killed):
        answered(tmp_path, killed)
    answer = Answering()
    resumed = answered(tmp_path, answer)
    assert answer.calls == [(1, [None, 0.5, 1.0])]
    whole = answered(tmp_path / "whole")
    for name, answers in whole.items():
        pd.testing.assert_frame_equal(answers, resumed[name])
        assert answers["item_id"].tolist() == ITEMS["item_id"].tolist()
