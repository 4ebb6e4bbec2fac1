"""The pipeline tells DVC the truth: what a script imports and reads is what dvc.yaml says."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from polyroute.ground.code import closure, imports
from tiny import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PACKAGE = ROOT / "src" / "polyroute"
WITHOUT_SETTINGS = {"train-pocket", "resolve"}
"""Stages that read params.yaml itself, or nothing of it."""


def script_of(stage: str) -> Path:
    command = STAGES[stage]["cmd"].split()
    assert command[0] == "python"
    return ROOT / command[1]


def load_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DATA = {"languages/table.py": "languages/table.csv", "miniworld/tables.py": "miniworld/phrases"}
"""Modules -> what they read of the package that is no code."""


def needed_code(script: Path) -> set[Path]:
    """Our files that a script needs: all that it imports, what they read, but no `__init__` that says nothing."""
    files = {file for file in closure(*imports(script)) if file.name != "__init__.py" or says_something(file)}
    return files | {PACKAGE / data for module, data in DATA.items() if PACKAGE / module in files}


def says_something(file: Path) -> bool:
    return any(not isinstance(node, ast.Expr) for node in ast.parse(file.read_text(encoding="utf-8")).body)


def code_deps(script: Path) -> list[str]:
    """The same as deps: a folder where all of it is needed, else files."""
    needed = needed_code(script)

    def inside(folder: Path) -> set[Path]:
        entries = [path for path in folder.iterdir() if path.name not in ("__pycache__", "py.typed")]
        found = {path for path in entries if path in needed} | {
            deeper for path in entries if path.is_dir() and path not in needed for deeper in inside(path)
        }
        silent = {path for path in entries if path.name == "__init__.py" and not says_something(path)}
        return {folder} if found and set(entries) <= found | silent else found

    return sorted(
        path.relative_to(ROOT).as_posix() for room in PACKAGE.iterdir() if room.is_dir() for path in inside(room)
    )


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_among_a_stages_deps_is_what_its_script_imports_no_more_and_no_less(stage) -> None:
    listed = [dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")]
    needed = code_deps(script_of(stage))
    lines = "\n".join(f"      - {dep}" for dep in needed)
    assert listed == needed, f"the code deps of {stage} in dvc.yaml should be:\n{lines}"


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_script_and_on_its_own_settings_alone(stage) -> None:
    deps = STAGES[stage]["deps"]
    assert script_of(stage).relative_to(ROOT).as_posix() in deps
    own = f"settings/${{item.model}}/{stage}.json" if "matrix" in STAGES[stage] else f"settings/{stage}.json"
    assert [dep for dep in deps if dep.startswith("settings")] == ([] if stage in WITHOUT_SETTINGS else [own])


@pytest.mark.parametrize(
    "stage", ["resolve", "fetch", "align", "experts", "similarity", "correlate", "figures", "track"]
)
def test_stages_that_run_no_model_do_without_torch(stage) -> None:
    load = f"import runpy\nrunpy.run_path({str(script_of(stage))!r})"
    script = f"import sys\n{load}\nassert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_says_what_it_does(stage) -> None:
    assert STAGES[stage]["desc"].endswith(".")


@pytest.mark.parametrize("stage", STAGES)
def test_results_are_in_git_and_data_is_not(stage) -> None:
    for kind in ("outs", "metrics", "plots"):
        for entry in STAGES[stage].get(kind, []):
            path, options = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
            path = path.replace("${item.model}", "pocket-plain")
            ignored = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False).returncode == 0
            in_git = options.get("cache") is False and not path.startswith("data/")
            assert ignored != in_git, f"{path} of {stage}"


def test_every_script_is_a_stage() -> None:
    assert {script_of(stage) for stage in STAGES} == set((ROOT / "pipeline").glob("*.py"))


@pytest.mark.parametrize("stage", STAGES)
def test_every_script_has_help(stage) -> None:
    told = subprocess.run(
        [sys.executable, script_of(stage), "--help"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert "--log-level" in told


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
