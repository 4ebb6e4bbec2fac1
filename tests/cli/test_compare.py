"""`polyroute compare` on folders of traces and on entries of params.yaml."""

import json

import pytest
from click.testing import CliRunner

from checkpoints import checkpoint
from polyroute.cli.verbs import main
from tiny import ROOT


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name, seed in (("base", 0), ("child", 20)):
        checkpoint(tmp_path, name, seed)
    monkeypatch.chdir(tmp_path)


def test_two_folders(folders, tmp_path) -> None:
    done = CliRunner().invoke(main, ["compare", "base", "child", "--tau", "0.1", "--out", "out"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("child routes languages ")
    assert "written: out" in done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "comparison.json", "comparison.png", "comparison.svg",
    }  # fmt: skip
    told = json.loads(CliRunner().invoke(main, ["compare", "base", "child", "--tau", "0.1", "--json"]).stdout)
    assert told == json.loads((tmp_path / "out" / "comparison.json").read_text())


def test_what_is_neither_folder_nor_entry_is_said(folders, monkeypatch) -> None:
    refused = CliRunner().invoke(main, ["compare", "base", "nothing"])
    assert refused.exit_code == 1
    assert "nothing is neither a folder of traces nor an entry of `models`" in refused.output
    monkeypatch.chdir(ROOT)
    refused = CliRunner().invoke(main, ["compare", "pocket-plain", "pocket-plane"])
    assert refused.exit_code == 1
    assert "pocket-planted" in refused.output
    refused = CliRunner().invoke(main, ["compare", "pocket-plain", "data/traces/nowhere"])
    assert "data/traces/nowhere is neither a folder of traces nor an entry of `models`" in refused.output
