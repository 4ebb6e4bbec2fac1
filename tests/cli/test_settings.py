"""`polyroute settings` needs params.yaml alone."""

import json
import shutil

import pytest
from click.testing import CliRunner, Result

from polyroute.cli.verbs import main
from tiny import ROOT


@pytest.fixture(autouse=True)
def _study(tmp_path, monkeypatch) -> None:
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["settings", *arguments])


def test_text_says_ours_published_certainty_and_whether_they_differ() -> None:
    done = run("qwen3-30b-a3b")
    assert done.exit_code == 0, done.output
    paper1, _ = done.output.split("preset: published-paper2")
    lines = {line.split("  ")[0]: line.split() for line in paper1.splitlines()}
    assert lines["evaluate.max_new_tokens"][1:5] == ["512", "256", "read", "DIFFERS"]
    assert lines["published.mgsm.tau"][1:5] == ["0.4", "0.4", "stated", "same"]
    assert "preset: published (paper 1): " in done.output
    assert "preset: published-paper2 (paper 2): " in done.output
    assert "\x1b[" not in done.output, "readable without colour"
    assert "XL: lucasbandarkar/xl_contrastive_learning" in done.output
    assert "@1395a723d4e85027d6d6f0738a10d8f18f6651d1" in done.output


def test_json_has_every_value_in_full() -> None:
    done = run("olmoe-1b-7b", "--json")
    found = json.loads(done.output)
    assert found["model"] == "olmoe-1b-7b"
    by_key = {row["key"]: row for row in found["settings"]}
    languages = by_key["languages.flores"]
    assert (len(languages["own"]), len(languages["published"]), languages["verdict"]) == (12, 26, "differs")
    assert by_key["models.olmoe-1b-7b.hub"]["verdict"] == "same"
    assert found["sources"]["P2"]["commit"] == "a3be2b66a80497edc03836fc26d209492f9fede9"


def test_a_model_of_no_paper_is_an_error_of_one_sentence() -> None:
    done = run("pocket-plain")
    assert done.exit_code == 1
    assert done.output.startswith("Error: models.pocket-plain: no paper has published settings for it")
