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

from polyroute.measures import divergence
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.layer_measure import Compared, OfSentences
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
        (N, L), in [0, 1]; NaN for a single sentence, and where an input is NaN.
    """
    items = len(p_NLE)
    if items < 2:
        return np.full(p_NLE.shape[:2], np.nan)
    rng = np.random.default_rng(seed)
    total_NL = np.zeros(p_NLE.shape[:2])
    for _ in range(shuffles):
        # One cycle through all sentences: a permutation in which none stays with its own translation.
        order = rng.permutation(items)
        partner = np.empty(items, dtype=np.int64)
        partner[order] = np.roll(order, 1)
        total_NL += routing_divergence(p_NLE, q_NLE[partner])
    return total_NL / shuffles


def _unrelated_NL(of: Compared) -> NDArray[np.float64]:
    return unrelated_divergence(of.p_NLE, of.q_NLE, of.drawing.shuffles, of.drawing.seed)


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
