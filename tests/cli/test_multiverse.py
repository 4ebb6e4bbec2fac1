"""`polyroute multiverse` needs `metrics/` and `claims/` alone, and traces where it recomputes."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from polyroute.cli.verbs import main
from report.plausible_multiverse import CLAIM, write
from tiny import ROOT

MODEL = "pocket-plain"


@pytest.fixture
def study(tmp_path: Path, monkeypatch) -> Path:
    """A study one of whose models has been recomputed."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    (tmp_path / "claims").symlink_to(ROOT / "claims")
    write(tmp_path / "metrics" / MODEL)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["multiverse", *arguments])


def test_the_board_is_of_models_that_have_one(study) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    assert done.output.startswith("pocket-plain\n")
    assert "qwen3-30b-a3b-counts" not in done.output


def test_one_claim_is_told_in_full_and_for_machines(study) -> None:
    assert "4 cells: 2 not replicated, 2 replicated" in run(CLAIM).output
    assert json.loads(run(CLAIM, "--json").output)[MODEL]["cells"] == 4
    assert set(json.loads(run("--json").output)[MODEL]["claims"]) == {CLAIM}


def test_mistakes_are_told_in_a_sentence(study) -> None:
    assert "`p1.u_shap` is no claim; did you mean p1.u_shape?" in run("p1.u_shap").output
    assert "--recompute takes a CLAIM and at least one --model" in run("--recompute").output
    done = run(CLAIM, "--model", "pocket-planted")
    assert done.exit_code == 1
    assert "`dvc repro multiverse@pocket-planted` writes it" in done.output


def test_recomputing_without_results_says_what_to_run(study) -> None:
    done = run(CLAIM, "--model", MODEL, "--recompute")
    assert done.exit_code == 1
    assert "dvc repro align@pocket-plain" in done.output
