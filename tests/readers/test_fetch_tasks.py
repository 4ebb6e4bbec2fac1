"""Readers of tasks on small files, their splits, and the table they are kept in."""

import hashlib
import json
from collections import Counter

import pandas as pd
import pytest

from polyroute.artifacts import questions
from polyroute.artifacts.corpus import CorpusError
from polyroute.artifacts.questions import TaskError
from polyroute.languages import table as languages
from polyroute.readers import global_mmlu, harness_words, mgsm
from polyroute.readers.belebele import BelebeleTask
from polyroute.readers.fetch import halves
from polyroute.readers.global_mmlu import GlobalMMLUTask
from polyroute.readers.local import LocalTask
from polyroute.readers.mgsm import MGSMTask
from polyroute.readers.miniworld import MiniworldTask
from polyroute.scoring import numbers
from readers.fetched import fetch_items

ENGLISH, GERMAN = "eng_Latn", "deu_Latn"


def belebele_spec(**changes) -> BelebeleTask:
    given = {"reader": "belebele", "hub": "facebook/belebele", "revision": "main", "files": "data/{language}.jsonl"}
    return BelebeleTask(**given | {"items": 12} | changes)


def belebele_rows(language: str, count: int = 12, **changes) -> str:
    rows = [
        {
            "link": f"page{number // 2}", "question_number": number % 2 + 1, "flores_passage": f"passage {number // 2}",
            "question": f" question {number}? ", "mc_answer1": "w", "mc_answer2": "x", "mc_answer3": "y",
            "mc_answer4": "z", "correct_answer_num": str(number % 4 + 1), "dialect": language,
        }
        | changes
        for number in range(count)
    ]  # fmt: skip
    return "\n".join(map(json.dumps, rows))


def mgsm_spec(**changes) -> MGSMTask:
    given = {"reader": "mgsm", "hub": "juletxara/mgsm", "revision": "main", "files": "mgsm_{language}.tsv"}
    return MGSMTask(**given | {"items": 8, "prompt": "direct"} | changes)


def mmlu_spec(**changes) -> GlobalMMLUTask:
    given = {
        "reader": "global_mmlu", "hub": "CohereLabs/Global-MMLU", "revision": "main", "splits": ["test"],
        "files": "{language}/{split}-00000-of-00001.parquet", "items": 24, "subjects": ["nutrition", "virology"],
        "per_subject": 11,
    }  # fmt: skip
    return GlobalMMLUTask(**given | changes)


def mmlu_file(tmp_path, **changes) -> bytes:
    rows = [
        {
            "sample_id": f"{subject}/test/{number}", "subject": subject, "question": f"{subject} {number}? ",
            "option_a": "w", "option_b": "x", "option_c": "y", "option_d": "z", "answer": "ABCD"[number % 4],
        }
        | changes
        for subject in ("nutrition", "virology") for number in reversed(range(12))
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "rows.parquet")
    return (tmp_path / "rows.parquet").read_bytes()


def test_belebele_asks_for_a_letter(mirror, put) -> None:
    for code in (ENGLISH, GERMAN):
        put(f"facebook/belebele/data/{code}.jsonl", belebele_rows(code))
    frame = fetch_items("reading", belebele_spec(), [GERMAN, ENGLISH], mirror)
    assert list(frame.columns) == [*questions.COLUMNS["choice"], "answer"]
    assert frame["language"].tolist() == [GERMAN, ENGLISH] * 12
    first = frame.iloc[0]
    assert first["item_id"] == "page0#1"
    assert first["prompt"] == "P: passage 0\nQ: question 0?\nA: w\nB: x\nC: y\nD: z\nAnswer:"
    assert first["choices"] == [" A", " B", " C", " D"]
    assert frame["answer"].tolist()[::2] == [number % 4 for number in range(12)]
    # A passage is on one side, whatever its questions.
    assert frame.assign(page=frame["item_id"].str[:5]).groupby("page")["split"].nunique().max() == 1


@pytest.mark.parametrize(
    ("rows", "error", "match"),
    [
        (belebele_rows(GERMAN, 11), TaskError, r"task `reading`: .*deu_Latn.jsonl has 11 items in deu_Latn where 12"),
        (belebele_rows(ENGLISH), TaskError, r"item page0#1 is in eng_Latn, not in deu_Latn"),
        (belebele_rows(GERMAN, mc_answer3=" "), TaskError, r"deu_Latn: option missing \(empty\): page0#1, page0#2,"),
        (belebele_rows(GERMAN, correct_answer_num="5"), TaskError, r"deu_Latn: answer outside the choices: page0#1"),
        (belebele_rows(GERMAN, correct_answer_num="A"), TaskError, r"deu_Latn: answer outside the choices"),
        (belebele_rows(GERMAN, link="page"), TaskError, r"deu_Latn: there twice: page#1, page#2"),
        (belebele_rows(GERMAN)[:-5], CorpusError, "line 12: not valid JSON"),
    ],
)
def test_a_broken_release_is_refused_by_name(mirror, put, rows, error, match) -> None:
    put(f"facebook/belebele/data/{GERMAN}.jsonl", rows)
    with pytest.raises(error, match=match):
        fetch_items("reading", belebele_spec(), [GERMAN], mirror)


def test_a_passage_that_a_language_lacks_is_named(mirror, put) -> None:
    put(f"facebook/belebele/data/{ENGLISH}.jsonl", belebele_rows(ENGLISH))
    put(f"facebook/belebele/data/{GERMAN}.jsonl", belebele_rows(GERMAN).replace("page5", "page9"))
    with pytest.raises(TaskError, match=r"deu_Latn: missing, though in another language: page5#1, page5#2"):
        fetch_items("reading", belebele_spec(), [ENGLISH, GERMAN], mirror)


def test_mgsm_asks_in_the_language_of_the_question(mirror, put) -> None:
    rows = "\n".join(f"wie viele {number}?\t{answer}" for number, answer in enumerate(["18", "2,125"] * 4))
    put("juletxara/mgsm/mgsm_de.tsv", rows)
    frame = fetch_items("sums", mgsm_spec(), [GERMAN], mirror)
    assert list(frame.columns) == [*questions.COLUMNS["number"], "answer"]
    assert frame["item_id"].tolist() == [f"00{number}" for number in range(8)]
    assert frame["prompt"][0] == "Frage: wie viele 0?\nAntwort:"
    assert frame["answer"].tolist() == ["18", "2125"] * 4
    worked = fetch_items("sums", mgsm_spec(prompt="cot"), [GERMAN], mirror)["prompt"][0]
    assert worked.startswith("Löse die Aufgabe Schritt für Schritt.")
    assert worked.endswith(
        "„Antwort:“ und dahinter nur das Ergebnis als Zahl.\n\nFrage: wie viele 0?\nSchritt-für-Schritt-Antwort:"
    )
    assert mgsm_spec().stops(GERMAN) == ("\nFrage:",)


def test_mgsm_asks_in_the_words_of_the_harness_where_it_is_told_to(mirror, put) -> None:
    for code, question in (("de", "wie viele"), ("zh", "多少"), ("fr", "combien")):
        put(f"juletxara/mgsm/mgsm_{code}.tsv", "\n".join(f"{question} {number}?\t18" for number in range(8)))
    spec = mgsm_spec(prompt="harness")
    frame = fetch_items("sums", spec, [GERMAN, "zho_Hans", "fra_Latn"], mirror)
    assert frame["prompt"].tolist()[:3] == [
        "Frage: wie viele 0?\nAntwort:", "问题： 多少 0?\nAnswer:", "Question : combien 0?\nRéponse :",
    ]  # fmt: skip
    assert spec.stops("zho_Hans") == ("问题：", "</s>", "<|im_end|>")
    assert set(harness_words.MGSM) == set(mgsm.WORDS)
    assert spec.own_asking() == {"chat": False, "max_new_tokens": 256, "temperature": 0}
    assert spec.own_score() == "flexible_extract"
    assert (mgsm_spec().own_asking(), mgsm_spec().own_score()) == ({}, None)


def test_mgsm_rows_out_of_step_are_noticed(mirror, put) -> None:
    put("juletxara/mgsm/mgsm_de.tsv", "\n".join(f"wie viele?{n}\t{n}" for n in range(8)))
    put("juletxara/mgsm/mgsm_sw.tsv", "\n".join(f"ngapi?{n}\t{n}" for n in [1, 0, *range(2, 8)]))
    with pytest.raises(TaskError, match=r"swh_Latn: another answer than in another language: 000, 001"):
        fetch_items("sums", mgsm_spec(), [GERMAN, "swh_Latn"], mirror)
    put("juletxara/mgsm/mgsm_de.tsv", "\n".join(f"wie viele?{n}\t{n}\tmore" for n in range(8)))
    with pytest.raises(TaskError, match=r"mgsm_de.tsv, line 1, in deu_Latn: 3 cells"):
        fetch_items("sums", mgsm_spec(), [GERMAN], mirror)


def test_mgsm_has_words_for_every_language_that_it_holds() -> None:
    assert sorted(mgsm.WORDS) == mgsm_spec().covered()
    assert len(mgsm.WORDS) == 11


@pytest.mark.parametrize("code", sorted(mgsm.WORDS))
def test_the_answer_word_that_a_prompt_asks_for_is_one_that_is_looked_for(code) -> None:
    words = mgsm.WORDS[code]
    assert words.answer in words.task
    assert numbers.extract(f"9 * 2 = 7 … {words.answer} 18\n5 {words.question}", code) == "18"


def test_global_mmlu_keeps_the_first_questions_of_each_subject(mirror, put, tmp_path) -> None:
    for folder in ("en", "fil"):
        put(f"CohereLabs/Global-MMLU/{folder}/test-00000-of-00001.parquet", mmlu_file(tmp_path))
    frame = fetch_items("medicine", mmlu_spec(), [ENGLISH, "tgl_Latn"], mirror)
    ids = frame[frame["language"] == "tgl_Latn"]["item_id"].tolist()
    assert ids == [f"{subject}/test/{number:04d}" for subject in ("nutrition", "virology") for number in range(11)]
    assert frame["prompt"][0] == "nutrition 0?\nA. w\nB. x\nC. y\nD. z\nAnswer:"
    assert frame["choices"][0] == [" A", " B", " C", " D"]
    assert frame["answer"].tolist()[:8:2] == [0, 1, 2, 3]
    assert mmlu_spec(splits=["test", "dev"]).paths("tgl_Latn") == [
        "fil/test-00000-of-00001.parquet", "fil/dev-00000-of-00001.parquet"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "spec", "match"),
    [
        ({}, {"items": 25}, "has 24 items in eng_Latn where 25 are expected"),
        ({}, {"per_subject": 13}, r"has 12 questions on `nutrition` in eng_Latn, fewer than per_subject = 13"),
        ({}, {"subjects": ["anatomy"]}, r"has 0 questions on `anatomy`"),
        ({"option_b": ""}, {}, r"eng_Latn: option missing \(empty\): nutrition/test/0000"),
        ({"answer": "E"}, {}, r"eng_Latn: answer outside the choices: nutrition/test/0000"),
        ({"answer": ""}, {}, r"eng_Latn: answer outside the choices"),
        ({"sample_id": "nutrition/7"}, {}, r"sample_id `nutrition/7`"),
    ],
)
def test_a_broken_global_mmlu_is_refused_by_name(mirror, put, tmp_path, change, spec, match) -> None:
    put("CohereLabs/Global-MMLU/en/test-00000-of-00001.parquet", mmlu_file(tmp_path, **change))
    with pytest.raises(TaskError, match=match):
        fetch_items("medicine", mmlu_spec(**spec), [ENGLISH], mirror)


PUBLISHED = {
    "subjects": ["clinical_knowledge", "college_medicine", "human_aging", "medical_genetics", "nutrition",
                 "professional_medicine", "virology"],
    "positions": "published", "per_subject": None,
}  # fmt: skip
OF_TEST = {"clinical_knowledge": 265, "college_medicine": 173, "human_aging": 223, "medical_genetics": 100,
           "nutrition": 306, "professional_medicine": 272, "virology": 166, "anatomy": 135}  # fmt: skip
"""Rows of MMLU's split `test` (Hendrycks et al. 2021)."""


def medical_file(tmp_path, count=OF_TEST) -> bytes:
    # The number in an id is not its place: here the file has the subjects mixed, and each from its last to its first.
    rows = [
        {
            "sample_id": f"{subject}/test/{total - 1 - place}", "subject": subject,
            "question": f"{subject} at {place}?",
            "option_a": "w", "option_b": "x", "option_c": "y", "option_d": "z", "answer": "A",
        }
        for place in range(max(count.values())) for subject, total in count.items() if place < total
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "medical.parquet")
    return (tmp_path / "medical.parquet").read_bytes()


def test_global_mmlu_asks_the_published_positions_of_the_files_rows(mirror, put, tmp_path) -> None:
    for folder in ("en", "sw"):
        put(f"CohereLabs/Global-MMLU/{folder}/test-00000-of-00001.parquet", medical_file(tmp_path))
    spec = mmlu_spec(**PUBLISHED, items=sum(OF_TEST.values()))
    frame = fetch_items("medicine", spec, [ENGLISH, "swh_Latn"], mirror)
    english, swahili = (frame[frame["language"] == code] for code in (ENGLISH, "swh_Latn"))
    assert len(english) == 7 * 60
    assert english["item_id"].tolist() == swahili["item_id"].tolist(), "the same in every language"
    asked: dict[str, set[int]] = {}
    for prompt in english["prompt"]:
        subject, place = prompt.split("?")[0].split(" at ")
        asked.setdefault(subject, set()).add(int(place))
    assert {subject: len(places) for subject, places in asked.items()} == dict.fromkeys(PUBLISHED["subjects"], 60)
    # The first and the last of the published lists, and one that holds 0.
    assert {149, 114, 204, 122, 263} <= asked["clinical_knowledge"]
    assert {0, 99, 22, 6} <= asked["medical_genetics"]
    assert 271 in asked["professional_medicine"], "the last row of all, counted from 0"
    assert {65, 111, 67, 57} <= asked["virology"]
    assert asked["nutrition"] != set(range(60)), "not the first 60"


def test_global_mmlu_asks_all_questions_of_its_subjects(mirror, put, tmp_path) -> None:
    put("CohereLabs/Global-MMLU/en/test-00000-of-00001.parquet", mmlu_file(tmp_path))
    assert len(fetch_items("medicine", mmlu_spec(positions="all", per_subject=None), [ENGLISH], mirror)) == 24


def test_published_positions_of_another_release_are_refused(mirror, put, tmp_path) -> None:
    short = OF_TEST | {"virology": 165}
    put("CohereLabs/Global-MMLU/en/test-00000-of-00001.parquet", medical_file(tmp_path, short))
    with pytest.raises(TaskError, match=r"has 165 questions on `virology` in eng_Latn, and the published .* go to 165"):
        fetch_items("medicine", mmlu_spec(**PUBLISHED, items=sum(short.values())), [ENGLISH], mirror)


def test_global_mmlu_knows_its_42_languages_by_flores_codes() -> None:
    assert len(global_mmlu.CODES) == len(set(global_mmlu.CODES.values())) == 42
    for code, folder in global_mmlu.CODES.items():
        assert languages.get(code).bcp47.split("-")[0] == folder


@pytest.mark.parametrize("content", ["arithmetic", "knowledge"])
def test_pocket_items_have_the_splits_of_their_world(mirror, content) -> None:
    spec = MiniworldTask(reader="miniworld", content=content, items=20, seed=3)
    frame = fetch_items("world", spec, [ENGLISH, "jpn_Jpan"], mirror)
    assert len(frame) == 2 * 2 * 20
    assert Counter(frame["split"]) == {"select": 40, "report": 40}
    assert (frame["choices"].map(len) == 10).all()
    one = frame[frame["language"] == ENGLISH].iloc[0]
    assert one["prompt"].endswith("Answer:")
    assert one["choices"][one["answer"]].endswith(".")
    alone = fetch_items("other", spec, ["jpn_Jpan"], mirror)
    same = frame[frame["language"] == "jpn_Jpan"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, same)
    assert not fetch_items("world", spec.model_copy(update={"seed": 4}), ["jpn_Jpan"], mirror).equals(alone)
    assert len(spec.covered()) == 18
    assert spec.paths(ENGLISH) == []


def test_pocket_knowledge_mixes_relations_and_says_how_many_facts_there_are(mirror) -> None:
    spec = MiniworldTask(reader="miniworld", content="knowledge", items=40, seed=3)
    frame = fetch_items("world", spec, [ENGLISH], mirror)
    assert frame["item_id"].str.split("-").str[1].nunique() == 5
    with pytest.raises(TaskError, match=r"task `world`: the mini world has 120 facts in the split select"):
        fetch_items("world", spec.model_copy(update={"items": 121}), [ENGLISH], mirror)


LOCAL = [
    {"item_id": f"q{n}", "prompt": f"ask {n}", "answer": "2", "choice_1": " a", "choice_2": " b"} for n in range(12)
]


def local_spec(files: str, kind: str = "choice") -> LocalTask:
    return LocalTask(reader="local", files=files, kind=kind)


@pytest.mark.parametrize("ending", ["tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("apart", [True, False])
def test_local_items_come_from_any_table(mirror, tmp_path, ending, apart) -> None:
    def store(rows: list[dict], name: str) -> None:
        frame = pd.DataFrame(rows)
        if ending == "tsv":
            frame.to_csv(tmp_path / name, sep="\t", index=False)
        elif ending == "jsonl":
            frame.to_json(tmp_path / name, orient="records", lines=True)
        else:
            frame.to_parquet(tmp_path / name)

    if apart:
        for code in (ENGLISH, GERMAN):
            store(LOCAL, f"{code}.{ending}")
        spec = local_spec(str(tmp_path / f"{{language}}.{ending}"))
    else:
        store([row | {"language": code} for code in (ENGLISH, GERMAN, "fra_Latn") for row in LOCAL], f"all.{ending}")
        spec = local_spec(str(tmp_path / f"all.{ending}"))
    frame = fetch_items("mine", spec, [ENGLISH, GERMAN], mirror)
    assert len(frame) == 24
    assert frame["choices"][0] == [" a", " b"]
    assert set(frame["answer"]) == {1}


def local(tmp_path, rows: list[dict], kind: str = "choice") -> LocalTask:
    (tmp_path / "eng_Latn.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return local_spec(str(tmp_path / "{language}.jsonl"), kind)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"choice_2": "", "choice_3": " c"}, r"choice missing \(empty\): q0"),
        ({"choice_2": ""}, "fewer than two choices: q0"),
        ({"choice_2": " a"}, "two choices are the same: q0"),
        ({"answer": "3"}, "answer outside the choices: q0"),
        ({"answer": "0"}, "answer outside the choices: q0"),
        ({"answer": "b"}, "answer outside the choices: q0"),
        ({"prompt": " "}, "empty prompt: q0"),
        ({"item_id": "q1"}, "there twice: q1"),
        ({"split": "train"}, "split is neither select nor report: q0"),
    ],
)
def test_broken_local_items_are_named(mirror, tmp_path, change, match) -> None:
    spec = local(tmp_path, [LOCAL[0] | change, *LOCAL[1:]])
    with pytest.raises(TaskError, match=rf"task `mine` cannot be used:\n  eng_Latn: {match}"):
        fetch_items("mine", spec, [ENGLISH], mirror)


def test_local_numbers_and_splits(mirror, tmp_path) -> None:
    rows = [
        {"item_id": f"q{n}", "prompt": "?", "answer": "-1.5", "split": ["report", "select"][n % 2]} for n in range(4)
    ]
    frame = fetch_items("mine", local(tmp_path, rows, "number"), [ENGLISH], mirror)
    assert frame["split"].tolist() == ["report", "select"] * 2
    assert frame["answer"].tolist() == ["-1.5"] * 4
    with pytest.raises(TaskError, match=r"eng_Latn: answer is no plain decimal such as 18 or -18.5: q0"):
        fetch_items("mine", local(tmp_path, [rows[0] | {"answer": "1,5"}, *rows[1:]], "number"), [ENGLISH], mirror)
    with pytest.raises(TaskError, match=r"none of its 2 items is in the split `select`"):
        fetch_items("mine", local(tmp_path, rows[::2], "number"), [ENGLISH], mirror)


def test_local_files_that_are_not_there_are_named(mirror, tmp_path) -> None:
    with pytest.raises(TaskError, match=r"task `mine`: .*eng_Latn.jsonl is absent"):
        fetch_items("mine", local_spec(str(tmp_path / "{language}.jsonl")), [ENGLISH], mirror)
    (tmp_path / "all.jsonl").write_text(json.dumps(LOCAL[0] | {"language": GERMAN}))
    with pytest.raises(TaskError, match=r"all.jsonl: no rows of eng_Latn; column `language` holds deu_Latn"):
        fetch_items("mine", local_spec(str(tmp_path / "all.jsonl")), [ENGLISH], mirror)


def test_halves_are_halves_in_the_order_of_a_hash() -> None:
    ids = [f"{number:03d}" for number in range(20)]
    found = halves("mgsm", {one: one for one in ids})
    order = sorted(ids, key=lambda one: hashlib.sha256(f"mgsm/{one}".encode()).hexdigest())
    assert [found[one] for one in order] == ["select"] * 10 + ["report"] * 10
    assert Counter(halves("mgsm", {one: one for one in ids[:19]}).values()) == {"select": 9, "report": 10}
    assert halves("mgsm-cot", {one: one for one in ids}) != found
    assert halves("mgsm", {}) == {}


def test_halves_do_not_divide_a_passage() -> None:
    # Ten passages of 1 to 10 questions, 55 in all.
    together = {f"{passage}-{question}": str(passage) for passage in range(10) for question in range(passage + 1)}
    found = halves("reading", together)
    sizes = Counter(found[passage] for passage in together.values())
    assert sum(sizes.values()) == 55
    assert abs(sizes["select"] - sizes["report"]) <= 9, "one passage at most is on the wrong side of the middle"


def test_take_keeps_the_first_items_of_each_split(mirror) -> None:
    spec = MiniworldTask(reader="miniworld", content="arithmetic", items=20, seed=3)
    whole = fetch_items("world", spec, [ENGLISH], mirror)
    some = fetch_items("world", spec.model_copy(update={"take": 5}), [ENGLISH], mirror)
    expected = whole.groupby("split", sort=False).head(5).reset_index(drop=True)
    pd.testing.assert_frame_equal(some, expected)


def test_a_language_that_a_task_lacks_is_refused(mirror) -> None:
    with pytest.raises(TaskError, match=r"task `sums` does not exist in bam_Latn; it does in ben_Beng, deu_Latn"):
        fetch_items("sums", mgsm_spec(), ["bam_Latn"], mirror)
    with pytest.raises(languages.LanguageError, match="`english` is not a FLORES code"):
        fetch_items("sums", local_spec("{language}.tsv"), ["english"], mirror)


def test_every_reader_has_a_version() -> None:
    assert [spec.version for spec in (mgsm_spec(), mmlu_spec(), belebele_spec(), local_spec("a"))] == [1] * 4
