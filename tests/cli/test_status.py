"""What `polyroute status` says of stages in each state, in a study of three short stages, and `dag` of the real one."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from dvc.repo import Repo
from rich.console import Console

from pipeline.test_end_to_end import stage as run_stage
from polyroute.cli import status
from polyroute.cli.verbs import main
from polyroute.ground.files import write_json
from polyroute.ground.paths import Paths
from polyroute.ground.repository import RepositoryError
from polyroute.params import file as params
from polyroute.report import status as shown
from tiny import ROOT, raw_params

STAGES = {
    name: {
        "matrix": {"model": ["one"]},
        "cmd": f"cat {source} settings/one/{name}.json > {out}",
        "deps": [f"settings/${{item.model}}/{name}.json", source],
        "outs": [{out: {"persist": True} | ({} if out.startswith("data") else {"cache": False})}],
    }
    for name, source, out in (
        ("fetch", "text", "data/inputs"),
        ("trace", "data/inputs", "data/traces"),
        ("align", "data/traces", "align.csv"),
    )
}


@pytest.fixture
def study(tmp_path: Path, monkeypatch) -> Path:
    """Three stages that have run; nothing that `resolve` would change."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(status, "_ahead", lambda *_: set())
    subprocess.run(["git", "init", "--quiet"], check=True)
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}, sort_keys=False))
    (tmp_path / "text").write_text("text\n")
    for name in STAGES:
        write_json(tmp_path / "settings" / "one" / f"{name}.json", {"name": "one"})
    (tmp_path / "data").mkdir()
    Repo.init().reproduce()
    return tmp_path


def told() -> dict[str, tuple[str, str]]:
    """Stage -> state and why, or what is missing and what brings it."""
    return {
        one.stage: (one.state, ": ".join(filter(None, (one.why, one.brings)))) for one in status.states(Paths(), None)
    }


FRESH = {"fetch": ("fresh", ""), "trace": ("fresh", ""), "align": ("fresh", "")}


def test_nothing_changed(study) -> None:
    assert told() == FRESH


def test_other_settings_make_a_stage_stale_and_those_after_it_wait(study) -> None:
    write_json(study / "settings" / "one" / "trace.json", {"name": "two"})
    assert told() == FRESH | {"trace": ("stale", "settings"), "align": ("waits", "after trace")}


def test_what_resolve_would_write_counts_before_it_does(study, monkeypatch) -> None:
    monkeypatch.setattr(status, "_ahead", lambda *_: {"settings/one/align.json"})
    assert told() == FRESH | {"align": ("stale", "settings")}


def test_other_data_are_named(study) -> None:
    (study / "text").write_text("other\n")
    assert told()["fetch"] == ("stale", "text")


def test_what_is_missing_comes_with_what_brings_it(study) -> None:
    (study / "data" / "traces").unlink()
    assert told() == FRESH | {"trace": ("missing", "data/traces: dvc checkout"), "align": ("waits", "after trace")}
    shutil.rmtree(study / ".dvc" / "cache")
    assert told()["trace"] == ("missing", "data/traces: dvc repro trace@one")
    with (study / ".dvc" / "config").open("a") as file:
        file.write("[core]\n    remote = lab\n['remote \"lab\"']\n    url = /nowhere\n")
    assert told()["trace"] == ("missing", "data/traces: dvc pull")
    (study / "align.csv").unlink()
    assert told()["align"] == ("missing", "align.csv: dvc repro align@one")


def test_a_stage_that_never_ran_or_was_changed_by_hand_is_told(study) -> None:
    (study / "align.csv").write_text("mine\n")
    assert told()["align"] == ("stale", "align.csv was changed by hand")
    (study / "dvc.lock").unlink()
    assert told()["trace"] == ("never run", "dvc repro trace@one")


def test_a_copy_without_git_is_refused(study) -> None:
    shutil.rmtree(study / ".git")
    with pytest.raises(RepositoryError, match="git init"):
        status.states(Paths(), None)


def test_a_change_of_params_is_seen_ahead(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = raw_params()
    raw["study"] |= {"models": ["qwen3-30b-a3b-counts"], "extra": []}
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    for name in ("recorded", "pipeline"):
        Path(name).symlink_to(ROOT / name)
    run_stage(tmp_path, "resolve")
    assert status._ahead(Paths(), params.read(Paths().params)) == set()
    raw["models"]["qwen3-30b-a3b-counts"]["zones"]["late"] = [40, 47]
    Path("params.yaml").write_text(yaml.safe_dump(raw))
    changed = {f"settings/qwen3-30b-a3b-counts/{stage}.json" for stage in ("align", "nulls", "similarity")}
    assert status._ahead(Paths(), params.read(Paths().params)) == changed | {"settings/track.json"}


def test_stages_that_are_alike_share_a_line() -> None:
    states = [
        status.StageState("fetch", "one", "fresh", "", "", 2.0), status.StageState("trace", "one", "fresh", "", "", 70),
        status.StageState("align", "one", "stale", "settings", "", None),
        status.StageState("claims", "one", "waits", "", "", 3),
        status.StageState("draw", "two", "missing", "data/draws/two", "dvc repro draw@two", None),
        status.StageState("score", "two", "missing", "data/scored/two", "dvc repro score@two", None),
        status.StageState("trace", "two", "missing", "data/traces/two", "dvc pull", None),
        status.StageState("track", "", "stale", "code", "", 4000.0),
    ]  # fmt: skip
    assert shown.headline(states) == (
        "6 of 8 stages are not up to date (2 stale, 3 missing, 1 waiting for these): `polyroute study` runs what it "
        "takes."
    )
    assert shown.headline(states[:2]) == "All 2 stages are up to date."
    console = Console(width=100, record=True, file=None, color_system=None)
    with console.capture() as captured:
        console.print(shown.table(states))
    lines = [" ".join(line.split()) for line in captured.get().splitlines()]
    assert lines[1:] == [
        "one fresh 2 of 4 1 min 12 s",
        "stale align settings –",
        "waits claims 3 s",
        "two missing draw, score `polyroute study` –",
        "missing trace data/traces/two: `dvc pull` –",
        "study stale track code 1 h 06 min",
    ]


def test_the_stages_of_the_study_fit_a_terminal(monkeypatch) -> None:
    steps = status.steps(yaml.safe_load((ROOT / "dvc.yaml").read_text()))
    assert steps["trace"] == ["fetch"]
    assert steps["nulls"] == ["trace", "draw"]
    assert "distances" not in steps["figures"]
    assert "trace" in steps["align"]
    monkeypatch.chdir(ROOT)
    printed = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["dag"], catch_exceptions=False).output
    assert max(map(len, printed.splitlines())) <= 100
    assert all(f"\n{stage} " in printed for stage in steps)
