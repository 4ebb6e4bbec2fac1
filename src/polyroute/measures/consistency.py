"""Routing consistency: do tokens of one sentence go to the same experts? (paper 1, appendix)

    C[i, l] = mean over sampled token pairs (s, t) of |A_s & A_t| / |A_s | A_t|,   A_s the top-k experts of token s

NaN for a sequence of one token. The paper leaves the number of pairs open: `trace.pairs`.

Pieces of one word stand beside one another and are routed alike, and languages that the tokenizer cuts into more pieces
have more of them. So the same is taken over pairs of tokens at least `APART` apart, which are of different words;
sentences of no more tokens have no such pair and are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from polyroute.measures.of_tokens import OfPairs, Routed

if TYPE_CHECKING:
    from torch import Tensor

APART = 20
"""Tokens between which no word reaches."""


def jaccard_of_pairs(call: Routed, pairs_P2: Tensor) -> Tensor:
    """Jaccard similarity of the top-k sets of pairs of tokens.

    Args:
        call: with the K experts that each token chose, without repetition.
        pairs_P2: (P, 2) places of tokens.

    Returns:
        (P,) similarities in [0, 1], float32.
    """
    first_PK, second_PK = call.ids_TK[pairs_P2[:, 0]], call.ids_TK[pairs_P2[:, 1]]
    shared_P = (first_PK.unsqueeze(2) == second_PK.unsqueeze(1)).sum(dim=(1, 2))
    return shared_P.float() / (2 * call.ids_TK.shape[1] - shared_P).float()


MEASURE = OfPairs(
    "consistency", title="Routing consistency within a sentence", unit="Jaccard index", bounds=(0, 1),
    axis="mean Jaccard similarity of two tokens’ experts", reading="topk_ids", of=jaccard_of_pairs,
)  # fmt: skip
FAR = OfPairs(
    "consistency_far", title=f"Routing consistency of tokens at least {APART} apart", unit="Jaccard index",
    bounds=(0, 1), axis="mean Jaccard similarity of two tokens’ experts", reading="topk_ids", of=jaccard_of_pairs,
    apart=APART, drawn=False,
)  # fmt: skip
