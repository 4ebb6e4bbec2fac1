"""Task experts, or experts of the assistant's turn? The published difference taken apart (paper 1, Eq. 3).

f is activation frequency, a_i / T_i, mean over sequences (`measures.specialisation`). Four differences of it, by the
cells of `experts.turn_cells`: Delta as published, Delta_turn (the same passages, said by the assistant), Delta_task|U
and Delta_task|A (task text against passages, both the user's or both the assistant's). S_x are the experts with
Delta_x > tau, at the tau and in the layers of the published setting.

    turn share = |S_published and S_turn| / |S_published|
    task share = |S_published and S_task|U and S_task|A| / |S_published|
    R_turn = sum over S_published of Delta_turn / sum of Delta_published
    R_task = the same of (Delta_task|U + Delta_task|A) / 2
    interaction = 1 - R_turn - R_task, 0 where turn and task add up

Unit of resampling: the sequence, passages and items apart; all cells of a text hold the same sequences and are
resampled together. Intervals speak of other texts; the experts are those of the model. S_published is chosen anew in
every resample, so its own uncertainty is in them.

The null of the turn share: random sets of as many experts in every layer, matched in f of passages as the user's
(`experts.controls`). The decision was fixed before any number was known:

    holds     turn share >= .5, and its low bound above the null's 97.5% point; or steering toward S_turn gains within
              one point of what steering toward S_published gains (equivalence, interval of 90%)
    rejected  high bound of turn share < .2, and low bound of R_task >= .7
    open      else
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet, set_of
from polyroute.experts.controls import Controls
from polyroute.experts.specialised import ExpertsError
from polyroute.experts.turn_cells import CELLS, DELTAS, Cell, Delta
from polyroute.ground.layers import LayerRange
from polyroute.measures.specialisation import MUST_AGREE, SpecialisationError, activation_frequency
from polyroute.results.quantities import DECIMALS, rounded
from polyroute.results.turns import Decision, Part, TurnNull
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.rank import rank_p
from polyroute.stats.resampled import own_seed, percentile_bounds, resampled_means

HALF = 0.5
"""Turn share from which the rival may hold."""
FEW = 0.2
"""Turn share below which, with its interval, the rival may be rejected."""
MOST = 0.7
"""R_task from which, with its interval, the rival may be rejected."""
_NULL_POINT = 0.975

Statistics = dict[str, NDArray[np.float64]]
"""`turn_share`, `task_share`, `r_turn`, `r_task`, `interaction`: each of the shape that the differences have before
their layers and experts; NaN where S_published is empty."""


@dataclass(frozen=True)
class Differences:
    """Delta of every kind and expert, in the text and in every resample."""

    layers: tuple[int, ...]
    """The model's own numbers."""
    delta: Mapping[Delta, NDArray[np.float64]]
    """(L, E) each, rounded as results are before they are compared with tau."""
    draws: Mapping[Delta, NDArray[np.float64]]
    """(R, L, E) each, rounded likewise; all of the same resamples."""
    frequency_LE: NDArray[np.float64]
    """Of passages as the user's."""

    @classmethod
    def of(
        cls, cells: Mapping[Cell, Trace], *, items: str, resamples: int, confidence: float, seed: int,
        layers: LayerRange,
    ) -> Differences:  # fmt: skip
        """From traces of all cells of one task, taken alike.

        Args:
            cells: every one of `CELLS`.
            items: name of the task text, whose resamples are its own; those of passages are the same for every task.
            resamples: bootstrap resamples.
            confidence: coverage of intervals.
            seed: of the resamples.
            layers: first and last layer to keep.

        Raises:
            SpecialisationError: a cell was traced in another way, or cells of one text do not hold the same sequences.
            ExpertsError: the range holds no traced layer.
        """
        _check(cells)
        numbers = cells["passage_user"].header.layers
        kept = [place for place, layer in enumerate(numbers) if layers[0] <= layer <= layers[1]]
        if not kept:
            raise ExpertsError(f"layers [{layers[0]}, {layers[1]}] hold none of {min(numbers)} to {max(numbers)}")
        frequency = {cell: activation_frequency(trace)[:, kept] for cell, trace in cells.items()}
        return cls.of_frequencies(
            frequency, tuple(numbers[place] for place in kept), items=items, resamples=resamples,
            confidence=confidence, seed=seed,
        )  # fmt: skip

    @classmethod
    def of_frequencies(
        cls, frequency: Mapping[Cell, NDArray[np.float64]], layers: tuple[int, ...], *, items: str, resamples: int,
        confidence: float, seed: int,
    ) -> Differences:  # fmt: skip
        """From (N, L, E) frequencies of all cells, the same N in all cells of one text; see `of`."""
        means = {cell: values.mean(axis=0) for cell, values in frequency.items()}
        bootstraps = {
            "passage": Bootstrap(len(frequency["passage_user"]), resamples, confidence, own_seed(seed, "passages")),
            "item": Bootstrap(len(frequency["item_both"]), resamples, confidence, own_seed(seed, f"items of {items}")),
        }
        drawn = {cell: resampled_means(bootstraps[CELLS[cell].text], values) for cell, values in frequency.items()}
        return cls(
            layers,
            {name: _rounded(means[one] - means[other]) for name, (one, other) in DELTAS.items()},
            {name: _rounded(drawn[one] - drawn[other]) for name, (one, other) in DELTAS.items()},
            means["passage_user"],
        )

    def solution_alone(self) -> Differences:
        """With the assistant's solution in place of question and solution."""
        return Differences(
            self.layers,
            {**self.delta, "task_assistant": self.delta["solution"]},
            {**self.draws, "task_assistant": self.draws["solution"]},
            self.frequency_LE,
        )

    def experts(self, name: Delta, tau: float) -> ExpertSet:
        """S_x: layer -> its experts with Delta_x > tau."""
        return set_of(self.delta[name] > tau, self.layers)

    def estimates(self, tau: float, confidence: float) -> dict[str, Part]:
        """Every statistic with its interval."""
        found, drawn = statistics(self.delta, tau), statistics(self.draws, tau)
        return {name: part(float(value), drawn[name], confidence) for name, value in found.items()}


def statistics(delta: Mapping[Delta, NDArray[np.float64]], tau: float) -> Statistics:
    """The shares and ratios of all resamples at once.

    Args:
        delta: (..., L, E) each.
        tau: threshold on every Delta.
    """
    chosen = {name: values > tau for name, values in delta.items()}
    published = chosen["published"]
    size = _total(published)
    mass = _total(delta["published"] * published)
    task = (delta["task_user"] + delta["task_assistant"]) / 2
    r_turn = _ratio(_total(delta["turn"] * published), mass)
    r_task = _ratio(_total(task * published), mass)
    return {
        "turn_share": _ratio(_total(published & chosen["turn"]), size),
        "task_share": _ratio(_total(published & chosen["task_user"] & chosen["task_assistant"]), size),
        "r_turn": r_turn,
        "r_task": r_task,
        "interaction": 1 - r_turn - r_task,
    }


def null_of_turn_share(found: Differences, tau: float, *, sets: int, seed: int) -> TurnNull | None:
    """The turn share of random sets that are matched in frequency.

    Args:
        found: of one task and way of counting.
        tau: threshold.
        sets: how many.
        seed: of the sets.

    Returns:
        None where there is no such set: S_published is empty, or holds more than half of a layer.
    """
    try:
        controls = Controls(found.experts("published", tau), found.frequency_LE, found.layers, seed=seed)
    except ExpertsError:
        return None
    place = {layer: number for number, layer in enumerate(found.layers)}
    turn_LE = found.delta["turn"] > tau
    size = sum(len(experts) for experts in controls.experts.values())

    def share(experts: ExpertSet) -> float:
        return sum(int(turn_LE[place[layer], list(of)].sum()) for layer, of in experts.items()) / size

    drawn_S = np.array([share(controls.draw(number)) for number in range(sets)])
    p = float(rank_p([share(controls.experts)], drawn_S[:, None])[0])
    return TurnNull(
        sets=sets, mean=rounded(float(drawn_S.mean())), high=rounded(float(np.quantile(drawn_S, _NULL_POINT))),
        p=rounded(p), unmatched=controls.unmatched,
    )  # fmt: skip


def decide(
    turn_share: Part, r_task: Part, null: TurnNull | None, *, equivalent: bool | None = None
) -> Decision | None:  # fmt: skip
    """The decision that was fixed in advance.

    Args:
        turn_share: with its interval.
        r_task: with its interval.
        null: of the turn share.
        equivalent: whether steering toward S_turn gains within a point of what S_published gains; None where it was
            not tried, and cannot decide.

    Returns:
        None where there is no expert to speak of.
    """
    if turn_share.value is None or turn_share.low is None or turn_share.high is None:
        return None
    by_share = null is not None and turn_share.value >= HALF and turn_share.low > null.high
    if by_share or equivalent:
        return "holds"
    rejected = turn_share.high < FEW and r_task.low is not None and r_task.low >= MOST
    return "rejected" if rejected else "open"


def of_every_task(found: Sequence[tuple[Differences, float]], confidence: float) -> tuple[int, int, Part]:
    """Experts in S_published of every task, and those of them in S_turn: turn experts by any name.

    Args:
        found: differences and tau of each task, all of the same passages and resamples.
        confidence: coverage of the interval.

    Returns:
        How many are in S_published of all; how many of these in S_turn of all, each at its own tau; the share of the
        one in the other, unknown where there is none.
    """
    shared = sorted(set.intersection(*(set(one.layers) for one, _ in found)))

    def both(draws: bool) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        published: list[NDArray[np.bool_]] = []
        turn: list[NDArray[np.bool_]] = []
        for one, tau in found:
            kept = [one.layers.index(layer) for layer in shared]
            values = one.draws if draws else one.delta
            published.append(values["published"][..., kept, :] > tau)
            turn.append(values["turn"][..., kept, :] > tau)
        in_all = np.logical_and.reduce(published)
        return in_all, in_all & np.logical_and.reduce(turn)

    in_all, of_turn = (_total(one) for one in both(draws=False))
    drawn = _ratio(*reversed([_total(one) for one in both(draws=True)]))
    return int(in_all), int(of_turn), part(float(_ratio(of_turn, in_all)), drawn, confidence)


def part(value: float, drawn_R: NDArray[np.float64], confidence: float) -> Part:
    """An estimate with its percentile interval, unknown where the value is."""
    if np.isnan(value):
        return Part(value=None, low=None, high=None)
    low, high = percentile_bounds(drawn_R, confidence)
    bounds = [None if np.isnan(bound) else rounded(float(bound)) for bound in (low, high)]
    return Part(value=rounded(value), low=bounds[0], high=bounds[1])


def largest_by_layer(delta_LE: NDArray[np.float64], layers: Sequence[int], sizes: Mapping[int, int]) -> ExpertSet:
    """As many experts of each layer as another set has there, those of the largest Delta first, of equals the first.

    Args:
        delta_LE: by which they are ranked; of an intersection of two sets the smaller of two Deltas.
        layers: numbers of the L layers.
        sizes: layer -> how many.

    Raises:
        ExpertsError: a layer is not among those at hand.
    """
    place = {layer: number for number, layer in enumerate(layers)}
    if lacking := sorted(set(sizes) - set(place)):
        raise ExpertsError(f"layer {lacking[0]} is not among layers {list(layers)}, for which Delta by turn is known")
    return {
        layer: tuple(sorted(int(expert) for expert in np.argsort(-delta_LE[place[layer]], kind="stable")[:size]))
        for layer, size in sorted(sizes.items())
        if size
    }


def _check(cells: Mapping[Cell, Trace]) -> None:
    first = cells["passage_user"]
    for cell, trace in cells.items():
        for field in MUST_AGREE:
            ours, theirs = getattr(first.header, field), getattr(trace.header, field)
            if ours != theirs:
                raise SpecialisationError(
                    f"{trace.place} has {field} {theirs}, {first.place} has {ours}: run the stage `turns` again"
                )
        alike = cells["passage_user" if CELLS[cell].text == "passage" else "item_both"]
        if trace.item_ids != alike.item_ids:
            raise SpecialisationError(f"{trace.place} does not hold the sequences of {alike.place}: run `turns` again")


def _total(values: NDArray[np.bool_] | NDArray[np.float64]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = values.sum(axis=(-2, -1), dtype=np.float64)
    return total


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=ratio, where=np.asarray(below) != 0)
    return ratio


def _rounded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.round(DECIMALS) + 0.0  # no -0.0 in tables
