"""Routes of single tokens as arrays (tokens, layers, K) of expert numbers: what vLLM and SGLang return.

Neither engine says which rows it filled. Buffers begin with zeros (vLLM) or -1 (also as 255 or 65535, where the type
has no sign), and stay so in dense layers, for the last token drawn, and where the hook did not run. So a row of one
value alone that is such a filler is no route:

- a layer without any route is dense, if the others are as many as the model has routers;
- a token without a route in any layer is left out, and that is said;
- a token with routes in some layers alone is refused, as is an expert twice, which top-k cannot give.

With K = 1 a row of 0 is a route to expert 0; a layer of nothing else is dense where the number of layers says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.recording import RecordingError
from polyroute.tracing.recorders import numpy_files, step_counts
from polyroute.tracing.recorders.tally import Tally

_FILLERS = (255, 65535)
"""-1 in types without a sign."""


def read(path: Path, tally: Tally, first: int) -> None:
    """Add a file of NumPy: npy, or npz with an array a request; or npz with `logical_count`.

    Args:
        path: of the file.
        tally: what it is added to.
        first: number of the arrays' first layer.

    Raises:
        RecordingError: the file is absent, damaged or holds Python objects, or as `add`.
    """
    arrays = numpy_files.load(path, str(path))
    if step_counts.KEY in arrays:
        step_counts.add(path, arrays[step_counts.KEY], tally, first)
        return
    routes = {name: array for name, array in arrays.items() if array.ndim == 3 and array.dtype.kind in "iu"}
    if not routes:
        shapes = ", ".join(f"{name or 'its array'} {array.shape} {array.dtype}" for name, array in arrays.items())
        raise RecordingError(
            f"{path} holds no array of whole numbers (tokens, layers, top-k), and no `{step_counts.KEY}`: "
            f"{shapes[:120]}"
        )
    add(str(path), list(routes.values()), tally, first)


def add(place: str, arrays: Sequence[NDArray[Any]], tally: Tally, first: int) -> None:
    """Add routes.

    Args:
        place: how errors name them.
        arrays: (T, L, K), one a request.
        tally: what they are added to.
        first: number of the first layer.

    Raises:
        RecordingError: arrays differ in layers, K is not the model's, no route is filled, a row is filled in part, or
            a token has routes in some layers alone; names token and layer.
    """
    shapes = sorted({array.shape[1:] for array in arrays})
    if len(shapes) != 1 or shapes[0][1] != tally.shape.top_k:
        raise RecordingError(
            f"{place}: routes have layers and experts a token {' and '.join(map(str, shapes))}, not all "
            f"(layers, {tally.shape.top_k}): is --top-k right?"
        )
    for array in arrays:
        if array.dtype == np.uint64 and array.max(initial=0) > np.iinfo(np.int64).max:
            raise RecordingError(f"{place}: an expert's number is {array.max()}")
    ids_TLK = np.concatenate([array.astype(np.int64) for array in arrays])
    experts = tally.shape.experts
    one_TL = (ids_TLK == ids_TLK[:, :, :1]).all(axis=2)
    filler_TLK = ids_TLK == -1
    for value in _FILLERS:
        filler_TLK |= (ids_TLK == value) & (value >= experts)
    missing_TL = one_TL & filler_TLK[:, :, 0]
    if tally.shape.top_k > 1:  # an expert twice is no route
        missing_TL |= one_TL & np.isin(ids_TLK[:, :, 0], (0, *_FILLERS))
    elif (ids_TLK != 0).any(axis=(0, 2)).sum() == tally.shape.layers < ids_TLK.shape[1]:
        missing_TL |= (ids_TLK == 0).all(axis=(0, 2))
    for token, layer in np.argwhere(filler_TLK.any(axis=2) & ~missing_TL)[:1]:
        raise RecordingError(
            f"{place}: layer {first + layer}, token {token}: {ids_TLK[token, layer].tolist()} is filled in part"
        )
    filled_L = np.flatnonzero(~missing_TL.all(axis=0))
    if not len(filled_L):
        raise RecordingError(
            f"{place}: every route is 0 or filler: the recorder's hook did not run (fused or captured kernels?)"
        )
    missing_TF = missing_TL[:, filled_L]
    none_T = missing_TF.all(axis=1)
    for token, layer in np.argwhere(missing_TF & ~none_T[:, None])[:1]:
        raise RecordingError(
            f"{place}: layer {first + filled_L[layer]}, token {token}: its row was never filled, though other layers "
            "have a route of it: record it anew"
        )
    if none_T.any():
        tally.said.append(f"{int(none_T.sum())} of {len(none_T)} tokens have no route in any layer and are left out")
    for layer in filled_L:
        tally.route(first + int(layer), ids_TLK[~none_T, layer], "")
