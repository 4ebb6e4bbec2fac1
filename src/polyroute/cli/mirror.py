"""Fill a mirror folder with every file that a study's models need, for machines without network.

The layout is the one that `polyroute.ground.hub.HubSource` reads. `manifest.json`, written last, holds for every file
its checksum and the commit it is from. A fill that is killed is run again: files that the manifest vouches
for are kept, others are fetched anew, which Hugging Face's own cache makes cheap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polyroute.ground.files import copy_atomically, write_json
from polyroute.ground.frozen import suggest
from polyroute.ground.hub import MANIFEST, HubSource, Kind, SourceError, read_manifest, sha256
from polyroute.ground.names import flaw_below
from polyroute.params.file import ParamsFile
from polyroute.params.models import RecordedModel
from polyroute.params.needed import model_corpora, model_tasks
from polyroute.readers.spec import CorpusSpec, TaskSpec


@dataclass(frozen=True)
class Filled:
    """What a fill did."""

    files: list[str]
    """Every file that the models need, as a path below the mirror, sorted."""
    fetched: int
    """How many of them were fetched now; the others were there."""
    bytes: int
    """Size of all of them."""


@dataclass(frozen=True)
class _HubFile:
    repository: str
    revision: str
    path: str
    kind: Kind = "dataset"

    @property
    def place(self) -> str:
        return f"hub/{self.repository}/{self.path}"


def fill(
    params: ParamsFile, models: Sequence[str], folder: Path, source: HubSource, *, checkpoints: bool = True
) -> Filled:
    """Put every file that models need into a mirror folder: their corpora, tasks and checkpoints.

    Args:
        params: the whole of params.yaml.
        models: entries of `models`; the study's are `params.study.models`.
        folder: the mirror; what it holds for other models stays.
        source: where the files come from; must not be this folder.
        checkpoints: whether models of the hub go into the mirror too, or their text alone.

    Raises:
        SourceError: a model is unknown, a file would lie outside of the folder, is needed at two commits, or cannot be
            had; what was fetched so far is kept.
        TaskError: a task is at no pinned commit, or does not exist in the pivot.
    """
    if source.mirror is not None and source.mirror.resolve() == folder.resolve():
        raise SourceError(f"{folder} cannot be filled from itself: unset the mirror for this command")
    for model in models:
        if model not in params.models:
            raise SourceError(f"`{model}` is no entry of `models`; {suggest(model, list(params.models))}")
    manifest = read_manifest(folder) or {}
    needed: dict[str, _HubFile] = {}
    for model in models:
        for file in _needed(params, model, checkpoints, source):
            if why := flaw_below(file.place):
                raise SourceError(f"{file.place!r} {why}: correct `hub` and `files` in params.yaml")
            other = needed.setdefault(file.place, file)
            if other.revision != file.revision:
                raise SourceError(
                    f"{file.place} is needed at two commits, {other.revision} and {file.revision}, and a mirror holds "
                    "one: give the entries of params.yaml that name it the same revision"
                )
    fetched = size = 0
    for place, file in sorted(needed.items()):
        target = folder / place
        if not _is_kept(target, file, manifest.get(place)):
            copy_atomically(source.file(file.repository, file.revision, file.path, file.kind), target)
            fetched += 1
        manifest[place] = {"revision": file.revision, "sha256": sha256(target)}
        size += target.stat().st_size
    write_json(folder / MANIFEST, {"files": manifest})
    return Filled(sorted(needed), fetched, size)


def _needed(params: ParamsFile, model: str, checkpoints: bool, source: HubSource) -> Iterator[_HubFile]:
    spec = params.models[model]
    if isinstance(spec, RecordedModel):  # in the repository already
        return
    if checkpoints and spec.hub is not None and spec.revision is not None:
        for name in source.checkpoint_files(spec.hub, spec.revision):
            yield _HubFile(spec.hub, spec.revision, name, "model")
    for name, codes in model_corpora(params, model).items():
        yield from _hub_files(params.corpora[name], codes)
    for name, needed in model_tasks(params, model).items():
        yield from _hub_files(params.tasks[name], needed.languages)


def _hub_files(spec: CorpusSpec | TaskSpec, codes: Sequence[str]) -> Iterator[_HubFile]:
    if repository := spec.repository():
        for code in codes:
            yield from (_HubFile(*repository, path) for path in spec.paths(code))


def _is_kept(target: Path, file: _HubFile, entry: dict[str, str] | None) -> bool:
    """Whether the file in the mirror is whole and of the commit that params.yaml names."""
    if not target.is_file():
        return False
    return entry is not None and entry["revision"] == file.revision and sha256(target) == entry["sha256"]
