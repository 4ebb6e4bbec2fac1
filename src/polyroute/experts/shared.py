"""Experts that languages share, and those that one keeps to itself (paper 2, arXiv 2601.14050, its released code).

Per language x and layer l the k experts of highest activation frequency f are kept, the rest set to 0. Then

    share[x, l, e] = f[x, l, e] / (sum over languages of f[., l, e] + 1e-10)

An expert is exclusive to a set of languages iff their shares add up to more than thr. It is shared iff some share is
above 0 and every share is below thr. For a single language the two exclude one another; below thr = 0.5 an expert may
be exclusive to two languages at once; and the share of several languages together may exceed thr in a shared expert.

Shares are relative to the languages of the set. An expert that two relatives use is exclusive to neither; leave one
out and it is exclusive to the other (`experts.exclusivity` shows by how much).

Deviations from the release:
- Float64 where it has float32. An expert whose counts make its share equal thr but for the 1e-10 is below thr here and
  may be at thr there, which is neither shared nor exclusive.
- Of experts equally frequent at the k-th place those of lower number are kept. The release calls `torch.topk`, which
  keeps as many and promises no order. Its recorded counts tie in 2 of 48 layers at k = 20 and 6 at k = 32, none at 15.
- Our counts are exact; `measures.usage.counts_as_released` gives what the release's recorder would make of them.

Shapes besides the room's: V languages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.experts import ExpertSet, set_of
from polyroute.experts.specialised import ExpertsError
from polyroute.ground.layers import LayerRange
from polyroute.measures.usage import usage

EPSILON = 1e-10
"""Of the release; makes the share of an expert that nobody keeps 0."""


@dataclass(frozen=True)
class ActivationShares:
    """Which language holds how much of each expert."""

    languages: tuple[str, ...]
    layers: tuple[int, ...]
    """The model's own numbers."""
    kept_VLE: NDArray[np.float64]
    """Activation frequency f of the k most frequent experts of each language and layer, 0 for the others."""
    k: int

    @property
    def share_VLE(self) -> NDArray[np.float64]:
        """In [0, 1]; over languages they add up to 1, or to 0 where no language keeps the expert."""
        share_VLE: NDArray[np.float64] = self.kept_VLE / (self.kept_VLE.sum(axis=0) + EPSILON)
        return share_VLE

    def among(self, languages: Sequence[str]) -> ActivationShares:
        """The same had only these languages been in the set, in the order given.

        Raises:
            ExpertsError: one is not in the set; names it.
        """
        places = [self.place(language) for language in languages]
        return ActivationShares(tuple(languages), self.layers, self.kept_VLE[places], self.k)

    def exclusive(self, targets: Sequence[str], thr: float, layers: LayerRange | None = None) -> ExpertSet:
        """Experts of which the targets together hold more than thr.

        Args:
            targets: languages of the set, one or several.
            thr: in [0, 1).
            layers: first and last layer; all of them where None.

        Raises:
            ExpertsError: no target, or one that is not in the set or given twice (names it); thr is outside [0, 1);
                or the range holds no layer.
        """
        check_thr(thr)
        if not targets or len(set(targets)) < len(targets):
            raise ExpertsError(f"targets {list(targets)}: name at least one language, and each once")
        held_LE = self.share_VLE[[self.place(language) for language in targets]].sum(axis=0)
        return self._chosen(held_LE > thr, layers)

    def shared(self, thr: float, layers: LayerRange | None = None) -> ExpertSet:
        """Experts that some language keeps and of which every language holds less than thr.

        Args:
            thr: in [0, 1).
            layers: first and last layer; all of them where None.

        Raises:
            ExpertsError: thr is outside [0, 1), or the range holds no layer.
        """
        return self._chosen(self.is_shared(thr), layers)

    def is_shared(self, thr: float) -> NDArray[np.bool_]:
        """(L, E) whether an expert is shared; as `shared`."""
        check_thr(thr)
        share_VLE = self.share_VLE
        shared_LE: NDArray[np.bool_] = np.logical_and((share_VLE > 0).any(axis=0), (share_VLE < thr).all(axis=0))
        return shared_LE

    def weights(self, language: str, experts: ExpertSet) -> dict[int, dict[int, float]]:
        """A language's shares s_e of experts, the weights of paper 2's steering z_e += lambda s_e |z_e|.

        Args:
            language: whose shares; the release takes the first of its source pair.
            experts: layer -> experts, usually those shared by the pair.

        Returns:
            Layer -> expert -> share in [0, 1].

        Raises:
            ExpertsError: the language, a layer or an expert is not in the set; names it.
        """
        share_LE, found = self.share_VLE[self.place(language)], {}
        for layer, chosen in experts.items():
            if layer not in self.layers:
                raise ExpertsError(f"layer {layer} is not among the traced layers {self.layers}")
            for expert in chosen:
                if not 0 <= expert < share_LE.shape[1]:
                    raise ExpertsError(f"layer {layer}: expert {expert} is not from 0 to {share_LE.shape[1] - 1}")
            share_E = share_LE[self.layers.index(layer)]
            found[layer] = {expert: float(share_E[expert]) for expert in chosen}
        return found

    def place(self, language: str) -> int:
        """Where a language stands on the V axis.

        Raises:
            ExpertsError: it is not in the set; names it.
        """
        if language not in self.languages:
            raise ExpertsError(f"{language} is not among the languages of these shares: {', '.join(self.languages)}")
        return self.languages.index(language)

    def _chosen(self, chosen_LE: NDArray[np.bool_], layers: LayerRange | None) -> ExpertSet:
        first, last = (min(self.layers), max(self.layers)) if layers is None else layers
        inside = [place for place, layer in enumerate(self.layers) if first <= layer <= last]
        if not inside:
            raise ExpertsError(
                f"layers [{first}, {last}] hold none of the traced layers {min(self.layers)} to {max(self.layers)}"
            )
        return set_of(chosen_LE[inside], [self.layers[place] for place in inside])


def activation_shares(traces: Sequence[Trace], k: int) -> ActivationShares:
    """Shares of the experts that each language chooses most.

    Args:
        traces: of one model on one parallel corpus, each of another language. Paper 2: prompts of MGSM, or passage,
            question and options of Belebele.
        k: experts kept for each language and layer. Paper 2: 15 to mask, 32 on XQuAD, 20 to steer.

    Raises:
        ExpertsError: k is not from 1 to the number of experts.
        UsageError: as `measures.usage.usage`.
    """
    of = usage(traces)
    experts = of.count_VLE.shape[-1]
    if not 1 <= k <= experts:
        raise ExpertsError(f"k = {k}: a layer has 1 to {experts} experts to keep")
    # Counts, not frequencies: whole numbers tie where they are equal and nowhere else. A stable sort keeps the lower.
    order_VLk = np.argsort(-of.count_VLE, axis=-1, kind="stable")[..., :k]
    kept_VLE = np.zeros(of.count_VLE.shape)
    np.put_along_axis(kept_VLE, order_VLk, np.take_along_axis(of.frequency_VLE, order_VLk, axis=-1), axis=-1)
    return ActivationShares(of.languages, of.layers, kept_VLE, k)


def check_thr(thr: float) -> None:
    """Refuse a threshold that no share could be compared with.

    Raises:
        ExpertsError: it is outside [0, 1).
    """
    if not 0 <= thr < 1:
        raise ExpertsError(f"thr = {thr} is outside [0, 1): it is compared with a share")
