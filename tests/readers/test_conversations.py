"""Corpora whose items have roles: worked problems, answered instructions, and tables with a reply."""

import json

import numpy as np
import pytest

from polyroute.artifacts import corpus as corpora
from polyroute.artifacts.corpus import CorpusError
from polyroute.ground.frozen import ParamsError
from polyroute.ground.hub import HubSource
from polyroute.readers.belebele import Belebele
from polyroute.readers.datasets import DatasetCorpus
from polyroute.readers.fetch import fetch_corpus
from polyroute.readers.gsm8k_instruct import NAMES, GSM8KInstruct
from polyroute.readers.local import LocalCorpus
from polyroute.readers.medinstruct import MedInstruct
from readers.corpus_files import jsonl

TEN = list(NAMES)


def row(language: str, problem: str, solution: str = "So 4.") -> dict[str, str]:
    """A row in the release's layout."""
    frame = (
        "Below is an instruction that describes a task. Write a response that appropriately completes the request in "
        f"{language}. Please answer in {language}. \n### Instruction:\n{problem}\n\n### Response:"
    )
    return {"prompt": frame, "chosen": solution, "reject": ""}


def group(number: int, languages=TEN) -> list[dict[str, str]]:
    return [row(name, f"{name} {number}?", f"{name} {number}.") for name in languages]


def instruct(put, rows, **changes) -> GSM8KInstruct:
    put("M/g/all.json", jsonl(*rows))
    return GSM8KInstruct(
        reader="gsm8k_instruct", hub="M/g", revision="main", files="all.json", **({"items": None} | changes)
    )


def test_problems_are_the_users_and_solutions_the_assistants(mirror, put):
    spec = instruct(put, [*group(0), *group(1), *group(2)])
    frame = fetch_corpus("maths", spec, ["eng_Latn", "swh_Latn"], mirror)
    # The last group is never kept.
    assert frame["item_id"].tolist() == ["00000", "00000", "00001", "00001"]
    assert frame["text"].tolist()[2:] == ["English 1?\n\nEnglish 1.", "Swahili 1?\n\nSwahili 1."]
    assert frame["turns"][1] == (("user", "Swahili 0?"), ("assistant", "Swahili 0."))


def test_groups_of_fewer_languages_are_no_items(mirror, put):
    twice = [*TEN[:-1], TEN[1]]  # nine rows beside English, of eight languages
    rows = [*group(0, TEN[:-1]), *group(1), *group(2, twice), *group(3, [*TEN, "Telugu"]), *group(4, ["English"])]
    spec = instruct(put, rows, items=2)
    assert fetch_corpus("maths", spec, ["deu_Latn"], mirror)["text"].tolist() == [
        "German 1?\n\nGerman 1.", "German 3?\n\nGerman 3.",
    ]  # fmt: skip


def test_the_problem_is_the_line_after_the_first_header(mirror, put):
    rows = [row(name, "One line.\nAnother ### line.") for name in TEN] + group(1)
    frame = fetch_corpus("maths", instruct(put, rows), ["eng_Latn"], mirror)
    assert frame["turns"][0][0].text == "One line."


def test_the_papers_draw_is_numpys(mirror, put):
    rows = [line for number in range(31) for line in group(number)]
    frame = fetch_corpus("maths", instruct(put, rows, take=7, take_seed=0), ["eng_Latn"], mirror)
    np.random.seed(0)
    drawn = np.random.choice(range(30), 7, replace=False)
    assert frame["item_id"].tolist() == [f"{number:05d}" for number in sorted(drawn)]


def test_a_release_as_one_list_is_read_too_and_another_layout_is_refused(mirror, put):
    spec = instruct(put, [])
    put("M/g/all.json", json.dumps([*group(0), *group(1)]))
    assert len(fetch_corpus("maths", spec, ["eng_Latn"], mirror)) == 1
    put("M/g/all.json", jsonl({"prompt": "What is 2 + 2?", "chosen": "4"}))
    with pytest.raises(CorpusError, match=r"all.json, row 1: word 18 of `prompt` names no language but ``"):
        fetch_corpus("maths", spec, ["eng_Latn"], mirror)
    put("M/g/all.json", jsonl(row("English", "x") | {"prompt": row("English", "x")["prompt"].replace("#", "")}))
    with pytest.raises(CorpusError, match="row 1: no line after a `###` header in `prompt`"):
        fetch_corpus("maths", spec, ["eng_Latn"], mirror)
    put("M/g/all.json", "{no json")
    with pytest.raises(CorpusError, match=r"all.json: not valid JSON"):
        fetch_corpus("maths", spec, ["eng_Latn"], mirror)
    with pytest.raises(CorpusError, match="M/g does not hold tel_Telu; it holds ben_Beng, "):
        fetch_corpus("maths", spec, ["tel_Telu"], mirror)


MEDICAL = [
    {"instruction": "Explain this.", "input": "a rash", "output": "It itches."},
    {"instruction": "What is flu?", "input": "<noinput>", "output": "A disease."},
]


@pytest.mark.parametrize(("how", "first"), [("joined", "Explain this.\na rash"), ("dropped", "Explain this.")])
def test_instructions_are_the_users_and_outputs_the_assistants(mirror, put, how, first):
    put("o/m/all.jsonl", jsonl(*MEDICAL))
    entry = {"reader": "medinstruct", "hub": "o/m", "revision": "main", "files": "all.jsonl", "items": 2, "input": how}
    frame = fetch_corpus("medicine", MedInstruct(**entry, turns=True), ["eng_Latn"], mirror)
    assert frame["turns"].tolist() == [
        (("user", first), ("assistant", "It itches.")),
        (("user", "What is flu?"), ("assistant", "A disease.")),
    ]
    plain = fetch_corpus("medicine", MedInstruct(**entry), ["eng_Latn"], mirror)
    assert plain["text"].tolist() == [first, "What is flu?"]
    assert "turns" not in plain.columns


def test_a_turn_that_says_nothing_is_kept_and_told(mirror, put, caplog):
    put("o/m/all.jsonl", jsonl(MEDICAL[0], MEDICAL[1] | {"output": " "}))
    spec = MedInstruct(
        reader="medinstruct", hub="o/m", revision="main", files="all.jsonl", items=2, turns=True, unicode="NFC"
    )
    assert len(fetch_corpus("medicine", spec, ["eng_Latn"], mirror)) == 2
    assert "medicine: items with a turn that says nothing in eng_Latn: 00001" in caplog.text


def test_a_table_of_ones_own_may_have_a_reply(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.csv").write_text("language,q,a\neng_Latn,2+2?,Cafe\u0301\ndeu_Latn,2+2?,Vier\n")
    spec = LocalCorpus(reader="local", files="own.csv", text="q", reply="a", unicode="NFC")
    frame = fetch_corpus("own", spec, ["eng_Latn", "deu_Latn"], HubSource())
    assert frame["turns"].tolist() == [
        (("user", "2+2?"), ("assistant", "Café")), (("user", "2+2?"), ("assistant", "Vier")),
    ]  # fmt: skip


def test_worked_problems_of_gsm8k(real_data):
    spec = DatasetCorpus(
        reader="datasets", hub="openai/gsm8k", revision="main", files="{split}.jsonl", splits=["test"], items=1319,
        text="question", reply="answer", parallel=False, take=5,
    )  # fmt: skip
    frame = fetch_corpus("gsm8k", spec, ["eng_Latn"], HubSource(real_data))
    assert [turns[1].text.splitlines()[-1] for turns in frame["turns"]][:2] == ["#### 18", "#### 3"]


def test_the_passages_of_belebele_are_the_first_of_each_link(real_data, tmp_path):
    entry = {"reader": "belebele", "hub": "facebook/belebele", "revision": "main", "files": "data/{language}.jsonl"}
    spec = Belebele(**entry, items=488, chat={"counted": "rendered"})
    path = tmp_path / "passages.parquet"
    corpora.write(fetch_corpus("passages", spec, ["eng_Latn", "deu_Latn"], HubSource(real_data)), path)
    lines = (real_data / "hub/facebook/belebele/data/deu_Latn.jsonl").read_text(encoding="utf-8").splitlines()
    first: dict[str, str] = {}
    for read in map(json.loads, lines):
        first.setdefault(read["link"], read["flores_passage"])
    assert corpora.items(path, "deu_Latn") == dict(sorted(first.items()))
    assert len(first) == 488


def test_a_draw_needs_a_number_of_items():
    with pytest.raises((ParamsError, ValueError), match="`take_seed` draws `take` items"):
        LocalCorpus(reader="local", files="own.csv", take_seed=0)
