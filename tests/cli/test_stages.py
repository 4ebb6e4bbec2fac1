"""Stages brought up to date by DVC in one process, in a study of two that copy a file."""

import subprocess
import sys

import pytest
import yaml
from click.testing import CliRunner
from dvc.repo import Repo

from polyroute.cli.events import Event
from polyroute.cli.stages import main


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True)
    (tmp_path / "given").write_text("one")
    stages = {
        "first": {"cmd": "cp given between", "deps": ["given"], "outs": ["between"]},
        "second": {"cmd": "cp between last", "deps": ["between"], "outs": ["last"]},
        "broken": {"cmd": "false", "deps": ["given"], "outs": ["never"]},
    }
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    return tmp_path


def bring(*names: str) -> tuple[int, list[str], str]:
    """Exit status, what became of the stages, and the other lines; in this process."""
    done = CliRunner().invoke(main, names)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return told_by(done.exit_code, done.stdout)


def bring_as_study_does(*names: str) -> tuple[int, list[str], str]:
    """The same in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "polyroute.cli.stages", *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return told_by(done.returncode, done.stdout)


def told_by(code: int, stdout: str) -> tuple[int, list[str], str]:
    lines = stdout.splitlines()
    events = [f"{event.fate} {event.stage}" for line in lines if (event := Event.read(line))]
    return code, events, "\n".join(line for line in lines if Event.read(line) is None)


def test_stages_run_once_and_dvc_knows_it(study) -> None:
    expected = (0, ["begun first", "done first", "begun second", "done second"], "")
    assert bring_as_study_does("first", "second") == expected
    assert (study / "last").read_text() == "one"
    assert set(Repo().status()) == {"broken"}, "to DVC the others are up to date"
    assert bring("first", "second")[1] == ["begun first", "unchanged first", "begun second", "unchanged second"]


def test_a_change_runs_what_reads_it(study) -> None:
    bring("first", "second")
    (study / "given").write_text("two")
    assert bring("first", "second")[1][1::2] == ["done first", "done second"]
    assert (study / "last").read_text() == "two"


def test_to_look_runs_nothing_but_what_is_named(study) -> None:
    assert bring("--look=") == (0, ["changed first", "changed second", "changed broken"], "")
    assert not (study / "between").exists()
    bring("first", "second")
    (study / "given").write_text("two")
    told = bring("--look=", "first")[1]
    assert told == ["begun first", "done first", "changed second", "changed broken"]
    assert (study / "last").read_text() == "one"


def test_what_is_looked_at_is_of_the_models_that_are_named_and_not_frozen(study) -> None:
    of_models = {"matrix": {"model": ["a", "b"]}, "cmd": "true"}
    stages = {"train": of_models | {"frozen": True}, "trace": of_models, "track": {"cmd": "true"}}
    (study / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    assert bring("--look=a")[1] == ["changed trace@a"]
    assert bring("--look=", "--look=b")[1] == ["changed trace@b", "changed track"]


def test_a_stage_that_fails_is_named_and_what_ran_before_it_is_kept(study) -> None:
    code, events, told = bring_as_study_does("first", "broken", "second")
    assert code == 1
    assert events == ["begun first", "done first", "begun broken", "failed broken"]
    assert "broken" in told
    assert "false" in told
    assert bring("first")[1] == ["begun first", "unchanged first"]
