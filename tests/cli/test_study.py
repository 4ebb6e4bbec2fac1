"""Which stages run, in which order and how many at once; a script stands for DVC."""

import stat
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from polyroute.cli import study
from polyroute.cli.verbs import main
from polyroute.params import file as params

ROOT = Path(__file__).parents[2]

OF_MODEL = ("trace", "draw", "steer", "mask", "judge")
STAGES = ["resolve", "train-pocket@a", *(f"{stage}@{model}" for model in "ab" for stage in OF_MODEL)]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch) -> Path:
    """What was called, a line each; a stage named in `broken` fails."""
    log, broken = tmp_path / "log", tmp_path / "broken"
    broken.write_text("")
    script = tmp_path / "dvc"
    script.write_text(
        f"#!{sys.executable}\nimport os, pathlib, sys\n"
        f"if sys.argv[1] == 'stage':\n    print('\\n'.join({STAGES!r}))\n    sys.exit()\n"
        "assert sys.argv[1:4] == ['--wait-for-lock', 'repro', '--single-item'], sys.argv\n"
        f"with open({str(log)!r}, 'a') as file:\n"
        "    file.write(os.environ['OMP_NUM_THREADS'] + ' ' + ' '.join(sys.argv[4:]) + '\\n')\n"
        f"sys.exit(any(name in pathlib.Path({str(broken)!r}).read_text().split() for name in sys.argv))\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(study, "dvc", lambda: str(script))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return log


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_models_parts_follow_one_another_and_its_long_stages_are_apart(ran, jobs) -> None:
    study.run(["a", "b"], jobs)
    lines = ran.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("1 resolve", "1 track")
    assert len(lines) == 12
    for model in "ab":
        own = [line for line in lines if line.endswith(f"@{model}")]
        assert (own[0], own[-1]) == (f"1 trace@{model}", f"1 judge@{model}")
        assert sorted(own[1:4]) == [f"1 {stage}@{model}" for stage in ("draw", "mask", "steer")]


@pytest.mark.parametrize(
    ("options", "models", "jobs"),
    [
        (["--jobs", "3"], ["qwen3-30b-a3b-counts", "pocket-plain", "pocket-planted", "pocket-untrained"], 3),
        (["--all", "--jobs", "1"], params.read(ROOT / "params.yaml").study.models, 1),
    ],
)
def test_the_verb_leaves_extra_models_out_unless_all_are_asked_for(options, models, jobs, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    asked = []
    monkeypatch.setattr(study, "run", lambda *given: asked.append(given))
    done = CliRunner().invoke(main, ["study", *options])
    assert done.exit_code == 0, done.output
    assert asked == [(models + params.read(ROOT / "params.yaml").study.distances, jobs)]


def test_only_the_models_that_are_named_run(ran) -> None:
    study.run(["b"], jobs=1)
    assert "@a" not in ran.read_text()


def test_threads_that_were_asked_for_stay(ran, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    study.run(["b"], jobs=1)
    assert ran.read_text().startswith("3 resolve")


def test_a_stage_that_fails_is_named_and_nothing_is_built_on_it(ran, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("trace@a")
    with pytest.raises(study.StudyError, match="failed: trace@a; what is wrong stands above"):
        study.run(["a", "b"], jobs=1)
    lines = ran.read_text().splitlines()
    assert [line for line in lines if "@a" in line] == ["1 trace@a"]
    assert "1 judge@b" in lines, "another model goes on"
    assert "1 track" not in lines


def test_no_stage_runs_before_one_whose_outputs_it_reads() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    written = {path: name for name, stage in stages.items() for path in _paths(stage, "outs", "metrics", "plots")}
    parts = study._parts([f"{name}@m" for name, stage in stages.items() if name not in ("resolve", "track")])
    before: set[str] = {"resolve"}
    for part in parts:
        for names in part:
            so_far = set(before)
            for name in (name.partition("@")[0] for name in names):
                needed = {
                    of for path in _paths(stages[name], "deps") for out, of in written.items() if _under(path, out)
                }
                assert needed - {name} <= so_far | {"train-pocket"}, name
                so_far.add(name)
        before |= {name.partition("@")[0] for names in part for name in names}


def _paths(stage: dict, *keys: str) -> list[str]:
    return [path if isinstance(path, str) else next(iter(path)) for key in keys for path in stage.get(key, [])]


def _under(path: str, out: str) -> bool:
    return path == out or path.startswith(f"{out}/")
