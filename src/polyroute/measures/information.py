"""How much the language of a token tells of the expert that it goes to, by layer.

    gain = (H(E) - H(E | language)) / H(E),   languages weighted equally

H(E) is the entropy of the experts' load averaged over languages, H(E | language) the mean of the languages' entropies.
The difference is the mutual information of language and expert, in nats, equally the Jensen-Shannon divergence of all
languages at once. Divided by H(E) it is a share in [0, 1] without unit: 0 where all languages load the experts alike,
at most ln V / H(E).

The value is computed from counts as they are (plug-in), which lies above the truth: languages that route alike still
differ by chance. The null shows by how much. It permutes sentences between languages: within each parallel item the
texts are dealt anew to the languages, so that what is said, how often and how tokens of a sentence cling together stay,
and only which language says it is lost. Unit of permutation: the sentence. Counts recorded without sentences have none.

Shapes besides the room's: R permutations, M = V N texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from polyroute.artifacts.importance import normalise
from polyroute.artifacts.trace import Trace
from polyroute.ground.cores import on_all_cores, slices
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.usage import UsageError, usage

PERMUTATIONS = 199
_TIE = 1e-12
"""Gains nearer than this are equal but for rounding."""
_AT_A_TIME = 2**20
"""Dealt texts that a core works on."""
_COUNTS = 2**28
"""Bytes of counts in memory."""


@dataclass(frozen=True)
class Information:
    """Information gain of each layer, and what chance makes of it."""

    gain_L: NDArray[np.float64]
    """Plug-in estimate, in [0, 1]."""
    null_RL: NDArray[np.float64] | None
    """The same with sentences permuted between languages; None for pooled counts, one sentence or one language."""

    @property
    def null_L(self) -> NDArray[np.float64]:
        """Mean of the null, the part of the estimate that chance explains; NaN where there is none."""
        return np.full_like(self.gain_L, np.nan) if self.null_RL is None else self.null_RL.mean(axis=0)

    @property
    def p_L(self) -> NDArray[np.float64]:
        """How often the null reaches the estimate, which counts among the draws; NaN where there is none."""
        if self.null_RL is None:
            return np.full_like(self.gain_L, np.nan)
        p_L: NDArray[np.float64] = (1 + (self.null_RL >= self.gain_L - _TIE).sum(axis=0)) / (1 + len(self.null_RL))
        return p_L


def information_gain(load_VLE: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the uncertainty about the expert that the language takes away.

    Args:
        load_VLE: distributions over experts of V languages, any axes between first and last.

    Returns:
        (L) in [0, 1]; 0 where all choices fall on one expert and nothing is left to tell.
    """
    whole_L = routing_entropy(load_VLE.mean(axis=0))
    told_L = np.maximum(whole_L - routing_entropy(load_VLE).mean(axis=0), 0.0)  # rounding can leave -1e-17
    gain_L: NDArray[np.float64] = np.divide(told_L, whole_L, out=np.zeros_like(told_L), where=whole_L > 0)
    return gain_L


def language_information(traces: Sequence[Trace], *, seed: int, permutations: int = PERMUTATIONS) -> Information:
    """Information gain of language about expert in each layer, with its null.

    Args:
        traces: of one model on one parallel corpus, each of another language.
        seed: of the permutations.
        permutations: how many; p is at least 1 / (1 + permutations).

    Raises:
        UsageError: as `measures.usage.usage`, or there is no permutation to draw.
    """
    if permutations < 1:
        raise UsageError(f"{permutations} permutations: the null of information gain needs at least one")
    gain_L = information_gain(usage(traces).load_VLE)
    first, languages, items = traces[0], len(traces), len(traces[0].item_ids)
    if first.header.pooled or languages < 2 or items < 2:
        return Information(gain_L, None)
    # Of all layers the same, and drawn before any is read: counts of all languages are read a few layers at a time.
    text_RVN = _deal(permutations, languages, items, np.random.default_rng(seed))
    null_RL = np.empty((permutations, len(first.header.layers)))
    a_layer = languages * first.topk_count[:, 0].nbytes
    for part in slices(null_RL.shape[1], max(1, _COUNTS // a_layer)):
        count_MLE = np.concatenate([trace.topk_count[:, part] for trace in traces])
        for place in range(count_MLE.shape[1]):
            null_RL[:, part.start + place] = _null(text_RVN, count_MLE[:, place])
    return Information(gain_L, null_RL)


def _null(text_RVN: NDArray[np.int32], count_ME: NDArray[np.integer]) -> NDArray[np.float64]:
    """(R) gain in one layer, its texts dealt anew."""
    permutations, languages, items = text_RVN.shape
    # Sums of whole numbers are exact in float32 as far as this.
    small = int(count_ME.max(initial=0)) * items < 2**24
    values_ME: NDArray[np.floating] = count_ME.astype(np.float32 if small else np.float64)
    null_R = np.empty(permutations)

    def take(part: slice) -> None:
        text_M = text_RVN[part].ravel()
        ends = np.arange(0, len(text_M) + 1, items, dtype=np.int32)
        deal = sparse.csr_array(
            (np.ones(len(text_M), values_ME.dtype), text_M, ends), shape=(len(ends) - 1, len(values_ME))
        )
        dealt_RVE = (deal @ values_ME).reshape(-1, languages, values_ME.shape[1])
        null_R[part] = information_gain(normalise(dealt_RVE).swapaxes(0, 1))

    on_all_cores(take, slices(permutations, max(1, _AT_A_TIME // (languages * items))))
    return null_R


def _deal(draws: int, languages: int, items: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """(R, V, N) which texts each language is dealt: of every item one, each text to one language."""
    text_RVN = np.empty((draws, languages, items), dtype=np.int32)
    for part in slices(draws, max(1, _AT_A_TIME // (languages * items))):
        several = np.broadcast_to(np.arange(languages), (part.stop - part.start, items, languages))
        text_RVN[part] = rng.permuted(several, axis=-1).swapaxes(1, 2) * items + np.arange(items)
    return text_RVN
