"""Where a model of the study lies: hub, mirror or folder, and the digest that tells it apart. Needs no torch."""

import json
from dataclasses import dataclass
from pathlib import Path

from polyroute.ground.files import digest_files
from polyroute.ground.hub import CHECKPOINT_FILES, HubSource, is_commit, mirror_folder, read_manifest
from polyroute.models.folder import ModelError, check_links, check_place
from polyroute.models.settings import Checkpoint, ModelSettings

__all__ = ["ModelError", "ModelSource", "digest", "locate", "locate_settled"]

OF_TOKENIZERS = ("additional_chat_templates/*.jinja", "*.tiktoken")
"""What tokenizers may read besides: chat templates that are not at the folder's top, words in a format of their own."""


@dataclass(frozen=True)
class ModelSource:
    """Where a model lies, before it is loaded."""

    place: str
    """A folder, or `organisation/model` on the hub."""
    revision: str | None
    """Commit on the hub."""
    digest: str
    """The commit, or a digest of the folder's files."""
    local_files_only: bool = False
    """Whether the network is off limits, as with a mirror."""


def digest(name: str, spec: Checkpoint) -> str:
    """What a model is told apart by: the commit that it is pinned at, or a digest of its folder's files.

    Args:
        name: its name in params.yaml.
        spec: its entry.

    Raises:
        ModelError: there is no checkpoint in the folder, or the revision is not pinned.
    """
    if spec.folder is None:
        if not is_commit(spec.revision or ""):
            raise ModelError(
                f"models.{name}.revision is `{spec.revision}`, which moves: run `polyroute pin {name}` to write the "
                "commit it stands for today into params.yaml"
            )
        return str(spec.revision)
    if not (spec.folder / "config.json").is_file():
        raise ModelError(f"models.{name}: {spec.folder} holds no checkpoint (no config.json)")
    check_place(name, spec.folder)
    check_links(name, spec.folder)
    # Code in the folder determines numbers where it may run.
    patterns = (
        (*CHECKPOINT_FILES, *OF_TOKENIZERS, "*.py") if spec.trust_remote_code else (*CHECKPOINT_FILES, *OF_TOKENIZERS)
    )
    return digest_files(spec.folder, patterns)


def shared_digest(name: str, spec: Checkpoint, settled: Path) -> str:
    """As `digest`; of a folder that is not on this machine, what the settings say that were made where it was.

    So a study whose traces and answers were pulled takes other zones or claims without its models.

    Args:
        name: as for `digest`.
        spec: as for `digest`.
        settled: settings of the model's stage `trace`.

    Raises:
        ModelError: as `digest`, and no settings were made of this folder.
    """
    if spec.folder is None or spec.folder.exists():
        return digest(name, spec)
    try:
        held = json.loads(settled.read_bytes())["model"]
        if held["folder"] == spec.folder.as_posix():
            return str(held["digest"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # there are none: the folder is needed
    return digest(name, spec)


def locate(name: str, spec: Checkpoint, mirror: Path | None = None) -> ModelSource:
    """Find a model's folder, mirror copy or pinned revision, without loading it.

    Args:
        name: its name in params.yaml.
        spec: its entry.
        mirror: read instead of the network; where None, the one of this machine.

    Raises:
        ModelError: there is no checkpoint in the folder, or the revision is not pinned.
    """
    if spec.folder is not None:
        return ModelSource(str(spec.folder), None, digest(name, spec))
    assert spec.hub is not None, "an entry has a folder or a hub name"
    revision = digest(name, spec)
    source = HubSource(mirror or mirror_folder())
    if source.mirror is None:
        return ModelSource(spec.hub, revision, revision)
    folder = source.mirror / "hub" / spec.hub
    if not folder.is_dir():
        return ModelSource(spec.hub, revision, revision, local_files_only=True)
    # Every file is held against the mirror's manifest; without one, nothing says which commit this is.
    for file in source.checkpoint_files(spec.hub, revision):
        source.file(spec.hub, revision, file)
    vouched = revision if read_manifest(source.mirror) is not None else digest_files(folder, CHECKPOINT_FILES)
    return ModelSource(str(folder), None, vouched, local_files_only=True)


def locate_settled(name: str, settings: ModelSettings) -> ModelSource:
    """As `locate`, for a stage: the checkpoint must be the one that its settings were worked out for.

    Raises:
        ModelError: as `locate`, or the folder's files have changed since.
    """
    source = locate(name, settings)
    if settings.folder is not None and source.digest != settings.digest:
        raise ModelError(
            f"models.{name}: the files of {settings.folder} are others than settings/{name} was made for: run "
            "`dvc repro resolve`"
        )
    return source
