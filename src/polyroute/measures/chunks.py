"""A measure over the last axis, taken of a few sequences at a time on all cores, so that temporaries stay small."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.cores import on_all_cores, slices

CHUNK = 2**16
"""Values of one array in memory at a time, by core: few enough for its cache."""


def by_chunk(
    measure: Callable[..., NDArray[np.float64]], *arrays_NLE: NDArray[np.float64], chunk: int = CHUNK
) -> NDArray[np.float64]:
    """Apply a measure over the last axis.

    Returns:
        (N, L), the same bits as the measure of everything at once.
    """
    items, layers, experts = arrays_NLE[0].shape
    found_NL = np.empty((items, layers))

    def take(part: slice) -> None:
        found_NL[part] = measure(*(array_NLE[part] for array_NLE in arrays_NLE))

    on_all_cores(take, slices(items, max(1, chunk // (layers * experts))))
    return found_NL
