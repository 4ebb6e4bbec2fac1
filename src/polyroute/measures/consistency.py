"""Routing consistency: do tokens of one sentence go to the same experts? (paper 1, appendix)

    C[i, l] = mean over sampled token pairs (s, t) of |A_s & A_t| / |A_s | A_t|,   A_s the top-k experts of token s

NaN for a sequence of one token. The paper leaves the number of pairs open: `trace.pairs`. The pairs need every token's
choice, so the mean is taken while the model runs (`polyroute.tracing.pairs`, `polyroute.tracing.statistics`).
"""

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.measures.layer_measure import OfTokens


def routing_consistency(trace: Trace) -> NDArray[np.float64]:
    """(N, L) consistency of each sequence of a trace, in [0, 1]; NaN for a sequence of one token.

    Raises:
        TraceError: the trace holds counts only, from which no pair can be drawn.
    """
    return trace.consistency_of_items()


MEASURE = OfTokens(
    "consistency", title="Routing consistency within a sentence", unit="Jaccard index", bounds=(0, 1), pivot=False,
    axis="mean Jaccard similarity of two tokens’ experts", reading="topk_ids", of=routing_consistency,
)  # fmt: skip
