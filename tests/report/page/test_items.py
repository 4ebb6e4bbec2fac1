"""Items that an edit turned right or wrong, with their text."""

from dataclasses import replace

import pandas as pd
import pytest

from polyroute.artifacts.answers import Answers, AnswersHeader
from polyroute.artifacts.key import Key
from polyroute.artifacts.questions import Questions
from polyroute.ground.paths import Paths
from polyroute.report.page import items
from polyroute.report.page.study import Study

LANGUAGES = ("eng_Latn", "deu_Latn")
SPLITS = {"one": "select", "two": "report"}


def header(condition: str) -> AnswersHeader:
    return AnswersHeader(
        model="tiny", model_digest="0", task="arithmetic", questions=dict.fromkeys(LANGUAGES, "0"), kind="choice",
        scored=True, condition=condition, engine="transformers", dtype="float32", device="cpu", settings={},
        versions={},
    )  # fmt: skip


def answered(split: str, chosen: dict[tuple[str, str], int], condition: str) -> Answers:
    """Choices by item and language; the first choice is right."""
    rows = [
        {
            "item_id": item, "language": language, "split": split, "log_likelihoods": [-1.0, -2.0], "tokens": [1, 1],
            "characters": [2, 2],
        }
        | {f"extracted{ending}": choice for ending in ("", "_by_token", "_by_character")}
        | {f"correct{ending}": choice == 0 for ending in ("", "_by_token", "_by_character")}
        for (item, language), choice in chosen.items()
        if SPLITS[item] == split
    ]  # fmt: skip
    return Answers(header(condition), pd.DataFrame(rows))


@pytest.fixture
def study_with_answers(study: Study, tmp_path) -> Study:
    """English `one` turns right, German `two` wrong; the rest stays."""
    paths = Paths(tmp_path)
    before = {("one", "eng_Latn"): 1, ("one", "deu_Latn"): 1, ("two", "eng_Latn"): 0, ("two", "deu_Latn"): 0}
    after = before | {("one", "eng_Latn"): 0, ("two", "deu_Latn"): 1}
    for split in ("select", "report"):
        for condition, chosen in (("baseline", before), ("chosen", after)):
            folder = paths.scored("tiny", "interventions") / "steer" / "arithmetic" / split
            answered(split, chosen, condition).write(folder / f"{condition}.parquet")
    rows = [
        {"item_id": item, "language": language, "split": split, "prompt": f"<{item}?> {language}",
         "choices": [" yes & no.", " maybe."]}
        for item, split in SPLITS.items() for language in LANGUAGES
    ]  # fmt: skip
    Questions("choice", 1, {}, pd.DataFrame(rows)).write(paths.task_questions("tiny", "arithmetic"))
    right = pd.DataFrame([{"item_id": row["item_id"], "language": row["language"], "answer": 0} for row in rows])
    Key("choice", right).write(paths.key("tiny", "arithmetic"))
    return replace(study, paths=paths)


def test_what_turned_is_told_with_its_text(study_with_answers: Study) -> None:
    found = items.turned(study_with_answers.paths, "tiny", "arithmetic", "sum")
    assert found is not None
    first, second = found
    assert (first.item, first.language, first.direction) == ("one", "eng_Latn", "right")
    assert (first.before, first.after, first.right) == ("maybe.", "yes & no.", "yes & no.")
    assert (second.item, second.language, second.direction) == ("two", "deu_Latn", "wrong")


def test_the_page_shows_it_escaped(study_with_answers: Study) -> None:
    text = items.shown(study_with_answers, study_with_answers.models["tiny"])
    assert "Items of arithmetic that the chosen plan turned: 1 right, 1 wrong" in text
    assert "&lt;one?&gt; eng_Latn" in text
    assert "yes &amp; no." in text


def test_each_language_has_an_item_before_any_has_two() -> None:
    one = items.Turned("1", "eng_Latn", "right", "", "", "", "")
    found = [replace(one, item=str(place)) for place in range(8)] + [replace(one, item="9", language="deu_Latn")]
    chosen = items.some(found, "right")
    assert len(chosen) == items.SHOWN
    assert [turned.language for turned in chosen[:2]] == ["eng_Latn", "deu_Latn"]
    assert items.some(found, "wrong") == []


def test_without_data_there_are_none(study: Study) -> None:
    assert items.turned(study.paths, "tiny", "arithmetic", "sum") is None
