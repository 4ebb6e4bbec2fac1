"""The file of answers: whole or refused, and the same bytes each time."""

import pandas as pd
import pyarrow.parquet
import pytest

from asking.asked import items
from polyroute.artifacts import parquet
from polyroute.artifacts.answers import Answers, AnswersHeader, comparable, read
from polyroute.ground.errors import AnswerError
from polyroute.scoring.choices import score_choices
from polyroute.scoring.written import score_numbers, score_spans, score_translations
from scoring.answered import Recogniser, number_task, raw_choices, raw_numbers


def header(**changes) -> AnswersHeader:
    given = {
        "model": "tiny", "model_digest": "abc", "task": "sums", "questions": {"eng_Latn": "def"},
        "kind": "number", "scored": True, "condition": "baseline",
        "engine": "transformers", "dtype": "float32", "device": "cpu",
        "settings": {"batch_tokens": 100, "chat": None, "thinking": False, "top_p": 1.0, "stop": ["\n"]},
        "versions": {"torch": "2"},
    }  # fmt: skip
    return AnswersHeader(**given | changes)


@pytest.fixture
def numbers() -> Answers:
    raw = raw_numbers("18", "", "die Lösung ist 3")
    return Answers(header(), score_numbers(raw, number_task("18", "3", "3"), "sums", Recogniser()))


@pytest.fixture
def choices() -> Answers:
    task = items(("a", ["yes", "n"]), ("b", ["yes", "n"]))
    return Answers(header(kind="choice"), score_choices(raw_choices([-1.0, -2.5], [-2.0, -1.0]), task, "sums"))


@pytest.fixture
def spans() -> Answers:
    raw, task = raw_numbers("It was 308.", "", "dreißig"), number_task("308", "3", "3")
    return Answers(header(kind="span"), score_spans(raw, task, "sums", Recogniser()))


@pytest.fixture
def translations() -> Answers:
    raw, task = raw_numbers("ein Haus", "", "ja"), number_task("das Haus", "nein", "ja")
    return Answers(header(kind="translation"), score_translations(raw, task, "sums"))


@pytest.fixture
def raw_written() -> Answers:
    return Answers(header(scored=False), raw_numbers("18", "", "die Lösung ist 3"))


@pytest.fixture
def raw_chosen() -> Answers:
    return Answers(header(scored=False, kind="choice"), raw_choices([-1.0, -2.5], [-2.0, -1.0]))


@pytest.mark.parametrize("kind", ["numbers", "choices", "spans", "translations", "raw_written", "raw_chosen"])
def test_answers_come_back_as_they_were_in_the_same_bytes(kind, request, tmp_path) -> None:
    answers = request.getfixturevalue(kind)
    answers.write(tmp_path / "one.parquet")
    found = read(tmp_path / "one.parquet")
    assert found.header == answers.header
    pd.testing.assert_frame_equal(found.frame, answers.frame, check_dtype=False)
    found.write(tmp_path / "deep" / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "deep" / "two.parquet").read_bytes()


def test_absent_answers_are_null_in_the_file(numbers, tmp_path) -> None:
    numbers.write(tmp_path / "a.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert table["extracted"].to_pylist() == ["18", None, "3"]
    assert table["correct"].to_pylist() == [True, False, True]


def test_a_frame_that_breaks_the_schema_is_not_written(numbers, choices, tmp_path) -> None:
    def refused(answers: Answers, frame: pd.DataFrame, match: str) -> None:
        with pytest.raises(AnswerError, match=match):
            Answers(answers.header, frame).write(tmp_path / "a.parquet")
        assert not (tmp_path / "a.parquet").exists()

    place = r"answers of tiny to sums \(baseline\): "
    refused(numbers, numbers.frame.drop(columns="finished"), place + "columns .* number tasks have")
    refused(numbers, numbers.frame.assign(split="train"), place + r"item i0 in eng_Latn: split is not one of")
    refused(numbers, pd.concat([numbers.frame] * 2), place + r"item i0 in eng_Latn: there twice")
    refused(numbers, numbers.frame.assign(output=[None, "1", "2"]), place + r"item i0 in eng_Latn: no `output`")
    refused(numbers, numbers.frame.assign(tokens="three"), "do not fit the columns of number tasks")
    refused(choices, choices.frame.assign(tokens=[[1, 1], [1]]), "item i1 in eng_Latn: lists of different lengths")


def test_raw_answers_hold_nothing_of_what_is_right(raw_written, numbers, tmp_path) -> None:
    for answers, other in ((raw_written, numbers), (numbers, raw_written)):
        with pytest.raises(AnswerError, match=r"columns .* number tasks have"):
            Answers(answers.header, other.frame).write(tmp_path / "a.parquet")
    assert not {"split", "extracted", "correct", "output_language"} & set(raw_written.frame)


def test_a_file_that_is_no_whole_file_of_answers_is_refused(numbers, tmp_path) -> None:
    path = tmp_path / "a.parquet"
    with pytest.raises(AnswerError, match="is absent"):
        read(path)
    numbers.write(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AnswerError, match=r"a.parquet is damaged: its content is not what its checksum says"):
        read(path)
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), path)
    with pytest.raises(AnswerError, match=r"a.parquet carries no checksum: it is damaged, or older than checksums"):
        read(path)
    parquet.write_table(path, pyarrow.table({"a": [1]}))
    with pytest.raises(AnswerError, match="not a whole file of answers"):
        read(path)
    numbers.write(path)
    table = pyarrow.parquet.read_table(path)
    parquet.write_table(path, table.drop_columns(["correct"]))
    with pytest.raises(AnswerError, match="are not those of number tasks"):
        read(path)


def test_a_baseline_is_compared_with_nothing_that_ran_otherwise(numbers) -> None:
    steered = Answers(header(condition="hard", condition_digest="123"), numbers.frame)
    comparable(numbers, steered)
    other = Answers(header(condition="hard", dtype="bfloat16"), numbers.frame)
    with pytest.raises(AnswerError, match=r"\(hard\) have dtype bfloat16, answers .*\(baseline\) have float32"):
        comparable(numbers, other)
    fewer = Answers(header(condition="hard"), numbers.frame.iloc[1:])
    with pytest.raises(AnswerError, match=r"1 are in the baseline only, 0 in the other only, such as \('i0'"):
        comparable(numbers, fewer)


def in_languages(*languages: str, digest: str = "q", condition: str = "baseline") -> Answers:
    frames = [raw_numbers("18", "3", language=code) for code in languages]
    asked = {code: f"{digest}-{code}" for code in languages}
    return Answers(header(scored=False, condition=condition, questions=asked), pd.concat(frames, ignore_index=True))


def test_some_of_the_languages_can_be_taken_out() -> None:
    some = in_languages("eng_Latn", "deu_Latn", "swh_Latn").only(["swh_Latn", "deu_Latn", "fra_Latn"])
    assert some.header.questions == {"deu_Latn": "q-deu_Latn", "swh_Latn": "q-swh_Latn"}
    pd.testing.assert_frame_equal(some.frame, in_languages("deu_Latn", "swh_Latn").frame)


def test_a_condition_asked_in_fewer_languages_is_compared() -> None:
    baseline = in_languages("eng_Latn", "deu_Latn", "swh_Latn")
    comparable(baseline, in_languages("deu_Latn", "swh_Latn", condition="mask"))
    with pytest.raises(AnswerError, match=r"questions in swh_Latn q-swh_Latn, answers .* have None"):
        comparable(in_languages("deu_Latn"), in_languages("deu_Latn", "swh_Latn", condition="mask"))
    fewer = in_languages("deu_Latn", "swh_Latn", condition="mask")
    fewer = Answers(fewer.header, fewer.frame.iloc[:-1])
    with pytest.raises(AnswerError, match=r"1 are in the baseline only, 0 in the other only, .*\('i1', 'swh_Latn'\)"):
        comparable(baseline, fewer)


def test_other_questions_in_one_language_are_refused_by_name() -> None:
    other = in_languages("eng_Latn", "deu_Latn", condition="mask")
    asked = other.header.questions | {"deu_Latn": "changed"}
    changed = Answers(other.header.model_copy(update={"questions": asked}), other.frame)
    with pytest.raises(
        AnswerError, match=r"sums \(mask\) have questions in deu_Latn changed, .*\(baseline\) have q-deu_Latn: .* alike"
    ):
        comparable(in_languages("eng_Latn", "deu_Latn"), changed)
