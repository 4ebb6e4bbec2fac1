"""Random experts to compare a set with: as many in every layer, as often chosen on the text that is answered.

Steering any experts moves a model, the more so the more often they are chosen. What a set does beyond that shows
against sets drawn at random, and matched in activation frequency: an expert that half of all tokens visit is not
replaced by one that hardly any does.

The rule. A layer's control holds as many experts, none of them of the set, and their mean activation frequency lies
within `CALIPER` standard deviations (over the experts of the layer) of the set's. All such controls are equally likely.
Where a layer has none, because nothing else is chosen that often or that seldom, the set cannot be matched there: its
controls then lie within the caliper of the closest there is, and `balance` says how far off they are. Where the set
holds more than half of a layer there is no control at all, and an error says so. A draw depends on the seed and its own
number only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polyroute.experts import ExpertSet
from polyroute.experts.specialised import ExpertsError
from polyroute.results.quantities import LayerBalance, rounded

CALIPER = 0.2
"""Largest standardised difference of a layer's control (Austin 2011, on matching with a caliper)."""
_STEPS = 100
"""Exchanges that are proposed for each expert of a layer; from there on the start no longer shows."""
_TIES = 9
"""Decimals at which two frequencies count as equal, on every processor."""


class Controls:
    """Draws control sets of one set of experts."""

    def __init__(self, experts: ExpertSet, frequency_LE: NDArray[np.float64], layers: Sequence[int], *, seed: int):
        """Prepare with the set and the frequencies that are matched.

        Args:
            experts: layer -> experts, in the model's numbering.
            frequency_LE: activation frequency of every expert on the text that the experts act on.
            layers: numbers of the L layers.
            seed: of all draws.

        Raises:
            ExpertsError: the set is empty, names a layer or an expert that the model lacks, or holds more than half of
                a layer; names the layer.
        """
        if not any(experts.values()):
            raise ExpertsError("the set holds no expert: there is nothing to control for; lower tau")
        self.experts, self._seed = {layer: experts[layer] for layer in sorted(experts) if experts[layer]}, seed
        place, total = {layer: place for place, layer in enumerate(layers)}, frequency_LE.shape[1]
        self._layers: dict[int, _Layer] = {}
        for layer, chosen in self.experts.items():
            if layer not in place:
                raise ExpertsError(f"layer {layer} is not among the traced layers {list(layers)}")
            if len(set(chosen)) < len(chosen) or not all(0 <= expert < total for expert in chosen):
                raise ExpertsError(f"layer {layer}: {chosen} are not different experts from 0 to {total - 1}")
            if 2 * len(chosen) > total:
                raise ExpertsError(
                    f"layer {layer}: the set holds {len(chosen)} of {total} experts, and the other "
                    f"{total - len(chosen)} are too few for a control; raise tau"
                )
            self._layers[layer] = _Layer(frequency_LE[place[layer]], list(chosen))

    @property
    def unmatched(self) -> list[int]:
        """Layers without a control within the caliper."""
        return [layer for layer, one in self._layers.items() if not one.matched]

    def draw(self, number: int) -> ExpertSet:
        """Control set of a number from 0: the same for the same seed, whatever else was drawn."""
        rng = np.random.default_rng([self._seed, number])
        return {layer: one.draw(rng) for layer, one in self._layers.items()}

    def balance(self, drawn: Sequence[ExpertSet]) -> list[LayerBalance]:
        """How well control sets match, by layer.

        Args:
            drawn: at least one control set.
        """
        rows = []
        for layer, one in self._layers.items():
            frequency, others = one.target, float(one.frequency_E[one.others].mean())
            controls = float(np.mean([one.frequency_E[list(control[layer])].mean() for control in drawn]))
            scale = one.spread or 1.0  # all experts are chosen alike: every difference is 0
            found = {
                "frequency": frequency, "others": others, "controls": controls, "before": (frequency - others) / scale,
                "after": (frequency - controls) / scale,
            }  # fmt: skip
            numbers = {name: rounded(value) for name, value in found.items()}
            rows.append(LayerBalance(layer=layer, experts=len(one.chosen), matched=one.matched, **numbers))
        return rows


class _Layer:
    """Controls of the set within one layer."""

    def __init__(self, frequency_E: NDArray[np.float64], chosen: list[int]) -> None:
        self.frequency_E, self.chosen = frequency_E.round(_TIES), chosen
        self.others = np.setdiff1d(np.arange(len(frequency_E)), chosen)
        self.target = float(self.frequency_E[chosen].mean())
        self.spread = float(self.frequency_E.std())
        self._start = self._closest()
        gap = self._gap(self._start)
        tolerance = CALIPER * self.spread
        self.matched = gap <= tolerance + 10.0**-_TIES
        self._tolerance = (tolerance if self.matched else gap + tolerance) + 10.0**-_TIES

    def draw(self, rng: np.random.Generator) -> tuple[int, ...]:
        """One control: a random walk over those within the tolerance, which visits each equally often.

        A member is exchanged for another expert wherever the result is within the tolerance, so that a step back is as
        likely as the step.
        """
        inside = list(self._start)
        outside = [int(expert) for expert in self.others if expert not in set(inside)]
        count, total = len(inside), float(self.frequency_E[inside].sum())
        steps = _STEPS * count if outside else 0
        for place, other in zip(
            rng.integers(count, size=steps), rng.integers(max(len(outside), 1), size=steps), strict=True
        ):
            moved = total + self.frequency_E[outside[other]] - self.frequency_E[inside[place]]
            if abs(moved / count - self.target) <= self._tolerance:
                inside[place], outside[other], total = outside[other], inside[place], moved
        return tuple(sorted(inside))

    def _gap(self, experts: Sequence[int]) -> float:
        return abs(float(self.frequency_E[list(experts)].mean()) - self.target)

    def _closest(self) -> list[int]:
        """A control about as near as any: the likest for each expert in turn, exchanged while that brings it nearer."""
        left, inside = list(map(int, self.others)), []
        for expert in self.chosen:
            likest = min(left, key=lambda other: (abs(self.frequency_E[other] - self.frequency_E[expert]), other))
            inside.append(likest)
            left.remove(likest)
        while left:
            sums = self.frequency_E[inside].sum() - self.frequency_E[inside][:, None] + self.frequency_E[left][None, :]
            gaps = np.abs(sums / len(inside) - self.target).round(_TIES)
            place, other = np.unravel_index(int(gaps.argmin()), gaps.shape)
            if gaps[place, other] >= round(self._gap(inside), _TIES):
                break
            inside[place], left[other] = left[other], inside[place]
        return inside
