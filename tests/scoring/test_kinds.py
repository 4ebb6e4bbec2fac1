"""Kinds of tasks: from raw answers to the score that decides, without a model."""

import subprocess
import sys

import pandas as pd
import pytest

from asking.asked import items
from polyroute.artifacts import questions
from polyroute.artifacts.answers import Answers, AnswersHeader
from polyroute.ground.errors import AnswerError
from polyroute.scoring.choices import score_choices
from polyroute.scoring.kinds import IN_LANGUAGE, SCORES, by_score, grade
from polyroute.scoring.written import score_numbers
from scoring.answered import number_task, raw_choices, raw_numbers


def raw(frame: pd.DataFrame, kind: str = "number", condition: str = "baseline") -> Answers:
    asked = dict.fromkeys(frame["language"].unique(), "0")
    header = AnswersHeader(
        model="tiny", model_digest="d", task="sums", questions=asked, kind=kind, condition=condition,
        engine="transformers", dtype="float32", device="cpu", settings={}, versions={},
    )  # fmt: skip
    return Answers(header, frame)


def test_every_kind_has_scores_and_a_table() -> None:
    assert set(SCORES) == set(questions.COLUMNS)


def test_the_likelihood_that_decides_is_the_one_asked_for() -> None:
    task = items(("a", ["yes", "n"]), ("b", ["yes", "n"]))
    # By token -4 against -3 and -9 against -3; the sums go the other way in the first item.
    scored = score_choices(raw_choices([-4.0, -6.0], [-9.0, -6.0]), task, "t")
    assert by_score(scored, "choice", "sum")["correct"].tolist() == scored["correct"].tolist() == [True, False]
    by_token = by_score(scored, "choice", "token")["correct"].tolist()
    assert by_token == scored["correct_by_token"].tolist() == [False, False]


def in_two_languages(*outputs: str) -> pd.DataFrame:
    """The same outputs in English and in German."""
    return pd.concat([raw_numbers(*outputs, language=code) for code in ("eng_Latn", "deu_Latn")], ignore_index=True)


def right_in_two_languages(*answers: str) -> pd.DataFrame:
    return pd.concat([number_task(*answers, language=code) for code in ("eng_Latn", "deu_Latn")], ignore_index=True)


def test_answers_are_held_against_their_half_in_the_languages_that_were_asked() -> None:
    answers = raw(in_two_languages("18", "4"))
    more = [number_task("3", language="swh_Latn"), number_task("5").assign(item_id="r0", split="report")]
    graded = grade(answers, pd.concat([right_in_two_languages("18", "3"), *more]), "select")
    assert graded.header == answers.header.model_copy(update={"scored": True})
    assert graded.frame["correct"].tolist() == [True, False] * 2


def test_an_answer_may_be_in_any_language_of_the_task_though_one_was_asked() -> None:
    german = "Die Antwort auf diese Frage ist achtzehn, wie jeder leicht nachrechnen kann."
    graded = grade(raw(raw_numbers(german)), right_in_two_languages("18"), "select").frame
    assert graded["output_language"].tolist() == ["deu_Latn"]
    assert by_score(graded, "number", IN_LANGUAGE)["correct"].tolist() == [False]


def test_an_item_that_was_not_answered_is_named_with_the_condition() -> None:
    answers = raw(in_two_languages("18"), condition="masked")
    with pytest.raises(AnswerError, match=r"task sums \(masked\): item i1 in eng_Latn not answered \(2 such\)"):
        grade(answers, right_in_two_languages("18", "3"), "select")


def test_a_corrected_key_gives_other_scores_of_the_same_answers() -> None:
    answers = raw(in_two_languages("18", "4"))
    before, after = (grade(answers, right_in_two_languages(*right), "select") for right in (("18", "3"), ("18", "4")))
    assert before.frame["correct"].tolist() == [True, False] * 2
    assert after.frame["correct"].tolist() == [True, True] * 2
    right = ["correct", "flexible_extract"]
    pd.testing.assert_frame_equal(before.frame.drop(columns=right), after.frame.drop(columns=right))


def test_our_reading_stays_beside_the_harness_where_that_one_is_compared() -> None:
    scored = score_numbers(raw_numbers("18.00", "18 dollars in 7 days", "18"), number_task("18", "7", "18"), "t")
    found = by_score(scored, "number", "flexible_extract")
    assert found["correct"].tolist() == [False, True, True]
    assert found["as_read"].tolist() == scored["correct"].tolist() == [True, True, True]
    assert by_score(scored, "number", "correct")["correct"].tolist() == [True, True, True]


def test_scoring_needs_no_torch() -> None:
    script = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers"):
            raise ModuleNotFoundError(f"{name} is blocked", name=name)

sys.meta_path.insert(0, Blocked())
import polyroute.scoring
names = [module.name for module in pkgutil.iter_modules(polyroute.scoring.__path__)]
assert {"kinds", "choices", "written", "accuracy", "settings"} <= set(names), names
for name in names:
    importlib.import_module(f"polyroute.scoring.{name}")
assert "torch" not in sys.modules and "transformers" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
