"""Experts that a text calls on under two checkpoints: which are kept, which lost, beside what chance would keep.

Two kinds of sets, both of activation frequency (paper 1, Eq. 3):

- `most used`: the K experts of a layer that a text's tokens are most often sent to, K of the model's own top k;
- `specialised`: those with Delta > tau, chosen more often on the text than on the pivot's generic text.

Fine-tuning keeps the numbers of experts, so the same expert has the same number in both. What they have in common is
the Jaccard index, members in both by members in either, over all layers. Two references:

- chance: the other checkpoint's set drawn at random, as many in each layer. What is in both is then a sum over layers
  of hypergeometric counts, whose distribution is exact here: `expected` is the mean Jaccard, `p` how often as many or
  more are in both.
- `itself`: the first checkpoint's set from one half of the sentences against its set from the other, mean over
  `SPLITS` random halves. Sets from half as many sentences scatter more than the two that are compared, so this is the
  careful side: where two checkpoints have more in common than this, nothing says that the set has changed at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet, set_of
from polyroute.measures.specialisation import activation_frequency
from polyroute.results.quantities import DECIMALS, rounded

Kind = Literal["most used", "specialised"]
SPLITS = 10


@dataclass(frozen=True)
class Kept:
    """One set under two checkpoints."""

    text: str
    """Language of the generic text, or the other corpus in the pivot."""
    kind: Kind
    one: int
    """How many experts it holds, over all layers."""
    other: int
    both: int
    jaccard: float | None
    """None where both are empty."""
    expected: float | None
    """Mean of the Jaccard index by chance; None where a set is empty."""
    p: float | None
    """One-sided: as many in both, or more, by chance."""
    itself: float | None
    """Jaccard index of the first checkpoint's sets from two halves of the sentences; None without single sentences or
    where it has none."""
    lost: ExpertSet
    """In the one alone."""
    gained: ExpertSet
    """In the other alone."""


def most_used(frequency_LE: NDArray[np.float64], top_k: int) -> NDArray[np.bool_]:
    """(L, E) whether an expert is among the K most often chosen of its layer; of equals those of lower number."""
    order_LE = np.argsort(-frequency_LE.round(12), axis=-1, kind="stable")[:, :top_k]
    chosen_LE = np.zeros(frequency_LE.shape, dtype=np.bool_)
    np.put_along_axis(chosen_LE, order_LE, True, axis=-1)
    return chosen_LE


def specialised(frequency_LE: NDArray[np.float64], generic_LE: NDArray[np.float64], tau: float) -> NDArray[np.bool_]:
    """(L, E) whether an expert's Delta is above tau, rounded as in `experts.specialised`."""
    return np.asarray((frequency_LE - generic_LE).round(DECIMALS) > tau)


def kept(
    text: str, kind: Kind, one_LE: NDArray[np.bool_], other_LE: NDArray[np.bool_], layers: tuple[int, ...],
    itself: float | None = None,
) -> Kept:  # fmt: skip
    """Hold two sets against each other.

    Args:
        text: what they are of.
        kind: of set.
        one_LE: members under one checkpoint.
        other_LE: members under the other.
        layers: numbers of the L layers.
        itself: as of `Kept`.
    """
    both, either = int((one_LE & other_LE).sum()), int((one_LE | other_LE).sum())
    expected = p = None
    if one_LE.any() and other_LE.any():
        expected, p = by_chance(one_LE.sum(axis=1), other_LE.sum(axis=1), one_LE.shape[1], both)
    return Kept(
        text, kind, int(one_LE.sum()), int(other_LE.sum()), both, _rounded(both / either) if either else None,
        _rounded(expected), _rounded(p), _rounded(itself),
        set_of(one_LE & ~other_LE, layers), set_of(other_LE & ~one_LE, layers),
    )  # fmt: skip


def by_chance(one_L: NDArray[np.int64], other_L: NDArray[np.int64], experts: int, both: int) -> tuple[float, float]:
    """Mean Jaccard index of sets drawn at random, and how often as many experts or more are in both.

    Args:
        one_L: experts of one set, layer by layer.
        other_L: of the other; drawn at random among all experts of the layer.
        experts: of a layer.
        both: found in both.
    """
    chance_C = np.ones(1)
    for one, other in zip(one_L, other_L, strict=True):
        counts = np.arange(min(one, other) + 1)
        chance_C = np.convolve(chance_C, stats.hypergeom.pmf(counts, experts, int(one), int(other)))
    in_both_C = np.arange(len(chance_C))
    total = int(one_L.sum() + other_L.sum())
    return float(chance_C @ (in_both_C / (total - in_both_C))), float(min(chance_C[both:].sum(), 1.0))


class Sets:
    """Sets of both checkpoints, text by text."""

    def __init__(self, one: Trace, other: Trace, *, tau: float, seed: int):
        """Prepare with the generic text in the pivot.

        Args:
            one: its trace under one checkpoint.
            other: under the other.
            tau: threshold on Delta.
            seed: of the halves.

        Raises:
            SpecialisationError: a sequence has no counted token.
        """
        self.generic, self.tau, self.seed = (one, other), tau, seed
        self._generic_NLE = [activation_frequency(trace) for trace in self.generic]

    def of_pivot(self) -> list[Kept]:
        """The most used of the generic text itself."""
        return [self._most_used(self.generic[0].header.language, self._generic_NLE)]

    def of(self, text: str, one: Trace, other: Trace) -> list[Kept]:
        """Both kinds of sets of a text.

        Args:
            text: what it is called.
            one: its trace under one checkpoint: the generic text in a language, or other text in the pivot.
            other: the same under the other.
        """
        frequency = [activation_frequency(trace) for trace in (one, other)]
        layers = one.header.layers
        own = [
            specialised(of_text.mean(axis=0), generic.mean(axis=0), self.tau)
            for of_text, generic in zip(frequency, self._generic_NLE, strict=True)
        ]
        parallel = one.header.corpus == self.generic[0].header.corpus
        itself = self._itself(frequency[0], parallel)
        return [self._most_used(text, frequency), kept(text, "specialised", own[0], own[1], layers, itself)]

    def _most_used(self, text: str, frequency: list[NDArray[np.float64]]) -> Kept:
        about = self.generic[0].header
        sets = [most_used(of_text.mean(axis=0), about.top_k) for of_text in frequency]
        halves = [
            [most_used(frequency[0][half].mean(axis=0), about.top_k) for half in two]
            for two in _halves(len(frequency[0]), self.seed)
        ]
        return kept(text, "most used", sets[0], sets[1], about.layers, _mean_jaccard(halves))

    def _itself(self, frequency_NLE: NDArray[np.float64], parallel: bool) -> float | None:
        generic_NLE = self._generic_NLE[0]
        of_text = _halves(len(frequency_NLE), self.seed)
        of_generic = of_text if parallel else _halves(len(generic_NLE), self.seed)
        return _mean_jaccard(
            [
                [
                    specialised(frequency_NLE[here].mean(axis=0), generic_NLE[there].mean(axis=0), self.tau)
                    for here, there in zip(two, generic_two, strict=True)
                ]
                for two, generic_two in zip(of_text, of_generic, strict=False)
            ]
        )


def _halves(sentences: int, seed: int) -> list[list[NDArray[np.int64]]]:
    """Random halves; none of a single entry."""
    if sentences < 2:
        return []
    rng = np.random.default_rng(seed)
    return [np.array_split(rng.permutation(sentences), 2) for _ in range(SPLITS)]


def _mean_jaccard(pairs: list[list[NDArray[np.bool_]]]) -> float | None:
    found = [float((one & other).sum() / (one | other).sum()) for one, other in pairs if (one | other).any()]
    return float(np.mean(found)) if found else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else rounded(value)
