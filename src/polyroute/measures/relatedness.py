"""Whether relatives are routed more alike than others: distances within groups of languages against those across them.

    gap   = mean distance of pairs across groups - mean of pairs within one
    ratio = mean within / mean across

Both under five readings of what is exchangeable:

- labels of languages, the test of those who recorded distances of eleven languages of India (`recorded/`): p is the
  share of relabellings whose gap is as large; of all of them where they are few, else (1 + k) / (1 + S);
- labels among languages of one script alone: relatives often share a script, and so characters and tokens. Where
  scripts leave fewer than `FEWEST_ORDERS` relabellings there is no test;
- labels of languages, pairs of one script left out of both means;
- no labels: an interval of the gap that leaves out one language at a time (Snijders and Borgatti 1999,
  se^2 = (V - 2) / 2V sum (gap without v - their mean)^2, t with V - 1 degrees of freedom). Pairs that share a language
  depend on one another; an interval that took P pairs for independent would be too narrow, and stands beside it. It
  is too narrow itself, since languages of one family depend on one another too: of simulated studies it covers 37 to
  96 of 100, the fewer the more languages a family has;
- no labels: an interval of either gap that leaves out one family at a time, with all its pairs (`stats.jackknife`, t
  with families - 1 degrees of freedom). It covers 94 to 99 of 100 (bench/calibration, `relatedness`), and a verdict
  takes this one. Where one family alone has relatives there is none: what is true of it says nothing of others.

Unit of permutation: the language. Unit of leaving out: the language, or the family.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from polyroute.results.quantities import rounded
from polyroute.stats.jackknife import jackknife
from polyroute.stats.mantel import CHUNK, FEWEST_ORDERS, orders

MOST = 5000
"""Relabellings up to which all are taken."""
_TIE = 1e-12


def relatedness(
    distance_P: NDArray[np.float64], groups: Sequence[str], scripts: Sequence[str], *, shuffles: int, confidence: float,
    seed: int,
) -> dict[str, Any] | None:  # fmt: skip
    """Hold distances within groups against those across them; plain data of `results.similarity.Relatedness`.

    Args:
        distance_P: of all pairs of V languages, condensed as scipy does.
        groups: of each language, such as its family.
        scripts: of each language.
        shuffles: S random relabellings where there are more than `MOST`.
        confidence: coverage of the intervals.
        seed: of the relabellings.

    Returns:
        None where no two languages share a group, or all do.
    """
    first_P, second_P = np.triu_indices(len(groups), k=1)
    group_V, script_V = (np.unique(list(labels), return_inverse=True)[1] for labels in (groups, scripts))
    everything_P = np.ones(len(distance_P), dtype=bool)
    other_script_P = script_V[first_P] != script_V[second_P]

    def gap(used_P: NDArray[np.bool_]) -> float:
        same_P = (group_V[first_P] == group_V[second_P])[used_P]
        return float(_gaps(distance_P[used_P], same_P[None])[0])

    def p(used_P: NDArray[np.bool_], blocks_V: NDArray[np.intp]) -> tuple[float | None, int]:
        count = _count(group_V, blocks_V)
        if count < FEWEST_ORDERS:
            return None, count
        one_P, other_P, used_distance_P = first_P[used_P], second_P[used_P], distance_P[used_P]
        rng, step = np.random.default_rng(seed), max(1, CHUNK // len(distance_P))
        every_SV = np.array(list(_every(group_V, blocks_V))) if count <= MOST else None
        draws, higher = shuffles if every_SV is None else count, 0
        seen = gap(used_P)
        for start in range(0, draws, step):
            if every_SV is None:
                label_SV = group_V[orders(rng, blocks_V, min(step, draws - start))]
            else:
                label_SV = every_SV[start : start + step]
            drawn_S = _gaps(used_distance_P, label_SV[:, one_P] == label_SV[:, other_P])
            higher += int((drawn_S >= seen - _TIE).sum())
        return (higher / count if every_SV is not None else (1 + higher) / (1 + shuffles)), count

    def by_family(used_P: NDArray[np.bool_]) -> tuple[float | None, float | None]:
        left_G1 = np.array([
            [gap(used_P & (group_V[first_P] != group) & (group_V[second_P] != group))]
            for group in range(group_V.max() + 1)
        ])  # fmt: skip
        found = jackknife(np.array([gap(used_P)]), left_G1, confidence)
        if np.isnan(left_G1).any() or np.isnan(found.low[0]):
            return None, None
        return rounded(float(found.low[0])), rounded(float(found.high[0]))

    whole = gap(everything_P)
    if math.isnan(whole):
        return None
    same_P = group_V[first_P] == group_V[second_P]
    within, across = float(distance_P[same_P].mean()), float(distance_P[~same_P].mean())
    one_block_V = np.zeros_like(group_V)
    by_label, labels = p(everything_P, one_block_V)
    by_script, of_script = p(everything_P, script_V)
    apart = gap(other_script_P)
    apart_p = None if math.isnan(apart) else p(other_script_P, one_block_V)[0]
    by_family_low, by_family_high = by_family(everything_P)
    other_script_low, other_script_high = by_family(other_script_P)
    without_V = np.array([gap((first_P != place) & (second_P != place)) for place in range(len(groups))])
    low = high = None
    if len(groups) > 2 and not np.isnan(without_V).any():
        error = math.sqrt((len(groups) - 2) / (2 * len(groups)) * float(((without_V - without_V.mean()) ** 2).sum()))
        half = float(stats.t.ppf((1 + confidence) / 2, len(groups) - 1)) * error
        low, high = rounded(whole - half), rounded(whole + half)
    pairs = stats.ttest_ind(distance_P[~same_P], distance_P[same_P], equal_var=False)
    bounds = pairs.confidence_interval(confidence) if min(same_P.sum(), (~same_P).sum()) > 1 else None
    return {
        "groups": dict(sorted(Counter(groups).items())), "within": rounded(within), "across": rounded(across),
        "gap": rounded(whole), "ratio": rounded(within / across), "p": _rounded(by_label), "relabellings": labels,
        "within_script_p": _rounded(by_script), "within_script_relabellings": of_script,
        "other_script_gap": None if math.isnan(apart) else rounded(apart), "other_script_p": _rounded(apart_p),
        "other_script_low": other_script_low, "other_script_high": other_script_high, "low": low, "high": high,
        "by_family_low": by_family_low, "by_family_high": by_family_high,
        "low_if_pairs_independent": None if bounds is None else rounded(bounds.low),
        "high_if_pairs_independent": None if bounds is None else rounded(bounds.high),
    }  # fmt: skip


def _gaps(distance_P: NDArray[np.float64], same_SP: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(S) mean distance of pairs that are not the same less that of those that are; NaN where there are only either."""
    count_S, total = same_SP.sum(axis=1), distance_P.sum()
    within_S = same_SP.astype(np.float64) @ distance_P
    some_S = (count_S > 0) & (count_S < len(distance_P))
    means = (
        np.divide(above_S, below_S, out=np.full(len(count_S), np.nan), where=some_S)
        for above_S, below_S in ((total - within_S, len(distance_P) - count_S), (within_S, count_S))
    )
    across_S, inside_S = means
    gaps_S: NDArray[np.float64] = across_S - inside_S
    return gaps_S


def _rounded(value: float | None) -> float | None:
    return None if value is None else rounded(value)


def _count(group_V: NDArray[np.intp], block_V: NDArray[np.intp]) -> int:
    """Different relabellings within blocks."""
    total = 1
    for block in np.unique(block_V):
        sizes = np.bincount(group_V[block_V == block])
        total *= math.factorial(int(sizes.sum())) // math.prod(math.factorial(int(size)) for size in sizes)
    return total


def _every(group_V: NDArray[np.intp], block_V: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """All different relabellings within blocks."""
    left = {block: Counter(group_V[block_V == block].tolist()) for block in np.unique(block_V)}
    labels_V = np.zeros_like(group_V)

    def fill(place: int) -> Iterator[NDArray[np.intp]]:
        if place == len(group_V):
            yield labels_V.copy()
            return
        free = left[block_V[place]]
        for label in sorted(free):
            if free[label]:
                free[label] -= 1
                labels_V[place] = label
                yield from fill(place + 1)
                free[label] += 1

    yield from fill(0)
