import numpy as np
import pytest

from polyroute.measures import consistency
from polyroute.tracing.collect import TraceSettings, trace


def test_one_token_has_no_pair_and_a_repeated_token_is_consistent_where_context_does_not_move_it(
    model, tokenizer
) -> None:
    traced = trace(model, tokenizer, {"one": "a", "two": "ab"}, settings=TraceSettings(pairs=9))
    found = traced.of_tokens(consistency.MEASURE.name)
    assert found.shape == (2, 3)
    assert np.isnan(found[0]).all()
    # Two tokens, top 2: none, one or both experts shared.
    assert all(value == pytest.approx(0) or value == pytest.approx(1 / 3) or value == 1 for value in found[1])
