"""The readers of tasks on real data, as laid out on the hub."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from polyroute.ground.hub import HubSource
from polyroute.readers import global_mmlu, mgsm
from polyroute.readers.belebele import BelebeleTask
from polyroute.readers.global_mmlu import GlobalMMLUTask
from polyroute.readers.mgsm import MGSMTask
from polyroute.scoring import numbers
from readers.fetched import fetch_items


@pytest.fixture(scope="module")
def source(real_data: Path) -> HubSource:
    return HubSource(real_data)


def test_mgsm_has_250_parallel_problems_in_every_language(source) -> None:
    spec = MGSMTask(
        reader="mgsm", hub="juletxara/mgsm", revision="main", files="mgsm_{language}.tsv", items=250, prompt="direct"
    )
    codes = sorted(mgsm.WORDS)
    frame = fetch_items("mgsm", spec, codes, source)
    assert len(frame) == 11 * 250
    english = frame[frame["language"] == "eng_Latn"].set_index("item_id")
    assert english["prompt"]["000"].startswith("Question: Janet’s ducks lay 16 eggs per day.")
    assert english["prompt"]["000"].endswith("\nAnswer:")
    assert english["answer"][["000", "002"]].tolist() == ["18", "70000"]
    assert {"2125", "114200", "276000", "5600"} <= set(english["answer"])
    assert abs(Counter(english["split"])["select"] - 125) < 24
    for row in frame.itertuples():
        # Whatever a question says, an answer in its language's words is found behind it.
        answer = mgsm.WORDS[row.language].answer
        assert numbers.extract(f"{row.prompt[: -len(answer)]}{answer} {row.answer}", row.language) == row.answer


def test_mgsm_in_the_words_of_the_harness_is_what_the_harness_made(source) -> None:
    spec = MGSMTask(
        reader="mgsm", hub="juletxara/mgsm", revision="main", files="mgsm_{language}.tsv", items=250, prompt="harness"
    )
    frame = fetch_items("mgsm", spec, sorted(mgsm.WORDS), source).sort_values(["language", "item_id"])
    told = hashlib.sha256("".join(f"{prompt}\0" for prompt in frame["prompt"]).encode()).hexdigest()
    # Of the 2,750 prompts that lm_eval 0.4.13 makes of these files; tests/bench compares them where it is installed.
    assert told == "d95599d85443582b358bbe741f81cd9a78f23f0199718a09db6591c3abd6a454"


@pytest.mark.parametrize(
    "code", ["deu_Latn", "fra_Latn", "rus_Cyrl", "spa_Latn", "zho_Hans", "jpn_Jpan", "ben_Beng", "tel_Telu"]
)
def test_numbers_stand_in_real_questions_as_their_languages_write_them(source, code) -> None:
    spec = MGSMTask(
        reader="mgsm", hub="juletxara/mgsm", revision="main", files="mgsm_{language}.tsv", items=250, prompt="direct"
    )
    question = fetch_items("mgsm", spec, [code], source).set_index("item_id")["prompt"]["002"]
    # 80,000, 80.000, 80 000 and 8万; then 50 thousand for repairs.
    start, end = question.index("8"), question.index("5")
    assert numbers.extract(question[start:end], code) == "80000"


def test_belebele_has_900_parallel_questions(source) -> None:
    spec = BelebeleTask(
        reader="belebele", hub="facebook/belebele", revision="main", files="data/{language}.jsonl", items=900
    )
    frame = fetch_items("belebele", spec, ["eng_Latn", "deu_Latn"], source)
    assert len(frame) == 2 * 900
    accordion = frame[frame["item_id"] == "https://en.wikibooks.org/wiki/Accordion/Right_hand#1"]
    assert accordion["prompt"].iloc[1].startswith("P: Stellen Sie sicher, dass Ihre Hand so entspannt wie möglich ist")
    assert (
        "\nQ: Was wäre dem Abschnitt zufolge kein guter Tipp, um gut Akkordeon zu spielen?\nA: Für eine"
        in (accordion["prompt"].iloc[1])
    )
    assert accordion["answer"].tolist() == [0, 0]
    assert Counter(frame[frame["language"] == "deu_Latn"]["answer"]) == {1: 251, 2: 246, 0: 206, 3: 197}


def test_global_mmlu_has_five_questions_a_subject_to_try_on(source) -> None:
    spec = GlobalMMLUTask(
        reader="global_mmlu", hub="CohereLabs/Global-MMLU", revision="main", splits=["dev"], items=285, per_subject=4,
        files="{language}/{split}-00000-of-00001.parquet",
        subjects=["clinical_knowledge", "college_medicine", "human_aging", "medical_genetics", "nutrition",
                  "professional_medicine", "virology"],
    )  # fmt: skip
    codes = ["arb_Arab", "eng_Latn", "hin_Deva", "rus_Cyrl", "zho_Hans"]
    assert set(codes) <= set(global_mmlu.CODES)
    frame = fetch_items("medicine", spec, codes, source)
    assert len(frame) == 5 * 7 * 4
    assert frame["item_id"][0] == "clinical_knowledge/dev/0000"
    english = frame[frame["language"] == "eng_Latn"]["prompt"].iloc[0]
    assert english.startswith("The energy for all forms of muscle contraction is provided by:\nA. ATP.\nB. ADP.\n")
    assert english.endswith("\nD. oxidative phosphorylation.\nAnswer:")
