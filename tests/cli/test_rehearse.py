import json

import pytest
from click.testing import CliRunner

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
        return CliRunner().invoke(main, ["rehearse", *arguments, "--on", "cpu"])

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
    # nothing names a study, so none is estimated
    assert "2 routers in layers 0-1: 32 experts, 8 chosen" in told.output
    assert "stage" not in told.output


def test_mistakes_are_told_in_a_sentence(run, tmp_path) -> None:
    assert "`nothing`: its shape is not known here" in run("nothing").output
    assert "cannot be loaded" in run("mine", "--config", str(tmp_path / "nowhere")).output


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
