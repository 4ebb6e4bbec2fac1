"""The git repository of the study: what git says of it, and that it is one with stages, without which DVC runs none."""

from __future__ import annotations

import subprocess
from pathlib import Path

from polyroute.ground.errors import PolyrouteError


class RepositoryError(PolyrouteError):
    """The study is in no git repository, or has no stages; the message says what to do."""


def check(root: Path = Path()) -> None:
    """Raise unless a folder has the stages of the study and is in a git repository.

    Raises:
        RepositoryError: it has no dvc.yaml; or neither it nor a folder above it is a repository.
    """
    place = root.resolve()
    if not (place / "dvc.yaml").is_file():
        raise RepositoryError(
            "dvc.yaml, which has the stages of the study, is absent: run this in the root of a clone of polyroute, "
            "with your params.yaml, models/ and text/ in it"
        )
    if not any((folder / ".git").exists() for folder in (place, *place.parents)):
        raise RepositoryError(
            "this copy is in no git repository, which DVC needs: call `git init && git add . && git commit -m Study` "
            "here once, or clone it"
        )


def git(root: Path, *arguments: str) -> str | None:
    """What git prints in a folder, without blanks around it; None outside a repository, without git, or if it fails."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
