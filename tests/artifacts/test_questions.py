"""Questions and keys as they are kept, apart and together."""

from dataclasses import replace

import pandas as pd
import pyarrow
import pytest

from polyroute.artifacts import parquet
from polyroute.artifacts.key import Key, joined, read_joined
from polyroute.artifacts.questions import COLUMNS, Questions, TaskError, some_items
from polyroute.readers.fetch import fetch_task
from polyroute.readers.local import LocalTask
from polyroute.readers.miniworld import MiniworldTask

ENGLISH, GERMAN = "eng_Latn", "deu_Latn"


def made(mirror, tmp_path, kind: str = "choice") -> tuple[Questions, Key]:
    if kind == "choice":
        spec = MiniworldTask(reader="miniworld", content="arithmetic", items=4, seed=3)
        return fetch_task("world", spec, [ENGLISH, GERMAN], mirror)
    rows = "".join(f"q{n}\t?\t18\n" for n in range(12))
    (tmp_path / "eng_Latn.tsv").write_text(f"item_id\tprompt\tanswer\n{rows}")
    spec = LocalTask(reader="local", files=str(tmp_path / "{language}.tsv"), kind="number")
    return fetch_task("mine", spec, [ENGLISH], mirror)


@pytest.mark.parametrize("kind", ["choice", "number"])
def test_questions_and_key_come_back_as_they_were_in_the_same_bytes(mirror, tmp_path, kind) -> None:
    asked, right = made(mirror, tmp_path, kind)
    asked.write(tmp_path / "q.parquet")
    right.write(tmp_path / "k.parquet")
    found, key = Questions.read(tmp_path / "q.parquet"), Key.read(tmp_path / "k.parquet")
    pd.testing.assert_frame_equal(found.frame, asked.frame, check_dtype=False)
    pd.testing.assert_frame_equal(key.frame, right.frame, check_dtype=False)
    found.write(tmp_path / "q2.parquet")
    key.write(tmp_path / "k2.parquet")
    for name in "qk":
        assert (tmp_path / f"{name}.parquet").read_bytes() == (tmp_path / f"{name}2.parquet").read_bytes()
    assert list(found.frame.columns) == COLUMNS[kind]
    assert list(key.frame.columns) == ["item_id", "language", "answer"]


def test_what_else_decides_the_answers_travels_with_the_questions(mirror, tmp_path) -> None:
    asked, _ = made(mirror, tmp_path)
    told = replace(asked, version=3, stops={GERMAN: ("\nFrage:",), ENGLISH: ()})
    told.write(tmp_path / "q.parquet")
    found = Questions.read(tmp_path / "q.parquet", [GERMAN])
    assert (found.kind, found.version) == ("choice", 3)
    assert found.stops == {GERMAN: ["\nFrage:"], ENGLISH: []}


def test_a_key_that_is_put_right_leaves_the_questions_as_they_are(mirror, tmp_path) -> None:
    asked, right = made(mirror, tmp_path)
    asked.write(tmp_path / "q.parquet")
    before = (tmp_path / "q.parquet").read_bytes()
    mended = replace(right, frame=right.frame.assign(answer=0))
    mended.write(tmp_path / "k.parquet")
    asked.write(tmp_path / "q.parquet")
    assert (tmp_path / "q.parquet").read_bytes() == before
    assert set(read_joined(tmp_path / "q.parquet", tmp_path / "k.parquet")["answer"]) == {0}


def test_each_question_is_joined_with_its_own_answer(mirror, tmp_path) -> None:
    asked, right = made(mirror, tmp_path)
    shuffled = replace(right, frame=right.frame.iloc[::-1].reset_index(drop=True))
    assert joined(asked, shuffled)["answer"].tolist() == right.frame["answer"].tolist()
    with pytest.raises(TaskError, match=r"the key has no answer to item arithmetic-report-3-0000 in eng_Latn"):
        joined(asked, replace(right, frame=right.frame.iloc[1:]))
    with pytest.raises(TaskError, match="the questions ask for a choice and the key has those of a number"):
        joined(asked, replace(right, kind="number"))


def test_languages_and_a_split_are_read_alone(mirror, tmp_path) -> None:
    made(mirror, tmp_path)[0].write(tmp_path / "a.parquet")
    found = Questions.read(tmp_path / "a.parquet", [GERMAN, ENGLISH], "report").frame
    assert found["language"].tolist() == [GERMAN, ENGLISH] * 4
    assert set(found["split"]) == {"report"}
    for wanted in ({"languages": ["fra_Latn"]}, {"split": "train"}):
        with pytest.raises(TaskError, match="does not hold"):
            Questions.read(tmp_path / "a.parquet", **wanted)


def test_a_file_that_is_no_task_is_refused(mirror, tmp_path) -> None:
    with pytest.raises(TaskError, match="is absent"):
        Questions.read(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(TaskError, match=r"a.parquet carries no checksum: it is damaged"):
        Key.read(tmp_path / "a.parquet")
    parquet.write(tmp_path / "a.parquet", {"a": pyarrow.array([1])})
    with pytest.raises(TaskError, match="holds no questions of a task: its columns are a"):
        Questions.read(tmp_path / "a.parquet")
    made(mirror, tmp_path)[1].write(tmp_path / "k.parquet")
    with pytest.raises(TaskError, match="holds no questions of a task: its columns are item_id, language, answer"):
        Questions.read(tmp_path / "k.parquet")


def test_some_items_are_at_equal_distances_in_each_half_and_the_same_in_every_language() -> None:
    rows = [(f"i{n:02d}", code, "select" if n < 10 else "report") for n in range(16) for code in ("a", "b")]
    frame = pd.DataFrame(rows, columns=["item_id", "language", "split"])
    found = some_items(frame, 4)
    assert found["item_id"].unique().tolist() == ["i00", "i02", "i05", "i07", "i10", "i11", "i13", "i14"]
    assert found.groupby("item_id")["language"].apply(list).map(tuple).unique().tolist() == [("a", "b")]
    assert some_items(frame, None) is frame
    assert len(some_items(frame, 100)) == len(frame), "a half that has fewer keeps all"
