"""Questions as corpora, on small files and on the releases."""

from pathlib import Path

import pytest

from polyroute.artifacts.corpus import CorpusError
from polyroute.ground.hub import HubSource
from polyroute.readers.fetch import fetch_corpus
from polyroute.readers.question_corpora import BelebeleQuestions, MGSMQuestions
from readers.corpus_files import jsonl


def belebele(**changes) -> BelebeleQuestions:
    given = {"hub": "facebook/belebele", "revision": "main", "files": "data/{language}.jsonl", "items": 900}
    return BelebeleQuestions(reader="belebele_questions", **given | changes)


def mgsm(**changes) -> MGSMQuestions:
    given = {"hub": "juletxara/mgsm", "revision": "main", "files": "mgsm_{language}.tsv", "items": 250}
    return MGSMQuestions(reader="mgsm_questions", **given | changes)


def row(number: int, dialect: str = "eng_Latn") -> dict[str, object]:
    options = {f"mc_answer{place}": f"option {place}" for place in range(1, 5)}
    return {
        "link": "https://a", "question_number": number, "flores_passage": "A passage.", "question": f" Why {number}? ",
        "dialect": dialect, **options,
    }  # fmt: skip


def test_a_passage_stands_before_each_of_its_questions_and_the_options_behind(mirror, put) -> None:
    put("facebook/belebele/data/eng_Latn.jsonl", jsonl(row(1), row(2)))
    frame = fetch_corpus("reading", belebele(items=2), ["eng_Latn"], mirror)
    assert frame["item_id"].tolist() == ["https://a#1", "https://a#2"]
    assert frame["text"][1] == "A passage.\nWhy 2?\nA. option 1\nB. option 2\nC. option 3\nD. option 4"
    put("facebook/belebele/data/eng_Latn.jsonl", jsonl(row(1, "deu_Latn")))
    with pytest.raises(CorpusError, match="https://a#1 is in deu_Latn, not in eng_Latn"):
        fetch_corpus("reading", belebele(items=1), ["eng_Latn"], mirror)


def test_a_problem_stands_alone(mirror, put) -> None:
    put("juletxara/mgsm/mgsm_sw.tsv", "ngapi? \t3\nlini?\t4\n")
    frame = fetch_corpus("problems", mgsm(items=2), ["swh_Latn"], mirror)
    assert frame["item_id"].tolist() == ["000", "001"]
    assert frame["text"].tolist() == ["ngapi?", "lini?"]
    put("juletxara/mgsm/mgsm_sw.tsv", "ngapi?\t3\t4\n")
    with pytest.raises(CorpusError, match=r"mgsm_sw.tsv, line 1: 3 cells where question and answer are two"):
        fetch_corpus("problems", mgsm(items=1), ["swh_Latn"], mirror)


def test_the_releases_are_read_whole(real_data: Path) -> None:
    source = HubSource(real_data)
    reading = fetch_corpus("reading", belebele(), ["eng_Latn", "deu_Latn"], source)
    assert len(reading) == 2 * 900
    assert reading["text"].str.contains("\nD. ", regex=False).all()
    problems = fetch_corpus("problems", mgsm(), mgsm().covered(), source)
    assert len(problems) == 11 * 250
    english = problems[problems["language"] == "eng_Latn"]
    assert english["text"].iloc[0].startswith("Janet’s ducks lay 16 eggs per day.")
