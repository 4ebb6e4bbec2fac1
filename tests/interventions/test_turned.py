"""Items that an edit turned right or wrong, with their text."""

import pandas as pd
import pytest

from polyroute.artifacts.answers import Answers, AnswersHeader
from polyroute.artifacts.key import Key
from polyroute.artifacts.questions import Questions
from polyroute.ground.paths import Paths
from polyroute.interventions.turned import LONGEST, SHOWN, some, turned
from polyroute.results.steering import TurnedRow

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
def paths(tmp_path) -> Paths:
    """English `one` turns right, German `two` wrong; the rest stays."""
    paths = Paths(tmp_path)
    before = {("one", "eng_Latn"): 1, ("one", "deu_Latn"): 1, ("two", "eng_Latn"): 0, ("two", "deu_Latn"): 0}
    after = before | {("one", "eng_Latn"): 0, ("two", "deu_Latn"): 1}
    for split in ("select", "report"):
        for condition, chosen in (("baseline", before), ("chosen", after)):
            folder = paths.scored("tiny", "interventions") / "steer" / "arithmetic" / split
            answered(split, chosen, condition).write(folder / f"{condition}.parquet")
    rows = [
        {"item_id": item, "language": language, "split": split, "prompt": f"{'very ' * 200}<{item}?>\n{language}",
         "choices": [" yes & no.", " maybe."]}
        for item, split in SPLITS.items() for language in LANGUAGES
    ]  # fmt: skip
    Questions("choice", 1, {}, pd.DataFrame(rows)).write(paths.task_questions("tiny", "arithmetic"))
    right = pd.DataFrame([{"item_id": row["item_id"], "language": row["language"], "answer": 0} for row in rows])
    Key("choice", right).write(paths.key("tiny", "arithmetic"))
    return paths


def test_what_turned_is_kept_with_the_end_of_its_text(paths: Paths) -> None:
    first, second = turned(paths, "tiny", "arithmetic", "sum").to_dict("records")
    assert (first["item"], first["language"], first["direction"], first["of"]) == ("one", "eng_Latn", "right", 1)
    assert (first["before"], first["after"], first["answer"]) == ("maybe.", "yes & no.", "yes & no.")
    assert first["prompt"].endswith("very <one?> eng_Latn")
    assert len(first["prompt"]) == LONGEST + 2
    assert (second["item"], second["language"], second["direction"]) == ("two", "deu_Latn", "wrong")


def test_a_half_that_no_plan_edits_turned_nothing(paths: Paths) -> None:
    (paths.scored("tiny", "interventions") / "steer" / "arithmetic" / "report" / "chosen.parquet").unlink()
    assert list(turned(paths, "tiny", "arithmetic", "sum")["item"]) == ["one"]


def test_each_language_has_an_item_before_any_has_two() -> None:
    one = TurnedRow(
        task="t", item="1", language="eng_Latn", direction="right", of=1, prompt="", answer="", before="", after=""
    )
    found = [one.model_copy(update={"item": str(place)}) for place in range(8)]
    found.append(one.model_copy(update={"item": "9", "language": "deu_Latn"}))
    chosen = some(found, "right")
    assert len(chosen) == SHOWN
    assert [row.language for row in chosen[:2]] == ["eng_Latn", "deu_Latn"]
    assert {row.of for row in chosen} == {9}
    assert some(found, "wrong") == []
