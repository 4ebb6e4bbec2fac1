"""The pipeline tells DVC the truth: what a script imports and reads is what dvc.yaml says."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tiny import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PACKAGE = ROOT / "src" / "polyroute"


def script_of(stage: str) -> Path:
    command = STAGES[stage]["cmd"].split()
    assert command[0] == "python"
    return ROOT / command[1]


def load_script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def file_of(name: str) -> Path | None:
    """File of a module of ours, whether it is a package or not."""
    place = ROOT / "src" / Path(*name.split("."))
    for candidate in (place / "__init__.py", place.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def imports_of(path: Path) -> set[Path]:
    """Our files that a file imports, anywhere in it but under TYPE_CHECKING; parents' __init__ among them."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name for name in names if name.split(".")[0] == "polyroute"}
    for name in list(ours):
        parts = name.split(".")
        ours |= {".".join(parts[: i + 1]) for i in range(len(parts))}
    return {file for name in ours if (file := file_of(name))}


def closure(path: Path) -> set[Path]:
    seen: set[Path] = set()
    todo = {path}
    while todo:
        current = todo.pop()
        seen.add(current)
        todo |= imports_of(current) - seen
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_that_a_script_imports_is_among_its_deps(stage) -> None:
    script = script_of(stage)
    deps = [ROOT / dep for dep in STAGES[stage]["deps"]]
    needed = closure(script) | {PACKAGE / "languages" / "table.csv"}
    missing = [
        str(file.relative_to(ROOT)) for file in needed if not any(file == dep or dep in file.parents for dep in deps)
    ]
    # The package's own __init__ holds nothing but lazy names of the library.
    assert set(missing) <= {"src/polyroute/__init__.py"}, f"{stage} imports what dvc.yaml does not list"


@pytest.mark.parametrize("stage", STAGES)
def test_no_dep_on_code_that_a_script_does_not_import(stage) -> None:
    needed = closure(script_of(stage)) | {PACKAGE / "languages" / "table.csv"}
    for dep in STAGES[stage]["deps"]:
        if dep.startswith("src/"):
            place = ROOT / dep
            assert any(file == place or place in file.parents for file in needed), f"{stage} does not import {dep}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_key_that_a_script_reads_is_among_its_params(stage) -> None:
    keys = [key.replace("{model}", "${item.model}") for key in load_script(script_of(stage)).KEYS]
    assert sorted(keys) == sorted(STAGES[stage].get("params", []))


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
