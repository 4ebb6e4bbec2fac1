import pytest

from polyroute.artifacts.trace import TraceError
from polyroute.measures.vocabulary import token_shares, vocabulary_distance
from polyroute.tracing.collect import TraceSettings


def test_shares_are_of_counted_tokens(tokenizer) -> None:
    a, b = tokenizer.convert_tokens_to_ids(["a", "b"])
    texts = {"1": "aab", "2": "a"}
    assert token_shares(tokenizer, texts, TraceSettings()) == {a: 0.75, b: 0.25}
    included = token_shares(tokenizer, texts, TraceSettings(special_tokens="include"))
    assert included[tokenizer.bos_token_id] == 0.25
    assert sum(included.values()) == pytest.approx(1)
    with pytest.raises(TraceError, match="item 3 gives no tokens"):
        token_shares(tokenizer, {"3": ""}, TraceSettings())


def test_distance_by_hand() -> None:
    one, other, stranger = {5: 0.5, 7: 0.5}, {5: 0.25, 7: 0.5, 9: 0.25}, {1: 1.0}
    # Overlap of the first two: 0.25 of type 5 and 0.5 of type 7.
    assert vocabulary_distance([one, other, stranger]) == pytest.approx([0.25, 1, 1])
    assert vocabulary_distance([one, dict(reversed(one.items()))]).tolist() == [0]
