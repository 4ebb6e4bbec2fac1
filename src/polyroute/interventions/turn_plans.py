"""Steering by turn and by task: as many experts of each layer as the task experts have, of the largest Delta of either.

If task experts are experts of the assistant's turn, steering toward those of the turn does what steering toward them
does: same rule, layers, items and number of experts, another ranking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.experts import ExpertSet
from polyroute.experts.turns import largest_by_layer
from polyroute.results.steering import Kind

BY_TURN: tuple[Kind, Kind] = ("by-turn", "by-task")
"""Kinds of these conditions, and their names."""
_COUNTED = "rendered"


@dataclass(frozen=True)
class DeltaByTurn:
    """Delta by turn and by task of one task."""

    layers: tuple[int, ...]
    """The model's own numbers."""
    turn_LE: NDArray[np.float64]
    """The same words in the other turn."""
    task_LE: NDArray[np.float64]
    """The smaller of both task differences, each at one turn: above tau exactly where both are."""

    @classmethod
    def of(cls, table: pd.DataFrame, task: str) -> Self | None:
        """Of the rows of turns.csv, all rendered tokens counted as published; None where the task has none."""
        rows = table[(table["task"] == task) & (table["counted"] == _COUNTED)].sort_values(["layer", "expert"])
        if rows.empty:
            return None
        layers = tuple(int(layer) for layer in rows["layer"].drop_duplicates())
        shape = (len(layers), -1)
        task_LE = np.minimum(rows["task_user"].to_numpy(), rows["task_assistant"].to_numpy()).reshape(shape)
        return cls(layers, rows["turn"].to_numpy().reshape(shape), task_LE)

    def sets(self, experts: ExpertSet) -> Iterator[tuple[Kind, ExpertSet]]:
        """What is steered in place of a set.

        Raises:
            ExpertsError: the set has a layer for which Delta by turn is not known.
        """
        sizes = {layer: len(chosen) for layer, chosen in experts.items()}
        for kind, delta_LE in zip(BY_TURN, (self.turn_LE, self.task_LE), strict=True):
            yield kind, largest_by_layer(delta_LE, self.layers, sizes)
