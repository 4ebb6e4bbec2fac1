"""The readers on real data, as laid out on the hub."""

from pathlib import Path

import pytest

from polyroute.ground.hub import HubSource
from polyroute.languages import table as languages
from polyroute.readers import belebele, mgsm
from polyroute.readers.belebele import Belebele
from polyroute.readers.checks import repeats
from polyroute.readers.datasets import DatasetCorpus
from polyroute.readers.fetch import fetch_corpus
from polyroute.readers.medinstruct import MedInstruct
from polyroute.readers.sib200 import ABSENT, SIB200


@pytest.fixture(scope="module")
def hub(real_data: Path) -> Path:
    return real_data / "hub"


@pytest.fixture(scope="module")
def sib200(hub):
    spec = SIB200(
        reader="sib200", hub="Davlan/sib200", revision="main", files="data/{language}/{split}.tsv",
        splits=["train", "dev", "test"], items=1004,
    )  # fmt: skip
    present = sorted(folder.name for folder in (hub / "Davlan" / "sib200" / "data").iterdir())
    return fetch_corpus("sib200", spec, present, HubSource(hub.parent))


def test_the_readers_know_every_language_of_the_data(hub):
    flores = {folder.name for folder in (hub / "Davlan" / "sib200" / "data").iterdir()}
    assert flores <= set(languages.codes()) - ABSENT
    variants = {path.stem for path in (hub / "facebook" / "belebele" / "data").glob("*.jsonl")}
    assert variants <= set(belebele.LANGUAGES)
    files = {path.stem.removeprefix("mgsm_") for path in (hub / "juletxara" / "mgsm").glob("*.tsv")}
    assert files == {languages.code_in(code, "iso639-1") for code in mgsm.WORDS}


def test_sib200_is_parallel_in_every_language(sib200):
    counts = sib200.groupby("language")["item_id"].nunique()
    assert len(counts) >= 40
    assert set(counts) == {1004}
    assert sib200["item_id"].nunique() == 1004


def test_sib200_keeps_the_quotes_of_its_sentences_and_no_others(sib200):
    english = sib200[sib200["language"] == "eng_Latn"].set_index("item_id")["text"]
    assert english["0061"] == (
        'During his 2 hour speech he stated that "Today Apple is going to reinvent the phone, '
        'We are going to make history today".'
    )
    # Sentences that were CSV before they became part of the release, which are not for the reader to mend.
    doubled = sib200[sib200["text"].str.contains('""', regex=False)].groupby("language").size()
    assert doubled.max() <= 60
    assert doubled["deu_Latn"] == 25
    assert "eng_Latn" not in doubled


def test_sib200_repeats_the_sentences_that_its_release_repeats(sib200):
    pairs = {(code, *group["item_id"]) for code, group in repeats(sib200).groupby("language")}
    assert pairs == {("bam_Latn", "1181", "1183"), ("urd_Arab", "0845", "1859")}


def test_belebele_has_488_parallel_passages(hub):
    spec = Belebele(
        reader="belebele", hub="facebook/belebele", revision="main", files="data/{language}.jsonl", items=488
    )
    frame = fetch_corpus("belebele", spec, ["eng_Latn", "deu_Latn"], HubSource(hub.parent))
    assert len(frame) == 2 * 488
    accordion = frame[frame["item_id"] == "https://en.wikibooks.org/wiki/Accordion/Right_hand"]["text"].tolist()
    assert accordion[0].startswith("Make sure your hand is as relaxed as possible")


def test_gsm8k_questions(hub):
    spec = DatasetCorpus(
        reader="datasets", hub="openai/gsm8k", revision="main", files="{split}.jsonl", splits=["test"], items=1319,
        take=100, text="question", parallel=False, languages=["eng_Latn"],
    )  # fmt: skip
    frame = fetch_corpus("gsm8k", spec, ["eng_Latn"], HubSource(hub.parent))
    assert len(frame) == 100
    assert frame["item_id"].tolist()[::99] == ["test-00000", "test-00099"]
    assert frame["text"][0].startswith("Janet’s ducks lay 16 eggs per day.")
    assert not frame["text"].str.contains("####", regex=False).any()


def test_medinstruct_instructions(hub):
    spec = MedInstruct(
        reader="medinstruct", hub="XZhang97666/AlpaCare", revision="main", files="MedInstruct-test.jsonl", items=216
    )
    frame = fetch_corpus("medinstruct", spec, ["eng_Latn"], HubSource(hub.parent))
    assert frame["text"][0].startswith("My sister has just returned from a trip to the tropics")
