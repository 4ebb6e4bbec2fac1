"""Do the intervals of turn share and of Delta by task cover, and how often is the rival decided wrongly?

Task experts of a model of three layers with 32 experts each are chosen more often by task, by turn, or by both; how
often a sequence chooses an expert scatters about its mean, alike in all cells of a text. The truth is that of the
means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from bench.calibration.table import Row
from numpy.typing import NDArray

from polyroute.experts.turn_cells import CELLS, DELTAS, Cell
from polyroute.experts.turns import Differences, decide, statistics
from polyroute.results.turns import TurnNull

OUTSIDE = """\
The interval of turn share always covers: it is wider than it need be, which can only leave the rival undecided. These
are 50 sequences a text, at 400 studies; 200 and 488 were not simulated."""
CONFIDENCE = 0.95
TAU = 0.3
SEQUENCES = (50, 200, 488)
_LAYERS, _EXPERTS, _CHOSEN, _BASE = 3, 32, 8, 0.15
_SPREAD, _OF_TEXT = 0.1, 0.8
"""Standard deviation of a sequence's frequency, and the share of its variance that its cells have in common."""
_NULL = TurnNull(sets=999, mean=0.0, high=0.0, p=0.001, unmatched=[])
"""Of experts other than these, none is of the turn."""


@dataclass(frozen=True)
class _Population:
    """Of the 24 task experts, what turn and task add to each."""

    turn_24: NDArray[np.float64]
    task_24: NDArray[np.float64]
    wrong: str
    """The decision that would be wrong."""


_AT = np.linspace(0, 1, _LAYERS * _CHOSEN)
POPULATIONS = {
    "task alone": _Population(0 * _AT + 0.02, 0.4 + 0.2 * _AT, "holds"),
    "turn alone": _Population(0.4 + 0.2 * _AT, 0 * _AT + 0.02, "rejected"),
    "both, a third by turn": _Population(np.where(_AT < 1 / 3, 0.45, 0.1), 0.35 + 0 * _AT, "holds"),
    "turn about tau": _Population(0.24 + 0.12 * _AT, 0.4 + 0 * _AT, "rejected"),
}


def simulate(studies: int, sequences: tuple[int, ...] = SEQUENCES, resamples: int = 499) -> Iterator[Row]:
    """Coverage of turn share and R_task, and wrong decisions.

    Args:
        studies: simulated for each population.
        sequences: of each text.
        resamples: bootstrap resamples of each study; 999 in the stage.
    """
    for called, population in POPULATIONS.items():
        means = _means(population)
        truth = statistics({name: means[one] - means[other] for name, (one, other) in DELTAS.items()}, TAU)
        for count in sequences:
            rng, covered, wrong = np.random.default_rng([count, 7]), dict.fromkeys(("turn_share", "r_task"), 0), 0
            for study in range(studies):
                found = Differences.of_frequencies(
                    _drawn(means, count, rng), tuple(range(_LAYERS)), items="items", resamples=resamples,
                    confidence=CONFIDENCE, seed=study,
                )  # fmt: skip
                estimates = found.estimates(TAU, CONFIDENCE)
                for name in covered:
                    low, high = estimates[name].low, estimates[name].high
                    assert low is not None, "every population has task experts"
                    assert high is not None, "and both bounds are known"
                    covered[name] += round(low, 4) <= float(truth[name].round(4)) <= high
                wrong += decide(estimates["turn_share"], estimates["r_task"], _NULL) == population.wrong
            for name, hits in covered.items():
                yield Row(
                    "turns", f"coverage, {name.replace('_', ' ')}", called, count, CONFIDENCE, hits / studies, studies
                )
            yield Row("turns", f"size, {population.wrong}", called, count, 1 - CONFIDENCE, wrong / studies, studies)


def _means(population: _Population) -> dict[Cell, NDArray[np.float64]]:
    """(L, E) mean frequency in every cell."""
    turn_LE, task_LE = np.zeros((2, _LAYERS, _EXPERTS))
    turn_LE[:, :_CHOSEN] = population.turn_24.reshape(_LAYERS, _CHOSEN)
    task_LE[:, :_CHOSEN] = population.task_24.reshape(_LAYERS, _CHOSEN)
    of_turn = {"passage_user": 0, "passage_assistant": 1, "item_both": 1, "item_user": 0, "item_assistant": 1,
               "solution_assistant": 1}  # fmt: skip
    return {cell: _BASE + of_turn[cell] * turn_LE + (CELLS[cell].text == "item") * task_LE for cell in CELLS}


def _drawn(
    means: dict[Cell, NDArray[np.float64]], count: int, rng: np.random.Generator
) -> dict[Cell, NDArray[np.float64]]:
    shape = (count, _LAYERS, _EXPERTS)
    shared = {text: rng.normal(size=shape) for text in ("passage", "item")}
    own, common = np.sqrt(1 - _OF_TEXT), np.sqrt(_OF_TEXT)
    return {
        cell: mean_LE + _SPREAD * (common * shared[CELLS[cell].text] + own * rng.normal(size=shape))
        for cell, mean_LE in means.items()
    }
