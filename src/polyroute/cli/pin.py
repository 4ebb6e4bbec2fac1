"""Write commits into params.yaml where it names branches, so that a study always reads the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ruamel.yaml.nodes import MappingNode, Node

from polyroute.ground import yaml12
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically
from polyroute.ground.frozen import suggest
from polyroute.ground.hub import is_commit
from polyroute.ground.yaml12 import NotYamlError
from polyroute.params import file as params
from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel

Kind = Literal["model", "dataset"]
Resolve = Callable[[str, Kind, str], str]
"""Repository, what it is, branch or tag -> commit."""


class PinError(PolyrouteError):
    """A revision cannot be resolved; the message says which and what to do."""


@dataclass(frozen=True)
class Change:
    """One revision that was pinned."""

    key: str
    """Key in params.yaml, such as `corpora.sib200.revision`."""
    repository: str
    before: str
    """Branch or tag."""
    after: str
    """Commit."""


def pin(path: Path, names: Sequence[str] | None = None, resolve: Resolve | None = None) -> list[Change]:
    """Replace every branch and tag among the revisions in params.yaml by the commit it stands at.

    Commits stay as they are: to move on to a newer one, write the branch again. Only the values themselves change in
    the file; comments, order and layout stay.

    Args:
        path: params.yaml.
        names: entries of `corpora`, `tasks` and `models` to pin; `None` for all.
        resolve: stands in for the hub.

    Returns:
        What changed, in the order of the file's sections; nothing where all were commits.

    Raises:
        ParamsError: params.yaml cannot be used.
        PinError: a name is unknown, or the hub cannot resolve a revision; the file is left as it was.
    """
    params.read(path)
    # Bytes, so that line ends stay as they are.
    text = path.read_bytes().decode()
    file = params.parse_text(text, str(path))
    changes = [
        Change(f"{key}.revision", repository, revision, _commit(repository, kind, revision, resolve or _on_hub))
        for key, kind, repository, revision in _pinned(file, names)
        if not is_commit(revision)
    ]
    if changes:
        write_atomically(path, _replaced(text, {change.key: change.after for change in changes}).encode())
    return changes


def _pinned(file: ParamsFile, names: Sequence[str] | None) -> list[tuple[str, Kind, str, str]]:
    """Key, kind, repository and revision of every entry that is read from the hub."""
    found: list[tuple[str, Kind, str, str]] = []
    for section, entries in (("corpora", file.corpora), ("tasks", file.tasks)):
        for name, entry in entries.items():
            if repository := entry.repository():
                found.append((f"{section}.{name}", "dataset", *repository))
    for name, model in file.models.items():
        if isinstance(model, TransformersModel) and model.hub is not None and model.revision is not None:
            found.append((f"models.{name}", "model", model.hub, model.revision))
    if names is None:
        return found
    known = [key.split(".")[1] for key, *_ in found]
    for name in names:
        if name not in known:
            raise PinError(f"`{name}` is no corpus, task or model of the hub in params.yaml; {suggest(name, known)}")
    return [entry for entry in found if entry[0].split(".")[1] in names]


def _commit(repository: str, kind: Kind, revision: str, resolve: Resolve) -> str:
    commit = resolve(repository, kind, revision)
    if not is_commit(commit):
        raise PinError(f"{repository}: the hub resolves `{revision}` to `{commit}`, which is no commit")
    return commit


def _replaced(text: str, values: dict[str, str]) -> str:
    """The YAML text with the scalars at dotted keys replaced, every other character as it was."""
    wanted = yaml12.load(text)
    # The parser's marks say where each value stands, which keeps layout that a dump of the data would lose.
    root = yaml12.compose(text)
    spans = []
    for key, value in values.items():
        section, name, field = key.split(".")
        wanted[section][name][field] = value
        node = _child(_child(_child(root, section), name), field)
        if node is not None:
            spans.append((node.start_mark.index, node.end_mark.index, value))
    for start, end, value in sorted(spans, reverse=True):
        quote = text[start] if text[start] in "'\"" else ""
        text = f"{text[:start]}{quote}{value}{quote}{text[end:]}"
    if not _says(text, wanted):
        raise PinError(
            "params.yaml shares values by anchors (`&`, `*`, `<<`), which cannot be pinned one by one; write by hand:\n"
            + "\n".join(f"  {key}: {value}" for key, value in values.items())
        )
    return text


def _says(text: str, wanted: object) -> bool:
    try:
        return bool(yaml12.load(text) == wanted)
    except NotYamlError:
        return False


def _child(node: Node | None, key: str) -> Node | None:
    """Value of a key that stands in the mapping itself, not in one that is merged into it."""
    if not isinstance(node, MappingNode):
        return None
    return next((child for name, child in node.value if name.value == key), None)


def _on_hub(repository: str, kind: Kind, revision: str) -> str:
    from huggingface_hub import HfApi, errors

    try:
        commit = HfApi().repo_info(repository, repo_type=kind, revision=revision).sha
    except errors.RevisionNotFoundError:
        raise PinError(f"{repository} has no branch, tag or commit `{revision}`") from None
    except errors.RepositoryNotFoundError:
        raise PinError(
            f"{repository} is not on the hub as a {kind}, or is private: check the name, or set HF_TOKEN to a token "
            "that may read it"
        ) from None
    except (OSError, errors.HTTPError) as error:  # type: ignore[attr-defined]
        raise PinError(f"{repository}: the hub cannot be reached ({error}); pin where there is network") from None
    if commit is None:
        raise PinError(f"{repository}: the hub names no commit for `{revision}`")
    return commit
