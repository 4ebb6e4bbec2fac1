"""What docs/ say of the code holds: every file and name is there, rooms open onto what the table says."""

import ast
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from polyroute.measures import registry, traced
from test_architecture import OPENS, PACKAGE
from tiny import ROOT

PAGES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("architecture", "glossary", "measures")
}
PLACES = sorted({place for page in PAGES.values() for place in re.findall(r"`((?:\w+/)+\w+\.py(?::[\w.]+)?)`", page)})


@cache
def names_in(path: Path) -> set[str]:
    """Functions, classes, values and methods that a module defines."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        name = getattr(node, "name", None)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {name} | {getattr(target, "id", None) for target in targets}
        found |= {f"{name}.{part.name}" for part in getattr(node, "body", []) if isinstance(part, ast.FunctionDef)}
    return found


@pytest.mark.parametrize("place", PLACES)
def test_what_is_named_is_there(place: str) -> None:
    file, _, name = place.partition(":")
    path = (ROOT if file.startswith("pipeline/") else PACKAGE) / file
    assert path.is_file()
    assert not name or name in names_in(path)


def test_rooms_are_those_of_the_package_with_their_doors() -> None:
    rows = re.findall(r"^\| \d \| `(\w+)` \| .* \| (.*?) ?\|$", PAGES["architecture"], re.MULTILINE)
    assert {room: set(filter(None, doors.split(", "))) for room, doors in rows} == OPENS | {"ground": set()}


def test_stages_are_those_of_dvc() -> None:
    rows = re.findall(r"^\| \**`(\w+)`\** \|", PAGES["architecture"], re.MULTILINE)
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    assert [*rows[-len(stages) + 1 :]] == [name for name in stages if name != "train-pocket"]


def test_a_term_is_explained_once() -> None:
    terms = [
        term.strip()
        for section in PAGES["glossary"].split("\n## ")[1:4]
        for line in section.splitlines()
        if line.startswith("| ") and not line.startswith("| term")
        for term in line.split("|")[1].split(",")
    ]
    assert len(terms) > 40
    assert len(terms) == len(set(terms))


def test_every_measure_by_layer_has_an_entry() -> None:
    entries = PAGES["measures"].split("\n### ")[1:]
    modules = [
        module for room in (registry, traced) for module in vars(room).values() if isinstance(module, ModuleType)
    ]
    assert len(modules) > 3
    for module in modules:
        (entry,) = [entry for entry in entries if f"`measures/{module.__name__.split('.')[-1]}.py`" in entry]
        assert "**Unit and range**" in entry
        assert "**Resampled**" in entry


def test_links_and_figures_of_pages_are_there() -> None:
    for name in [*(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")), "README.md", "CONTRIBUTING.md"]:
        page = ROOT / name
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{name}: {target}"


def test_readme_is_short_and_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) < 2100
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= set(re.findall(r"\]\(([^)]+)\)", text))
