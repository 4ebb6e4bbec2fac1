"""Readers of tasks whose answers are written (XQuAD, PolyMath, translation), on small files and on real rows."""

import json
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from polyroute.artifacts import questions
from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.questions import TaskError
from polyroute.cli.mirror import fill
from polyroute.ground.hub import HubSource, is_commit
from polyroute.languages import table as languages
from polyroute.params import file as params
from polyroute.readers import polymath, xquad
from polyroute.readers.polymath import PolyMathTask
from polyroute.readers.translation import TranslationTask
from polyroute.readers.xquad import XQuADTask
from polyroute.scoring.numbers import extract
from readers.fetched import fetch_items
from tiny import ROOT, raw_params

ENGLISH, GERMAN = "eng_Latn", "deu_Latn"


def xquad_spec(**changes) -> XQuADTask:
    given = {"reader": "xquad", "hub": "google/xquad", "revision": "main", "items": 8}
    return XQuADTask.model_validate(given | {"files": "xquad.{language}/a.parquet"} | changes)


def xquad_rows(word: str, count: int = 8, **changes) -> list[dict]:
    return [
        {
            "id": f"q{number}", "context": f"\ufeff{word} {number // 2} is long.", "question": f" {word} {number}?",
            "answers": {"text": [f"{number // 2} "], "answer_start": [len(word) + 1]},
        }
        | changes
        for number in range(count)
    ]  # fmt: skip


def put_parquet(put, path: str, rows: list[dict]) -> None:
    target = put(path, b"")
    pd.DataFrame(rows).to_parquet(target)


def test_xquad_asks_as_paper_2_does(mirror, put) -> None:
    put_parquet(put, "google/xquad/xquad.en/a.parquet", xquad_rows("passage"))
    put_parquet(put, "google/xquad/xquad.zh/a.parquet", xquad_rows("段落"))
    frame = fetch_items("reading", xquad_spec(), [ENGLISH, "zho_Hans"], mirror)
    assert list(frame.columns) == [*questions.COLUMNS["span"], "answer"]
    assert frame["item_id"].tolist()[::2] == [f"q{number}" for number in range(8)]
    assert frame["prompt"].tolist()[:2] == [
        "passage 0 is long.\npassage 0?\nPlease output the answer directly.",
        "段落 0 is long.\n段落 0?\n请直接输出答案。",
    ]
    assert frame["answer"].tolist()[::2] == [str(number // 2) for number in range(8)]
    # Questions on a passage are on one side.
    assert frame.assign(page=frame["answer"]).groupby("page")["split"].nunique().max() == 1
    assert xquad_spec().stops(ENGLISH) == ()
    assert xquad_spec().covered() == sorted(xquad.LANGUAGES)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (xquad_rows("p", 7), r"task `reading`: .*a.parquet has 7 items in deu_Latn where 8 are expected"),
        (xquad_rows("p", id="q0"), r"deu_Latn: there twice: q0"),
        (
            xquad_rows("p", answers={"text": ["9"], "answer_start": [0]}),
            r"a.parquet: item q0 in deu_Latn: its answer `9` does not stand in its passage",
        ),
        (xquad_rows("p", answers={"text": [], "answer_start": []}), r"item q0 in deu_Latn has 0 answers where XQuAD"),
        (xquad_rows("p", answers={"text": [" "], "answer_start": [0]}), r"deu_Latn: answer missing \(empty\): q0, q1"),
        (xquad_rows("p", answers=None), r"a.parquet is not laid out as XQuAD is"),
        ([{"id": "q0"}], r"a.parquet is not laid out as XQuAD is: KeyError\('context'\)"),
    ],
)
def test_a_broken_xquad_is_refused_by_name(mirror, put, rows, match) -> None:
    put_parquet(put, "google/xquad/xquad.de/a.parquet", rows)
    with pytest.raises(TaskError, match=match):
        fetch_items("reading", xquad_spec(), [GERMAN], mirror)


@pytest.mark.parametrize("name", ["a.parquet", "a.json"])
def test_a_file_that_is_none_is_refused_by_name(mirror, put, name) -> None:
    put(f"google/xquad/xquad.de/{name}", "no file")
    with pytest.raises(TaskError, match=rf"task `reading`: .*{name} cannot be read"):
        fetch_items("reading", xquad_spec(files=f"xquad.{{language}}/{name}"), [GERMAN], mirror)


def test_a_question_that_a_language_lacks_is_named(mirror, put) -> None:
    put_parquet(put, "google/xquad/xquad.en/a.parquet", xquad_rows("p"))
    put_parquet(put, "google/xquad/xquad.de/a.parquet", [*xquad_rows("p", 7), xquad_rows("p")[7] | {"id": "q9"}])
    with pytest.raises(TaskError, match=r"deu_Latn: missing, though in another language: q7"):
        fetch_items("reading", xquad_spec(), [ENGLISH, GERMAN], mirror)


def test_real_xquad_is_parallel_and_every_answer_stands_in_its_passage(real_data: Path) -> None:
    spec = xquad_spec(files="xquad.{language}.json", items=1190)
    held = [
        code
        for code, language in xquad.LANGUAGES.items()
        if (real_data / "hub" / "google" / "xquad" / f"xquad.{language.code}.json").is_file()
    ]
    frame = fetch_items("xquad", spec, held, HubSource(real_data))
    assert len(frame) == 1190 * len(held)
    first = frame[frame["item_id"] == "56beb4343aeaaa14008c925b"].set_index("language")
    assert set(first["answer"]) == {"308"}
    assert first["prompt"][ENGLISH].startswith("The Panthers defense gave up just 308 points, ranking sixth")
    assert first["prompt"][ENGLISH].endswith(
        ".\nHow many points did the Panthers defense surrender?\nPlease output the answer directly."
    )
    assert first["prompt"]["spa_Latn"][0] == "L", "the byte order mark of the release is gone"
    passages = frame[frame["language"] == ENGLISH]
    contexts = passages["prompt"].str.split("\n").str[0]
    assert contexts.nunique() == 240
    assert passages.groupby(contexts)["split"].nunique().max() == 1


def polymath_spec(**changes) -> PolyMathTask:
    given = {
        "reader": "polymath", "hub": "Qwen/PolyMath", "revision": "main", "files": "{language}/{level}.jsonl",
        "levels": ["low"], "items": 8,
    }  # fmt: skip
    return PolyMathTask.model_validate(given | changes)


def polymath_rows(language: str, level: str = "low", answers=("18", "$-85$")) -> str:
    rows = [
        {"id": f"{level}-{language}-{number}", "question": f" how many {number}?", "answer": answers[number % 2]}
        for number in range(8)
    ]
    return "\n".join(map(json.dumps, rows))


def test_polymath_asks_for_a_box_in_the_language_of_the_problem(mirror, put) -> None:
    for code in ("de", "en"):
        put(f"Qwen/PolyMath/{code}/low.jsonl", polymath_rows(code))
        put(f"Qwen/PolyMath/{code}/top.jsonl", polymath_rows(code, "top", (r"$\frac{\pi}{3}$", r"x > 2")))
    frame = fetch_items("maths", polymath_spec(levels=["low", "top"]), [GERMAN, ENGLISH], mirror)
    assert list(frame.columns) == [*questions.COLUMNS["number"], "answer"]
    german = frame[frame["language"] == GERMAN].set_index("item_id")
    assert german.index.tolist() == [f"{level}-00{number}" for level in ("low", "top") for number in range(8)]
    assert german["prompt"]["low-000"] == (
        "how many 0?\nHinweis: Bitte setzen Sie die endgültige Antwort in $\\boxed\\{\\}$."
    )
    assert german["answer"][["low-000", "low-001", "top-000", "top-001"]].tolist() == [
        "18", "-85", r"$\frac{\pi}{3}$", "$x > 2$"
    ]  # fmt: skip
    assert polymath_spec(levels=["low", "top"]).paths("zsm_Latn") == ["ms/low.jsonl", "ms/top.jsonl"]


@pytest.mark.parametrize(
    ("rows", "error", "match"),
    [
        (polymath_rows("de") + "\n" + polymath_rows("de"), TaskError, "low.jsonl has 16 items in deu_Latn where 8"),
        (polymath_rows("en"), TaskError, r"low.jsonl: id `low-en-0` in deu_Latn is not `low-de-number`"),
        (polymath_rows("de", "top"), TaskError, r"id `top-de-0` in deu_Latn is not `low-de-number`"),
        (polymath_rows("de", answers=("18", "17")), TaskError, "another answer than in another language: low-001"),
        (polymath_rows("de", answers=("18", "$x$")), TaskError, "a formula, but a number in another language: low-001"),
        ("{}", CorpusError, "no column `id`"),
    ],
)  # fmt: skip
def test_a_broken_polymath_is_refused_by_name(mirror, put, rows, error, match) -> None:
    put("Qwen/PolyMath/en/low.jsonl", polymath_rows("en"))
    put("Qwen/PolyMath/de/low.jsonl", rows)
    with pytest.raises(error, match=match):
        fetch_items("maths", polymath_spec(), [ENGLISH, GERMAN], mirror)


def test_polymath_knows_its_18_languages_by_flores_codes() -> None:
    assert len(polymath.CODES) == len(set(polymath.CODES.values())) == 18
    assert set(polymath.REQUESTS) == set(polymath.CODES)
    for code, folder in polymath.CODES.items():
        assert languages.get(code).bcp47.split("-")[0] == folder
        assert r"$\boxed\{\}$" in polymath.REQUESTS[code]
        assert extract(r"7 + 11 = $\boxed{18}$", code) == "18"


def translation_spec(**changes) -> TranslationTask:
    given = {
        "reader": "translation", "layout": "sib200", "hub": "D/sib", "revision": "main", "splits": ["a", "b"],
        "files": "{language}/{split}.tsv", "items": 8,
    }  # fmt: skip
    return TranslationTask.model_validate(given | changes)


def sib(word: str, first: int) -> str:
    rows = "".join(f"{number}\ttravel\t{word} {number}\n" for number in range(first, first + 4))
    return "index_id\tcategory\ttext\n" + rows


def test_translations_are_asked_for_from_english_in_english(mirror, put) -> None:
    for code, word in ((ENGLISH, "house"), (GERMAN, "Haus"), ("zho_Hans", "房子")):
        for split, first in (("a", 0), ("b", 4)):
            put(f"D/sib/{code}/{split}.tsv", sib(word, first))
    frame = fetch_items("flores", translation_spec(), [ENGLISH, GERMAN, "zho_Hans"], mirror)
    assert list(frame.columns) == [*questions.COLUMNS["translation"], "answer"]
    assert frame["language"].tolist() == [ENGLISH, GERMAN, "zho_Hans"] * 8
    assert frame["prompt"].tolist()[1:3] == [
        "Translate the following English text into German.\nEnglish: house 0\n\nGerman:",
        "Translate the following English text into Chinese.\nEnglish: house 0\n\nChinese:",
    ]
    assert frame["answer"].tolist()[:3] == ["house 0", "Haus 0", "房子 0"]
    alone = fetch_items("flores", translation_spec(), [GERMAN], mirror)
    assert alone["prompt"].tolist() == frame[frame["language"] == GERMAN]["prompt"].tolist()
    assert set(alone["language"]) == {GERMAN}
    assert translation_spec().stops(GERMAN) == ("\nEnglish:",)


def test_a_translation_needs_the_english_files_too() -> None:
    assert translation_spec().paths(GERMAN) == [
        "eng_Latn/a.tsv", "eng_Latn/b.tsv", "deu_Latn/a.tsv", "deu_Latn/b.tsv"
    ]  # fmt: skip
    assert translation_spec().paths(ENGLISH) == ["eng_Latn/a.tsv", "eng_Latn/b.tsv"]
    plus = translation_spec(layout="flores_plus", files="{split}/{language}.jsonl", splits=["dev"])
    assert plus.paths("zho_Hans") == ["dev/eng_Latn.jsonl", "dev/cmn_Hans.jsonl"]
    assert plus.covered() == translation_spec().covered()
    assert len(plus.covered()) == 205


def test_a_broken_corpus_is_refused_by_name(mirror, put) -> None:
    for code in (ENGLISH, GERMAN):
        put(f"D/sib/{code}/a.tsv", sib("Haus", 0))
        put(f"D/sib/{code}/b.tsv", sib("Haus", 4 if code == ENGLISH else 5))
    with pytest.raises(CorpusError, match=r"`?flores`?.*(?s:.*)deu_Latn"):
        fetch_items("flores", translation_spec(), [ENGLISH, GERMAN], mirror)


@pytest.mark.parametrize(
    ("spec", "code"), [(xquad_spec(), "fra_Latn"), (polymath_spec(), "ell_Grek"), (translation_spec(), "zgh_Tfng")]
)
def test_a_language_that_they_lack_is_refused(mirror, spec, code) -> None:
    with pytest.raises((TaskError, languages.LanguageError), match=code):
        fetch_items("t", spec, [code], mirror)


def test_a_mirror_takes_all_their_files(put, mirror, tmp_path) -> None:
    pinned = {"revision": "f" * 40}
    entries = {
        "reading": xquad_spec(**pinned), "maths": polymath_spec(**pinned), "flores": translation_spec(**pinned)
    }  # fmt: skip
    given = raw_params()
    model = {
        "engine": "transformers", "folder": "models/m", "dtype": "float32", "batch_tokens": 8, "languages": "few",
        "corpora": ["made"], "tasks": list(entries),
    }  # fmt: skip
    made = {"reader": "miniworld", "content": "generic", "split": "report", "items": 1, "seed": 0}
    study = params.parse(
        given
        | {
            "study": given["study"] | {"models": ["one"], "extra": []}, "languages": {"few": [ENGLISH, GERMAN]},
            "corpora": {"made": made}, "models": {"one": model},
            "tasks": {name: spec.model_dump() for name, spec in entries.items()},
            "mask": given["mask"] | {"tasks": {}},
        }
    )  # fmt: skip
    places = {f"google/xquad/xquad.{code}/a.parquet" for code in ("en", "de")}
    places |= {f"Qwen/PolyMath/{code}/low.jsonl" for code in ("en", "de")}
    places |= {f"D/sib/{code}/{split}.tsv" for code in (ENGLISH, GERMAN) for split in "ab"}
    for place in places:
        put(place, place)
    assert set(fill(study, ["one"], tmp_path / "filled", mirror).files) == {f"hub/{place}" for place in places}


def test_the_repositorys_entries_are_pinned_and_cover_its_languages() -> None:
    given = params.read(ROOT / "params.yaml")
    lacking = {
        "xquad": {"fra_Latn", "jpn_Jpan", "ben_Beng", "swh_Latn", "yor_Latn", "bam_Latn"},
        "polymath": {"yor_Latn", "bam_Latn"}, "flores-translation": set(),
    }  # fmt: skip
    for name, absent in lacking.items():
        assert is_commit(given.tasks[name].revision)
        assert set(given.tasks[name].languages_of(given.languages["flores"])[1]) == absent


@pytest.mark.parametrize(
    ("spec", "change", "match"),
    [
        (polymath_spec, {"files": "{language}/low.parquet"}, "no `{level}` in `files`"),
        (polymath_spec, {"levels": ["low", "low"]}, "levels: listed twice: low"),
        (polymath_spec, {"levels": ["hard"]}, "Input should be 'low', 'medium', 'high' or 'top'"),
        (translation_spec, {"layout": "belebele"}, "Input should be 'sib200' or 'flores_plus'"),
        (xquad_spec, {"files": "xquad.en.json"}, "no `{language}` in it"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(spec, change, match) -> None:
    with pytest.raises(ValidationError, match=match):
        spec(**change)


def test_every_reader_of_written_answers_has_a_version() -> None:
    assert [spec.version for spec in (xquad_spec(), polymath_spec(), translation_spec())] == [1] * 3
