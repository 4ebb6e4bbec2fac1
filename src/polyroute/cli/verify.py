"""`polyroute verify`: the results of this run against those of a commit, within stated tolerances."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import click

from polyroute.ground.errors import PolyrouteError
from polyroute.report import same_figure
from polyroute.results.compare import Difference, compare, declared
from polyroute.results.table import ResultsError

FOLDERS = ("metrics", "plans", "figures")
"""What a run writes and git keeps."""
SHOWN = 30
"""Rows of the table; the rest are counted."""


class VerifyError(PolyrouteError):
    """What is to be compared cannot be read; the message says why."""


@dataclass(frozen=True)
class Verified:
    """What came of a comparison."""

    revision: str
    """What the run was held against, as git calls it."""
    files: int
    """Files that the commit or the run has."""
    same: int
    """Files that are the same byte for byte."""
    beyond: tuple[Difference, ...]
    """What differs by more than its tolerance."""
    within: tuple[Difference, ...]
    """What differs by no more."""

    def table(self, *, every: bool = False) -> str:
        """What differs, a line a column, and a line on the whole.

        Args:
            every: what is within its tolerance too.
        """
        shown = [*self.beyond, *(self.within if every else ())]
        lines = [_columns(shown[:SHOWN] if not every else shown)] if shown else []
        if not every and len(shown) > SHOWN:
            lines.append(f"and {len(shown) - SHOWN} more columns: --json lists them all")
        others = f"{self.files} files, {self.same} of them the same byte for byte"
        if self.beyond:
            files = len({one.file for one in self.beyond})
            lines.append(f"{files} of {self.files} files differ from {self.revision} by more than their tolerances")
        elif self.within:
            lines.append(f"results agree with {self.revision} within their tolerances: {others}")
        else:
            lines.append(f"results agree with {self.revision}: {others}")
        return "\n".join(lines)

    def as_json(self) -> str:
        """The same for machines."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False)


def verify(root: Path, revision: str) -> Verified:
    """Hold `metrics/`, `plans/` and `figures/` against those of a commit.

    Args:
        root: the study's folder, in a git repository.
        revision: of git: a commit, a tag or a branch.

    Raises:
        VerifyError: there is no repository or no such commit, or the commit holds no results.
    """
    committed = _committed(root, revision)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *FOLDERS).decode().split("\0")
    found: list[Difference] = []
    same = 0
    for name in sorted({*committed, *filter(None, new)}):
        path = root / name
        if name not in committed:
            found.append(_whole(name, "is new"))
        elif not path.is_file():
            found.append(_whole(name, "is no longer there"))
        elif path.read_bytes() == committed[name]:
            same += 1
        else:
            found += _differences(root, PurePosixPath(name), committed[name])
    beyond = tuple(one for one in found if not one.within)
    within = tuple(one for one in found if one.within)
    return Verified(revision, len({*committed, *filter(None, new)}), same, beyond, within)


def _differences(root: Path, name: PurePosixPath, committed: bytes) -> list[Difference]:
    """What differs in a file whose bytes do."""
    kind, model, *rest = name.parts
    now = (root / name).read_bytes()
    if kind == "plans":
        return _plan(str(name), committed, now)
    if kind == "figures":
        # A PNG is drawn of the same as the SVG beside it.
        return same_figure.compare(str(name), committed, now) if name.suffix == ".svg" else []
    if (file := declared(Path(*rest))) is None:
        return [_whole(str(name), "differs, and is not declared")]
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder) / model
        (before / Path(*rest)).parent.mkdir(parents=True)
        (before / Path(*rest)).write_bytes(committed)
        try:
            return compare(file, str(name), before, root / kind / model)
        except ResultsError as error:
            told = str(error).replace(str(before), "committed").replace(str(root / kind / model), "now")
            return [_whole(str(name), f"cannot be compared: {told}")]


def _plan(name: str, committed: bytes, now: bytes) -> list[Difference]:
    """Experts, rule and strength exactly; weights of experts and what a verdict says as other numbers."""
    try:
        before, after = json.loads(committed), json.loads(now)
    except ValueError as error:
        return [_whole(name, f"is no JSON ({error})")]
    return [
        Difference(name, key, f"{_short(before.get(key))}, now {_short(after.get(key))}", "exactly", 1, 1, "")
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
        and not (key in ("weights", "verdict") and _near(before.get(key), after.get(key)))
    ]


def _near(one: Any, other: Any) -> bool:
    from polyroute.results.tolerances import NUMBERS

    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_near(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, int | float):
        return NUMBERS.holds(one, other)
    return bool(one == other)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _whole(name: str, what: str) -> Difference:
    return Difference(name, "", what, "exactly", 1, 1, "")


def _committed(root: Path, revision: str) -> dict[str, bytes]:
    """Path in the study's folder -> content, of every result of a commit."""
    if revision.startswith("-"):
        raise VerifyError(f"{revision} is no commit: name one, a tag or a branch")
    there = _git(root, "ls-tree", "--name-only", "-z", revision).decode().split("\0")
    folders = [folder for folder in FOLDERS if folder in there]
    if not folders:
        raise VerifyError(f"{revision} holds no results: name a commit that has {', '.join(FOLDERS)}")
    with tarfile.open(fileobj=io.BytesIO(_git(root, "archive", "--format=tar", revision, "--", *folders))) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {member.name: file.read() for member in files if (file := archive.extractfile(member)) is not None}


def _git(root: Path, *words: str) -> bytes:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        raise VerifyError("git is not installed, and the committed results are in it: install it") from None
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().splitlines()
        raise VerifyError(
            f"the committed results cannot be read ({told[0] if told else 'git failed'}): call this in a clone, and "
            "name a commit that it has"
        )
    return done.stdout


def _columns(found: list[Difference]) -> str:
    head = ("file", "column", "worst difference", "allowed", "values", "at")
    rows = [
        (one.file, one.column, one.worst, one.tolerance, f"{one.values} of {one.compared}", one.place) for one in found
    ]
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    )


def show(verified: Verified, *, every: bool, as_json: bool) -> None:
    """Print what came of it, and end with exit status 1 where anything is beyond its tolerance."""
    click.echo(verified.as_json() if as_json else verified.table(every=every))
    if verified.beyond:
        raise SystemExit(1)
