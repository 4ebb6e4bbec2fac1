"""Expert counts recorded elsewhere, as a trace with counts only.

The layout is that of the release of paper 2 (`routing/*_result/*.json`), one file a language:
`{layer: {expert: {"activation_tokens": tokens whose top-k held it, "gate_values_sum": ...}, "total_tokens": T}}`.
`gate_values_sum` is left alone: the release summed it in bfloat16, which stops counting at 256 steps. Tokens were
summed in bfloat16 too, but batch by batch, so that they are off by less than 0.1%.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from polyroute.artifacts.trace import Trace, TraceError, TraceHeader
from polyroute.models.settings import Shape

TOLERANCE = 0.005
"""How far a layer's counts may add up beside K times its tokens, as a share. The recorder of Qwen3-30B-A3B is off
by 0.0003; a file of another top-k, or one cut short, is off by far more."""


def import_counts(
    path: Path, *, model: str, model_digest: str, corpus: str, language: str, shape: Shape, sha256: str
) -> Trace:
    """Read one language's counts.

    Args:
        path: the JSON file.
        model: its name.
        model_digest: commit of the release.
        corpus: what the prompts were.
        language: FLORES code.
        shape: layers, experts and top-k that the file must have.
        sha256: of the file, kept as the corpus digest.

    Returns:
        A pooled trace (N = 1) that holds `tokens` and `topk_count`.

    Raises:
        TraceError: the file is absent, no JSON, or lacks a layer, an expert or a count, or its counts cannot be;
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
            place = f"layer {layer}, expert {expert}"
            value = entry[str(expert)]
            count = value.get("activation_tokens") if isinstance(value, dict) else None
            counts_LE[layer, expert] = _count(path, place, count, "activation_tokens")
            if counts_LE[layer, expert] > tokens[layer]:
                raise TraceError(f"{path}: {place}: activation_tokens exceeds total_tokens = {tokens[layer]}")
        expected, seen = shape.top_k * tokens[layer], int(counts_LE[layer].sum())
        if abs(seen - expected) > TOLERANCE * expected:
            raise TraceError(
                f"{path}: layer {layer}: counts add up to {seen}, not to top_k x tokens = {shape.top_k} x "
                f"{tokens[layer]} = {expected}: wrong `shape.top_k`, or a damaged file"
            )
    if len(set(tokens.values())) != 1:
        raise TraceError(f"{path}: total_tokens differs between layers: {sorted(set(tokens.values()))}")
    header = TraceHeader(
        model=model, model_digest=model_digest, corpus=corpus, corpus_digest=sha256, language=language,
        engine="recorded", dtype="unknown", device="unknown", layers=tuple(range(shape.layers)),
        experts=shape.experts, top_k=shape.top_k, selection=(), settings={}, versions={}, pooled=True,
    )  # fmt: skip
    return Trace(header, ("pooled",), np.array([tokens[0]]), counts_LE[None])


def _read(path: Path) -> dict[str, dict[str, object]]:
    try:
        layers = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TraceError(f"{path} is absent: run the stage `fetch`, or name the folder that holds it") from None
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
