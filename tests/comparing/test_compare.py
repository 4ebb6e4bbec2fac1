"""Two checkpoints from their folders, in full and as counts."""

import json

import pandas as pd
import pytest

from checkpoints import checkpoint, random, save, trace
from polyroute.artifacts.answers import Answers, AnswersHeader
from polyroute.comparing import words
from polyroute.comparing.answers import OTHERS, accuracy
from polyroute.comparing.compare import Answered, compare
from polyroute.comparing.sides import Side, pair
from polyroute.report.checkpoints_figure import draw

LANGUAGES = ("eng_Latn", "deu_Latn", "swh_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl")


def both(tmp_path, **more):
    folders = [checkpoint(tmp_path, name, seed, LANGUAGES, **more) for name, seed in (("base", 0), ("child", 20))]
    return [Side(folder.name, folder) for folder in folders]


def test_the_answer_comes_first_and_everything_goes_into_json(tmp_path) -> None:
    found = compare(pair(*both(tmp_path)), tau=0.1)
    assert words.answer(found).startswith("child routes languages ")
    told = words.details(found)
    for said in (
        "12 sentences, 5 languages beside eng_Latn",
        "layers: early 0-0",
        "not compared: accuracy: traces alone",
    ):
        assert said in told
    plain = json.loads(json.dumps(found.plain(), allow_nan=False))
    assert set(plain["languages"]) == set(LANGUAGES[1:])
    assert plain["languages"]["deu_Latn"]["middle"] == found.plain()["languages"]["deu_Latn"]["middle"]
    assert plain["zones"] == {"early": [0, 0], "middle": [1, 3], "late": [4, 4]}


def test_a_checkpoint_and_itself_do_not_differ(tmp_path) -> None:
    one, _ = both(tmp_path)
    found = compare(pair(one, one), tau=0.1)
    assert {change.difference for rows in found.languages.values() for change in rows.values()} == {0}
    assert "the mean D of no zone differs distinguishably" in words.answer(found)
    assert "both are the same checkpoint, to the bit" in words.details(found)
    assert "(Jaccard 1.00" in words.answer(found)


def test_a_child_that_is_nearer_is_said_to_be(tmp_path) -> None:
    one, other = both(tmp_path)
    english = random(0)
    for place, code in enumerate(LANGUAGES):
        soft = english if not place else 0.8 * english + 0.2 * random(place)
        save(other.folder, trace(soft, model="child", language=code))
    found = compare(pair(one, other), tau=0.1)
    assert {found.mean[zone].sign for zone in ("early", "middle", "late")} == {-1}
    assert "child routes languages nearer to eng_Latn in the early zone (D " in words.answer(found)
    assert "middle: 5 languages nearer, 0 farther, of 5" in words.details(found)


def test_recorded_counts_give_what_they_can(tmp_path) -> None:
    counted = {"engine": "recorded", "pooled": True}
    sides = []
    for name, seed in (("base", 0), ("child", 20)):
        traces = [
            trace(random(seed + place, sentences=1), model=name, language=code, items=("all",),
                  corpus_digest=f"{name} {code}", **counted)
            for place, code in enumerate(LANGUAGES)
        ]  # fmt: skip
        sides.append(Side(name, save(tmp_path / name, *traces)))
    found = compare(pair(*sides), tau=0.1)
    assert (found.reading, found.sentences) == ("topk_count", None)
    assert found.not_compared["intervals over sentences"] == "counts of the whole corpus hold no single sentences"
    assert found.mean["middle"].low is None
    assert found.mean["middle"].low_languages is not None
    assert "without an interval" in words.answer(found)
    assert "that both are of the same sentences cannot be checked" in words.details(found)


def test_more_tokens_under_the_other_are_said(tmp_path) -> None:
    one, other = both(tmp_path)
    save(other.folder, trace(random(21), model="child", language="deu_Latn", tokens=6))
    told = words.details(compare(pair(one, other), tau=0.1))
    assert "another number of tokens in deu_Latn: the tokenizer differs" in told


def test_the_picture_is_the_same_twice(tmp_path) -> None:
    found = compare(pair(*both(tmp_path)), tau=0.1)
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
        draw(tmp_path / name / "comparison", found, words.routing(found))
    svg = [(tmp_path / name / "comparison.svg").read_bytes() for name in ("once", "twice")]
    assert svg[0] == svg[1]
    assert b"child" in svg[0]


def answered(folder, model, right, questions="same") -> None:
    """Items that are right by language, as `score` keeps them."""
    for split in ("select", "report"):
        rows = [
            {"item_id": f"{split}{number}", "language": code, "split": split, "log_likelihoods": [0.0, -1.0],
             "tokens": [1, 1], "characters": [1, 1], "extracted": 0, "extracted_by_token": 0,
             "extracted_by_character": 0, "correct": ok, "correct_by_token": ok, "correct_by_character": ok}
            for code, oks in right.items() for number, ok in enumerate(oks)
        ]  # fmt: skip
        columns = ["item_id", "language", "split", "log_likelihoods", "tokens", "characters", "extracted",
                   "extracted_by_token", "extracted_by_character", "correct", "correct_by_token",
                   "correct_by_character"]  # fmt: skip
        header = AnswersHeader(
            model=model, model_digest=model, task="quiz", kind="choice", condition="baseline", engine="transformers",
            dtype="float32", device="cpu", settings={}, versions={}, scored=True,
            questions={code: f"{questions if code == 'fra_Latn' else 'same'} {code} {split}" for code in right},
        )  # fmt: skip
        Answers(header, pd.DataFrame(rows)[columns]).write(folder / "quiz" / f"{split}.parquet")


def test_accuracy_is_paired_by_item(tmp_path) -> None:
    base = {"eng_Latn": [True] * 8, "deu_Latn": [False] * 8, "fra_Latn": [True] * 8}
    child = {"eng_Latn": [True] * 8, "deu_Latn": [True] * 6 + [False] * 2, "fra_Latn": [True] * 8}
    answered(tmp_path / "base", "base", base)
    answered(tmp_path / "child", "child", child, questions="other")
    (task,), refused = accuracy(
        tmp_path / "base", tmp_path / "child", pivot="eng_Latn", scores={}, confidence=0.95, seed=0
    )
    rows = task.table.set_index("group")
    assert not refused
    assert task.left_out == {"fra_Latn": "other questions, or asked in one alone"}
    assert list(rows.index) == ["deu_Latn", "eng_Latn", OTHERS]
    assert rows.loc["deu_Latn", ["base", "edited", "difference", "gained"]].tolist() == [0, 0.75, 0.75, 12]
    assert rows.loc[OTHERS, "low"] > 0
    found = compare(
        pair(*both(tmp_path / "traces")), tau=0.1, answered=Answered(tmp_path / "base", tmp_path / "child", {})
    )
    assert "quiz: 0% -> 75% outside eng_Latn (+75.0 [" in words.answer(found)
    assert json.dumps(found.plain(), allow_nan=False)


@pytest.mark.parametrize("made", [("base",), ()])
def test_a_task_of_one_alone_is_named(tmp_path, made) -> None:
    for name in made:
        answered(tmp_path / name, name, {"eng_Latn": [True]})
    folders = tmp_path / "base", tmp_path / "child"
    tasks, refused = accuracy(*folders, pivot="eng_Latn", scores={}, confidence=0.95, seed=0)
    assert not tasks
    assert refused == ({"quiz": "only one of the two was asked it"} if made else {})
