"""Expert counts as the release of paper 2 has them, one JSON file a language, made into a file of `recorded/`.

The layout (`routing/*_result/*.json`):
`{layer: {expert: {"activation_tokens": tokens whose top-k held it, "gate_values_sum": ...}, "total_tokens": T}}`.
`gate_values_sum` is left alone: the release summed it in bfloat16, which stops counting at 256 steps. Tokens were
summed in bfloat16 too, but batch by batch, so that they are off by less than 0.1%.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.recorded_counts import Counts, CountsHeader
from polyroute.artifacts.trace import TraceError
from polyroute.models.settings import Shape


def convert(files: Mapping[str, Path], shape: Shape, **about: Any) -> Counts:
    """Make one recording of several languages.

    Args:
        files: FLORES code -> its JSON file.
        shape: layers, experts and top-k that every file must have.
        about: `model`, `corpus`, `text`, `source`, `commit`, `licence`, `notes`: fields of the header.

    Raises:
        TraceError: as `read_counts`.
        RecordingError: counts cannot be; names the language, layer and expert.
    """
    read = {language: read_counts(path, shape) for language, path in files.items()}
    header = CountsHeader(
        languages=tuple(files), layers=tuple(range(shape.layers)), experts=shape.experts, top_k=shape.top_k,
        tokens={language: tokens for language, (tokens, _) in read.items()},
        files={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files.values()}, **about,
    )  # fmt: skip
    names = ", ".join(str(path) for path in files.values())
    return Counts.checked(header, np.stack([counts_LE for _, counts_LE in read.values()]), names)


def read_counts(path: Path, shape: Shape) -> tuple[int, NDArray[np.int64]]:
    """One language's tokens, and its counts (L, E).

    Args:
        path: the JSON file.
        shape: layers and experts that the file must have.

    Raises:
        TraceError: the file is absent, no JSON, or lacks a layer, an expert or a count, or a count is no whole number;
            names file, layer and expert.
    """
    layers = _read(path)
    _same_keys(path, "the file", layers, shape.layers, "layer")
    counts_LE = np.zeros((shape.layers, shape.experts), dtype=np.int64)
    tokens = {}
    for layer in range(shape.layers):
        entry = dict(layers[str(layer)])
        tokens[layer] = _count(path, f"layer {layer}", entry.pop("total_tokens", None), "total_tokens")
        if tokens[layer] == 0:
            raise TraceError(f"{path}: layer {layer}: `total_tokens` is 0: nothing was recorded")
        _same_keys(path, f"layer {layer}", entry, shape.experts, "expert")
        for expert in range(shape.experts):
            value = entry[str(expert)]
            count = value.get("activation_tokens") if isinstance(value, dict) else None
            counts_LE[layer, expert] = _count(path, f"layer {layer}, expert {expert}", count, "activation_tokens")
    if len(set(tokens.values())) != 1:
        raise TraceError(f"{path}: total_tokens differs between layers: {sorted(set(tokens.values()))}")
    return tokens[0], counts_LE


def _read(path: Path) -> dict[str, dict[str, object]]:
    try:
        layers = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TraceError(f"{path} is absent: name the folder that holds it") from None
    except ValueError as error:
        raise TraceError(f"{path} is not JSON: {error}") from None
    if not isinstance(layers, dict) or not all(isinstance(entry, dict) for entry in layers.values()):
        raise TraceError(f"{path}: expected an object of layers, each an object of experts")
    return layers


def _same_keys(path: Path, place: str, entries: Mapping[str, object], count: int, what: str) -> None:
    wanted, seen = {str(number) for number in range(count)}, set(entries)
    if wanted != seen:
        lacking = sorted(wanted - seen, key=int)[:5]
        extra = sorted(seen - wanted)[:5]
        raise TraceError(
            f"{path}: {place} should hold {what}s 0 to {count - 1}; lacking {lacking or 'none'}, "
            f"not expected {extra or 'none'}: is `shape` right?"
        )


def _count(path: Path, place: str, value: object, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not float(value).is_integer() or value < 0:
        raise TraceError(f"{path}: {place}: `{key}` is {value!r}, not a whole number of tokens")
    return int(value)
