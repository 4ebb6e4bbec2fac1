"""Routing consistency: do tokens of one sentence go to the same experts? (paper 1, appendix)

    C[i, l] = mean over sampled token pairs (s, t) of |A_s & A_t| / |A_s | A_t|,   A_s the top-k experts of token s

NaN for a sequence of one token. The paper leaves the number of pairs open: `trace.pairs`. The pairs need every token's
choice, so the mean is taken while the model runs (`polyroute.tracing.pairs`, `polyroute.tracing.statistics`).
"""

from polyroute.measures.layer_measure import OfTokens

MEASURE = OfTokens(
    "consistency", title="Routing consistency within a sentence", unit="Jaccard index", bounds=(0, 1), pivot=False,
    axis="mean Jaccard similarity of two tokens’ experts", reading="topk_ids",
)  # fmt: skip
