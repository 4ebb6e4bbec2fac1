"""Routes in what a server answered over HTTP, as JSON or JSON lines: `routed_experts` of vLLM and of SGLang.

vLLM sends a NumPy file (npy) in base64, SGLang the numbers alone, int32 of (tokens, layers, K) in a row, from which
the number of layers must be known. Lists, and an object of `shape`, `dtype` and `data`, are read too. They stand under
`choices`, `meta_info` or `sgl_ext`; wherever they stand, they are found.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders import numpy_files, route_arrays, strict_json
from polyroute.tracing.recorders.tally import Tally

_KEYS = ("routed_experts", "prompt_routed_experts")
_NPY = b"\x93NUMPY"
_TYPES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64")


def recognised(value: Any) -> bool:
    """Whether a JSON value holds routes."""
    return next(_found(value, ""), None) is not None


def read(path: Path, tally: Tally, first: int, layers: int) -> None:
    """Add one file.

    Args:
        path: JSON of one answer or a list of them, or one a line.
        tally: what it is added to.
        first: number of the first layer.
        layers: of numbers in a row: how many layers each token has.

    Raises:
        RecordingError: it is no JSON or holds no routes, they cannot be decoded or shaped, or as `route_arrays.add`.
    """
    text = strict_json.read_text(path)
    arrays = []
    for number, value in strict_json.values(text, str(path)):
        place = f"{path}: " if number is None else f"{path}: line {number}: "
        found = list(_found(value, ""))
        if not found:
            raise RecordingError(
                f"{place}no `{_KEYS[0]}` in the answer: ask the server for it (--enable-return-routed-experts)"
            )
        choices = value.get("choices") if isinstance(value, dict) else None
        if isinstance(choices, list) and len(choices) > 1:
            tally.said.append(f"{len(choices)} answers to one prompt: its tokens count once in each")
        arrays += [_array(one, place + key, layers, tally.shape.top_k) for key, one in found]
    route_arrays.add(str(path), arrays, tally, first)


def _found(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Routes, and where they stand, in the order of the file."""
    left = [(at, value)]
    while left:
        place, held = left.pop()
        if isinstance(held, dict):
            for key in held:
                if key in _KEYS and held[key] is not None:
                    yield f"{place}{key}", held[key]
            left += [(f"{place}{key}.", one) for key, one in reversed(held.items()) if key not in _KEYS]
        elif isinstance(held, list):
            left += [(f"{place}{number}.", one) for number, one in reversed([*enumerate(held)])]


def _array(value: Any, place: str, layers: int, top_k: int) -> NDArray[Any]:
    if isinstance(value, list):
        return _of_list(value, place)
    shape = kind = None
    if isinstance(value, dict):
        shape, kind, value = value.get("shape"), value.get("dtype"), value.get("data")
        if kind not in _TYPES or not isinstance(shape, list) or [type(one) for one in shape] != [int] * 3:
            raise RecordingError(f"{place}: `dtype` is {kind!r:.40} and `shape` {shape!r:.40}: not an array of numbers")
    if not isinstance(value, str):
        raise RecordingError(f"{place} is no base64, list or array, but {type(value).__name__}")
    try:
        raw = base64.b64decode(value, validate=True)
        if raw.startswith(_NPY):
            array: NDArray[Any] = numpy_files.load(io.BytesIO(raw), place)[""]
            if array.ndim != 3 or array.dtype.kind not in "iu":
                raise RecordingError(f"{place}: an array {array.shape} of {array.dtype}, not (tokens, layers, top-k)")
            return array
        numbers = np.frombuffer(raw, np.dtype(kind or "int32").newbyteorder("<"))
        if shape is not None:
            return numbers.reshape(shape)
    except (binascii.Error, ValueError) as error:
        raise RecordingError(f"{place}: cannot be decoded: {error}") from None
    if not len(numbers) or len(numbers) % (layers * top_k):
        raise RecordingError(
            f"{place}: {len(numbers)} numbers are not tokens x {layers} layers x {top_k}: say with --all-layers how "
            "many layers the model has, those without experts too"
        )
    return numbers.reshape(-1, layers, top_k)


def _of_list(value: list[Any], place: str) -> NDArray[Any]:
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        array = np.array(())
    if array.ndim != 3 or array.dtype.kind not in "iu":
        raise RecordingError(f"{place}: lists of lists of whole numbers (tokens, layers, top-k) are expected")
    return array
