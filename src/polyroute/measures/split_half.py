"""Divergence of a language from itself: its sentences in two halves, the floor under every curve of divergence.

Other sentences of the same language are routed otherwise, by what they say and by chance, and not equally so in every
layer. So D (Eq. 2 of paper 1), which is a mean over pairs of sentences, is above 0 and not flat over depth between two
random halves of English too, and a rise of a curve by no more than that says nothing of languages. A sentence and its
translation say the same, those of two halves do not: the curve of a language that is aligned lies below this one.

Unit of splitting: the sentence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.errors import PolyrouteError
from polyroute.measures.divergence import routing_divergence
from polyroute.results.quantities import DECIMALS, rounded

SPLITS = 99
"""Random splits: the 97.5% point of a difference of zones is then the third largest."""
HIGH = 0.975


class SplitHalfError(PolyrouteError):
    """A corpus that cannot be split."""


def split_half(q_NLE: NDArray[np.floating[Any]], *, splits: int, seed: int) -> NDArray[np.float64]:
    """Mean divergence of a sentence of one half and one of the other, by split and layer.

    Args:
        q_NLE: each sentence's distribution over the experts of each layer.
        splits: S random splits; of an odd number of sentences each leaves one out.
        seed: of the splits.

    Returns:
        (S, L) in [0, 1].

    Raises:
        SplitHalfError: there are fewer than two sentences.
    """
    half = len(q_NLE) // 2
    if not half:
        raise SplitHalfError(f"a corpus of {len(q_NLE)} sentences has no halves: trace at least two")
    rng = np.random.default_rng(seed)
    paired_SL = np.empty((splits, q_NLE.shape[1]))
    for split in range(splits):
        order_N = rng.permutation(len(q_NLE))
        paired_SL[split] = routing_divergence(q_NLE[order_N[:half]], q_NLE[order_N[half : 2 * half]]).mean(axis=0)
    return paired_SL


def floor(paired_SL: NDArray[np.float64], zones_S3: NDArray[np.float64]) -> dict[str, Any]:
    """The floor in short; plain data of `results.alignment.SplitHalves`.

    Args:
        paired_SL: as `split_half` returns it.
        zones_S3: its means in the early, the middle and the late zone.
    """
    early_S, middle_S, late_S = zones_S3.T
    differences = {"early_minus_middle": early_S - middle_S, "late_minus_middle": late_S - middle_S}
    return {
        "splits": len(paired_SL),
        "divergence": paired_SL.mean(axis=0).round(DECIMALS).tolist(),
        "high": np.quantile(paired_SL, HIGH, axis=0).round(DECIMALS).tolist(),
        **{
            name: {"mean": rounded(found_S.mean()), "high": rounded(np.quantile(found_S, HIGH))}
            for name, found_S in differences.items()
        },
    }  # fmt: skip
