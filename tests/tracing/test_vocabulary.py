import pytest

from polyroute.artifacts.trace import TraceError
from polyroute.tracing.collect import TraceSettings
from polyroute.tracing.vocabulary import token_counts


def test_counts_are_of_the_tokens_that_traces_count(tokenizer) -> None:
    a, b = tokenizer.convert_tokens_to_ids(["a", "b"])
    texts = {"1": "aab", "2": "a"}
    assert token_counts(tokenizer, texts, TraceSettings()) == {a: 3, b: 1}
    included = token_counts(tokenizer, texts, TraceSettings(special_tokens="include"))
    assert included == {a: 3, b: 1, tokenizer.bos_token_id: 2, tokenizer.eos_token_id: 2}
    with pytest.raises(TraceError, match="item 3 gives no tokens"):
        token_counts(tokenizer, {"3": ""}, TraceSettings())
