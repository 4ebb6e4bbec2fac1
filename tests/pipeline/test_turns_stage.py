"""The stage `turns` on tiny random models, each with a template that is built as its own is."""

import json

import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from transformers import GptOssConfig, GptOssForCausalLM, Qwen3MoeConfig, Qwen3MoeForCausalLM

from pipeline.test_stages import load_script
from polyroute.artifacts import corpus
from polyroute.artifacts.turns import Turn
from polyroute.ground.files import write_json
from polyroute.ground.paths import Paths
from polyroute.models.settings import ModelSettings
from polyroute.models.source import digest as checkpoint_digest
from polyroute.results.turns import TurnRow, TurnsSummary
from tiny import ROOT
from tracing.chats import HARMONY, QWEN3, chat_tokenizer

PASSAGES = {
    "eng_Latn": ["The dog ran home.", "A cat sat on the mat.", "We saw 3 birds.", "It rained all day."],
    "deu_Latn": ["Der Hund lief heim.", "Die Katze sass da.", "Wir sahen 3 Voegel.", "Es regnete immer."],
}
SUMS = [("2+2?", "2+2 is 4."), ("3+4?", "3 and 4 make 7."), ("9-5?", "It is 4."), ("6+1?", "7."), ("1+1?", "It is 2.")]
CURES = [("What helps a cold?", "Rest."), ("What is a fever?", "A high temperature."), ("And a cough?", "Honey.")]
SIZES = {
    "vocab_size": 280, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 8, "num_experts_per_tok": 2, "max_position_embeddings": 512,
}  # fmt: skip


def tiny(template: str):
    torch.manual_seed(0)
    if template == QWEN3:
        config = Qwen3MoeConfig(moe_intermediate_size=8, num_experts=12, tie_word_embeddings=True, **SIZES)
        model = Qwen3MoeForCausalLM(config)
    else:
        model = GptOssForCausalLM(GptOssConfig(num_local_experts=12, **SIZES))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.5)
    return model.eval()


def conversations(pairs) -> list[tuple[str, str, tuple[Turn, ...]]]:
    return [
        (f"{number:02}", "eng_Latn", (Turn("user", question), Turn("assistant", solution)))
        for number, (question, solution) in enumerate(pairs)
    ]


@pytest.fixture(params=[QWEN3, HARMONY], ids=["qwen3", "gpt-oss"])
def study(tmp_path, monkeypatch, request):
    """What the stages before it leave, of the model `tiny`."""
    monkeypatch.chdir(tmp_path)
    tiny(request.param).save_pretrained("models/tiny")
    chat_tokenizer(request.param).save_pretrained("models/tiny")
    rows = [(f"p{n}", code, text) for code, texts in PASSAGES.items() for n, text in enumerate(texts)]
    for name, listed in {"passages": rows, "sums": conversations(SUMS), "cures": conversations(CURES)}.items():
        corpus.write(corpus.table(listed), Paths().corpus("tiny", name))
    settle()
    return tmp_path


def settle(**changes) -> None:
    spec = {"folder": "models/tiny", "dtype": "float32", "batch_tokens": 512, "max_tokens": 400}
    of_folder = checkpoint_digest("tiny", ModelSettings(**spec, digest=""))
    settings = {
        "name": "tiny", "not_asked": None, "resamples": 99, "sets": 39, "tau": 0.3,
        "model": spec | {"digest": of_folder}, "generic": "passages", "languages": list(PASSAGES), "confidence": 0.95,
        "seed": 1, "tasks": {
            "maths": {"text": "sums", "tau": 0.05, "layers": [0, 2]},
            "medical": {"text": "cures", "tau": 0.02, "layers": None},
        },
    }  # fmt: skip
    write_json(Paths().stage_settings("tiny", "turns"), settings | changes)


def run(expect: int = 0) -> str:
    done = CliRunner().invoke(
        load_script(ROOT / "pipeline" / "turns.py").main, ["--model", "tiny"], catch_exceptions=False
    )
    assert done.exit_code == expect, done.output
    return done.output


def test_every_text_is_read_in_every_turn_and_the_same_again_gives_the_same_bytes(study) -> None:
    # Passages in two cells and items of two tasks in four, counted in three ways, and passages of one more language.
    assert "turns@tiny: 31 traces, " in (said := run())
    assert " task experts, turn share " in said
    folder = study / "metrics" / "tiny"
    before = {path.name: path.read_bytes() for path in folder.rglob("*.*")}
    assert "31 traces; 31 were finished before" in run()
    assert {path.name: path.read_bytes() for path in folder.rglob("*.*")} == before
    found = TurnsSummary.read(folder)
    assert (found.not_run, found.passages, found.sequences) == (None, "passages", 4)
    assert found.every_task is not None
    maths, medical = found.tasks["maths"], found.tasks["medical"]
    assert (maths.items, maths.layers, medical.items, medical.layers) == (5, (0, 2), 3, (1, 1))
    assert [(one.counted, one.assistant) for one in maths.readings] == [
        (counted, says)
        for counted in ("rendered", "content", "without_digits")
        for says in ("question and solution", "solution")
    ]
    assert maths.overlap is not None
    # The published experts that overlap are those of the first reading.
    assert maths.overlap.published.task == maths.readings[0].published
    assert maths.overlap.same_turn.task == maths.readings[0].task_user
    assert maths.overlap.published.multilingual == maths.overlap.same_turn.multilingual
    rows = TurnRow.read(folder)
    assert len(rows) == 3 * (3 + 1) * 12
    of_all = rows[(rows["task"] == "maths") & (rows["counted"] == "rendered")]
    assert (of_all["published"] > 0.05).sum() == maths.readings[0].published
    # Each token chooses two experts in every layer and cell, so a difference sums to 0.
    sums = rows.groupby(["task", "counted", "layer"])[["published", "turn", "task_user", "solution"]].sum()
    assert sums.abs().to_numpy().max() < 12 * 5e-5
    short = json.loads((folder / "summary" / "turns.json").read_text())
    assert short["maths"]["turn_share"] == maths.readings[0].turn_share.value


def test_the_same_words_in_the_other_turn_are_the_same_tokens(study) -> None:
    run()
    from polyroute.artifacts.trace import Trace

    held = {}
    for path in (study / ".polyroute" / "parts" / "traces").glob("*.safetensors"):
        trace = Trace.load(path)
        held[trace.header.corpus, trace.header.language] = trace.tokens.tolist()
    for text, one, other in (
        ("passages", "passage_user", "passage_assistant"), ("sums", "item_user", "item_assistant"),
    ):  # fmt: skip
        for counted in ("content", "without_digits"):
            assert held[f"{text}, {one}, {counted}", "eng_Latn"] == held[f"{text}, {other}, {counted}", "eng_Latn"]
        assert held[f"{text}, {one}, rendered", "eng_Latn"] != held[f"{text}, {other}, rendered", "eng_Latn"]
    # Bytes of the passages, and without the 3 of the third.
    assert held["passages, passage_user, content", "eng_Latn"] == [len(text) for text in PASSAGES["eng_Latn"]]
    assert held["passages, passage_user, without_digits", "eng_Latn"][2] == len(PASSAGES["eng_Latn"][2]) - 1


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("recorded", "counts were recorded elsewhere"),
        ("no_texts", "its entry in params.yaml names no conversations"),
    ],
)
@pytest.mark.parametrize("study", [QWEN3], indirect=True)
def test_a_model_that_is_not_asked_says_why(study, reason, words) -> None:
    settle(not_asked=reason, model=None, generic=None, tasks={})
    assert f"turns@tiny: not run: {words}" in run()
    found = TurnsSummary.read(study / "metrics" / "tiny")
    assert (found.not_run, found.tasks) == (reason, {})
    assert TurnRow.read(study / "metrics" / "tiny").empty


@pytest.mark.parametrize("study", [QWEN3], indirect=True)
def test_a_model_without_a_chat_template_knows_no_turns(study) -> None:
    chat_tokenizer(None).save_pretrained("models/tiny")
    (study / "models" / "tiny" / "chat_template.jinja").unlink(missing_ok=True)
    settle()
    assert "turns@tiny: not run: its tokenizer has no chat template, so it knows no turns" in run()
    assert TurnsSummary.read(study / "metrics" / "tiny").not_run == "no_template"


@pytest.mark.parametrize("study", [QWEN3], indirect=True)
def test_text_without_an_assistant_is_refused_and_passages_in_english_alone_have_no_overlap(study) -> None:
    settle(languages=["eng_Latn"])
    run()
    assert TurnsSummary.read(study / "metrics" / "tiny").tasks["maths"].overlap is None
    frame = pd.DataFrame([("00", "eng_Latn", "2+2?")], columns=corpus.COLUMNS)
    corpus.write(frame, Paths().corpus("tiny", "sums"))
    assert "item 00 of sums has turns of nobody, not of a user and an assistant" in run(expect=1)
