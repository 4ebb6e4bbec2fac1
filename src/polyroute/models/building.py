"""What transformers says when it cannot build or load a checkpoint, as one sentence that names the file and the key."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import transformers

from polyroute.models.folder import ModelError
from polyroute.models.quantised import method_of
from polyroute.models.quantised import remedy as quantised
from polyroute.models.source import ModelSource


def explained(name: str, source: ModelSource, what: str, error: BaseException, built: Any = None) -> ModelError:
    """The sentence for a failure.

    Args:
        name: of the model in params.yaml.
        source: where it was loaded from.
        what: which part could not be loaded: "configuration", "tokenizer" or "model".
        error: what transformers raised.
        built: configuration that was loaded before, if any.
    """
    said = first_line(error)
    config = _config_of(source)
    if what != "tokenizer" and isinstance(error, KeyError) and error.args:
        # An unknown name of an activation, of a rotary embedding, of a kind of layer.
        for key, value in _entries(config):
            if value == error.args[0]:
                return ModelError(
                    f"models.{name}: {source.place}/config.json: `{key}` is `{value}`, which transformers "
                    f"{transformers.__version__} does not know: copy config.json from the release, or install a newer "
                    "transformers"
                )
    if isinstance(error, MemoryError):
        return ModelError(
            f"models.{name}: {source.place} does not fit into memory: use a smaller dtype, or more memory"
        )
    own = "" if isinstance(error, (OSError, ValueError, ImportError)) else f"{type(error).__name__}: "
    place = f"{source.place}/config.json" if what == "configuration" else source.place
    remedy = {
        "configuration": "copy config.json from the release",
        "tokenizer": "copy the tokenizer's files (tokenizer.json, tokenizer_config.json) from the release",
        "model": "compare config.json and the weights with the release",
    }[what]
    if what == "model" and (method := method_of(built)) is not None:
        return ModelError(f"models.{name}: the model of {place} cannot be loaded ({own}{said}): {quantised(method)}")
    return ModelError(
        f"models.{name}: the {what} of {place} cannot be loaded ({own}{said}): {remedy}, or install the version "
        "of transformers that it was made for"
    )


def first_line(error: BaseException) -> str:
    """What an error says, on one line and not for ever: lists of every class that there is are left out."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    # A heading ends in a colon; what it announces follows.
    told = lines[0] if not lines[0].endswith(":") else " ".join(lines[:2])
    # One that introduces a failed check of fields says what field in the next line.
    if lines[0].endswith("'") or lines[0].endswith("':"):
        told = " ".join(lines[:2])
    told = told.partition("Model type should be one of")[0].strip().rstrip(".:")
    return told if len(told) <= 300 else f"{told[:300]}..."


def misfit(name: str, source: ModelSource, config: Any, weight: str, stored: Any, asked: Any) -> ModelError:
    """A weight that is stored in another shape than the configuration asks for, and the key that may be wrong."""
    written = {key.rpartition(".")[2] for key, _ in _entries(_config_of(source))}
    asked, stored = tuple(asked), tuple(stored)
    wrong = [size for size in asked if size not in stored]
    other = {key: alias for alias, key in (getattr(config, "attribute_map", None) or {}).items()}
    keys = [
        f"`{other.get(key, key)}` is {value}"
        + ("" if {key.rpartition(".")[2], other.get(key)} & written else " (default)")
        for key, value in _entries(config.to_dict())
        if isinstance(value, int) and not isinstance(value, bool) and value in wrong and "label" not in key
    ]
    named = f" ({', '.join(keys[:3])})" if keys else ""
    return ModelError(
        f"models.{name}: {source.place}/config.json does not fit the weights: it asks for {asked}{named} where "
        f"{weight} is stored as {stored}: copy config.json from the release"
    )


def _config_of(source: ModelSource) -> Mapping[str, Any]:
    """What is written in config.json; nothing where it is not on this disk."""
    try:
        held = json.loads((Path(source.place) / "config.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _entries(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _entries(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
