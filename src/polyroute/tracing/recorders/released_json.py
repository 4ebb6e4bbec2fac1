"""Expert counts as the release of paper 2 (arXiv 2601.14050) has them, one JSON file a language.

The layout (`routing/*_result/*.json`):
`{layer: {expert: {"activation_tokens": tokens whose top-k held it, "gate_values_sum": ...}, "total_tokens": T}}`.
`gate_values_sum` is left alone: the release summed it in bfloat16, which stops counting at 256 steps. Tokens were
summed in bfloat16 too, but batch by batch, so that they are off by less than 0.1%. A layer that is `null`, empty or
not there has no experts; an expert that is not listed was chosen by no token.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders import strict_json
from polyroute.tracing.recorders.tally import Tally, whole

_TOKENS = "total_tokens"
_COUNT = "activation_tokens"


def recognised(value: Any) -> bool:
    """Whether a JSON value has this layout: an object with a key that is the number of a layer."""
    return isinstance(value, dict) and any(key.isdigit() for key in value)


def read(path: Path, tally: Tally) -> None:
    """Add one file.

    Raises:
        RecordingError: the file is absent, no JSON or of another layout, an expert is none of the model's, or a count
            is no whole number; names layer and expert.
    """
    layers = strict_json.parse(strict_json.read_text(path), str(path))
    if not isinstance(layers, dict) or not all(entry is None or isinstance(entry, dict) for entry in layers.values()):
        raise RecordingError(f"{path}: expected an object of layers, each an object of experts")
    numbers = [number(key, f"{path}: `{key}`", "a layer") for key in layers]
    for layer, entry in zip(numbers, layers.values(), strict=True):
        if numbers.count(layer) > 1:
            raise RecordingError(f"{path}: layer {layer} is there twice")
        if not entry:
            continue
        tokens = whole(entry.get(_TOKENS), f"{path}: layer {layer}", f"`{_TOKENS}`")
        if tokens == 0:
            raise RecordingError(f"{path}: layer {layer}: `{_TOKENS}` is 0: nothing was recorded")
        tally.say(layer, tokens)
        tally.layer(layer)
        seen = set()
        for name, value in entry.items():
            if name == _TOKENS:
                continue
            expert = tally.expert(number(name, f"{path}: layer {layer}: `{name}`", "an expert"), f"layer {layer}")
            where = f"layer {layer}, expert {expert}"
            if expert in seen:
                raise RecordingError(f"{path}: {where} is there twice")
            seen.add(expert)
            count = value.get(_COUNT) if isinstance(value, dict) else None
            tally.add(layer, expert, count, where, f"`{_COUNT}`")


def number(key: str, place: str, what: str) -> int:
    """What a key numbers.

    Raises:
        RecordingError: it is no number from 0.
    """
    if not (key.isascii() and key.isdigit() and len(key) < 10):
        raise RecordingError(f"{place} is not the number of {what}")
    return int(key)
