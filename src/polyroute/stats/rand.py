"""Adjusted Rand index: how far two partitions of the same units agree beyond chance (Hubert and Arabie 1985, Eq. 5).

    ARI = (I - C L / T) / ((C + L) / 2 - C L / T)

I counts the pairs of units together in both partitions, C and L those together in each, T all pairs. 1 for the same
partition; 0 is what partitions with groups of these sizes, drawn at random, share on average; it can be negative.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def adjusted_rand(first_V: ArrayLike, second_SV: ArrayLike) -> NDArray[np.float64]:
    """Agreement of one partition with several others, at once: a permutation test needs thousands.

    Args:
        first_V: group of each of V units, any whole numbers.
        second_SV: groups in S other partitions, or (V) those of one.

    Returns:
        (S), or a scalar array for one partition. 1 where both put all units together, or all apart: they are the same.

    Raises:
        ValueError: the partitions are not of the same units, or there are fewer than two.
    """
    first_V, second_SV = np.asarray(first_V), np.asarray(second_SV)
    if first_V.ndim != 1 or second_SV.shape[-1:] != first_V.shape or len(first_V) < 2:
        raise ValueError(f"partitions of shape {first_V.shape} and {second_SV.shape} are not of the same units")
    rows_SV = np.atleast_2d(second_SV)
    clusters, c_V = np.unique(first_V, return_inverse=True)
    labels, l_SV = np.unique(rows_SV, return_inverse=True)
    cells = len(clusters) * len(labels)
    place_SV = c_V * len(labels) + l_SV.reshape(rows_SV.shape) + np.arange(len(rows_SV))[:, None] * cells
    table_SCL = np.bincount(place_SV.ravel(), minlength=len(rows_SV) * cells)
    table_SCL = table_SCL.reshape(len(rows_SV), len(clusters), len(labels))
    both_S = _pairs(table_SCL).sum(axis=(1, 2))
    by_cluster, by_label_S = _pairs(table_SCL.sum(axis=2)).sum(axis=1), _pairs(table_SCL.sum(axis=1)).sum(axis=1)
    chance_S = by_cluster * by_label_S / _pairs(np.array(len(first_V)))
    most_S = (by_cluster + by_label_S) / 2
    # Where nothing is left to chance, both put all units together or all apart.
    rand_S: NDArray[np.float64] = np.ones_like(chance_S)
    np.divide(both_S - chance_S, most_S - chance_S, out=rand_S, where=most_S != chance_S)
    return rand_S.reshape(second_SV.shape[:-1])


def _pairs(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    pairs: NDArray[np.float64] = counts * (counts - 1) / 2
    return pairs
