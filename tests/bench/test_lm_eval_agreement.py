"""lm-evaluation-harness, where it is installed, asks the same and answers the same: prompts byte by byte, likelihoods,
texts, numbers. On a tiny random model and real rows; the tasks are the harness's own, read from its files.
"""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tokenizers import processors

from asking.asked import QWEN, bytes_tokenizer
from models.tiny_models import tiny
from polyroute.artifacts.key import joined
from polyroute.ground.hub import HubSource
from polyroute.readers import belebele, global_mmlu, mgsm
from polyroute.readers.belebele import BelebeleTask
from polyroute.readers.fetch import fetch_task
from polyroute.readers.global_mmlu import GlobalMMLUTask
from polyroute.readers.mgsm import MGSMTask
from tiny import ROOT

pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed: pip install '.[harness]'")

READING = BelebeleTask(
    reader="belebele", hub="facebook/belebele", revision="main", files="data/{language}.jsonl", items=900
)
MEDICINE = GlobalMMLUTask(
    reader="global_mmlu", hub="CohereLabs/Global-MMLU", revision="main", splits=["dev"], items=285, per_subject=5,
    files="{language}/{split}-00000-of-00001.parquet", subjects=["clinical_knowledge", "nutrition", "virology"],
)  # fmt: skip
PROBLEMS = MGSMTask(
    reader="mgsm", hub="juletxara/mgsm", revision="main", files="mgsm_{language}.tsv", items=250, prompt="harness"
)
CODES = {
    "belebele-reading": ["eng_Latn", "deu_Latn"],
    "global-mmlu-medical": ["eng_Latn", "arb_Arab", "hin_Deva", "rus_Cyrl", "zho_Hans"],
    "mgsm": sorted(mgsm.WORDS),
}
SPECS = {"belebele-reading": READING, "global-mmlu-medical": MEDICINE, "mgsm": PROBLEMS}


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(ROOT))
        yield importlib.import_module("bench.lm_eval_agreement")


@pytest.fixture(scope="module")
def source(real_data: Path) -> HubSource:
    return HubSource(real_data)


@pytest.fixture(scope="module")
def asked(source):
    """Every item of a task whose real rows are at hand."""
    return {name: joined(*fetch_task(name, SPECS[name], CODES[name], source)) for name in SPECS}


@pytest.fixture(scope="module")
def net():
    return tiny("qwen3_moe", vocab_size=300, max_position_embeddings=8192)


def few(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    """The shortest items of each language, in the order of the task: bytes are many."""
    shortest = frame.assign(length=frame["prompt"].str.len()).sort_values("length", kind="stable")
    return frame.loc[shortest.groupby("language", sort=False).head(count).index].sort_index()


@pytest.mark.parametrize("name", SPECS)
def test_every_prompt_is_the_harness_to_the_byte(bench, asked, source, name) -> None:
    frame, compared = asked[name], 0
    for task, items in bench.their_tasks(frame, SPECS[name], source):
        documents = list(task.test_docs())
        prompts = [task.doc_to_text(document) for document in documents]
        assert [prompt.encode() for prompt in prompts] == [prompt.encode() for prompt in items["prompt"]]
        assert [task.doc_to_target(document) for document in documents] == [
            answer if name == "mgsm" else ("ABCD"[answer] if name.startswith("global") else answer)
            for answer in items["answer"]
        ]
        if name != "mgsm":
            delimiter = task.config.target_delimiter
            choices = [[delimiter + told for told in task.doc_to_choice(document)] for document in documents]
            assert choices == items["choices"].tolist()
        compared += len(documents)
    assert compared == len(frame)


@pytest.mark.parametrize("code", sorted(mgsm.WORDS))
def test_mgsm_stops_where_the_harness_does(bench, code) -> None:
    config = bench.config(PROBLEMS, code)
    assert config["metadata"]["version"] == 4.0
    assert config["generation_kwargs"] == {"do_sample": False, "until": list(PROBLEMS.stops(code))}


def test_frames_are_the_harness_in_every_language_that_it_has(bench) -> None:
    import lm_eval.tasks

    folder = Path(lm_eval.tasks.__file__).parent
    held = {file.stem.removeprefix("belebele_") for file in (folder / "belebele").glob("belebele_*.yaml")}
    assert held == set(belebele.LANGUAGES)
    frames = [bench.config(READING, code) for code in belebele.LANGUAGES]
    assert len({frame["doc_to_text"] for frame in frames}) == 1
    assert all(frame["doc_to_choice"] == list("ABCD") for frame in frames)
    assert {folder.name for folder in (folder / "global_mmlu/full").iterdir()} == set(global_mmlu.CODES.values())
    frames = [bench.config(MEDICINE, code, "virology") for code in global_mmlu.CODES]
    assert len({frame["doc_to_text"] for frame in frames}) == 1
    assert all(frame["doc_to_choice"] == list("ABCD") for frame in frames)


@pytest.mark.parametrize("name", ["belebele-reading", "global-mmlu-medical"])
@pytest.mark.parametrize("opening", [False, True])
def test_likelihoods_are_the_harness_item_by_item(bench, asked, source, net, name, opening) -> None:
    tokenizer = bytes_tokenizer()
    if opening:  # a token before every text
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing("<pad> $A", None, [("<pad>", 0)])
    some = few(asked[name], 4)
    ours, theirs = bench.by_both(net, tokenizer, some, SPECS[name], source)
    assert bench.apart(ours, theirs).max() < 1e-4
    assert ours["prompt"].tolist() == ours.merge(theirs, on=["item_id", "language"])["asked"].tolist()
    both = ours.merge(theirs, on=["item_id", "language"])
    assert both["extracted"].tolist() == both["likeliest_acc"].tolist()
    assert both["correct"].tolist() == (both["acc"] == 1).tolist()
    if name == "belebele-reading":  # the other has no such metric
        assert both["correct_by_character"].tolist() == (both["acc_norm"] == 1).tolist()


@pytest.mark.parametrize("name", ["belebele-reading", "global-mmlu-medical"])
@pytest.mark.parametrize("template", ["CHAT", QWEN])
def test_likelihoods_in_a_chat_differ_by_one_summand_of_all_choices(bench, asked, source, net, name, template) -> None:
    tokenizer = bytes_tokenizer(getattr(bench, template, template))
    ours, theirs = bench.by_both(net, tokenizer, few(asked[name], 2), SPECS[name], source, chat=True)
    both = ours.merge(theirs, on=["item_id", "language"])
    assert both["prompt"].tolist() == both["asked"].tolist()
    assert bench.apart(ours, theirs, chat=True).max() < 1e-4
    assert bench.apart(ours, theirs).min() > 0.1, "the line break is part of the harness's choices"
    assert both["correct"].tolist() == (both["acc"] == 1).tolist()


def test_what_is_written_and_taken_is_the_harness_item_by_item(bench, asked, source, net) -> None:
    frame = asked["mgsm"]
    some = few(frame[frame["language"].isin(["eng_Latn", "deu_Latn", "zho_Hans"])], 3)
    both = pd.concat(bench.problems_by_both(net, bytes_tokenizer(), some, PROBLEMS, source))
    assert len(both) == len(some)
    assert both["prompt"].tolist() == both["asked"].tolist()
    assert both["output"].str.replace(r"<pad>|<end>", "", regex=True).tolist() == both["text"].tolist()
    assert both["extracted"].tolist() == both["taken"].tolist()
    assert both["right"].tolist() == both["exact_match"].tolist()


def test_numbers_are_taken_and_judged_as_the_harness_does(bench, asked) -> None:
    made = ["18", "$18.00", "1,000 and 18...", "-5", "16-95", "18 ...", "", "none", "১৮", "$", "$.", "1.8.", "٣", "²5"]
    questions = asked["mgsm"].groupby("language").head(40)
    texts = [sample.text for sample in bench.SAMPLES] + made + questions["prompt"].tolist()
    rights = [sample.right for sample in bench.SAMPLES] + ["18"] * len(made) + questions["answer"].tolist()
    found = [bench.by_our_rule(text, right) for text, right in zip(texts, rights, strict=True)]
    assert found == [bench.by_harness("en", text, right) for text, right in zip(texts, rights, strict=True)]
    assert 0 < np.mean([right for _, right in found]) < 1


@pytest.mark.parametrize("code", ["bn", "de", "en", "es", "fr", "ja", "ru", "sw", "te", "th", "zh"])
def test_every_language_has_the_same_filter(bench, code) -> None:
    assert bench.flexible_filter(code).regex_pattern == bench.flexible_filter("en").regex_pattern
    assert bench.flexible_filter(code).group_select == -1
