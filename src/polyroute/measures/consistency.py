"""Routing consistency: do tokens of one sentence go to the same experts? (paper 1, appendix)

Mean Jaccard similarity of the top-k sets of sampled pairs of tokens of the same sequence.
"""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from polyroute.traces.format import Trace
from polyroute.traces.pairs import jaccard_of_pairs


def routing_consistency(ids_TK: Tensor, pairs_P2: Tensor) -> Tensor:
    """Mean Jaccard similarity of pairs of tokens of one sequence.

    Args:
        ids_TK: (T, K) chosen experts.
        pairs_P2: (P, 2) pairs of positions, from `sample_pairs`.

    Returns:
        Scalar in [0, 1]; NaN where there is no pair (a sequence of one token).
    """
    return jaccard_of_pairs(ids_TK, pairs_P2).mean()


def consistency_by_item(trace: Trace) -> NDArray[np.float64]:
    """(N, L) consistency of each sequence of a trace; NaN for a sequence of one token.

    Raises:
        TraceError: the trace holds counts only, from which no pair can be drawn.
    """
    return trace.consistency_of_items()
