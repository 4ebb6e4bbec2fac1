"""What code decides a result: a digest of the modules that computed it, so that a change computes anew.

A module that only moved, a new comment or a better docstring decides nothing: the digest is of the text that is left
without comments, docstrings, blank lines and imports of ours, and without file names. It is of text, not of syntax
trees, since trees differ from one version of Python to the next, and digests are in git.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypeGuard

_ROOT = Path(__file__).parents[1]
_PACKAGE = _ROOT.name


@cache
def code_digest(*modules: str) -> str:
    """SHA-256 of the code of our modules and of all of ours that they import, with the data files that these name.

    Args:
        modules: dotted names, such as `polyroute.tracing.collect`.
    """
    code = closure(*modules)
    digests = {_digest(_read(path).decisive.encode()) for path in code}
    digests |= {_digest(path.read_bytes()) for path in data(code)}
    return _digest("".join(sorted(digests)).encode())


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


def data(code: set[Path]) -> set[Path]:
    """Files that modules name and that lie beside them, or in a folder beside them: tables, phrases, presets."""
    named: set[Path] = set()
    for path in code:
        strings = _read(path).strings
        named |= {place for place in path.parent.iterdir() if place.name in strings}
    files = {file for place in named for file in (place.rglob("*") if place.is_dir() else [place])}
    return {file for file in files if file.is_file() and file.suffix not in (".py", ".pyc")}


def imports(path: Path) -> frozenset[str]:
    """Dotted names of ours that a file imports, anywhere but under TYPE_CHECKING; their packages among them."""
    return _read(path).imports


class _Module(NamedTuple):
    imports: frozenset[str]
    strings: frozenset[str]
    """Every string in it: names of data files may be among them."""
    decisive: str
    """Its text without what decides nothing."""


def _read(path: Path) -> _Module:
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> _Module:
    nodes = list(ast.walk(ast.parse(text)))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return _Module(_imported(nodes), frozenset(strings), _decisive(text, nodes))


def _imported(nodes: list[ast.AST]) -> frozenset[str]:
    skipped = {
        id(node)
        for block in nodes
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    names: set[str] = set()
    for node in nodes:
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    ours = [name.split(".") for name in names if name.split(".")[0] == _PACKAGE]
    return frozenset(".".join(parts[:end]) for parts in ours for end in range(2, len(parts) + 1))


def _decisive(text: str, nodes: list[ast.AST]) -> str:
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in nodes:
        # A statement that shares its first line with another stays.
        if (_is_text(node) or _imports_ours(node)) and not lines[node.lineno - 1][: node.col_offset].strip():
            for row in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


@cache
def _file(name: str) -> Path | None:
    """Where a module of ours lies; None where the name is not a module's, but of something in one."""
    place = _ROOT.joinpath(*name.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_text(node: ast.AST) -> TypeGuard[ast.Expr]:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports_ours(node: ast.AST) -> TypeGuard[ast.Import | ast.ImportFrom]:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == _PACKAGE
    return isinstance(node, ast.Import) and all(alias.name.split(".")[0] == _PACKAGE for alias in node.names)
