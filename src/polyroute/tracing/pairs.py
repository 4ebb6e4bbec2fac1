"""Sampled pairs of tokens of one sequence, and how much their top-k sets share.

The basis of routing consistency. The paper does not give the number of pairs; ours are drawn without replacement,
all of them where a sequence has no more than asked for.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding


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
    return np.stack(_positions(_draw(tokens, pairs, seed, item_id)), axis=1)


def sample_batch(
    counted_BS: NDArray[np.bool_], pairs: int, seed: int, item_ids: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw pairs of each sequence of a batch, those of `sample_pairs` over its counted positions.

    Args:
        counted_BS: whether a position counts.
        pairs: P, how many pairs a sequence are wanted.
        seed: the study's seed.
        item_ids: (B) names of the sequences.

    Returns:
        (2, B, P) positions among S, 0 where a sequence has fewer pairs, and (B, P) which are real.
    """
    drawn_BP = np.zeros((len(item_ids), pairs), dtype=np.int64)
    real_BP = np.zeros((len(item_ids), pairs), dtype=np.bool_)
    for b, (item_id, tokens) in enumerate(zip(item_ids, counted_BS.sum(axis=1).tolist(), strict=True)):
        drawn = _draw(tokens, pairs, seed, item_id)
        drawn_BP[b, : len(drawn)] = drawn
        real_BP[b, : len(drawn)] = True
    ranks_2BP = np.stack(_positions(drawn_BP)) * real_BP
    # Counted positions come first, in their order: the n-th of them stands at n.
    position_BS = np.argsort(~counted_BS, axis=1, kind="stable")
    return np.stack([np.take_along_axis(position_BS, ranks_BP, axis=1) for ranks_BP in ranks_2BP]) * real_BP, real_BP


def _draw(tokens: int, pairs: int, seed: int, item_id: str) -> NDArray[np.int64]:
    """Numbers of the drawn pairs, rising."""
    possible = tokens * (tokens - 1) // 2
    if possible <= pairs:
        return np.arange(possible)
    digest = hashlib.sha256(f"{seed}\0{item_id}\0{tokens}".encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
    return np.sort(generator.choice(possible, size=pairs, replace=False))


def _positions(numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair number n is (i, j) with n = j (j - 1) / 2 + i: the lower triangle read row by row."""
    j = np.floor((1 + np.sqrt(1 + 8 * numbers.astype(np.float64))) / 2).astype(np.int64)
    j = np.where(j * (j - 1) // 2 > numbers, j - 1, j)
    return numbers - j * (j - 1) // 2, j


# Few enough bits a word that every number below stays positive: shifts of negative ones would bring ones in.
_WORD = 62


def set_bits(experts: int) -> Tensor:
    """Each expert as a set of itself: one bit among W words of an int64.

    Args:
        experts: E.

    Returns:
        (E, W), one bit a row.
    """
    expert_E = torch.arange(experts)
    bits_EW = torch.zeros(experts, -(-experts // _WORD), dtype=torch.int64)
    bits_EW[expert_E, expert_E // _WORD] = torch.ones_like(expert_E) << (expert_E % _WORD)
    return bits_EW


def sets_of(ids_TK: Tensor, bits_EW: Tensor) -> Tensor:
    """The chosen experts of each token as bits, (T, W); no expert may come twice in a row."""
    return embedding(ids_TK, bits_EW).sum(dim=1)


def jaccard_of_sets(sets_LTW: Tensor, first_Q: Tensor, second_Q: Tensor, top_k: int) -> Tensor:
    """Jaccard similarity of pairs of sets of one size.

    Args:
        sets_LTW: sets as bits, T in each of L layers.
        first_Q: which of the T comes first in each pair.
        second_Q: which comes second.
        top_k: K, the size of every set.

    Returns:
        (L, Q) similarities in [0, 1], float32.
    """
    shared_LQ = _count_bits(sets_LTW.index_select(1, first_Q) & sets_LTW.index_select(1, second_Q))
    return shared_LQ.to(torch.float32) / (2 * top_k - shared_LQ).to(torch.float32)


def _count_bits(words_LQW: Tensor) -> Tensor:
    """Bits in each row of words, (L, Q): counted by twos, fours and bytes (Hacker's Delight, section 5-1)."""
    counted = words_LQW - ((words_LQW >> 1) & 0x5555555555555555)
    counted = (counted & 0x3333333333333333) + ((counted >> 2) & 0x3333333333333333)
    counted = (counted + (counted >> 4)) & 0x0F0F0F0F0F0F0F0F
    return ((counted * 0x0101010101010101) >> 56).sum(dim=-1)
