"""Where the files of data sets and models come from: the hub at a pinned commit, or a mirror folder.

A mirror is laid out as `hub/<organisation>/<data set or model>/<file>`. With a mirror nothing goes to the network;
without one, only the files that a study names do. If the mirror has a `manifest.json` (`polyroute mirror` writes it),
every file read is checked against it.
"""

from __future__ import annotations

import contextlib
import fnmatch
import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.names import flaw, flaw_below

MIRROR_VARIABLE = "POLYROUTE_MIRROR"
"""Names a folder that `polyroute mirror` fills, read instead of the network."""
MANIFEST = "manifest.json"
ATTEMPTS = 4
"""Tries of one download, the first included."""
FIRST_WAIT = 1.0
"""Seconds before the second try; doubled before each later one."""

CHECKPOINT_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
"""What a checkpoint consists of; pickled weights (.bin, .pt) are never read."""

T = TypeVar("T")

_log = logging.getLogger(__name__)


class SourceError(PolyrouteError):
    """A file cannot be had, or is not the one that was pinned; the message says which and what to do."""


Kind = Literal["dataset", "model"]
Fetch = Callable[[str, str, str, Kind], str]
"""Repository, commit, file, kind of repository -> its path on disk, whole; `huggingface_hub.hf_hub_download`."""
ListFiles = Callable[[str, str], list[str]]
"""Model and commit -> the files of its repository."""


class HubSource:
    """Gives files of data sets by repository, commit and path."""

    def __init__(
        self,
        mirror: Path | None = None,
        *,
        fetch: Fetch | None = None,
        list_files: ListFiles | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        """Read from `mirror`, or from the network where it is `None`; the other arguments stand in for the network."""
        self.mirror = mirror
        self._fetch = fetch or _from_hub
        self._list_files = list_files or _files_on_hub
        self._sleep = sleep

    def file(self, repository: str, revision: str, path: str, kind: Kind = "dataset") -> Path:
        """A file of a data set or model on disk.

        Raises:
            SourceError: it is absent, gated, at no pinned commit, differs from the mirror's manifest, or its name
                leads out of the data set.
        """
        _need_place(repository, path)
        if self.mirror is not None:
            return self._mirrored(f"hub/{repository}/{path}", revision, f"{repository} `{path}`")
        _need_commit(repository, revision)
        what = f"{repository} `{path}`"
        return Path(self._retried(what, lambda: self._fetch(repository, revision, path, kind)))

    def checkpoint_files(self, model: str, revision: str) -> list[str]:
        """Names of the files that a model's checkpoint consists of, at the top of its repository.

        Raises:
            SourceError: the model is not there, or at no pinned commit.
        """
        _need_place(model, "config.json")
        if self.mirror is not None:
            listed = [path.name for path in (self.mirror / "hub" / model).glob("*")]
        else:
            _need_commit(model, revision)
            listed = self._retried(model, lambda: self._list_files(model, revision))
        found = [name for name in listed if any(fnmatch.fnmatchcase(name, wanted) for wanted in CHECKPOINT_FILES)]
        # fnmatch's star matches a slash: variants in subfolders are other checkpoints.
        found = sorted(name for name in found if not flaw(name))
        if "config.json" not in found:
            raise SourceError(f"{model} holds no checkpoint (no config.json among its files)")
        return found

    def _mirrored(self, path: str, revision: str | None, what: str) -> Path:
        assert self.mirror is not None
        file = self.mirror / path
        if not file.is_file():
            raise SourceError(
                f"{what} is not in the mirror ({file}); fill the mirror with `polyroute mirror` where there is "
                f"network, or unset {MIRROR_VARIABLE} to read the hub"
            )
        if self._manifest is None:
            return file
        entry = self._manifest.get(path)
        again = "run `polyroute mirror` again"
        if entry is None:
            raise SourceError(f"{file}: not in the mirror's {MANIFEST}, so nothing vouches for it; {again}")
        if revision is not None and entry["revision"] != revision:
            raise SourceError(f"{file}: mirrored at {entry['revision']}, but params.yaml says {revision}; {again}")
        if sha256(file) != entry["sha256"]:
            raise SourceError(f"{file}: its checksum is not the one in the mirror's {MANIFEST}; {again}")
        return file

    @cached_property
    def _manifest(self) -> dict[str, dict[str, str]] | None:
        assert self.mirror is not None
        return read_manifest(self.mirror)

    def _retried(self, what: str, attempt: Callable[[], T]) -> T:
        wait = FIRST_WAIT
        for tried in range(1, ATTEMPTS + 1):
            try:
                return attempt()
            except OSError as error:
                broken = error
            if tried < ATTEMPTS:
                _log.warning("%s: download broke (%s); again in %g s", what, broken, wait)
                self._sleep(wait)
                wait *= 2
        raise SourceError(
            f"{what}: the download broke {ATTEMPTS} times, last with: {broken}; nothing of it was kept. Run the "
            f"command again, or point {MIRROR_VARIABLE} at a folder that `polyroute mirror` filled elsewhere"
        )


def _need_commit(repository: str, revision: str) -> None:
    if not is_commit(revision):
        raise SourceError(
            f"{repository}: revision `{revision}` is no commit and may change under the study; "
            "run `polyroute pin`, which writes its commit into params.yaml"
        )


def _need_place(repository: str, path: str) -> None:
    for name in (repository, path):
        if why := flaw_below(name):
            raise SourceError(f"{repository} `{path}`: `{name}` {why}: correct `hub` and `files` in params.yaml")


def mirror_folder() -> Path | None:
    """The mirror that `POLYROUTE_MIRROR` names: a folder of this machine, and so no key of params.yaml."""
    named = os.environ.get(MIRROR_VARIABLE)
    return Path(named) if named else None


def is_commit(revision: str) -> bool:
    """Whether a revision is a commit, which never changes, rather than a branch or tag."""
    return re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def read_manifest(mirror: Path) -> dict[str, dict[str, str]] | None:
    """A mirror's manifest: path below the mirror -> `revision` and `sha256`; `None` where there is none.

    Raises:
        SourceError: it is not a manifest.
    """
    path = mirror / MANIFEST
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {name: {"revision": entry["revision"], "sha256": entry["sha256"]} for name, entry in files.items()}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceError(f"{path}: not a manifest of `polyroute mirror`; remove it and run that again") from None


def sha256(path: Path) -> str:
    """Checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_hub(repository: str, revision: str, path: str, kind: Kind) -> str:
    from huggingface_hub import hf_hub_download

    with _told(repository, revision, f"`{path}`", kind):
        return str(hf_hub_download(repository, path, repo_type=kind, revision=revision))
    raise AssertionError("`_told` raises what it catches")


def _files_on_hub(model: str, revision: str) -> list[str]:
    from huggingface_hub import HfApi

    with _told(model, revision, "list of files", "model"):
        return list(HfApi().list_repo_files(model, revision=revision))
    raise AssertionError("`_told` raises what it catches")


@contextlib.contextmanager
def _told(repository: str, revision: str, what: str, kind: Kind) -> Iterator[None]:
    """The client's errors as sentences that say what to do; a broken connection as OSError, which is retried."""
    from huggingface_hub import errors

    page = f"https://huggingface.co/{'datasets/' if kind == 'dataset' else ''}{repository}"
    try:
        yield
    except errors.GatedRepoError:
        raise SourceError(
            f"{repository} is gated: accept its terms at {page} while logged in, then set HF_TOKEN to a token of "
            f"that account (or run `hf auth login`); {what} was not read"
        ) from None
    except errors.LocalEntryNotFoundError:
        # The client has retried by itself by now, with waits of its own.
        raise SourceError(
            f"{repository}: the hub cannot be reached and {what} is not in the local cache; on a machine without "
            f"network point {MIRROR_VARIABLE} at a folder that `polyroute mirror` filled"
        ) from None
    except errors.RevisionNotFoundError:
        raise SourceError(f"{repository} has no commit {revision}; set a branch and run `polyroute pin`") from None
    except errors.EntryNotFoundError:
        raise SourceError(f"{repository} has no {what} at commit {revision}; see {page}/tree/{revision}") from None
    except errors.RepositoryNotFoundError:
        raise SourceError(
            f"{repository} is not on the hub, or is private: check the name at {page}, or set HF_TOKEN to a token "
            "that may read it"
        ) from None
    except errors.HfHubHTTPError as error:
        if error.response.status_code < 500 and error.response.status_code not in (408, 429):
            raise SourceError(f"{repository}: the hub answers {error} for {what}") from None
        raise
    except errors.HTTPError as error:  # type: ignore[attr-defined]
        # The transport error of the client's HTTP library (httpx or httpx2) is no OSError, which is what is retried.
        raise OSError(str(error)) from error
