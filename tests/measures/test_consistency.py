import numpy as np
import pytest

from polyroute.measures.consistency import routing_consistency
from polyroute.tracing.collect import TraceSettings, trace


def test_one_token_has_no_pair_and_a_repeated_token_is_consistent_where_context_does_not_move_it(
    model, tokenizer
) -> None:
    found = routing_consistency(trace(model, tokenizer, {"one": "a", "two": "ab"}, settings=TraceSettings(pairs=9)))
    assert found.shape == (2, 3)
    assert np.isnan(found[0]).all()
    # Two tokens, top 2: none, one or both experts shared.
    assert all(value == pytest.approx(0) or value == pytest.approx(1 / 3) or value == 1 for value in found[1])
