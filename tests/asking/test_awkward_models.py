"""Models that cannot answer, or answer otherwise in a batch: refused by item, or asked so that answers are right."""

import pandas as pd
import pytest
import torch
from transformers import MiniMaxConfig, MiniMaxForCausalLM

from models.tiny_models import tiny
from polyroute.asking.choices import score
from polyroute.asking.generation import GenerationSettings, generate
from polyroute.ground.errors import AnswerError
from tiny import make_model, make_tokenizer

PROMPTS = ["we see it", "a cat sleeps here all day long", "the river runs past the old mill", "the dog"]
ITEMS = pd.DataFrame(
    {
        "item_id": ["i0", "i1", "i2", "i3"], "language": "deu_Latn", "prompt": PROMPTS,
        "choices": [[" s", " xyz"], [" in", " x"], [" s", " no"], [" runs", " a"]],
    }
)  # fmt: skip
ONE_TOKEN = ITEMS.assign(choices=[["s", "x"]] * 4)


def how(batch_tokens: int = 500) -> GenerationSettings:
    return GenerationSettings(max_new_tokens=8, batch_tokens=batch_tokens)


def one_by_one(ask, items: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([ask(items.iloc[[row]].reset_index(drop=True)) for row in range(len(items))], ignore_index=True)


def lightning():
    """MiniMax, whose last layer has full attention here, as the released models have."""
    torch.manual_seed(0)
    config = MiniMaxConfig(
        vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=256, num_local_experts=8, num_experts_per_tok=2,
    )  # fmt: skip
    model = MiniMaxForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    return model


def blocks():
    """DeepSeek-V4, which compresses blocks of columns, padding among them."""
    return tiny("deepseek_v4", index_n_heads=32, index_topk=8, max_position_embeddings=256, head_dim=16)


@pytest.fixture(params=[lightning, blocks], scope="module")
def model(request):
    return request.param()


@pytest.mark.parametrize("items", [ITEMS, ONE_TOKEN], ids=["tokens", "token"])
def test_choices_are_scored_as_if_each_prompt_were_alone(model, items) -> None:
    together = score(model, make_tokenizer(), items, batch_tokens=500)
    alone = one_by_one(lambda one: score(model, make_tokenizer(), one, batch_tokens=1, share_prompts=False), items)
    for first, second in zip(together["log_likelihoods"], alone["log_likelihoods"], strict=True):
        assert first == pytest.approx(second, abs=1e-3)


def test_texts_are_written_as_if_each_prompt_were_alone(model) -> None:
    together = generate(model, make_tokenizer(), ITEMS, how())
    alone = one_by_one(lambda one: generate(model, make_tokenizer(), one, how(1)), ITEMS)
    assert together["output"].tolist() == alone["output"].tolist()


# ----------------------------------------------------------------------------------------------- lost numbers


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("batch_tokens", [500, 1])
def test_logits_that_are_lost_stop_writing_with_the_item(value, batch_tokens) -> None:
    model, tokenizer = make_model(), make_tokenizer()
    with torch.no_grad():
        model.model.embed_tokens.weight[tokenizer.convert_tokens_to_ids("v")] = value
    with pytest.raises(AnswerError, match=r"item i2 in deu_Latn: the logits of its next token are NaN or infinite"):
        generate(model, tokenizer, ITEMS.iloc[[2, 3]].reset_index(drop=True), how(batch_tokens))


class Closed(torch.nn.Module):
    """A head that gives one word a logit of its own."""

    def __init__(self, head: torch.nn.Module, value: float):
        super().__init__()
        self.head, self.value = head, value

    def forward(self, hidden):
        return self.head(hidden).index_fill(-1, torch.tensor([40]), self.value)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_one_word_of_lost_numbers_is_enough(value) -> None:
    model = make_model()
    model.lm_head = Closed(model.lm_head, value)
    with pytest.raises(AnswerError, match="are NaN or infinite"):
        generate(model, make_tokenizer(), ITEMS, how())


def test_a_word_closed_with_minus_infinity_is_no_error() -> None:
    model = make_model()
    model.lm_head = Closed(model.lm_head, -torch.inf)
    assert len(generate(model, make_tokenizer(), ITEMS, how())) == 4
    assert len(score(model, make_tokenizer(), ITEMS, batch_tokens=500)) == 4


# ------------------------------------------------------------------------------------------- words without a row


def test_a_token_without_a_row_is_refused_with_its_item() -> None:
    model = make_model()
    model.resize_token_embeddings(20)
    for ask in (
        lambda: score(model, make_tokenizer(), ITEMS, batch_tokens=500),
        lambda: generate(model, make_tokenizer(), ITEMS, how()),
    ):
        with pytest.raises(AnswerError, match=r"item i0 in deu_Latn: its token \d+ \(`.`\) has no row.*which has 20"):
            ask()


def test_a_choice_of_a_token_without_a_row_is_refused() -> None:
    model = make_model()
    model.resize_token_embeddings(28)  # all but y, z and the blank
    items = pd.DataFrame({"item_id": ["i"], "language": "eng_Latn", "prompt": ["dog"], "choices": [["s", "z"]]})
    with pytest.raises(AnswerError, match=r"item i in eng_Latn: its token 28 \(`z`\) has no row"):
        score(model, make_tokenizer(), items, batch_tokens=500)


@pytest.mark.parametrize("padding", ["[PAD]", None])
def test_padding_needs_no_row(padding) -> None:
    model, tokenizer = make_model(), make_tokenizer()
    model.resize_token_embeddings(30)
    expected = generate(model, tokenizer, ITEMS, how())
    if padding is None:
        tokenizer.pad_token = None
    else:
        tokenizer.add_special_tokens({"pad_token": padding})
        assert tokenizer.pad_token_id == 30
    pd.testing.assert_frame_equal(generate(model, tokenizer, ITEMS, how()), expected)
