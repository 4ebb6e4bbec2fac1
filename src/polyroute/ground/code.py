"""What code decides a kept part: a digest of the modules that computed it, so that a change computes anew.

Parts are kept across runs, and a module that only moved, a new comment or a better docstring decides nothing: the
digest is of syntax trees, without docstrings, without imports of ours and without file names.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = __name__.split(".")[0]


@cache
def code_digest(*modules: str) -> str:
    """SHA-256 of the code of our modules and of all of ours that they import.

    Args:
        modules: dotted names, such as `polyroute.tracing.collect`.
    """
    trees = {hashlib.sha256(_decisive(path).encode()).hexdigest() for path in closure(*modules)}
    return hashlib.sha256("".join(sorted(trees)).encode()).hexdigest()


def closure(*modules: str) -> set[Path]:
    """Files of our modules and of all of ours that they import while they run, the package's own `__init__` apart."""
    seen: set[Path] = set()
    waiting = [path for name in modules if (path := _file(name))]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [file for name in imports(path) if (file := _file(name))]
    return seen


def imports(path: Path) -> set[str]:
    """Dotted names of ours that a file imports, anywhere but under TYPE_CHECKING; their packages among them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
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
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {name for name in names if name.split(".")[0] == _PACKAGE}
    return {".".join(parts[:end]) for name in ours for parts in [name.split(".")] for end in range(2, len(parts) + 1)}


@cache
def _file(name: str) -> Path | None:
    """Where a module of ours lies; None where the name is not a module's, but of something in one."""
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _decisive(path: Path) -> str:
    """A file's syntax tree as text, without what decides nothing."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        kept = [statement for statement in body if not (_is_text(statement) or _imports_ours(statement))]
        node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports_ours(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == _PACKAGE
    return isinstance(node, ast.Import) and all(alias.name.split(".")[0] == _PACKAGE for alias in node.names)
