"""Texts that a model cannot read are refused with their item; padding that it has no row for is none of them."""

import pytest
import torch

from polyroute.artifacts.trace import TraceError
from polyroute.tracing.collect import TraceSettings, trace
from tiny import make_model, make_tokenizer

TEXTS = {"one": "the dog", "two": "a cat sleeps here all day", "three": "we"}


def shortened(**settings):
    model = make_model()
    for name, value in settings.items():
        setattr(model.config, name, value)
    return model


@pytest.mark.parametrize("context", [26, 16, 9])
def test_a_text_longer_than_the_context_is_refused_with_its_item(context) -> None:
    said = rf"item two in deu_Latn has 27 tokens, more than the {context} that the model was made for.*not truncated"
    with pytest.raises(TraceError, match=said):
        trace(shortened(max_position_embeddings=context), make_tokenizer(), TEXTS, language="deu_Latn")


def test_a_text_as_long_as_the_context_is_traced() -> None:
    assert trace(shortened(max_position_embeddings=27), make_tokenizer(), TEXTS).tokens.tolist() == [7, 25, 2]


def smaller(rows: int):
    """A model whose embedding has only so many rows."""
    model = make_model()
    model.resize_token_embeddings(rows)
    return model


@pytest.mark.parametrize(("rows", "token", "letter", "item"), [(20, 22, "t", "one"), (22, 22, "t", "one")])
def test_a_token_without_a_row_is_refused_with_its_item(rows, token, letter, item) -> None:
    said = rf"item {item} in eng_Latn: its token {token} \(`{letter}`\) has no row.*which has {rows}"
    with pytest.raises(TraceError, match=said):
        trace(smaller(rows), make_tokenizer(), TEXTS, language="eng_Latn")


@pytest.mark.parametrize("padding", [30, 63, 10**6])
def test_padding_needs_no_row(padding) -> None:
    model, tokenizer = smaller(30), make_tokenizer()
    expected = trace(model, tokenizer, TEXTS)

    class Padded:
        pad_token_id = padding

        def __call__(self, *args, **kwargs):
            return tokenizer(*args, **kwargs)

    found = trace(model, Padded(), TEXTS)
    for name, column in expected.columns().items():
        assert column.tobytes() == found.columns()[name].tobytes()


def test_counts_are_those_of_texts_alone() -> None:
    model, tokenizer = make_model(), make_tokenizer()
    together = trace(model, tokenizer, TEXTS, settings=TraceSettings(batch_tokens=1000))
    alone = trace(model, tokenizer, TEXTS, settings=TraceSettings(batch_tokens=1))
    assert torch.equal(torch.tensor(together.topk_count), torch.tensor(alone.topk_count))
