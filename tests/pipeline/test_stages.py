"""The pipeline tells DVC the truth: what a script imports and reads is what dvc.yaml says."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from click.testing import CliRunner

from polyroute.ground.code import closure, data, imports
from tiny import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
WITHOUT_SETTINGS = {"train-pocket", "resolve"}
"""Stages that read params.yaml itself, or nothing of it."""
WITHOUT_A_MODEL = ("resolve", "fetch", "align", "experts", "similarity", "correlate", "figures", "track")


def script_of(stage: str) -> Path:
    command = STAGES[stage]["cmd"].split()
    assert command[0] == "python"
    return ROOT / command[1]


def load_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("stage", sorted(set(STAGES) - WITHOUT_SETTINGS))
def test_a_stage_depends_on_the_digest_of_its_own_code_and_on_no_other_code(stage) -> None:
    deps = STAGES[stage]["deps"]
    digest = f"settings/_code/{script_of(stage).stem}.txt"
    assert [dep for dep in deps if dep.startswith(("src", "settings/_code"))] == [digest]


def test_resolve_depends_on_all_code() -> None:
    assert {"pipeline", "src/polyroute"} <= set(STAGES["resolve"]["deps"])


def test_training_lists_the_code_that_it_imports() -> None:
    listed = [ROOT / dep for dep in STAGES["train-pocket"]["deps"] if dep.startswith("src")]
    needed = closure(*imports(script_of("train-pocket")))
    files = {file for path in listed for file in ([path] if path.is_file() else path.rglob("*"))}
    assert {file for file in needed | data(needed) if file not in files and file.name != "__init__.py"} == set()
    assert all(path in needed | data(needed) or any(path in file.parents for file in needed) for path in listed)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_script_and_on_its_own_settings_alone(stage) -> None:
    deps = STAGES[stage]["deps"]
    script = script_of(stage).relative_to(ROOT)
    assert {script.as_posix(), script.parent.as_posix()} & set(deps)
    own = f"settings/${{item.model}}/{stage}.json" if "matrix" in STAGES[stage] else f"settings/{stage}.json"
    assert [dep for dep in deps if dep.startswith("settings") and "_code" not in dep] == (
        [] if stage in WITHOUT_SETTINGS else [own]
    )


@pytest.fixture(scope="module")
def heavy() -> dict[str, list[str]]:
    """Stage -> which of torch and transformers are loaded once its script is, after those before it in one process."""
    script = (
        "import json, runpy, sys\n"
        "loaded = {}\n"
        "for stage, path in json.loads(sys.argv[1]).items():\n"
        "    runpy.run_path(path)\n"
        "    loaded[stage] = [name for name in ('torch', 'transformers') if name in sys.modules]\n"
        "print(json.dumps(loaded))\n"
    )
    scripts = json.dumps({stage: str(script_of(stage)) for stage in WITHOUT_A_MODEL})
    done = subprocess.run([sys.executable, "-c", script, scripts], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("stage", WITHOUT_A_MODEL)
def test_stages_that_run_no_model_do_without_torch(stage, heavy) -> None:
    assert heavy[stage] == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_says_what_it_does(stage) -> None:
    assert STAGES[stage]["desc"].endswith(".")


def outputs(stage: str) -> dict[str, dict]:
    """Path of an output, for one model -> what dvc.yaml says of it."""
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in STAGES[stage].get(kind, [])]
    pairs = [next(iter(entry.items())) if isinstance(entry, dict) else (entry, {}) for entry in entries]
    return {path.replace("${item.model}", "pocket-plain"): options for path, options in pairs}


@pytest.fixture(scope="module")
def ignored() -> set[str]:
    """Outputs that git leaves alone."""
    every = "\0".join(path for stage in STAGES for path in outputs(stage))
    told = subprocess.run(
        ["git", "check-ignore", "-z", "--stdin"], cwd=ROOT, input=every, capture_output=True, text=True, check=False
    )
    assert told.returncode in (0, 1), told.stderr
    return set(told.stdout.split("\0"))


@pytest.mark.parametrize("stage", STAGES)
def test_results_are_in_git_and_data_is_not(stage, ignored) -> None:
    for path, options in outputs(stage).items():
        in_git = options.get("cache") is False and not path.startswith("data/")
        assert (path in ignored) != in_git, f"{path} of {stage}"


def test_every_script_is_a_stage() -> None:
    assert {script_of(stage) for stage in STAGES} == set((ROOT / "pipeline").glob("*.py"))


@pytest.mark.parametrize("stage", STAGES)
def test_every_script_has_help(stage) -> None:
    told = CliRunner().invoke(load_script(script_of(stage)).main, ["--help"])
    assert told.exit_code == 0, told.output
    assert "--log-level" in told.output


def test_a_fresh_clone_has_nothing_to_reproduce(tmp_path) -> None:
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("not a git checkout with a commit")
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", ROOT.as_uri(), clone], check=True, capture_output=True)
    told = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--dry", "--allow-missing"],
        cwd=clone, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "Running stage" not in told.stdout
    assert "up to date" in told.stdout


@pytest.mark.parametrize("stage", sorted(set(STAGES) - {"train-pocket"}))
def test_dvc_leaves_every_output_to_its_stage_which_keeps_it_until_it_has_written_anew(stage) -> None:
    outs = [entry for kind in ("outs", "metrics", "plots") for entry in STAGES[stage].get(kind, ())]
    assert outs
    assert all(isinstance(entry, dict) and all(how.get("persist") for how in entry.values()) for entry in outs)
