"""How much nearer a sentence is routed to its own translation than to other sentences.

Divergence alone does not say whether two languages meet: it is also low where a router hardly tells any two texts
apart. So translations are held against other sentences of the same language, of as many tokens:

    A(x, l) = 1 - mean_i D(i in the pivot, i in x) / mean_i mean_j D(i in the pivot, j in x)

j the `nearest` other sentences to i by tokens in x, since short sentences are routed otherwise than long ones and
translations are about as long as one another. A is 1 where translations are routed identically, 0 where a translation
is no nearer than any other sentence of its length. Not in the papers; arXiv 2606.25092 asks for such a null.

Unit of resampling: the sentence with its translation. A sentence has two parts in A, its own row and those of the
sentences that it is a partner of, and both go when it is left out (`stats.jackknife`): a bootstrap of rows alone covers
too little.

What A does not do: a p-value of permuted sentences tests independence and not alignment. Even in an untrained network a
phrase is always routed the same way, and which phrases of two languages happen to lie near one another is drawn once,
not anew for each sentence; of real text the same holds, more weakly. So a claim over a model is held against random
initialisations of its architecture (`measures.random_rank`), and over languages (`measures.across_languages`).
"""

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.cores import on_all_cores, slices
from polyroute.measures import divergence, entropy
from polyroute.measures.chunks import by_chunk
from polyroute.measures.divergence import normalised
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.layer_measure import Compared, OfSentences
from polyroute.measures.midpoints import BLOCK, halves, information, own_information
from polyroute.stats.bootstrap import Interval
from polyroute.stats.jackknife import jackknife


def unrelated_divergence(
    p_NLE: NDArray[np.float64], q_NLE: NDArray[np.float64], tokens_N: NDArray[np.int64], nearest: int, seed: int
) -> NDArray[np.float64]:
    """Mean divergence of each sentence from other sentences of another language, of as many tokens.

    Args:
        p_NLE: the pivot's distributions over E experts.
        q_NLE: the other language's, in the same order of sentences.
        tokens_N: tokens of the other language's sentences.
        nearest: other sentences that each one is compared with; all others where there are fewer.
        seed: of the order among sentences of as many tokens.

    Returns:
        (N, L), in [0, 1]; NaN for a single sentence, and where an input of its own or of all partners is NaN. Within
        1e-6 of what float64 gives, 1e-5 where routing is nearly uniform.
    """
    entropy_p_NL, entropy_q_NL = (by_chunk(routing_entropy, q) for q in (p_NLE, q_NLE))
    partner_SN = partners(tokens_N, nearest, seed)
    far_SNL = _far(halves(p_NLE), halves(q_NLE), entropy_p_NL, entropy_q_NL, partner_SN)
    return _mean(far_SNL, nearest)


def partners(tokens_N: NDArray[np.int64], nearest: int, seed: int) -> NDArray[np.int64]:
    """Which other sentences each one is compared with, those of the most similar length first.

    Sentences of as many tokens stand in an order drawn by chance, in which neighbours come first, so that each is
    a partner about as often as any other.

    Args:
        tokens_N: tokens of each sentence.
        nearest: how many partners.
        seed: of the order.

    Returns:
        (S, N), S one more than `nearest`: the last stands in for a partner that is left out. Fewer where there are not
        as many other sentences.
    """
    items = len(tokens_N)
    wanted = min(nearest + 1, items - 1)
    order_N = np.lexsort((np.random.default_rng(seed).permutation(items), tokens_N))
    step_W = np.array([step for step in range(-wanted, wanted + 1) if step], dtype=np.int64)
    place_NW = np.arange(items)[:, None] + step_W
    ordered_N, inside_NW = tokens_N[order_N], (place_NW >= 0) & (place_NW < items)
    apart_NW = np.abs(ordered_N[np.clip(place_NW, 0, items - 1)] - ordered_N[:, None])
    # By tokens, then by places; of equals the former.
    rank_NW = apart_NW * (wanted + 1) + np.abs(step_W)
    rank_NW = np.where(inside_NW, rank_NW, np.iinfo(np.int64).max)
    chosen_NS = np.argsort(rank_NW, axis=1, kind="stable")[:, :wanted]
    partner_SN = np.empty((wanted, items), dtype=np.int64)
    partner_SN[:, order_N] = order_N[np.take_along_axis(place_NW, chosen_NS, axis=1)].T
    return partner_SN


def _far(
    p_NLE: NDArray[np.floating], q_NLE: NDArray[np.floating], entropy_p_NL: NDArray[np.float64],
    entropy_q_NL: NDArray[np.float64], partner_SN: NDArray[np.int64],
) -> NDArray[np.float64]:  # fmt: skip
    """(S, N, L) divergence from each partner, of `halves` with the entropies of both sides."""
    items, layers, experts = p_NLE.shape
    own_p_NL, own_q_NL = (own_information(half_NLE).astype(np.float64) for half_NLE in (p_NLE, q_NLE))
    far_SNL: NDArray[np.float64] = np.empty((*partner_SN.shape, layers))

    def take(part: slice) -> None:
        """Sentences few enough that theirs and their partners' distributions stay in the cache."""
        partner_SB = partner_SN[:, part]
        t_BLE, work_BLE = (np.empty_like(p_NLE[part]) for _ in range(2))
        found_SBL = np.empty((*partner_SB.shape, layers))
        for found_BL, partner_B in zip(found_SBL, partner_SB, strict=True):
            np.take(q_NLE, partner_B, axis=0, out=t_BLE, mode="clip")
            t_BLE += p_NLE[part]
            found_BL[:] = information(t_BLE, work_BLE)
        between_SBL = (own_p_NL[part] + own_q_NL[partner_SB]) / 2 - found_SBL
        room_SBL = np.log(experts) - (entropy_p_NL[part] + entropy_q_NL[partner_SB]) / 2
        far_SNL[:, part] = normalised(between_SBL, room_SBL)

    on_all_cores(take, slices(items, max(1, BLOCK // (layers * experts))))
    return far_SNL


def _mean(far_SNL: NDArray[np.float64], nearest: int) -> NDArray[np.float64]:
    """(N, L) mean over the partners that there are, without the one that stands in."""
    near_KNL = far_SNL[:nearest]
    count_NL = (~np.isnan(near_KNL)).sum(axis=0)
    total_NL = np.nansum(near_KNL, axis=0)
    return _divided(total_NL, count_NL)


def alignment(
    near_NL: NDArray[np.float64], far_SNL: NDArray[np.float64], partner_SN: NDArray[np.int64], nearest: int,
    confidence: float,
) -> tuple[Interval, Interval]:  # fmt: skip
    """Sentence alignment with its interval over sentences, and that of unrelated divergence.

    Args:
        near_NL: divergence of each sentence from its translation; NaN marks one that is not counted.
        far_SNL: from each of its partners.
        partner_SN: of `partners`, for the same `nearest`.
        nearest: partners that count.
        confidence: coverage.

    Returns:
        Alignment and mean unrelated divergence, each (L); bounds NaN with fewer than three sentences.
    """
    mean_NL = _mean(far_SNL, nearest)
    counted_NL = ~(np.isnan(near_NL) | np.isnan(mean_NL))
    near_NL, mean_NL = (np.where(counted_NL, values_NL, 0.0) for values_NL in (near_NL, mean_NL))
    # A partner without a value counts as much as the mean of the others.
    far_SNL = np.where(np.isnan(far_SNL), mean_NL, far_SNL)
    change_NL = np.zeros_like(mean_NL)
    for far_NL, partner_N in zip(far_SNL[:nearest], partner_SN[:nearest], strict=True):
        if len(far_SNL) > nearest:  # the next one takes its place
            without_NL = (far_SNL[nearest] - far_NL) / nearest
        else:
            without_NL = (mean_NL - far_NL) / max(1, len(far_SNL) - 1)
        np.add.at(change_NL, partner_N, np.where(counted_NL, without_NL, 0.0))
    near_L, far_L, count_L = near_NL.sum(axis=0), mean_NL.sum(axis=0), counted_NL.sum(axis=0)
    left_near_NL, left_far_NL = near_L - near_NL, far_L - mean_NL + change_NL
    left_NL = np.where(counted_NL, 1 - _divided(left_near_NL, left_far_NL), np.nan)
    left_mean_NL = np.where(counted_NL, left_far_NL / np.maximum(1, count_L - 1), np.nan)
    found = jackknife(1 - _divided(near_L, far_L), left_NL, confidence)
    bounded = Interval(found.value, found.low, np.minimum(found.high, 1))
    return bounded, jackknife(_divided(far_L, count_L), left_mean_NL, confidence)


def _divided(above: NDArray[np.float64], below: NDArray[np.floating | np.integer]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = np.divide(above, below, out=np.full_like(above, np.nan), where=below != 0)
    return shares


def _partners(of: Compared) -> NDArray[np.int64]:
    return partners(of.trace.tokens, of.drawing.nearest, of.drawing.seed)


def _far_SNL(of: Compared) -> NDArray[np.float64]:
    p_NL, q_NL = (one.once(entropy.MEASURE.by_sentence) for one in (of.beside, of))
    return _far(of.beside.half_NLE, of.half_NLE, p_NL, q_NL, _partners(of))


def _intervals(of: Compared) -> tuple[Interval, Interval]:
    near_NL, far_SNL = of.once(divergence.MEASURE.by_sentence), of.once(_far_SNL)
    return alignment(near_NL, far_SNL, _partners(of), of.drawing.nearest, of.bootstrap.confidence)


def _alignment(of: Compared) -> Interval:
    return _intervals(of)[0]


def _unrelated(of: Compared) -> Interval:
    return _intervals(of)[1]


UNRELATED = OfSentences(
    "unrelated_divergence", title="Routing divergence of unrelated sentences from {pivot}", unit="divergence D",
    bounds=(0, 1), pivot=True, drawn=False, over_sentences=_unrelated,
)  # fmt: skip
MEASURE = OfSentences(
    "alignment", title="Alignment of translations with {pivot}", unit="sentence alignment", bounds=(-np.inf, 1),
    pivot=True, axis="alignment with {pivot}  (0 as other sentences, 1 the same)", over_sentences=_alignment,
)  # fmt: skip
