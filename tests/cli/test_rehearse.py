import json

import pytest
from click.testing import CliRunner
from transformers import AutoConfig

from polyroute.cli.verbs import main
from polyroute.sizing import rehearse as rehearsing
from polyroute.sizing import speed
from polyroute.sizing.rehearse import Rehearsal
from tiny import ROOT


@pytest.fixture
def run(monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(rehearsing, "_TIMES", 1)
    monkeypatch.setattr(rehearsing, "_WRITTEN", 1)

    def call(*arguments: str):
        return CliRunner().invoke(main, ["rehearse", "--on", "cpu", *arguments])

    return call


def test_a_pocket_model_is_proved_measured_and_estimated(run) -> None:
    told = run("pocket-gpt-oss")
    assert told.exit_code == 0, told.output
    assert "GptOssForCausalLM with random weights, at full size" in told.output
    assert "proved: 8 routers in layers 0-7: 32 experts, 4 chosen; softmax>topk>renormalise" in told.output
    assert "the study of pocket-gpt-oss, 18 languages" in told.output


def test_json_holds_the_same(run) -> None:
    data = json.loads(run("pocket-plain", "--json", "--device", "a100").output)
    assert (data["architecture"], data["width"]) == ("Qwen3MoeForCausalLM", 1)
    assert data["study"]["device"] == "A100 80 GB"


def test_a_folder_of_ones_own(run, tmp_path) -> None:
    from polyroute.sizing.configs import of_shape, reduced
    from polyroute.sizing.shape import table

    config = reduced(of_shape(table()["granite31-1b"]), 64)
    config.num_hidden_layers = 2
    config.save_pretrained(tmp_path)
    told = run("mine", "--config", str(tmp_path))
    assert told.exit_code == 0, told.output
    assert "2 routers in layers 0-1: 32 experts, 8 chosen" in told.output
    assert "No study is estimated: name an entry of params.yaml whose study is taken with --like" in told.output


def test_a_type_that_is_not_counted_is_measured_and_says_that_its_study_is_not_estimated(run, tmp_path) -> None:
    config = AutoConfig.for_model(
        "ernie4_5_moe", hidden_size=64, intermediate_size=64, moe_intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, moe_num_experts=8, moe_k=2, vocab_size=256,
    )  # fmt: skip
    config.save_pretrained(tmp_path)
    told = run("mine", "--config", str(tmp_path), "--like", "olmoe-1b-7b", "--width", "1")
    assert told.exit_code == 0, told.output
    assert "8 experts, 2 chosen" in told.output
    assert "Its study is not estimated: " in told.output
    assert "`model_type` is `ernie4_5_moe`" in told.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing",), "`nothing` is neither an entry of `models` in params.yaml nor a known shape"),
        (("mine", "--config", "nowhere"), "nowhere is not there: name a config.json, or the folder that holds one"),
        (("olmoe-1b-7b", "--like", "nothing"), "`nothing` is no entry of `models` in params.yaml"),
        (("olmoe-1b-7b", "--like", "qwen3-30b-a3b-counts"), "models.qwen3-30b-a3b-counts was recorded elsewhere"),
        (("qwen3-30b-a3b-counts",), "models.qwen3-30b-a3b-counts was recorded elsewhere"),
        (("olmoe-1b-7b", "--device", "abacus"), "there is no device `abacus`"),
        (("olmoe-1b-7b", "--on", "abacus"), "--on: `abacus` cannot be used here"),
    ],
)
def test_mistakes_are_told_in_a_sentence_before_anything_is_built(run, monkeypatch, arguments, told) -> None:
    monkeypatch.setattr(rehearsing, "rehearse", None)
    found = run(*arguments)
    assert found.exit_code == 1
    assert told in found.output


def test_speeds_at_full_size_on_a_known_gpu_take_the_place_of_the_arithmetics(run, monkeypatch) -> None:
    from polyroute.models.contract import ContractReport
    from polyroute.sizing.shape import table

    shape, on = table()["olmoe-1b-7b"], speed.device("h200")
    seen = Rehearsal(
        architecture="OlmoeForCausalLM", device="NVIDIA H200", dtype="bfloat16", width=1, weights=1, rows=32, peak=1,
        contract=ContractReport((0,), (64,), (8,), ("softmax>topk",), 14), shape=shape,
        reading=2 * speed.reading(shape, on, "bfloat16"),
        writing=0.5 * speed.writing(shape, on, "bfloat16", 32, speed.LENGTH).tokens,
    )  # fmt: skip
    monkeypatch.setattr(rehearsing, "rehearse", lambda *_arguments, **_options: seen)
    told = run("olmoe-1b-7b").output
    assert "reading 2.00 and writing 0.50 times what the arithmetic" in told
    # on another device the arithmetic stands
    assert "0.161 x 312 TFLOP/s" in run("olmoe-1b-7b", "--device", "a100").output
