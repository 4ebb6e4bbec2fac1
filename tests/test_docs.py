"""What docs/ say of the code holds: every file and name is there, rooms open onto what the table says."""

import ast
import re
import shlex
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml

from polyroute.cli.verbs import main
from polyroute.measures import registry, traced
from test_architecture import OPENS, PACKAGE
from tiny import ROOT

PAGES = {
    name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    for name in ("architecture", "glossary", "measures")
}
LINKED = [*(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))), "README.md", "CONTRIBUTING.md"]
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


def anchors(page: Path) -> set[str]:
    """What links to a page's headings may name, as GitHub and MkDocs make it of the heading."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", LINKED)
def test_links_and_figures_of_pages_are_there(name: str) -> None:
    page = ROOT / name
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        linked = page.parent / target if target else page
        assert linked.exists(), f"{name}: {target}"
        assert not anchor or anchor in anchors(linked), f"{name}: {target}#{anchor}"


def command_lines(page: Path) -> list[str]:
    """Calls of `polyroute` in a page's blocks of code, and in the lines around them."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^ *```\w*\n.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL)
    blocks += re.findall(r"`(polyroute [a-z][^`]+)`", prose)
    lines = [line for block in blocks for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    parts = [part.strip().removeprefix("$ ") for line in lines for part in re.split(r"&&|\s#\s|\s{3,}", line)]
    return [part for part in parts if part.startswith("polyroute ")]


@pytest.mark.parametrize("name", LINKED)
def test_commands_of_pages_have_the_verbs_and_options_that_they_name(name: str) -> None:
    for line in command_lines(ROOT / name):
        _, verb, *rest = shlex.split(line)
        command = main.commands[verb]
        _, left, _ = command.make_parser(click.Context(command, info_name=verb)).parse_args(rest)
        assert not left, f"{name}: {line}: {left}"


def test_the_site_has_every_page() -> None:
    shown = set(re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} <= shown


def test_readme_is_short_and_leads_to_every_page() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 1800
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= set(re.findall(r"\]\(([^)]+)\)", text))
