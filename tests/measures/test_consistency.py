import numpy as np
import pytest
import torch

from polyroute.measures import consistency
from polyroute.models.routers import RouterCall
from polyroute.tracing.collect import TraceSettings, trace


def test_jaccard_by_hand_and_at_its_limits() -> None:
    ids_TK = torch.tensor([[0, 1], [1, 2], [1, 0], [3, 4]])
    pairs_P2 = torch.tensor([[0, 1], [0, 2], [0, 3]])
    call = RouterCall(torch.zeros(4, 5), torch.ones(4, 2), ids_TK)
    assert consistency.jaccard_of_pairs(call, pairs_P2).tolist() == [pytest.approx(1 / 3), 1, 0]


def test_one_token_has_no_pair_and_a_repeated_token_is_consistent_where_context_does_not_move_it(
    model, tokenizer
) -> None:
    traced = trace(model, tokenizer, {"one": "a", "two": "ab"}, settings=TraceSettings(pairs=9))
    found = traced.token_mean(consistency.MEASURE.name)
    assert found.shape == (2, 3)
    assert np.isnan(found[0]).all()
    # Two tokens, top 2: none, one or both experts shared.
    assert all(value == pytest.approx(0) or value == pytest.approx(1 / 3) or value == 1 for value in found[1])
