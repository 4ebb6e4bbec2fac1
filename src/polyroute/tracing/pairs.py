"""Sampled pairs of tokens of one sequence, which measures such as routing consistency are means over.

The paper does not give the number of pairs; ours are drawn without replacement,
all of them where a sequence has no more than asked for.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray


def sample_pairs(tokens: int, pairs: int, seed: int, item_id: str) -> NDArray[np.int64]:
    """Draw pairs of different token positions of one sequence.

    The draw depends on `seed`, `item_id` and `tokens` alone, never on batch or order.

    Args:
        tokens: counted tokens in the sequence.
        pairs: how many pairs are wanted.
        seed: the study's seed.
        item_id: names the sequence.

    Returns:
        (P, 2) positions i < j, P = min(pairs, tokens (tokens - 1) / 2), without repetition; (0, 2) for fewer
        than two tokens.
    """
    possible = tokens * (tokens - 1) // 2
    if possible <= pairs:
        chosen = np.arange(possible)
    else:
        digest = hashlib.sha256(f"{seed}\0{item_id}\0{tokens}".encode()).digest()
        generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
        chosen = np.sort(generator.choice(possible, size=pairs, replace=False))
    # Pair number n is (i, j) with n = j (j - 1) / 2 + i: the lower triangle read row by row.
    j = np.floor((1 + np.sqrt(1 + 8 * chosen.astype(np.float64))) / 2).astype(np.int64)
    j = np.where(j * (j - 1) // 2 > chosen, j - 1, j)
    i = chosen - j * (j - 1) // 2
    return np.stack([i, j], axis=1)
