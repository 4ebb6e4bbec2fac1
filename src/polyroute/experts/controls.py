"""Random experts to compare a set with: as many in every layer, about as often chosen.

Steering any experts moves a model. What a set does beyond that shows against sets drawn at random, many of them, and
matched in activation frequency: an expert that half of all tokens visit is not replaced by one that hardly any does.

The rule. In each layer the set's experts are taken in random order. For each, the `nearest` experts of the layer that
are closest to it in mean activation frequency on generic text, are not in the set and have not been drawn yet, are
its candidates; of these one is drawn with equal chance. Experts equally close rank by number. Where fewer than
`nearest` are left, those that are left are the candidates; where none is left, because the set holds more than half of
a layer, there is no control and an error says so. A draw depends on the seed and its own number only.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet
from polyroute.experts.specialised import ExpertsError
from polyroute.measures.specialisation import mean_frequency

NEAREST = 8
"""Candidates an expert, unless told otherwise."""
_TIES = 9
"""Decimals at which two gaps in frequency count as equal, on every processor."""


class Controls:
    """Draws control sets of one set of experts."""

    def __init__(self, experts: ExpertSet, generic: Trace, *, seed: int, nearest: int = NEAREST):
        """Prepare with the set and the text that frequencies are matched on.

        Args:
            experts: layer -> experts, in the model's numbering.
            generic: English generic text.
            seed: of all draws.
            nearest: candidates for each expert's place, at least 1; few match closely, many give more different sets.

        Raises:
            ExpertsError: the set is empty, names a layer or an expert that the model lacks, or holds more than half of
                a layer; names the layer.
        """
        if nearest < 1:
            raise ExpertsError(f"nearest = {nearest}: an expert needs at least one candidate for its place")
        if not any(experts.values()):
            raise ExpertsError("the set holds no expert: there is nothing to control for; lower tau")
        self.experts, self._seed, self._nearest = experts, seed, nearest
        self._place = {layer: place for place, layer in enumerate(generic.header.layers)}
        self._frequency_LE = mean_frequency(generic)
        total = generic.header.experts
        for layer, chosen in experts.items():
            if layer not in self._place:
                raise ExpertsError(f"layer {layer} is not among the traced layers {generic.header.layers}")
            if len(set(chosen)) < len(chosen) or not all(0 <= expert < total for expert in chosen):
                raise ExpertsError(f"layer {layer}: {chosen} are not different experts from 0 to {total - 1}")
            if 2 * len(chosen) > total:
                raise ExpertsError(
                    f"layer {layer}: the set holds {len(chosen)} of {total} experts, and the other "
                    f"{total - len(chosen)} are too few for a control; raise tau"
                )

    def draw(self, number: int) -> ExpertSet:
        """Control set of a number from 0: the same for the same seed, whatever else was drawn."""
        rng = np.random.default_rng([self._seed, number])
        return {
            layer: tuple(sorted(self._layer(self._frequency_LE[self._place[layer]], self.experts[layer], rng)))
            for layer in sorted(self.experts)
            if self.experts[layer]
        }

    def draws(self, count: int) -> list[ExpertSet]:
        """The first `count` control sets; small layers repeat some, which `match` shows."""
        return [self.draw(number) for number in range(count)]

    def match(self, drawn: Sequence[ExpertSet]) -> pd.DataFrame:
        """How well control sets match in activation frequency.

        Returns:
            A row a set, in order: `draw` (place in `drawn`), `frequency` and `of_set` (mean over the experts of the
            control and of the set), `repeats` (the first place in `drawn` with the same experts).
        """
        of_set = self._mean_frequency(self.experts)
        return pd.DataFrame(
            {
                "draw": range(len(drawn)),
                "frequency": [self._mean_frequency(one) for one in drawn],
                "of_set": of_set,
                "repeats": [list(drawn).index(one) for one in drawn],
            }
        )

    def _mean_frequency(self, experts: ExpertSet) -> float:
        each = [
            self._frequency_LE[self._place[layer], expert] for layer, chosen in experts.items() for expert in chosen
        ]
        return float(np.mean(each))

    def _layer(self, frequency_E: NDArray[np.float64], chosen: Sequence[int], rng: np.random.Generator) -> list[int]:
        left = np.setdiff1d(np.arange(len(frequency_E)), chosen)
        drawn = []
        for expert in rng.permutation(np.array(chosen)):
            gap = np.abs(frequency_E[left] - frequency_E[expert]).round(_TIES)
            candidates = left[np.argsort(gap, kind="stable")[: self._nearest]]
            drawn.append(int(rng.choice(candidates)))
            left = left[left != drawn[-1]]
        return drawn


def rank_among_controls(score: float, control_scores: Sequence[float]) -> float:
    """One-sided p-value of a set's score against those of its controls (Phipson and Smyth 2010).

    Args:
        score: of the set; higher is better.
        control_scores: of control sets.

    Returns:
        (1 + controls that score as high) / (1 + controls), so that few controls cannot give a small p.

    Raises:
        ExpertsError: there is no control, or a score is NaN.
    """
    if not control_scores or np.isnan([score, *control_scores]).any():
        raise ExpertsError("a rank among controls needs a score of the set and of at least one control")
    return (1 + sum(control >= score for control in control_scores)) / (1 + len(control_scores))
