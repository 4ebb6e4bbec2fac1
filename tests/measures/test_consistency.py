import numpy as np
import pytest
import torch

from polyroute.measures import consistency
from polyroute.models.routers import RouterCall, find_routers, observe
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


def test_tokens_far_apart_against_every_pair(model, tokenizer) -> None:
    texts = {"long": "the quick brown fox jumps over", "short": "a quick brown fox ju"}
    traced = trace(model, tokenizer, texts, settings=TraceSettings(pairs=1000))
    routers, calls = find_routers(model), {}
    with torch.no_grad(), observe(routers, lambda router, call: calls.update({router.layer: call.ids_TK})):
        model(input_ids=torch.tensor([tokenizer(texts["long"])["input_ids"]]))
    found = traced.token_mean(consistency.FAR.name)
    for layer, ids_TK in calls.items():
        sets = [set(ids) for ids in ids_TK[1:-1].tolist()]  # BOS and EOS apart
        far = [(i, j) for j in range(len(sets)) for i in range(j) if j - i >= consistency.APART]
        expected = np.mean([len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for i, j in far])
        assert found[0, layer] == pytest.approx(expected, abs=1e-6)
    assert np.isnan(found[1]).all(), "20 tokens hold no two that are 20 apart"
