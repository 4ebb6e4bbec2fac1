"""How much nearer a sentence is routed to its own translation than to other sentences.

Divergence alone does not say whether two languages meet: it is also low where a router hardly tells any two texts
apart. The null here keeps both languages' sentences and permutes which belongs to which:

    A(x, l) = 1 - mean_i D(i in the pivot, i in x) / mean_i mean_j D(i in the pivot, j in x),   j another sentence

A is 1 where translations are routed identically, 0 where a translation is no nearer than any other sentence.
Not in the papers; the null is what arXiv 2606.25092 asks for.

What it does not do: a p-value of this permutation, sentence by sentence, tests independence and not alignment. Even in
an untrained network a phrase is always routed the same way, and which phrases of two languages happen to lie near one
another is drawn once, not anew for each sentence; of real text the same holds, more weakly. So a claim over a model
is tested over languages (`measures.over_languages`).
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


def unrelated_divergence(
    p_NLE: NDArray[np.float64], q_NLE: NDArray[np.float64], shuffles: int, seed: int
) -> NDArray[np.float64]:
    """Mean divergence of each sentence from other sentences of another language.

    Args:
        p_NLE: the pivot's distributions over E experts.
        q_NLE: the other language's, in the same order of sentences.
        shuffles: other sentences that each one is compared with, drawn with replacement.
        seed: of the drawing.

    Returns:
        (N, L), in [0, 1]; NaN for a single sentence, and where an input is NaN. Within 1e-6 of what float64 gives, 1e-5
        where routing is nearly uniform.
    """
    entropy_p_NL, entropy_q_NL = (by_chunk(routing_entropy, q) for q in (p_NLE, q_NLE))
    return _unrelated_divergence(halves(p_NLE), halves(q_NLE), entropy_p_NL, entropy_q_NL, shuffles, seed)


def _unrelated_divergence(
    p_NLE: NDArray[np.floating], q_NLE: NDArray[np.floating], entropy_p_NL: NDArray[np.float64],
    entropy_q_NL: NDArray[np.float64], shuffles: int, seed: int,
) -> NDArray[np.float64]:  # fmt: skip
    """The same of `halves`, with the entropies of both sides, which are the same in every shuffle."""
    items, layers, experts = p_NLE.shape
    if items < 2:
        return np.full((items, layers), np.nan)
    partner_SN = _partners(items, shuffles, seed)
    own_p_NL, own_q_NL = (own_information(half_NLE).astype(np.float64) for half_NLE in (p_NLE, q_NLE))
    mean_NL = np.empty((items, layers))

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
        mean_NL[part] = normalised(between_SBL, room_SBL).mean(axis=0)

    on_all_cores(take, slices(items, max(1, BLOCK // (layers * experts))))
    return mean_NL


def _partners(items: int, shuffles: int, seed: int) -> NDArray[np.int64]:
    """(S, N) which other sentence each one meets."""
    rng = np.random.default_rng(seed)
    partner_SN = np.empty((shuffles, items), dtype=np.int64)
    for partner_N in partner_SN:
        # One cycle through all sentences: a permutation in which none stays with its own translation.
        order = rng.permutation(items)
        partner_N[order] = np.roll(order, 1)
    return partner_SN


def _unrelated_NL(of: Compared) -> NDArray[np.float64]:
    p_NL, q_NL = (one.once(entropy.MEASURE.by_sentence) for one in (of.beside, of))
    return _unrelated_divergence(
        of.beside.half_NLE, of.half_NLE, p_NL, q_NL, of.drawing.shuffles, of.drawing.seed
    )  # fmt: skip


def _unrelated(of: Compared) -> Interval:
    return of.bootstrap.mean(of.once(_unrelated_NL))


def _alignment(of: Compared) -> Interval:
    remaining = of.bootstrap.ratio(of.once(divergence.MEASURE.by_sentence), of.once(_unrelated_NL))
    return Interval(1 - remaining.value, 1 - remaining.high, 1 - remaining.low)


UNRELATED = OfSentences(
    "unrelated_divergence", title="Routing divergence of unrelated sentences from {pivot}", unit="divergence D",
    bounds=(0, 1), pivot=True, drawn=False, over_sentences=_unrelated,
)  # fmt: skip
MEASURE = OfSentences(
    "alignment", title="Alignment of translations with {pivot}", unit="sentence alignment", bounds=(-np.inf, 1),
    pivot=True, axis="alignment with {pivot}  (0 chance, 1 the same)", over_sentences=_alignment,
)  # fmt: skip
