"""Overlap of vocabulary: how much of their text two languages write with the same tokens of a model's tokenizer.

The first layers see little but token identity, so languages that share tokens may be routed alike without the model
knowing that they are related. The overlap of two languages is the share of tokens that they have in common,

    overlap(a, b) = sum over types t of min(f_a(t), f_b(t)),     distance = 1 - overlap

f the share of a language's tokens that are of type t. Tokens are weighted as routing weights them: a type that occurs
once counts as much as one token, not as much as a full stop, as it would in the Jaccard index of the sets of types.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import distance


def token_shares(counts: Mapping[int, int]) -> dict[int, float]:
    """How a text divides into types of token.

    Args:
        counts: token id -> how often it is among the tokens that the trace of the text counts.

    Returns:
        Token id -> share of the tokens; adds up to 1.
    """
    total = sum(counts.values())
    return {token: count / total for token, count in counts.items()}


def vocabulary_distance(shares: Sequence[Mapping[int, float]]) -> NDArray[np.float64]:
    """1 - overlap of all pairs of languages.

    Args:
        shares: of V languages, from `token_shares`.

    Returns:
        (P) in [0, 1], condensed as scipy does.
    """
    place = {token: number for number, token in enumerate(sorted({token for of in shares for token in of}))}
    share_VT = np.zeros((len(shares), len(place)))
    for row_T, of in zip(share_VT, shares, strict=True):
        row_T[[place[token] for token in of]] = list(of.values())
    # Of shares that add up to 1, the sum of minima is 1 less half the sum of differences.
    return np.asarray(distance.pdist(share_VT, "cityblock") / 2, dtype=np.float64)
