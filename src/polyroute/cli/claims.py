"""`polyroute claims --lock`: the lock that fixes new claims."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from polyroute.claims.claim import Claims, ClaimsError, lock_new
from polyroute.ground.paths import Paths
from polyroute.ground.repository import git


def fix(paths: Paths, claims: Claims) -> list[str]:
    """Lock new claims as they stand in the last commit.

    Returns:
        Ids of the new ones.

    Raises:
        ClaimsError: claims are not committed, so that no commit could be named.
    """
    return lock_new(paths.claims, claims, date.today().isoformat(), _commit(paths.claims))


def _commit(folder: Path) -> str | None:
    """The commit that last changed the claims; None outside a repository."""
    files = sorted(str(path.name) for path in folder.glob("*.yaml") if path.name != "lock.yaml")

    changed = git(folder, "status", "--porcelain", "--", *files)
    if changed is None:
        return None
    if changed:
        raise ClaimsError(f"{folder} has claims that are not committed: commit them, then lock them")
    return git(folder, "log", "-1", "--format=%H", "--", *files)
