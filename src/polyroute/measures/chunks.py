"""A measure over the last axis, taken of a few sequences at a time, so that temporaries stay small."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

CHUNK = 2**23
"""Values of one array in memory at a time."""


def by_chunk(
    measure: Callable[..., NDArray[np.float64]], *arrays_NLE: NDArray[np.float64], chunk: int = CHUNK
) -> NDArray[np.float64]:
    """Apply a measure over the last axis.

    Returns:
        (N, L), the same bits as the measure of everything at once.
    """
    items, layers, experts = arrays_NLE[0].shape
    step = max(1, chunk // (layers * experts))
    return np.concatenate([measure(*parts) for parts in _steps(arrays_NLE, items, step)])


def _steps(arrays: tuple[NDArray[np.float64], ...], items: int, step: int) -> Iterator[list[NDArray[np.float64]]]:
    for start in range(0, items, step):
        yield [array[start : start + step] for array in arrays]
