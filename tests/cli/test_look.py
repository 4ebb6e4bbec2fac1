"""`polyroute look` on the checkpoints that come along."""

import shutil

import pytest
from click.testing import CliRunner

from polyroute.cli.look import checkpoint
from polyroute.cli.verbs import main
from polyroute.models.source import ModelError
from tiny import ROOT, make_model, make_tokenizer


def test_a_model_of_the_study_and_its_folder_are_the_same(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    assert checkpoint("pocket-plain") == checkpoint("models/pocket-plain")
    assert checkpoint("pocket-plain")[1].dtype == "float32"


def test_a_folder_needs_no_study(tmp_path, monkeypatch) -> None:
    shutil.copytree(ROOT / "models" / "pocket-plain", tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    name, spec = checkpoint("own")
    assert (name, spec.dtype, str(spec.folder)) == ("own", "bfloat16", "own")
    (tmp_path / "empty").mkdir()
    for model, said in (
        ("empty", "no config.json"),
        ("nothing", "no params.yaml here"),
        ("models/nothing", "no folder: name"),
    ):
        with pytest.raises(ModelError, match=said):
            checkpoint(model)


def test_recorded_counts_cannot_be_looked_at(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(ModelError, match="was recorded elsewhere"):
        checkpoint("qwen3-30b-a3b-counts")


def test_the_verb_prints_and_writes_a_page(tmp_path, monkeypatch) -> None:
    make_model().save_pretrained(tmp_path / "tiny")
    make_tokenizer().save_pretrained(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    words = ["look", "tiny", "a cat", "--against", "eine katze", "--layers", "1-2", "--html", "page.html"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "tiny: 2 layers, each token sent to 2 of 8 experts" in done.output
    assert "written: page.html" in done.output
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    for layers, said in (("7", "no layer with a router; there are 0 to 2"), ("a-b", "is no range of layers")):
        refused = CliRunner().invoke(main, ["look", "tiny", "a cat", "--layers", layers])
        assert refused.exit_code == 2
        assert said in " ".join(refused.output.replace("│", " ").split())


def test_a_plan_of_another_model_is_refused(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    words = ["look", "pocket-planted", "The farmer sells the chair.", "--plan"]
    refused = CliRunner().invoke(main, [*words, "plans/pocket-plain/arithmetic.json"])
    assert refused.exit_code == 1
    assert "the plan is for pocket-plain and does not fit this model" in refused.output
    done = CliRunner().invoke(main, [*words, "plans/pocket-planted/arithmetic.json", "--layers", "3"])
    assert done.exit_code == 0, done.output
    assert "pocket-planted: layer 3, each token sent to 4 of 32 experts" in done.output
    assert "The plan (" in done.output
