"""Any data set with columns: read by the library, from the hub's files or a folder, without its cache."""

import json
import os
import subprocess
import sys

import pyarrow
import pyarrow.parquet
import pytest
from pydantic import ValidationError

from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.questions import TaskError
from polyroute.ground.hub import HubSource
from polyroute.readers import datasets
from polyroute.readers.datasets import DatasetCorpus, DatasetTask
from polyroute.readers.fetch import fetch_corpus
from readers.corpus_files import COMMIT, jsonl
from readers.fetched import fetch_items

ENGLISH, GERMAN = "eng_Latn", "deu_Latn"


def corpus(**changes) -> DatasetCorpus:
    return DatasetCorpus(**{"reader": "datasets", "hub": "o/d", "revision": COMMIT} | changes)


def task(**changes) -> DatasetTask:
    return DatasetTask(**{"reader": "datasets", "hub": "o/t", "revision": COMMIT, "kind": "choice"} | changes)


def parquet(put, path: str, rows: list[dict]) -> None:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), put(path, b""))


def test_a_parallel_corpus_with_a_configuration_a_language(mirror, put) -> None:
    for code, texts in (("en", ["one", "two"]), ("de", ["eins", "zwei"])):
        parquet(put, f"o/d/{code}/test.parquet", [{"nr": 7 + n, "sentence": text} for n, text in enumerate(texts)])
    spec = corpus(files="{language}/test.parquet", codes="bcp47", id="nr", text="sentence", items=2)
    frame = fetch_corpus("mine", spec, [ENGLISH, GERMAN], mirror)
    assert frame.to_numpy().tolist() == [
        ["7", ENGLISH, "one"], ["7", GERMAN, "eins"], ["8", ENGLISH, "two"], ["8", GERMAN, "zwei"]
    ]  # fmt: skip
    assert spec.paths(GERMAN) == ["de/test.parquet"]
    with pytest.raises(CorpusError, match=r"no column `text`; there are nr, sentence"):
        fetch_corpus("mine", corpus(files="{language}/test.parquet", codes="bcp47"), [ENGLISH], mirror)


def test_a_parallel_corpus_with_a_column_a_language(mirror, put) -> None:
    parquet(
        put, "o/d/all.parquet", [{"en": "one", "pt-BR": "um", "id": "a"}, {"en": "two", "pt-BR": "dois", "id": "b"}]
    )
    spec = corpus(files="all.parquet", text="{language}")
    frame = fetch_corpus("mine", spec, ["por_Latn", ENGLISH], mirror)
    assert frame["item_id"].tolist() == ["00000", "00000", "00001", "00001"]
    assert frame["text"].tolist() == ["um", "one", "dois", "two"]
    with pytest.raises(CorpusError, match=r"all.parquet: no column of deu_Latn; there are en, pt-BR, id"):
        fetch_corpus("mine", spec, [ENGLISH, GERMAN], mirror)


def test_a_parallel_corpus_with_a_language_column(mirror, put) -> None:
    rows = [{"lang": code, "text": f"{code} {n}"} for n in range(3) for code in ("deu", "eng", "xx")]
    put("o/d/all.jsonl", jsonl(*rows))
    spec = corpus(files="all.jsonl", language="lang")
    frame = fetch_corpus("mine", spec, [ENGLISH, GERMAN], mirror)
    assert frame["text"].tolist()[:3] == ["eng 0", "deu 0", "eng 1"]
    with pytest.raises(CorpusError, match=r"no rows of fra_Latn; column `lang` holds deu, eng, xx"):
        fetch_corpus("mine", spec, ["fra_Latn"], mirror)
    named = corpus(files="all.jsonl", language="lang", codes={"fra_Latn": "xx"})
    assert fetch_corpus("mine", named, ["fra_Latn"], mirror)["text"][0] == "xx 0"


def test_two_names_of_one_language_must_be_told_apart(mirror, put) -> None:
    put("o/d/all.jsonl", jsonl({"language": "pt-BR", "text": "trem"}, {"language": "pt-PT", "text": "comboio"}))
    with pytest.raises(CorpusError, match=r"`pt-BR` and `pt-PT` are both por_Latn: say which with `codes: {por_Latn"):
        fetch_corpus("mine", corpus(files="all.jsonl"), ["por_Latn"], mirror)
    spec = corpus(files="all.jsonl", codes={"por_Latn": "pt-PT"})
    assert fetch_corpus("mine", spec, ["por_Latn"], mirror)["text"].tolist() == ["comboio"]


def test_a_large_file_is_read_no_further_than_what_is_taken(mirror, put, monkeypatch) -> None:
    parquet(put, f"o/d/{ENGLISH}.parquet", [{"text": f"t{n}"} for n in range(500)])
    read = []
    whole = datasets._records
    monkeypatch.setattr(datasets, "_records", lambda file: (read.append(row) or row for row in whole(file)))
    frame = fetch_corpus("mine", corpus(files="{language}.parquet", take=3), [ENGLISH], mirror)
    assert frame["text"].tolist() == ["t0", "t1", "t2"]
    assert len(read) == 4
    frame = fetch_corpus("mine", corpus(files="{language}.parquet", take=3, items=500), [ENGLISH], mirror)
    assert len(frame) == 3, "where the number of items is checked, all are read"


def test_a_folder_is_a_data_set_too(tmp_path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "en.csv").write_text('id,text\n007,"one, two"\n')
    spec = DatasetCorpus(reader="datasets", folder=tmp_path / "d", files="{language}.csv", id="id")
    assert fetch_corpus("mine", spec, [ENGLISH], HubSource()).to_numpy().tolist() == [["007", ENGLISH, "one, two"]]
    with pytest.raises(CorpusError, match=r"d/deu_Latn.csv is absent"):
        fetch_corpus("mine", spec, [GERMAN], HubSource())


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"hub": "o/d", "files": "a"}, "`hub` needs a `revision`"),
        ({"hub": "o/d", "revision": "r", "folder": "f", "files": "a"}, "exactly one of `hub` and `folder`"),
        ({"folder": "f", "revision": "r", "files": "a"}, "a folder has none"),
    ],
)
def test_an_entry_has_one_source(given, match) -> None:
    with pytest.raises(ValidationError, match=match):
        DatasetCorpus(reader="datasets", **given)


QUESTIONS = [
    {"q": f"Which is {n}?", "choices": {"text": [f"{n}", f"{n + 1}"], "label": ["A", "B"]}, "key": "A", "gold": 0}
    for n in range(12)
]


def test_questions_whose_options_are_a_list(mirror, put) -> None:
    parquet(put, f"o/t/{ENGLISH}.parquet", QUESTIONS)
    spec = task(
        files="{language}.parquet", prompt="{q}\nAnswer:", options=" {choices.text}", answer="key", answer_is="letter"
    )
    frame = fetch_items("mine", spec, [ENGLISH], mirror)
    assert frame["prompt"][0] == "Which is 0?\nAnswer:"
    assert frame["choices"][3] == [" 3", " 4"]
    assert set(frame["answer"]) == {0}
    lettered = task(
        files="{language}.parquet", prompt="{q}\n{options}\nAnswer:", options="choices.text", answer="gold",
        answer_is="index",
    )  # fmt: skip
    frame = fetch_items("mine", lettered, [ENGLISH], mirror)
    assert frame["prompt"][0] == "Which is 0?\nA. 0\nB. 1\nAnswer:"
    assert frame["choices"][0] == [" A", " B"]


def test_questions_in_a_column_a_language_with_options_in_columns(mirror, put) -> None:
    rows = [
        {
            "id": f"i{n}", "q_en": f"one {n}", "q_de": f"eins {n}", "a_en": "yes", "a_de": "ja", "b_en": "no",
            "b_de": "nein", "right_en": "no", "right_de": "nein",
        }
        for n in range(12)
    ]  # fmt: skip
    put("o/t/all.jsonl", jsonl(*rows))
    spec = task(
        files="all.jsonl", id="id", prompt="{q_{language}}?", options=[" {a_{language}}", " {b_{language}}"],
        answer="right_{language}", answer_is="text",
    )  # fmt: skip
    frame = fetch_items("mine", spec, [ENGLISH, GERMAN], mirror)
    assert frame["prompt"].tolist()[:2] == ["one 0?", "eins 0?"]
    assert frame["choices"].tolist()[:2] == [[" yes", " no"], [" ja", " nein"]]
    assert set(frame["answer"]) == {1}


def test_questions_with_answers_to_be_written(mirror, put) -> None:
    put("o/t/en.jsonl", jsonl(*[{"question": f"{n} + 1?", "answer": n + 1} for n in range(12)]))
    spec = task(kind="number", files="{language}.jsonl", codes="bcp47", prompt="{question}\n=", languages=[ENGLISH])
    frame = fetch_items("mine", spec, [ENGLISH], mirror)
    assert frame["answer"].tolist()[:2] == ["1", "2"]
    assert spec.languages_of([GERMAN, ENGLISH]) == ([ENGLISH], [GERMAN])
    with pytest.raises(TaskError, match=r"task `mine`: .*en.jsonl.*: no column `query`"):
        fetch_items(
            "mine", task(kind="number", files="{language}.jsonl", codes="bcp47", prompt="{query}"), [ENGLISH], mirror
        )


def test_a_broken_file_is_named(mirror, put) -> None:
    put("o/d/a.parquet", "no")
    with pytest.raises(CorpusError, match=r"a.parquet: not a Parquet file"):
        fetch_corpus("mine", corpus(files="a.parquet"), [ENGLISH], mirror)
    put("o/d/a.json", '[{"text": "x"}, {"text": ')
    with pytest.raises(CorpusError, match=r"a.json: cannot be read"):
        fetch_corpus("mine", corpus(files="a.json"), [ENGLISH], mirror)


def test_text_that_looks_like_something_else_is_not_changed_in_silence(mirror, put) -> None:
    put("o/d/a.jsonl", jsonl({"text": "2020-01-01T00:00:00Z"}, {"text": "2020-01-02T00:00:00Z"}))
    with pytest.raises(CorpusError, match=r"column `text` holds Timestamp|datetime"):
        fetch_corpus("mine", corpus(files="a.jsonl"), [ENGLISH], mirror)


def test_nothing_is_written_into_the_home_folder_and_no_network_is_used(tmp_path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "eng_Latn.jsonl").write_text(json.dumps({"text": "one"}))
    pyarrow.parquet.write_table(pyarrow.table({"text": ["eins"]}), tmp_path / "d" / "deu_Latn.parquet")
    script = f"""
import socket
def refused(*_): raise AssertionError("went to the network")
socket.socket.connect = refused
from polyroute.ground.hub import HubSource
from polyroute.readers.datasets import DatasetCorpus
for files, code in (("{{language}}.jsonl", "eng_Latn"), ("{{language}}.parquet", "deu_Latn")):
    spec = DatasetCorpus(reader="datasets", folder={str(tmp_path / "d")!r}, files=files)
    assert len(spec.read([code], HubSource())) == 1
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("XDG_CACHE_HOME", None)
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, cwd=tmp_path)
    assert list((tmp_path / "home").iterdir()) == []
