"""`polyroute claims` needs `metrics/` and `claims/` alone."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from claims.made import ENTRY, asked, write
from polyroute.claims.claim import read_claims
from polyroute.claims.verdict import judge
from polyroute.cli.verbs import main
from polyroute.results.claims import ClaimsSummary
from tiny import ROOT

MODEL = "pocket-plain"


@pytest.fixture
def study(tmp_path: Path, monkeypatch) -> Path:
    """A study of one claim and one model; git has its claims."""
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    folder = write(tmp_path / "claims", ENTRY)
    model = asked(tmp_path, model=MODEL)
    ClaimsSummary.write(model.folder, judge(read_claims(folder), model))
    for command in (["init", "-q"], ["add", "claims"], ["commit", "-qm", "Claim"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["claims", *arguments])


def test_the_board_is_of_models_that_have_verdicts(study) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    assert "Models: A pocket-plain\n" in done.output
    assert ".  own.one*" in done.output


def test_one_claim_is_told_in_detail(study) -> None:
    done = run("own.one")
    assert "own.one: x is above 0." in done.output
    assert ". pocket-plain: cannot be tested" in done.output


def test_json_is_json(study) -> None:
    assert json.loads(run("--json").output)["own.one"]["verdicts"][MODEL]["code"] == "cannot_be_tested"
    assert list(json.loads(run("own.one", "--json").output)) == ["own.one"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["own.none"], "`own.none` is no claim"),
        (["--model", "pocket-plante"], "did you mean pocket-planted"),
        (["--model", "pocket-planted"], "dvc repro claims@pocket-planted"),
    ],
)
def test_mistakes_are_sentences(study, arguments, words) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert words in done.output
    assert "Traceback" not in done.output


def test_without_any_verdict_the_stage_is_named(study) -> None:
    (study / "metrics" / MODEL / "claims.json").unlink()
    assert "dvc repro claims@" in run().output


def test_the_lock_names_the_commit_and_takes_only_what_is_committed(study) -> None:
    assert "locked: own.one" in run("--lock").output
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    assert read_claims(study / "claims").locks["own.one"].fixed_by == head
    assert "every claim is locked already" in run("--lock").output
    write(study / "claims", ENTRY, ENTRY | {"id": "own.two"})
    done = run("--lock")
    assert done.exit_code == 1
    assert "not committed" in done.output
