"""Divergence of a language from itself: its sentences in two halves, the floor under every curve of divergence.

Other sentences of the same language are routed otherwise, by what they say and by chance, and not equally so in every
layer. So D (Eq. 2 of paper 1) between two random halves is above 0 and not flat over depth, and a rise of a curve by no
more than its floor says nothing of languages. Two floors, one for each kind of curve:

- `pooled`: D of the halves, each as one distribution in which every token counts the same, beside D of pooled corpora;
- `paired`: mean D of a sentence of one half and one of the other, beside the mean D of sentences and translations,
  which say the same: this floor may lie above such a curve.

Unit of splitting: the sentence. Both are means over random splits; halves are smaller than corpora, so that `pooled`
lies a little above what two whole corpora of the language would show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.errors import PolyrouteError
from polyroute.measures.divergence import routing_divergence


class SplitHalfError(PolyrouteError):
    """A corpus that cannot be split."""


@dataclass(frozen=True)
class SplitHalf:
    """D of two halves of one language."""

    pooled_L: NDArray[np.float64]
    """Of the halves as one distribution each, in [0, 1]."""
    paired_L: NDArray[np.float64]
    """Mean over pairs of sentences, one of each half, in [0, 1]."""


def split_half(q_NLE: NDArray[np.float64], tokens_N: NDArray[np.int64], *, splits: int, seed: int) -> SplitHalf:
    """Divergence of two random halves of a language's sentences by layer.

    Args:
        q_NLE: each sentence's distribution over the experts of each layer.
        tokens_N: tokens of each sentence.
        splits: random splits; of an odd number of sentences each leaves one out.
        seed: of the splits.

    Raises:
        SplitHalfError: there are fewer than two sentences.
    """
    sentences, half = len(q_NLE), len(q_NLE) // 2
    if not half:
        raise SplitHalfError(f"a corpus of {sentences} sentences has no halves: trace at least two")
    rng = np.random.default_rng(seed)
    pooled_SL, paired_SL = (np.empty((splits, q_NLE.shape[1])) for _ in range(2))
    for split in range(splits):
        order_N = rng.permutation(sentences)
        sides = order_N[:half], order_N[half : 2 * half]
        first_LE, second_LE = (np.average(q_NLE[side], axis=0, weights=tokens_N[side]) for side in sides)
        pooled_SL[split] = routing_divergence(first_LE, second_LE)
        paired_SL[split] = routing_divergence(q_NLE[sides[0]], q_NLE[sides[1]]).mean(axis=0)
    return SplitHalf(pooled_SL.mean(axis=0), paired_SL.mean(axis=0))
