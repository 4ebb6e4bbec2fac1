"""Rules of selection are named by their answers."""

from torch import Tensor

from polyroute.models.selection import name_selection
from polyroute.models.taps import RouterCall


def test_a_tie_between_a_chosen_expert_and_another_is_a_plain_top_k() -> None:
    def coarse(logits_TE: Tensor) -> RouterCall:
        """Sees logits in whole numbers, as a coarse dtype does: most tokens have ties at the second place."""
        logits_TE = logits_TE.round()
        weights_TK, ids_TK = logits_TE.softmax(-1).topk(2)
        return RouterCall(logits_TE, weights_TK, ids_TK)

    assert name_selection(coarse, 64, 8) == "softmax>topk"
