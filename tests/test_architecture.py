"""Doors open one way: a room imports only rooms behind it."""

import ast
import subprocess
import sys

import pytest

from tiny import ROOT

# Each room may import those after it in the list, and `base`.
ORDER = [
    "cli", "mirror", "pin", "tracking", "report", "interventions", "evaluation", "steering", "experts", "measures",
    "stats", "traces", "models", "corpora", "pocket", "params",
]  # fmt: skip
BASE = {"console", "errors", "files", "languages", "paths"}
# Rooms beside one another, of which neither may import the other.
APART = [
    ("stats", "traces"), ("stats", "models"), ("report", "measures"), ("report", "traces"), ("evaluation", "steering"),
    ("evaluation", "experts"), ("steering", "experts"), ("steering", "measures"),
]  # fmt: skip
PACKAGE = ROOT / "src" / "polyroute"


def rooms_imported(path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "polyroute":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("polyroute.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_only_what_lies_behind_them(path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    imported = rooms_imported(path) - {room}
    if room in BASE:
        assert imported <= BASE, f"{path} is base and imports {imported - BASE}"
        return
    assert room in ORDER, f"new room `{room}`: give it a place in ORDER"
    allowed = set(ORDER[ORDER.index(room) + 1 :]) | BASE
    assert imported <= allowed, f"{path} imports {imported - allowed}"
    for first, second in APART:
        assert not (room == first and second in imported), f"{path} imports {second}"


HEAVY = ["mlflow", "dvc", "datasets", "vllm", "ray", "matplotlib", "huggingface_hub"]


def test_only_tracking_imports_mlflow() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "mlflow" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mlflow")
    }
    assert users <= {"tracking/store.py"}


@pytest.mark.parametrize(
    "module", ["polyroute.tracing.study", "polyroute.models.load", "polyroute.measures.layer_curves"]
)
def test_the_library_imports_without_the_pipelines_tools(module) -> None:
    blocked = [name for name in HEAVY if name != "huggingface_hub"]  # transformers brings that one
    script = f"import sys\nfor name in {blocked}: sys.modules[name] = None\nimport {module}"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_help_does_not_wait_for_torch() -> None:
    script = "import sys\nimport polyroute.cli\nassert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
