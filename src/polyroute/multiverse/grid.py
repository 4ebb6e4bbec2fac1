"""The cells of a multiverse: every combination of the levels of every choice, and which choice moves the answer most.

A full factorial, so that choices are balanced against one another. The first-order share of a choice is its Sobol main
effect (Sobol 1993): the variance between the means of its levels by the variance over all cells,

    S_c = Var over levels of (mean of the cells at that level) / Var over all cells

Shares of all choices add up to at most 1 in a full factorial; what is left is their interactions. Each level weighs by
its cells, which are equally many unless some cells have no value. There is no sampling: the cells are all that there
are, so shares have no interval and speak of these levels alone.

A multiverse describes how an answer hangs on choices (Steegen et al. 2016); its cells are no independent tests, and the
share of cells that replicate is no probability. The order in which cells are drawn is that of a specification curve
(Simonsohn, Simmons and Nelson 2020).
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polyroute.ground.errors import PolyrouteError

Cell = Mapping[str, str]
"""Choice -> its level."""


class MultiverseError(PolyrouteError):
    """A multiverse that cannot be computed as asked."""


@dataclass(frozen=True)
class Choice:
    """Something that the papers leave open."""

    name: str
    levels: tuple[str, ...]
    """At least one, each once; the first is the study's own."""

    def __post_init__(self) -> None:
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise MultiverseError(f"choice {self.name}: give at least one level, and each once; not {self.levels}")


def cells(choices: Sequence[Choice]) -> Iterator[dict[str, str]]:
    """Every combination of levels, that of all first levels first."""
    for levels in itertools.product(*(choice.levels for choice in choices)):
        yield {choice.name: level for choice, level in zip(choices, levels, strict=True)}


def base(choices: Sequence[Choice]) -> dict[str, str]:
    """The study's own cell."""
    return {choice.name: choice.levels[0] for choice in choices}


def main_effects(
    choices: Sequence[Choice], found: Sequence[Cell], values: Sequence[float | None]
) -> dict[str, float | None]:
    """First-order share of variance of each choice that has several levels.

    Args:
        choices: of the grid.
        found: the cells.
        values: of each cell; None of one that has no value, which is left out.

    Returns:
        Choice -> share in [0, 1]; None where the values do not vary, or fewer than two cells have one.
    """
    known = [(cell, value) for cell, value in zip(found, values, strict=True) if value is not None]
    several = [choice for choice in choices if len(choice.levels) > 1]
    numbers = np.array([value for _, value in known], dtype=np.float64)
    total = float(numbers.var()) if len(numbers) > 1 else 0.0
    if total <= 1e-12 * max(float(np.abs(numbers).max(initial=0.0)) ** 2, 1e-12):
        return {choice.name: None for choice in several}
    shares: dict[str, float | None] = {}
    for choice in several:
        levels = np.array([choice.levels.index(cell[choice.name]) for cell, _ in known])
        between = sum(
            (levels == place).mean() * (numbers[levels == place].mean() - numbers.mean()) ** 2
            for place in np.unique(levels)
        )
        shares[choice.name] = min(float(between) / total, 1.0)
    return shares


def in_one_unit(found: Sequence[Cell], values: Sequence[float | None], unit: str | None) -> list[float | None]:
    """Values that differ in unit, each divided by the root mean square of all of its unit.

    Args:
        found: the cells.
        values: of each cell.
        unit: the choice that decides the unit; None where all have the same, and values come back as they are.
    """
    if unit is None:
        return list(values)
    squares: dict[str, list[float]] = defaultdict(list)
    for cell, value in zip(found, values, strict=True):
        if value is not None:
            squares[cell[unit]].append(value**2)
    size = {level: math.sqrt(sum(of) / len(of)) for level, of in squares.items()}
    return [
        None if value is None else value / size[cell[unit]] if size[cell[unit]] > 0 else 0.0
        for cell, value in zip(found, values, strict=True)
    ]


def neighbours(choices: Sequence[Choice]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Cells that differ from the base in one choice: the choice, its level, the cell."""
    for choice in choices:
        for level in choice.levels[1:]:
            yield choice.name, level, base(choices) | {choice.name: level}
