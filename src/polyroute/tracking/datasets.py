"""What a model read, as MLflow's data sets: corpora and tasks with where they come from and in which languages.

The digest is of the file in `data/inputs/` where it is there, and of the entry in params.yaml (data set at its pinned
commit, files, items, languages) where it is not, as in a copy without data: `digest_of` in the profile says of which.
Like a commit, it is no part of what a run is compared by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polyroute.ground import files
from polyroute.ground.paths import Paths

_COLUMNS = {
    "traced": ("item_id", "language", "text"), "asked": ("item_id", "language", "prompt"),
    "recorded": ("language", "layer", "expert", "count"),
}  # fmt: skip
_DIGEST = 32
"""Characters; MLflow takes 36."""


@dataclass(frozen=True)
class Dataset:
    """One corpus or task of a model."""

    name: str
    digest: str
    kind: str
    """Of the source: `hugging_face`, `local`, or `code` where it is generated."""
    source: str
    """JSON."""
    schema: str
    """JSON, MLflow's column specification."""
    profile: str
    """JSON: languages, items, licence and the like."""
    use: str
    """What for: `traced`, `recorded` or `asked`."""
    languages: tuple[str, ...]
    """FLORES codes."""


def of_study(paths: Paths, read: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Dataset]]:
    """Model -> its data sets; see `of_model`."""
    return {model: of_model(paths, model, one) for model, one in read.items()}


def of_model(paths: Paths, model: str, read: Mapping[str, Any]) -> list[Dataset]:
    """The data sets of a model.

    Args:
        paths: where `data/inputs/` would be.
        model: name in params.yaml.
        read: what the stage `fetch` of the model reads, as plain data: `corpora`, `tasks` and `counts`.
    """
    found = [
        _dataset(name, one["entry"], one["languages"], paths.corpus(model, name), "traced")
        for name, one in read.get("corpora", {}).items()
    ]
    if counts := read.get("counts"):
        path = paths.recorded_counts(model, counts["corpus"])
        found.append(_dataset(counts["corpus"], counts["entry"], counts["languages"], path, "recorded"))
    for name, one in read.get("tasks", {}).items():
        path = paths.task_questions(model, name)
        found.append(_dataset(name, one["entry"], one["languages"], path, "asked"))
    return found


def _dataset(name: str, entry: Mapping[str, Any], languages: Sequence[str], path: Path, use: str) -> Dataset:
    stored = path.is_file()
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if stored else files.digest([entry, list(languages)])
    kind, source = _source(entry)
    profile = {
        "languages": len(languages), "codes": " ".join(languages), "items": entry.get("items"),
        "reader": entry.get("reader", "recorded"), "digest_of": "data" if stored else "entry in params.yaml",
    }  # fmt: skip
    schema = {"mlflow_colspec": [{"type": "string", "name": column, "required": True} for column in _COLUMNS[use]]}
    known = {key: value for key, value in profile.items() if value is not None}
    return Dataset(name, digest[:_DIGEST], kind, _json(source), _json(schema), _json(known), use, tuple(languages))


def _source(entry: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Kind and place of what an entry names."""
    if entry.get("hub"):
        return "hugging_face", {
            "path": entry["hub"],
            "revision": entry.get("revision"),
            "data_files": entry.get("files"),
        }
    if place := entry.get("file") or entry.get("files"):
        return "local", {"uri": place} | ({"commit": entry["commit"]} if entry.get("commit") else {})
    return "code", {"tags": {"mlflow.source.name": f"polyroute.readers.{entry.get('reader')}"}}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
