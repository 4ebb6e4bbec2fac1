"""Routing consistency: do tokens of one sentence go to the same experts? (paper 1, appendix)

Mean Jaccard similarity of the top-k sets of sampled pairs of tokens of the same sequence. The pairs need every token's
choice, so the mean is taken while the model runs (`polyroute.tracing.pairs`, `polyroute.tracing.statistics`).
"""

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace


def routing_consistency(trace: Trace) -> NDArray[np.float64]:
    """(N, L) consistency of each sequence of a trace, in [0, 1]; NaN for a sequence of one token.

    Raises:
        TraceError: the trace holds counts only, from which no pair can be drawn.
    """
    return trace.consistency_of_items()
