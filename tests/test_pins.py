"""Everything that is installed is pinned, what pip can check has checksums, and the library brings what it imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tiny import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
BY_MACHINE = re.compile(r"torch|triton|(nvidia|cuda)-.*")
"""Torch and what it brings with CUDA, which are other files by machine."""


def requirements(name: str) -> list[Requirement]:
    """Lines of a file of pins, without checksums."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line.split("--hash")[0].strip() for line in text.splitlines() if not line.startswith("#")]
    return [Requirement(line) for line in lines if line]


def pins(name: str) -> dict[str, Requirement]:
    """What a file of pins says of this Python on this machine, by name."""
    return {
        canonicalize_name(one.name): one for one in requirements(name) if one.marker is None or one.marker.evaluate()
    }


def installed(extras: set[str]) -> Iterator[tuple[str, str]]:
    """Name and version of whatever the package and its extras bring here, as the packages themselves say."""
    todo = [Requirement(line) for line in PROJECT["dependencies"]]
    todo += [Requirement(line) for extra in extras for line in EXTRAS[extra]]
    seen: set[tuple[str, frozenset[str]]] = set()
    while todo:
        asked = todo.pop()
        key = canonicalize_name(asked.name), frozenset(asked.extras)
        if key in seen:
            continue
        seen.add(key)
        found = distribution(asked.name)
        yield key[0], found.version
        for line in found.requires or ():
            inner = Requirement(line)
            markers = (
                [inner.marker.evaluate({"extra": extra}) for extra in (asked.extras or {""})]
                if inner.marker
                else [True]
            )
            todo += [inner] if any(markers) else []


def test_every_pin_is_one_version() -> None:
    for name in ("constraints.txt", "requirements.lock"):
        for one in requirements(name):
            assert [part.operator for part in one.specifier] == ["=="], one


def test_all_that_is_installed_is_pinned_at_the_version_that_is_there() -> None:
    pinned = pins("constraints.txt")
    for name, version in installed({"study", "dev"}):
        assert name in pinned, f"{name} is not pinned: call `make pins`"
        # A wheel of torch for CPUs is 2.13.0+cpu.
        assert Version(Version(version).public) in pinned[name].specifier, f"{name} {version}: call `make pins`"


def test_what_extras_ask_for_is_pinned_within_its_range() -> None:
    pinned = pins("constraints.txt")
    pinned_extras = [lines for name, lines in EXTRAS.items() if name != "vllm"]  # an environment of its own
    for line in [*PROJECT["dependencies"], *(line for lines in pinned_extras for line in lines)]:
        asked = Requirement(line)
        (pin,) = pinned[canonicalize_name(asked.name)].specifier
        assert Version(pin.version) in asked.specifier, f"{line}: call `make pins`"


def test_the_lock_has_checksums_of_the_same_versions_and_nothing_that_differs_by_machine() -> None:
    locked, pinned = requirements("requirements.lock"), requirements("constraints.txt")
    versions = {(canonicalize_name(one.name), str(one.specifier)) for one in pinned}
    assert {(canonicalize_name(one.name), str(one.specifier)) for one in locked} <= versions
    assert [one.name for one in locked if BY_MACHINE.fullmatch(one.name)] == []
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", line) for line in entries)


def test_the_lock_has_all_that_make_install_brings_but_torch() -> None:
    locked = pins("requirements.lock")
    brought = {name for name, _ in installed({"study", "dev"})}
    assert {name for name in brought - set(locked) if not BY_MACHINE.fullmatch(name)} == set()


def imported() -> dict[str, set[str]]:
    """Package that a module of src/ imports, by its top-level name -> files."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                found.setdefault(name, set()).add(path.name)
    return found


def test_the_library_asks_for_what_it_imports_and_for_nothing_else() -> None:
    names = imported()
    for line in PROJECT["dependencies"]:
        name = canonicalize_name(Requirement(line).name)
        module = {"ruamel-yaml": "ruamel"}.get(name, name.replace("-", "_"))
        assert any(one.split(".")[0] == module for one in names), f"no module imports {name}"
    declared = {
        canonicalize_name(Requirement(line).name)
        for line in [*PROJECT["dependencies"], *EXTRAS["study"], *EXTRAS["dev"]]
    }
    owners = packages_distributions()
    for name in {one.split(".")[0] for one in names} - set(sys.stdlib_module_names) - {"polyroute", ""}:
        by = {canonicalize_name(one) for one in owners.get(name, [])}
        assert not by or by & declared, f"{name} is imported and asked for by no extra"
