"""A copy of the study without git, such as a ZIP: DVC needs a repository, and this is said before anything runs."""

from __future__ import annotations

from pathlib import Path

from polyroute.ground.errors import PolyrouteError


class RepositoryError(PolyrouteError):
    """The study is in no git repository; the message says what to do."""


def check(root: Path = Path()) -> None:
    """Raise unless a folder is in a git repository.

    Raises:
        RepositoryError: neither it nor a folder above it is one.
    """
    place = root.resolve()
    if not any((folder / ".git").exists() for folder in (place, *place.parents)):
        raise RepositoryError(
            "this copy is in no git repository, which DVC needs: call `git init && git add . && git commit -m Study` "
            "here once, or clone it"
        )
