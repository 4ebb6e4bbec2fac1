"""A plan made and checked on a tiny model, and on answers that are played."""

import re
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import torch

from asking.seated import HOW, ITEMS, LANGUAGES, NUMBERS, loaded_model, questions
from interventions.test_plans import settings
from polyroute.artifacts.key import COLUMNS, Key
from polyroute.asking.ask import Asker
from polyroute.asking.settings import Asking
from polyroute.interventions.plans import ConditionsError
from polyroute.models.settings import Checkpoint
from polyroute.planning import answers, experts, make, time
from polyroute.planning.given import Given, PlanningError
from polyroute.planning.report import report
from polyroute.steering.plan import Plan

WORDS = ("the", "sun", "is", "up", "and", "a", "dog", "sleeps", "in", "our", "yard", "while", "two", "cats", "run")


def texts(language: str, count: int = 6) -> dict[str, str]:
    rng = np.random.default_rng(len(language) + ord(language[0]))
    return {f"s{number}": " ".join(rng.choice(WORDS, 6)) for number in range(count)}


def given(folder: Path, **more) -> Given:
    grid = settings().model_copy(update={"taus": [0.01], "strengths": [0.5, 4.0], "draws": 19})
    whole = {
        "name": "tiny", "loaded": loaded_model(), "spec": Checkpoint(folder=Path("models/tiny"), dtype="float32"),
        "task": "task", "questions": questions(), "key": Key("choice", ITEMS[COLUMNS]), "score": "sum",
        "targets": ("swh_Latn",), "others": ("eng_Latn", "deu_Latn"),
        "generic": {code: texts(code) for code in LANGUAGES}, "text": {"t0": "1 + 1 = 2", "t1": "2 + 3 = 5"},
        "grid": grid, "asking": Asking(**HOW), "middle": (1, 1), "studies": 60, "parts": folder,
    }  # fmt: skip
    return Given(**(whole | more))


def test_a_plan_is_made_and_says_what_was_found(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(time, "ROUNDS", 2)
    monkeypatch.setattr(time, "TOKENS", 2)
    made = make.make(given(tmp_path, items=3))
    verdict = made.plan.verdict
    assert verdict is not None
    assert (verdict.task, verdict.languages, verdict.checked) == ("task", ["swh_Latn"], "cross_fitted")
    assert list(verdict.by_language) == ["swh_Latn", "deu_Latn", "eng_Latn"]
    assert verdict.gain.items == 6
    assert verdict.random.draws >= 5
    assert verdict.time is not None
    assert verdict.time.device == "cpu"
    assert made.plan.source["for"] == ["swh_Latn"]
    assert list(made.plan.experts) == [1]
    assert set(made.by_half.values()) <= set(made.candidates)
    made.plan.save(tmp_path / "plan.json")
    assert Plan.load(tmp_path / "plan.json") == made.plan
    told = report(made, tmp_path / "plan.json")
    for said in ("# task in swh_Latn, tiny", "| **swh_Latn** |", "Layers 1 to 1, as was asked for.", "Plan.load("):
        assert said in told
    # The lines that the report gives are run as they stand.
    (snippet,) = re.findall(r"```python\n(.*?)```", told, re.S)
    here = {"model": loaded_model().model, "batch": {"input_ids": torch.tensor([[5, 9, 7]]), "max_new_tokens": 2}}
    exec(snippet, here)
    assert here["plan"] == made.plan


def test_any_language_of_the_task_will_do_and_no_other(tmp_path: Path) -> None:
    with pytest.raises(PlanningError, match="swh_Latn cannot be the language to be helped and one beside it"):
        given(tmp_path, others=("eng_Latn", "swh_Latn"))
    with pytest.raises(PlanningError, match="at least one language"):
        given(tmp_path, targets=())
    with pytest.raises(PlanningError, match="generic text in eng_Latn is needed"):
        given(tmp_path, generic={"deu_Latn": texts("deu_Latn")})


def test_no_expert_above_a_threshold_is_said(tmp_path: Path) -> None:
    high = settings().model_copy(update={"taus": [0.99]})
    with pytest.raises(ConditionsError, match="no expert has a Delta above any tau"):
        make.make(given(tmp_path, grid=high))


def test_the_middle_needs_another_language(tmp_path: Path) -> None:
    alone = given(tmp_path, middle=None, generic={"eng_Latn": texts("eng_Latn")})
    with pytest.raises(PlanningError, match="told from generic text in another language"):
        make.make(alone)
    conditions, middle = experts.found(given(tmp_path, middle=None, default_middle=(1, 2)))
    assert conditions.middle == middle.layers
    assert middle.has_trough or middle.layers == (1, 2)


class Played(answers.Respondent):
    """Right where a plan is played to be right; of both halves the share that it says."""

    rights: ClassVar[dict] = {}

    def _half(self, split, conditions):
        half = self.questions.half(split)
        found = {}
        for name in ("baseline", *(one.name for one in conditions)):
            plan = next((one.plan for one in conditions if one.name == name), None)
            # What a plan does is known by its strength, whatever it is called on a half.
            key = name if name == "baseline" or name.startswith("random") else f"{plan.rule}{plan.strength or ''}"
            share = self.rights.get((split, key), self.rights.get(key, 0.5))
            rows = [
                {"item_id": item, "language": language, "correct": bool(number < share * size)}
                for language, of_language in half.groupby("language", sort=False)
                for size in [len(of_language)]
                for number, item in enumerate(of_language["item_id"])
            ]
            found[name] = pd.DataFrame(rows)
        return found


def played(monkeypatch, folder: Path, rights: dict, copies: int = 5, **more):
    """Made on answers that are played; so many times as many items."""
    frames = [ITEMS.assign(item_id=ITEMS["item_id"] + f"-{number}") for number in range(copies)]
    many = pd.concat(frames, ignore_index=True)
    Played.rights = rights
    monkeypatch.setattr(make, "Respondent", Played)
    return make.make(
        given(folder, questions=questions(many), key=Key("choice", many[COLUMNS]), **more), timed=False
    )  # fmt: skip


def test_a_half_is_reported_under_what_the_other_half_chose(tmp_path: Path, monkeypatch) -> None:
    rights = {
        ("select", "soft0.5"): 0.9,
        ("report", "soft4.0"): 0.8,
        ("select", "soft4.0"): 0.1,
        ("report", "soft0.5"): 0.2,
    }
    made = played(monkeypatch, tmp_path, rights)
    # Best on `select` is 0.5, and `report` is asked under it, where it does badly; and the other way round.
    assert made.by_half == {"select": "tau0.01-soft4", "report": "tau0.01-soft0.5"}
    verdict = made.plan.verdict
    assert verdict.gain.steered == pytest.approx((0.1 + 0.2) / 2, abs=0.02)
    assert verdict.code == "hurts"
    # On all items 0.5 looks best: (0.9 + 0.2) / 2.
    assert made.plan.strength == 0.5
    assert made.candidates["tau0.01-soft0.5"] == pytest.approx(0.55, abs=0.02)


def test_a_plan_that_helps_is_told_from_random_ones(tmp_path: Path, monkeypatch) -> None:
    made = played(monkeypatch, tmp_path, {"soft4.0": 0.9})
    assert made.plan.verdict.code == "helps"
    assert made.plan.verdict.random.draws == 19
    assert str(made.plan).splitlines()[1].startswith("It helps: accuracy of task in swh_Latn 50.0% -> 90.0%")
    # The other languages are played to gain alike.
    assert "Also gains: deu_Latn" in str(made.plan)


def test_random_plans_that_do_as_well_take_it_back(tmp_path: Path, monkeypatch) -> None:
    rights = {"soft4.0": 0.9} | {f"random{number}": 0.9 for number in range(19)}
    made = played(monkeypatch, tmp_path, rights)
    assert made.plan.verdict.code == "random_do_as_well"
    assert made.plan.verdict.random.draws < 19


def test_nothing_seen_says_how_much_could_have_been(tmp_path: Path, monkeypatch) -> None:
    made = played(monkeypatch, tmp_path, {}, copies=1)
    assert made.plan.verdict.code in ("too_few_items", "cannot_be_told")
    assert "items" in str(made.plan)


def test_answers_in_writing_of_which_none_is_right_tell_nothing(tmp_path: Path) -> None:
    written = {"questions": questions(NUMBERS), "key": Key("number", NUMBERS[COLUMNS]), "score": "correct"}
    made = make.make(given(tmp_path, items=1, others=("eng_Latn",), **written), timed=False)
    assert made.plan.verdict.code == "cannot_be_told"
    assert "It cannot be tested on these items" in str(made.plan)
    alone = NUMBERS[NUMBERS["language"] == "swh_Latn"]
    with pytest.raises(PlanningError, match="swh_Latn is the only one: name another with --beside"):
        given(tmp_path, **(written | {"questions": questions(alone)}))


def test_the_same_seed_gives_the_same_plan_and_no_answer_is_given_twice(tmp_path: Path, monkeypatch) -> None:
    made = make.make(given(tmp_path, items=1, others=()), timed=False)
    told = str(made.plan)
    assert "Its time a token was not measured." in told
    assert "What it costs in other languages was not measured." in told

    def refuse(*_args, **_more):
        raise AssertionError("asked again")

    monkeypatch.setattr(Asker, "_answer", refuse)
    assert make.make(given(tmp_path, items=1, others=()), timed=False) == made
