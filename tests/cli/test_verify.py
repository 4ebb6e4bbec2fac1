"""A run against a commit: what agrees, what differs, and the exit status that scripts read."""

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.results.experts import DomainRow, MemberRow

PLAN = {
    "format": 1,
    "model": "m",
    "rule": "soft",
    "strength": 0.5,
    "experts": {"3": [1, 2]},
    "weights": {"3": {"1": 0.4}},
}


def members(delta: float = 0.3, member: bool = True) -> pd.DataFrame:
    row = ["m", "c", "any", 3, 7, delta, 0.1, 0.5, 0.2, member, 1.0, "sums"]
    return pd.DataFrame([row], columns=MemberRow.columns())


def git(*words: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], check=True, capture_output=True)


def verify(*words: str):
    return CliRunner().invoke(main, ["verify", *words])


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    MemberRow.write(Path("metrics/m"), members())
    Path("plans/m").mkdir(parents=True)
    Path("plans/m/sums.json").write_text(json.dumps(PLAN))
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "results")


def test_an_untouched_run_agrees() -> None:
    told = verify()
    assert (told.exit_code, told.output) == (
        0, "results agree with HEAD: 2 files, 2 of them the same byte for byte\n",
    )  # fmt: skip


def test_a_last_digit_is_within_the_tolerance_and_shown_when_asked_for() -> None:
    MemberRow.write(Path("metrics/m"), members(0.3002))
    told = verify()
    assert (told.exit_code, told.output.count("\n")) == (0, 1)
    assert "agree with HEAD within their tolerances: 2 files, 1 of them" in told.output
    assert "metrics/m/membership.csv  delta" in verify("--every").output


def test_what_differs_is_named_with_its_worst_value_and_place() -> None:
    MemberRow.write(Path("metrics/m"), members(0.32, member=False))
    told = verify()
    assert told.exit_code == 1
    head, delta, member, last = told.output.splitlines()
    assert head.split() == ["file", "column", "worst", "difference", "allowed", "values", "at"]
    assert delta.split("  ")[:2] == ["metrics/m/membership.csv", "delta"]
    assert "0.02" in delta
    assert delta.endswith("1 of 1  sums, c, any, 0.2, 3, 7")
    assert "True, now False" in member
    assert last == "1 of 2 files differ from HEAD by more than their tolerances"
    found = json.loads(verify("--json").output)
    assert [one["column"] for one in found["beyond"]] == ["delta", "member"]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"experts": {"3": [1, 4]}}, "experts"),
        ({"strength": 0.4}, "strength"),
        ({"weights": {"3": {"1": 0.5}}}, "weights"),
    ],
)
def test_plans_agree_by_their_experts(change, column) -> None:
    Path("plans/m/sums.json").write_text(json.dumps(PLAN | change))
    told = verify()
    assert told.exit_code == 1
    assert told.output.splitlines()[1].split("  ")[:2] == ["plans/m/sums.json", column]
    Path("plans/m/sums.json").write_text(json.dumps(PLAN | {"weights": {"3": {"1": 0.40001}}}, indent=2))
    assert verify().exit_code == 0


def test_files_that_are_gone_new_or_not_as_declared() -> None:
    Path("plans/m/sums.json").unlink()
    Path("metrics/m/membership.csv").write_text("model\nm\n")
    Path("metrics/m/domains.csv").write_text("model\nm\n")
    told = verify().output
    assert "plans/m/sums.json" in told
    assert "is no longer there" in told
    assert "is new" in told
    assert "cannot be compared: now/membership.csv lacks the columns" in told
    assert DomainRow.file in told


def test_another_commit_and_one_that_is_not_there() -> None:
    MemberRow.write(Path("metrics/m"), members(0.5))
    git("commit", "--quiet", "-am", "others")
    assert verify().exit_code == 0
    assert verify("--against", "HEAD~1").exit_code == 1
    told = verify("--against", "none")
    assert (told.exit_code, told.output.count("\n")) == (1, 1)
    assert "name a commit that it has" in told.output


def test_without_a_repository_or_results_a_sentence_says_so(tmp_path_factory, monkeypatch) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(elsewhere.parent))
    assert "call this in a clone" in verify().output
    git("init", "--quiet")
    git("commit", "--quiet", "--allow-empty", "-m", "nothing")
    told = verify()
    assert (told.exit_code, "HEAD holds no results" in told.output) == (1, True)
