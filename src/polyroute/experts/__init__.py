"""Which experts a task or a language calls on, and random experts to compare them with.

Shape legend of this room: N sequences, L layers, E experts, R resamples.
A set of experts is a mapping of the model's own layer numbers to expert numbers; layers without one are left out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

ExpertSet = Mapping[int, tuple[int, ...]]
"""Layer -> its experts, ascending; no layer without experts."""


def set_of(chosen_LE: NDArray[np.bool_], layers: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The set of the experts that are chosen.

    Args:
        chosen_LE: whether each is.
        layers: numbers of the L layers.

    Returns:
        Layers ascending; expert numbers are Python's own integers, since sets go into JSON.
    """
    found = {layer: tuple(np.flatnonzero(row_E).tolist()) for layer, row_E in zip(layers, chosen_LE, strict=True)}
    return {layer: found[layer] for layer in sorted(found) if found[layer]}
