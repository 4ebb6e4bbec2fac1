"""Which stages run, in which order and how many at once; a script stands for DVC."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from polyroute.cli import study
from polyroute.cli.events import MARK
from polyroute.cli.verbs import main
from polyroute.params import file as params

ROOT = Path(__file__).parents[2]

OF_MODEL = ("trace", "draw", "steer", "mask", "judge")
STAGES = [*(f"{stage}@{model}" for model in "ab" for stage in OF_MODEL), "track"]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch) -> Path:
    """What was begun, a line each; a stage named in `broken` fails, one in `same` has nothing to do."""
    log, broken, same = tmp_path / "log", tmp_path / "broken", tmp_path / "same"
    broken.write_text("")
    same.write_text("")
    bring = tmp_path / "bring"
    # Events are written out: importing them would take longer than all that this does.
    bring.write_text(
        "import os, sys\n"
        f"broken, same = (open(path).read().split() for path in ({str(broken)!r}, {str(same)!r}))\n"
        "look = [name.removeprefix('--look=') for name in sys.argv[1:] if name.startswith('--look=')]\n"
        "for name in sys.argv[1 + len(look):]:\n"
        f"    with open({str(log)!r}, 'a') as file:\n"
        "        file.write(os.environ['OMP_NUM_THREADS'] + ' ' + name + '\\n')\n"
        f"    print({MARK!r} + 'begun', name)\n"
        "    print(f'{name}: as it is')\n"
        f"    print({MARK!r} + ('failed' if name in broken else 'done'), name)\n"
        "    if name in broken:\n"
        "        sys.exit(1)\n"
        f"for name in {STAGES!r}:\n"
        "    if name.partition('@')[2] in look:\n"
        f"        print({MARK!r} + ('unchanged' if name in same else 'changed'), name)\n"
    )
    monkeypatch.setattr(study, "_bringing", lambda: [sys.executable, "-S", "-E", str(bring)])
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


def test_models_that_are_read_come_first_and_their_end_is_told(ran) -> None:
    so_far = []
    study.run(["a", "b"], 1, read=["b"], first=lambda: so_far.append(ran.read_text().splitlines()))
    (lines,) = so_far
    assert lines == ["1 resolve", *(f"1 {stage}@b" for stage in OF_MODEL)]


def test_a_model_of_which_nothing_has_changed_is_left_alone(ran, tmp_path) -> None:
    (tmp_path / "same").write_text(" ".join(f"{stage}@a" for stage in OF_MODEL))
    study.run(["a", "b"], 1)
    assert "@a" not in ran.read_text()
    assert ran.read_text().endswith("1 track\n")


def test_nothing_runs_where_nothing_has_changed(ran, tmp_path, capsys) -> None:
    (tmp_path / "same").write_text(" ".join(STAGES))
    study.run(["a", "b"], 1, first=lambda: pytest.fail("nothing is under way"))
    assert ran.read_text() == "1 resolve\n"
    assert "stages" not in capsys.readouterr().out


@pytest.mark.parametrize("read", [[], ["b"], ["c"]], ids=["none is read", "none is run", "of another study"])
def test_without_results_of_models_that_are_read_beside_others_nothing_is_first(read, ran) -> None:
    study.run(["b"], 1, read=read, first=lambda: pytest.fail("there is but one board"))


def test_what_stages_print_is_shown_and_what_becomes_of_them_is_not(ran, capsys) -> None:
    study.run(["a"], 1)
    shown = capsys.readouterr().out
    assert "trace@a: as it is" in shown
    assert MARK not in shown
    assert "6 stages, 1 at once: about 5 min" in shown


def test_the_random_initialisations_of_two_models_are_not_drawn_at_once() -> None:
    running = study._Running({"a": [], "b": []}, 2, lambda _event: None, set(), lambda: None)
    draw, mask = study.Batch("a", ("draw@a",)), study.Batch("a", ("mask@a",))
    running.ready = [draw, mask]
    assert running._pick() == draw
    running.running = {None: study.Batch("b", ("draw@b",))}
    assert running._pick() == mask


def test_the_last_models_begin_with_what_takes_longest_to_the_end() -> None:
    short, long = study.Batch("b", ("mask@b",)), study.Batch("c", ("steer@c",))
    after = {model: [[study.Batch(model, (f"judge@{model}",))]] for model in "bc"}
    running = study._Running({"a": [], **after}, 2, lambda _event: None, set(), lambda: None)
    running.ready = [short, long]
    assert running._pick() == long
    running.parts["a"] = [[study.Batch("a", ("judge@a",))]]
    assert running._pick() == short, "three models wait: the first of them"
    running.parts = {"a": [], "b": [*after["b"], [study.Batch("b", ("trace@b", "tune@b", "draw@b"))]], "c": after["c"]}
    assert running._pick() == short, "more follows it"


@pytest.mark.parametrize(
    ("options", "models", "jobs"),
    [
        (["--jobs", "3"], ["qwen3-30b-a3b-counts", "pocket-plain", "pocket-planted", "pocket-untrained"], 3),
        (["--all", "--jobs", "1"], params.read(ROOT / "params.yaml").study.models, 1),
    ],
)
def test_the_verb_leaves_extra_models_out_unless_all_are_asked_for(options, models, jobs, monkeypatch) -> None:
    assert _asked(monkeypatch, *options) == (models + params.read(ROOT / "params.yaml").study.distances, jobs)


def test_the_verb_runs_the_models_that_are_named_alone(monkeypatch) -> None:
    options = ["--model", "pocket-gpt-oss", "--model", "pocket-plain", "--jobs", "1"]
    assert _asked(monkeypatch, *options) == (["pocket-plain", "pocket-gpt-oss"], 1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pocket-plane", r"pocket-plane.*pocket-plain"),
        ("olmoe-1b-7b", r"olmoe-1b-7b is not among `study\.models`, which have stages: add it there"),
    ],
)
def test_a_model_that_the_study_does_not_have_is_refused_by_name(name, said, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(main, ["study", "--model", name])
    assert done.exit_code == 1
    assert re.search(said, done.output)


def _asked(monkeypatch, *options: str) -> tuple[list[str], int]:
    """Models and jobs that the verb runs."""
    asked = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(study, "run", lambda *given, **_named: asked.append(given))
    done = CliRunner().invoke(main, ["study", *options])
    assert done.exit_code == 0, done.output
    (given,) = asked
    return given


def test_only_the_models_that_are_named_run(ran) -> None:
    study.run(["b"], jobs=1)
    assert "@a" not in ran.read_text()


def test_settings_that_cannot_be_worked_out_end_it(ran, tmp_path: Path) -> None:
    (tmp_path / "broken").write_text("resolve")
    with pytest.raises(study.StudyError, match="failed: resolve; what is wrong stands above"):
        study.run(["a"], jobs=1)
    assert ran.read_text() == "1 resolve\n"


def test_dvc_is_loaded_by_the_stages_alone() -> None:
    """Loading it takes seconds, which `polyroute study` would spend before anything is seen."""
    script = "import sys, polyroute.cli.study\nassert 'dvc' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


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
    names = [f"{name}@m" for name in stages if name not in ("resolve", *study.LAST)]
    parts = [[batch.stages for batch in part] for part in study._parts("m", names, False)]
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
