"""Log likelihoods of choices, shared prompts against whole rows, and where a choice begins."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
import torch

from asking.asked import HARMONY, QWEN, bytes_tokenizer, items
from models.tiny_models import tiny
from polyroute.asking import choices as choice
from polyroute.asking import prompts
from polyroute.asking.prompts import Chat
from polyroute.ground.errors import AnswerError
from tiny import ROOT, make_model

MIXED = items(
    ("abc def", [" a", " bc", " cdefg"]),
    ("xbc dxf", [" hello", " b", " you there"]),
    ("a long prompt that goes far beyond the sliding window", [" yes", " no", " perhaps"]),
    ("b long prompt that goes far beyond the sliding window", [" b", " c", " d"]),
    ("a", ["b", "c"]),
    ("short", [" one", " two", " three", " four"]),
)


def slow_likelihood(model, ids: list[int], choice_ids: list[int]) -> float:
    """The plain sum, one row and one token at a time."""
    row = torch.tensor([ids + choice_ids])
    with torch.no_grad():
        probabilities = model(row).logits[0].double().softmax(-1)
    places = range(len(ids) - 1, len(ids) + len(choice_ids) - 1)
    return sum(math.log(probabilities[place, token]) for place, token in zip(places, choice_ids, strict=True))


@pytest.fixture(scope="module", params=["qwen3_moe", "gpt_oss", "qwen3_next"])
def network(request):
    if request.param == "qwen3_moe":
        return make_model(seed=3)
    return tiny(request.param, max_position_embeddings=256)


@pytest.mark.parametrize("way", ["packed", "repeated", "whole"])
@pytest.mark.parametrize("batch_tokens", [1, 60, 10_000])
def test_likelihoods_are_those_of_one_token_at_a_time(network, tokenizer, way, batch_tokens, monkeypatch) -> None:
    if way == "packed" and choice._way(network, choice.encoded(tokenizer, MIXED, None)) != "packed":
        pytest.skip("it sees no further than a window, or keeps a recurrent state")
    monkeypatch.setattr(choice, "_way", lambda *_: way)
    found = choice.score(network, tokenizer, MIXED, batch_tokens=batch_tokens)
    assert list(found.columns) == choice.COLUMNS
    assert found["item_id"].tolist() == MIXED["item_id"].tolist()
    for row, (prompt, told) in zip(found.itertuples(), MIXED[["prompt", "choices"]].to_numpy(), strict=True):
        ids = tokenizer(prompt)["input_ids"][:-1]  # less the EOS that the tokenizer adds
        assert ids[0] == tokenizer.bos_token_id
        for place, text in enumerate(told):
            choice_ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            expected = slow_likelihood(network, ids, choice_ids)
            assert row.log_likelihoods[place] == pytest.approx(expected, abs=1e-4)
            assert row.tokens[place] == len(choice_ids)
            assert row.characters[place] == len(text.strip())


def test_likelihoods_stay_exact_over_a_large_vocabulary() -> None:
    logits_RWV = 3 * torch.randn(3, 2, 150_000, generator=torch.Generator().manual_seed(0))
    ids_RW = torch.tensor([[5, 149_999], [70_000, 0], [3, 3]])
    exact_RW = logits_RWV.double().log_softmax(-1).gather(-1, ids_RW[..., None])[..., 0]
    found_RW = choice._log_probabilities(logits_RWV, ids_RW)
    torch.testing.assert_close(found_RW.double(), exact_RW, rtol=0, atol=5e-5)


def test_prompts_run_once_where_the_cache_allows(tokenizer) -> None:
    model = make_model()
    assert choice._way(model, []) == "packed"  # tried once, and kept
    seen = []
    handle = model.register_forward_pre_hook(
        lambda _m, _a, kwargs: seen.append(kwargs["input_ids"].shape), with_kwargs=True
    )
    choice.score(model, tokenizer, items(("ab", [" c", " d"]), ("cd", [" e", " f"])), batch_tokens=1000)
    choice.score(model, tokenizer, items(("ab", ["c", "d"]), ("cd", ["e", "f"])), batch_tokens=1000)
    handle.remove()
    # Choices of two tokens run once more behind their prompts, what they begin with once; those of one token do not.
    assert seen == [(2, 3), (2, 1), (2, 3)]


def test_the_way_is_the_cheapest_that_a_model_can_go() -> None:
    few = [choice.Asked("", [1] * 5, [[1, 2], [3, 4]])]
    long = [choice.Asked("", [1] * 100, [[1, 2], [3, 4]])]
    assert choice._way(tiny("qwen3_moe"), few) == "packed"
    windowed = tiny("gpt_oss", sliding_window=16)
    assert choice._way(windowed, few) == "packed"
    assert choice._way(windowed, long) == "repeated"
    assert choice._way(tiny("qwen3_next"), few) == "repeated", "its scorer falls back to whole prompts"


@pytest.mark.parametrize("budget", [1, 40, 100, 10_000])
def test_batches_hold_as_many_choices_each_and_no_more_than_the_budget(budget) -> None:
    asked = [
        choice.Asked("", [0] * length, [[0] * width] * count)
        for length in (3, 7) for width in (1, 4) for count in (2, 3) for _ in range(5)
    ]  # fmt: skip
    batches = list(choice._batches(asked, budget, "repeated"))
    assert sorted(index for batch in batches for index in batch) == list(range(len(asked)))
    for batch in batches:
        chosen = [asked[index] for index in batch]
        assert len({len(item.choices) for item in chosen}) == 1
        length, count = max(len(item.prompt) for item in chosen), len(chosen[0].choices)
        width = max(item.longest for item in chosen)
        run = length if width == 1 else max(length, count * (width - 1))
        held = 0 if width == 1 else count * (length + width)
        assert len(batch) == 1 or (len(batch) * run <= budget and len(batch) * held <= choice.CACHED * budget)
    if budget == 10_000:
        assert len(batches) == 2


def test_items_go_with_all_conditions_or_with_as_many_as_a_batch_holds() -> None:
    asked = [choice.Asked("", [0] * length, [[0]] * 2) for length in (10, 10, 30, 50)]
    # Under 4 conditions of 120 tokens, two short items have room for all; the others go with 4 of 30 and with 2 of 50.
    found = list(choice._laid_out(asked, 4, 120, "repeated"))
    assert found == [([0, 1, 2, 3], [[2], [0, 1]]), ([0, 1], [[3]]), ([2, 3], [[3]])]
    for budget, way in itertools.product((1, 30, 120, 1000), ("packed", "repeated", "whole")):
        told = [
            (condition, index)
            for together, batches in choice._laid_out(asked, 4, budget, way)
            for condition in together for batch in batches for index in batch
        ]  # fmt: skip
        assert sorted(told) == [(condition, index) for condition in range(4) for index in range(4)]


def test_a_blank_at_the_prompts_end_goes_with_the_choice(model, tokenizer) -> None:
    apart = choice.score(model, tokenizer, items(("abc ", ["d", "e"])), batch_tokens=100)
    together = choice.score(model, tokenizer, items(("abc", [" d", " e"])), batch_tokens=100)
    assert apart["log_likelihoods"][0] == together["log_likelihoods"][0]
    assert apart["tokens"][0] == [2, 2]
    assert apart["characters"][0] == [1, 1]


def test_prompt_and_choice_are_cut_together_as_the_harness_does(caplog) -> None:
    # "bc" is one token, so that the prompt's last letter merges with the choice "cd".
    cutter = bytes_tokenizer(merges=[("b", "c")])
    (safe, merged) = choice.encoded(cutter, items(("ab", [" c", "d"]), ("ab", ["cd", "d"])), None)
    letter = {text: cutter(text)["input_ids"][0] for text in ("a", "b", "c", "d", "Ġ")}
    assert safe.prompt == [letter["a"], letter["b"]]
    assert merged.choices == [[letter["d"]], [letter["d"]]]  # `a`, `bc`, `d` less two tokens
    assert "in 1 of 2 items" in caplog.text
    assert "item i1 in eng_Latn" in caplog.text
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: the choice `c` leaves no token"):
        choice.encoded(cutter, items(("ab", ["c", "d"])), None)


def test_in_a_chat_choices_stand_where_the_answer_begins() -> None:
    cutter = bytes_tokenizer(QWEN)
    (asked,) = choice.encoded(cutter, items(("2+2", [" A", " B"])), Chat())
    assert cutter.decode(asked.prompt) == (
        "<|im_start|>user\n2+2<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    assert [cutter.decode(ids) for ids in asked.choices] == ["A", "B"]
    # As the template has it where the model is told not to think.
    assert prompts.question(cutter, "2+2", Chat(thinking=False)) == cutter.decode(asked.prompt)


def test_the_channel_of_the_answer_and_a_fixed_date_are_in_a_harmony_prompt() -> None:
    cutter = bytes_tokenizer(HARMONY)
    chat = Chat(variables={"reasoning_effort": "low"})
    start = "<|start|>system<|message|>2026-01-01 low<|end|><|start|>user<|message|>2+2<|end|><|start|>assistant"
    assert prompts.question(cutter, "2+2", chat) == start
    assert prompts.answer_place(cutter, "2+2", chat) == start + "<|channel|>final<|message|>"


def test_thinking_is_left_to_the_template() -> None:
    assert prompts.question(bytes_tokenizer(QWEN), "2+2", Chat(thinking=True)).endswith("<|im_start|>assistant\n")


def test_a_chat_needs_a_template_that_shows_the_answer(model) -> None:
    with pytest.raises(AnswerError, match="has no chat template"):
        choice.score(model, bytes_tokenizer(), MIXED, batch_tokens=100, conversation=Chat())
    with pytest.raises(AnswerError, match="the question is not in what it writes"):
        choice.score(model, bytes_tokenizer("nothing"), MIXED, batch_tokens=100, conversation=Chat())


def test_what_cannot_be_scored_names_language_and_item(model, tokenizer) -> None:
    with pytest.raises(AnswerError, match=r"item i0 in swh_Latn: prompt and choice have 9 tokens, more than 8"):
        choice.score(
            model, tokenizer, items(("abcdef", [" a", " b"]), language="swh_Latn"), batch_tokens=9, max_tokens=8
        )
    with pytest.raises(AnswerError, match=r"have 403 tokens, more than 256"):
        choice.score(model, tokenizer, items(("a" * 400, [" a", " b"])), batch_tokens=9)
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: its prompt gives no tokens"):
        choice.score(model, bytes_tokenizer(), items(("", ["a", "b"])), batch_tokens=9)
    broken = make_model()
    torch.nn.init.constant_(broken.lm_head.weight, math.nan)
    with pytest.raises(AnswerError, match=r"item i0 in eng_Latn: the log likelihoods .* NaN"):
        choice.score(broken, tokenizer, items(("a", ["b", "c"])), batch_tokens=9)


def test_a_pocket_model_scores_as_its_card_does() -> None:
    transformers = pytest.importorskip("transformers")
    from polyroute.miniworld import items as pocket_items
    from polyroute.pocket import scores

    folder = ROOT / "models" / "pocket-plain"
    cutter = transformers.AutoTokenizer.from_pretrained(folder)
    net = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    asked = pd.concat(
        [pocket_items.arithmetic("report", 8, ["eng_Latn", "jpn_Jpan"], 0),
         pocket_items.knowledge("report", ["swh_Latn"]).head(8)]
    )  # fmt: skip
    found = choice.score(net, cutter, asked, batch_tokens=4096)
    right = np.array([np.argmax(nats) for nats in found["log_likelihoods"]]) == asked["answer"].to_numpy()
    np.testing.assert_array_equal(right, scores._right(net, cutter, asked))
