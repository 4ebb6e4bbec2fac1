"""Sampled pairs of tokens of one sequence, which measures such as routing consistency are means over.

The paper does not give the number of pairs; ours are drawn without replacement,
all of them where a sequence has no more than asked for.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def sample_pairs(tokens: int, pairs: int, seed: int, item_id: str, apart: int = 1) -> NDArray[np.int64]:
    """Draw pairs of different token positions of one sequence.

    The draw depends on `seed`, `item_id`, `tokens` and `apart` alone, never on batch or order.

    Args:
        tokens: counted tokens in the sequence.
        pairs: how many pairs are wanted.
        seed: the study's seed.
        item_id: names the sequence.
        apart: least distance of the two positions.

    Returns:
        (P, 2) positions i <= j - apart, P = min(pairs, t (t - 1) / 2) with t = tokens + 1 - apart, without repetition;
        (0, 2) where no two tokens are so far apart.
    """
    first_P, second_P = _positions(_draw(tokens + 1 - apart, pairs, seed, item_id))
    return np.stack([first_P, second_P + apart - 1], axis=1)


def sample_batch(
    counted_BS: NDArray[np.bool_], pairs: int, seed: int, item_ids: Sequence[str], apart: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw pairs of each sequence of a batch, those of `sample_pairs` over its counted positions.

    Args:
        counted_BS: whether a position counts.
        pairs: P, how many pairs a sequence are wanted.
        seed: the study's seed.
        item_ids: (B) names of the sequences.
        apart: least distance of the two tokens, counted tokens alone.

    Returns:
        (2, B, P) positions among S, 0 where a sequence has fewer pairs, and (B, P) which are real.
    """
    drawn_BP = np.zeros((len(item_ids), pairs), dtype=np.int64)
    real_BP = np.zeros((len(item_ids), pairs), dtype=np.bool_)
    for b, (item_id, tokens) in enumerate(zip(item_ids, counted_BS.sum(axis=1).tolist(), strict=True)):
        drawn = _draw(tokens + 1 - apart, pairs, seed, item_id)
        drawn_BP[b, : len(drawn)] = drawn
        real_BP[b, : len(drawn)] = True
    first_BP, second_BP = _positions(drawn_BP)
    ranks_2BP = np.stack([first_BP, second_BP + apart - 1]) * real_BP
    # Counted positions come first, in their order: the n-th of them stands at n.
    position_BS = np.argsort(~counted_BS, axis=1, kind="stable")
    return np.stack([np.take_along_axis(position_BS, ranks_BP, axis=1) for ranks_BP in ranks_2BP]) * real_BP, real_BP


def _draw(tokens: int, pairs: int, seed: int, item_id: str) -> NDArray[np.int64]:
    """Numbers of the drawn pairs, rising."""
    possible = max(tokens, 0) * (tokens - 1) // 2
    if possible <= pairs or pairs == 0:
        return np.arange(min(possible, pairs))
    digest = hashlib.sha256(f"{seed}\0{item_id}\0{tokens}".encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
    return np.sort(generator.choice(possible, size=pairs, replace=False))


def _positions(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair number n is (i, j) with n = j (j - 1) / 2 + i: the lower triangle read row by row."""
    j = np.floor((1 + np.sqrt(1 + 8 * numbers.astype(np.float64))) / 2).astype(np.int64)
    j = np.where(j * (j - 1) // 2 > numbers, j - 1, j)
    return numbers - j * (j - 1) // 2, j
