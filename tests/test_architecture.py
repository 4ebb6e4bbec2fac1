"""Doors open one way: a room imports only rooms behind it."""

import ast
import json
import subprocess
import sys
from functools import cache

import pytest

from tiny import ROOT

# Which rooms each opens onto, its own and `ground` apart; lower floors first.
OPENS = {
    "languages": set(),
    "artifacts": set(),
    "results": set(),
    "stats": set(),
    "claims": {"languages", "results", "stats"},
    "miniworld": {"languages"},
    "models": set(),
    "workers": set(),
    "scoring": {"artifacts", "languages", "results"},
    "measures": {"artifacts", "results", "stats", "languages"},
    "readers": {"artifacts", "languages", "miniworld", "scoring"},
    "tracing": {"workers", "models", "artifacts", "languages", "measures"},
    "steering": {"models"},
    "engines": {"steering", "workers"},
    "looking": {"artifacts", "measures", "models", "steering", "tracing"},
    "comparing": {"artifacts", "experts", "measures", "results", "scoring", "stats"},
    "experts": {"measures", "artifacts", "results", "stats", "languages"},
    "pocket": {"miniworld", "languages"},
    "asking": {"engines", "workers", "steering", "models", "artifacts", "languages"},
    "interventions": {"languages", "experts", "scoring", "steering", "artifacts", "results", "stats", "measures"},
    "planning": {
        "artifacts", "asking", "experts", "interventions", "languages", "measures", "models", "results", "scoring",
        "steering", "tracing",
    },
    "multiverse": {"artifacts", "claims", "experts", "languages", "measures", "results", "stats"},
    "params": {"artifacts", "languages", "pocket", "readers"},
    "report": {
        "claims", "results", "measures", "languages", "stats", "params", "pocket", "readers", "artifacts", "scoring",
        "comparing",
    },
    "sizing": {"languages", "models", "params", "readers"},
    "tracking": {"results", "report", "languages"},
    "cli": {
        "params", "claims", "languages", "models", "report", "tracking", "tracing", "pocket", "readers", "artifacts",
        "multiverse", "results", "looking", "steering", "comparing", "planning", "sizing",
    },
}  # fmt: skip
SETTINGS = {"settings", "recipe"}
"""Modules of any room that `params` composes: types alone, without torch."""
PACKAGE = ROOT / "src" / "polyroute"


def rooms_imported(path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "polyroute" and not (path.parent.name == "params" and parts[-1] in SETTINGS):
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("polyroute.")}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_rooms_import_only_what_they_open_onto(path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    assert room == "ground" or room in OPENS, f"new room `{room}`: say what it opens onto"
    allowed = OPENS.get(room, {"languages", "params"}) | {room, "ground"}
    assert rooms_imported(path) <= allowed, f"{path} imports {rooms_imported(path) - allowed}"


LIBRARY = ["polyroute.tracing.study", "polyroute.models.load", "polyroute.measures.layer_curves"]
HEAVY = ["mlflow", "dvc", "datasets", "vllm", "ray", "matplotlib", "huggingface_hub"]


def test_only_tracking_imports_mlflow() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "mlflow" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "mlflow")
    }
    assert users <= {"tracking/store.py", "tracking/server.py"}


@pytest.fixture(scope="module")
def imported_without() -> dict[str, str]:
    """Module -> what it says as it is imported where the pipeline's tools are absent; one process imports them all."""
    script = (
        "import importlib, json, sys\n"
        "modules, absent = map(json.loads, sys.argv[1:])\n"
        "sys.modules |= dict.fromkeys(absent)\n"
        "said = {}\n"
        "for name in modules:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "        said[name] = ''\n"
        "    except ImportError as error:\n"
        "        said[name] = str(error)\n"
        "print(json.dumps(said))\n"
    )
    blocked = [name for name in HEAVY if name != "huggingface_hub"]  # transformers brings that one
    command = [sys.executable, "-c", script, json.dumps(LIBRARY), json.dumps(blocked)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("module", LIBRARY)
def test_the_library_imports_without_the_pipelines_tools(module, imported_without) -> None:
    assert imported_without[module] == ""


def test_help_does_not_wait_for_torch() -> None:
    script = "import sys\nimport polyroute.cli\nassert 'torch' not in sys.modules and 'pandas' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@cache
def imported_at_once(path) -> set[str]:
    """Modules that running a file imports; not those that its functions import when they are called."""
    found, statements = set(), list(ast.parse(path.read_text()).body)
    while statements:
        node = statements.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, (ast.Try, ast.With)):
            statements += ast.iter_child_nodes(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.dump(node.test):
            statements += node.body + node.orelse
    return found


def loaded_by(path) -> set[str]:
    """All packages that running a file imports, by way of our own modules too."""
    waiting, seen, packages = [path], {path}, set()
    while waiting:
        for name in imported_at_once(waiting.pop()):
            packages.add(name.split(".")[0])
            stem = PACKAGE.parent / name.replace(".", "/")
            own = {file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()} - seen
            seen |= own
            waiting += own
    return packages


RUN_MODELS = {"trace", "train_pocket"}
"""Stages whose scripts are of no use without torch; others import it where a model is to be run."""


@pytest.mark.parametrize("path", sorted((ROOT / "pipeline").glob("*.py")), ids=lambda path: path.stem)
def test_a_stage_loads_torch_only_where_it_runs_a_model(path) -> None:
    loaded = loaded_by(path)
    assert "polyroute" in loaded
    assert loaded.isdisjoint({"torch", "transformers"}) == (path.stem not in RUN_MODELS)
