"""SGLang's counts as an array `logical_count` (steps, layers, experts), in a torch file or in NumPy's npz.

A torch file is read with `torch.load(weights_only=True)`, which runs no code of the file. One that holds more than
tensors and plain values is refused; `CONVERT` makes npz of it on a machine where it is trusted. Layers are counted
from 0; dense layers are rows of zeros.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.recorded_counts import LARGEST
from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders.tally import Tally

KEY = "logical_count"
CONVERT = (
    "python -c \"import torch, numpy; numpy.savez('counts.npz', "
    "logical_count=torch.load('counts.pt', weights_only=False)['logical_count'].numpy())\""
)
"""Makes npz of a torch file that holds other things too; runs whatever code the file holds."""


def read(path: Path, tally: Tally, first: int) -> None:
    """Add a torch file.

    Args:
        path: of the file.
        tally: what it is added to.
        first: number of the array's first layer.

    Raises:
        RecordingError: the file is damaged, holds more than tensors and plain values or no `logical_count`, or as
            `add`.
    """
    import torch

    try:
        held = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise RecordingError(f"{path} is absent: name the folder that holds it") from None
    except Exception:  # noqa: BLE001 - torch raises whatever its reader meets in a damaged file
        raise RecordingError(
            f"{path} is damaged or holds more than tensors and plain values, and polyroute runs no code of a file: "
            f"where you trust it, make npz of it with {CONVERT}"
        ) from None
    if not isinstance(held, dict) or not isinstance(held.get(KEY), torch.Tensor):
        names = ", ".join(sorted(map(str, held)))[:80] if isinstance(held, dict) else type(held).__name__
        raise RecordingError(
            f"{path} holds no tensor `{KEY}` but {names}: record in the mode `stat`, which counts by expert"
        )
    tensor = held[KEY].detach()
    rounded = tensor.is_floating_point()
    try:
        counts = (tensor.to(torch.float64) if rounded else tensor).numpy()
    except (RuntimeError, TypeError, NotImplementedError):  # sparse, quantised, nested, without data
        raise RecordingError(
            f"{path}: `{KEY}` is a {tensor.layout} of {tensor.dtype} that NumPy cannot take: save it as plain whole "
            "numbers, `.to_dense().long()`"
        ) from None
    add(path, counts, tally, first, exact=2 / torch.finfo(tensor.dtype).eps - 1 if rounded else LARGEST)


def add(path: Path, counts: NDArray[Any], tally: Tally, first: int, *, exact: float | None = None) -> None:
    """Add an array of counts.

    Args:
        path: of its file.
        counts: (S, L, E), or (L, E).
        tally: what they are added to.
        first: number of the first layer.
        exact: up to which whole numbers are told apart where they were kept in another type; None by the array's own.

    Raises:
        RecordingError: it holds no numbers, has no layers and experts or other experts than the model, or a count is no
            whole number from 0 to 2^53, or may be rounded; names the layer.
    """
    if counts.dtype.kind not in "iuf":
        raise RecordingError(f"{path}: `{KEY}` is of {counts.dtype}, not of whole numbers: it holds no counts")
    if exact is None:
        exact = float(2 / np.finfo(counts.dtype).eps) - 1 if counts.dtype.kind == "f" else LARGEST
    if counts.dtype.kind == "f":
        counts = counts.astype(np.float64)
    steps_SLE = counts[None] if counts.ndim == 2 else counts
    if steps_SLE.ndim != 3 or steps_SLE.shape[2] != tally.shape.experts:
        raise RecordingError(
            f"{path}: `{KEY}` has the shape {counts.shape}, not (steps, layers, {tally.shape.experts}): is --experts "
            "right?"
        )
    for layer in range(steps_SLE.shape[1]):
        of_SE = steps_SLE[:, layer]
        for step, expert in np.argwhere(~((of_SE >= 0) & (of_SE <= LARGEST) & (of_SE == np.floor(of_SE))))[:1]:
            raise RecordingError(
                f"{path}: layer {first + layer}, step {step}, expert {expert}: the count {of_SE[step, expert]} is not "
                "a whole number from 0 to 2^53"
            )
        if of_SE.max(initial=0) > exact:
            raise RecordingError(
                f"{path}: layer {first + layer}: the count {of_SE.max():.0f} is rounded, its type tells whole numbers "
                f"apart up to {exact:.0f}: save counts as int64"
            )
        sums = [sum(column) for column in of_SE.astype(np.int64).T.tolist()]
        for expert, total in enumerate(sums):
            tally.add(first + layer, expert, total, f"layer {first + layer}, expert {expert}")
