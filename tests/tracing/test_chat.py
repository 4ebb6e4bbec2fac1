"""Texts in chat templates: what is rendered, which tokens count, and what is refused."""

import datetime

import numpy as np
import pytest
import transformers.utils.chat_template_utils as templates

from models.tiny_models import tiny
from polyroute.artifacts.trace import TraceError
from polyroute.artifacts.turns import ChatText, Turn
from polyroute.asking import prompts
from polyroute.tracing.chat import DATE, encode_chat, writes_date
from polyroute.tracing.collect import TraceSettings, trace
from tracing.chats import HARMONY, OLMOE, PHI, QWEN3, TEMPLATES, chat_tokenizer, pieces_tokenizer

SOLVED = (Turn("user", "2+2?"), Turn("assistant", "Four."))
ITEMS = {"lone": "A cat.", "solved": SOLVED}


def counts(tokenizer, items, counted, **how) -> list[int]:
    _, masks = encode_chat(tokenizer, items, ChatText(counted=counted, **how))
    return [int(mask.sum()) for mask in masks]


def words(tokenizer, item, counted="content_without_bos", **how) -> str:
    (ids,), (mask,) = encode_chat(tokenizer, {"it": item}, ChatText(counted=counted, **how))
    return tokenizer.decode(ids[mask])


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_read_is_what_transformers_renders(name) -> None:
    tokenizer = chat_tokenizer(TEMPLATES[name])
    ids, _ = encode_chat(tokenizer, ITEMS, ChatText())
    for row, item in zip(ids, ITEMS.values(), strict=True):
        turns = [("user", item)] if isinstance(item, str) else item
        expected = tokenizer.apply_chat_template(
            [{"role": role, "content": text} for role, text in turns],
            add_generation_prompt=False, enable_thinking=False, strftime_now=DATE.strftime, return_dict=False,
        )  # fmt: skip
        assert row.tolist() == expected


# Tokens by hand: a special one counts 1, every other character 1.
@pytest.mark.parametrize(
    ("name", "lone", "solved"),
    [
        # <|im_start|> user \n A cat. <|im_end|> \n = 1+4+1+6+1+1; the assistant's 1+9+1, <think> \n\n </think> \n\n
        # 1+2+1+2, Four. 5, end 2
        ("qwen3", 14, (1 + 4 + 1 + 4 + 2) + (1 + 9 + 1 + 6 + 5 + 2)),
        # <|user|> \n A cat. <|end|> \n </s>
        ("phi", 1 + 1 + 6 + 1 + 1 + 1, (1 + 1 + 4 + 2) + (1 + 1 + 5 + 2) + 1),
        # <|start|> system <|message|> You are ChatGPT. \n Current date: 2026-01-01 <|end|>, then
        # <|start|> user <|message|> ... <|end|>; the assistant's channel is `final`
        (
            "harmony",
            (1 + 6 + 1 + 16 + 1 + 14 + 10 + 1) + (1 + 4 + 1 + 6 + 1),
            50 + (1 + 4 + 1 + 4 + 1) + (1 + 9 + 1 + 5 + 1 + 5 + 1),
        ),
        # <s> <|user|> \n A cat. \n
        ("olmoe", 1 + 1 + 1 + 6 + 1, (1 + 1 + 1 + 4 + 1) + (1 + 1 + 5 + 1)),
    ],
)
def test_rendered_tokens_by_hand(name, lone, solved) -> None:
    tokenizer = chat_tokenizer(TEMPLATES[name])
    assert counts(tokenizer, ITEMS, "rendered") == [lone, solved]
    assert counts(tokenizer, ITEMS, "content_without_bos") == [6, 4 + 5]
    bos = name == "olmoe"
    assert counts(tokenizer, ITEMS, "content") == [6 + bos, 9 + bos]
    assert words(tokenizer, SOLVED) == "2+2?Four."


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_same_tokens_of_a_text_count_whoever_says_it(name) -> None:
    tokenizer = chat_tokenizer(TEMPLATES[name])
    passage = "user\nassistant: Sí, <b>final</b>\tsystem"  # words of the templates among them
    for how in ({"roles": "user"}, {"roles": "assistant"}, {"roles": "assistant", "request": "user"}):
        assert words(tokenizer, passage, **how) == passage
    for how in ({"roles": "user"}, {"roles": "assistant"}):
        assert words(tokenizer, SOLVED, **how) == "2+2?\n\nFour."
    assert words(tokenizer, SOLVED, keep="assistant", roles="user") == "Four."


def test_a_text_that_the_template_trims_is_found() -> None:
    tokenizer = chat_tokenizer(QWEN3)
    assert words(tokenizer, (Turn("user", " Hi\n"), Turn("assistant", "\n\nYes \n"))) == " Hi\nYes \n"
    trimming = chat_tokenizer("{% for m in messages %}{{ '<|user|>' + m.content | trim + '<|end|>' }}{% endfor %}")
    assert words(trimming, "\n a b \n") == "a b"


def test_a_text_that_the_template_changes_is_refused_by_name() -> None:
    thinking = {"i7": (Turn("user", "2+2?"), Turn("assistant", "<think>Hm.</think>\n\nFour."))}
    with pytest.raises(TraceError, match=r"^item i7: the chat template of .* changes what it says, so its tokens"):
        counts(chat_tokenizer(QWEN3), thinking, "content")
    # All of its tokens can be counted: <|im_start|> assistant \n <think> \n\n </think> \n\n Four. <|im_end|> \n
    assert counts(chat_tokenizer(QWEN3), thinking, "rendered") == [12 + 24]
    shouting = chat_tokenizer("{% for m in messages %}{{ m.content | upper }}{% endfor %}")
    with pytest.raises(TraceError, match="item lone: the chat template of the tokenizer does not write each turn"):
        counts(shouting, ITEMS, "content_without_bos")
    forgetful = chat_tokenizer("{{ messages[-1].content }}")
    with pytest.raises(TraceError, match=r"item solved: .* does not write each turn of user, assistant once"):
        counts(forgetful, ITEMS, "content")


def test_tokens_that_text_and_template_share() -> None:
    # ".\n" and "\n\n" are tokens: OLMoE's line break after "A cat." is one with the full stop, which is content;
    # one with a line break of the content alone is not.
    tokenizer = chat_tokenizer(OLMOE, [(".", "Ċ"), ("Ċ", "Ċ")])
    assert words(tokenizer, "A cat.") == "A cat.\n"
    assert words(tokenizer, "A cat\n") == "A cat"
    assert counts(tokenizer, {"a": "A cat\n", "b": "x\n\ny"}, "content_without_bos") == [5, 3]


def test_blanks_of_a_text_count_though_offsets_leave_them_out() -> None:
    tokenizer = chat_tokenizer(PHI, [("Ġ", "Ġ"), ("ĠĠ", "a")])
    # "  a" is one token, "  " another, "é" two bytes.
    assert counts(tokenizer, {"a": "  a  é", "b": "  "}, "content_without_bos") == [4, 1]
    # A special token that takes in the blanks after it is the template's all the same.
    greedy = chat_tokenizer("{{ '<|user|>' + messages[0].content + '<|end|>' }}", greedy=["<|user|>"])
    assert words(greedy, "  ab ") == "ab "


def test_pieces_with_bytes_for_other_letters_are_found_too() -> None:
    tokenizer = pieces_tokenizer(PHI)
    (ids,), (mask,) = encode_chat(tokenizer, {"it": " a cat é."}, ChatText(counted="content_without_bos"))
    # <|user|> takes in the line break and the blank after it.
    assert tokenizer.convert_ids_to_tokens(ids.tolist())[0] == "<|user|>"
    assert tokenizer.convert_ids_to_tokens(ids[mask].tolist()) == ["▁a", "▁", "cat", "▁", "<0xC3>", "<0xA9>", "."]


def test_a_trace_does_not_depend_on_the_day(monkeypatch) -> None:
    harmony = chat_tokenizer(HARMONY)
    today, _ = encode_chat(harmony, ITEMS, ChatText())

    class Tomorrow(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2031, 7, 5)

    monkeypatch.setattr(templates, "datetime", Tomorrow)
    assert "2031-07-05" in harmony.apply_chat_template([{"role": "user", "content": "x"}], tokenize=False)
    tomorrow, _ = encode_chat(harmony, ITEMS, ChatText())
    assert all(np.array_equal(one, other) for one, other in zip(today, tomorrow, strict=True))
    assert writes_date(harmony)
    assert not writes_date(chat_tokenizer(QWEN3))
    assert prompts.DATE == DATE


@pytest.fixture(scope="module", params=["qwen3_moe", "gpt_oss", "olmoe", "phimoe"])
def model(request):
    return tiny(request.param, vocab_size=300, max_position_embeddings=512)


@pytest.mark.parametrize("counted", ["rendered", "content", "content_without_bos"])
def test_batches_and_padding_change_nothing_and_the_header_says_how(model, counted) -> None:
    name = {"qwen3_moe": "qwen3", "gpt_oss": "harmony", "olmoe": "olmoe", "phimoe": "phi"}[model.config.model_type]
    tokenizer, chat = chat_tokenizer(TEMPLATES[name]), ChatText(counted=counted)
    items = ITEMS | {"long": "The quick brown fox jumps over the dog. " * 2}
    alone = trace(model, tokenizer, items, settings=TraceSettings(batch_tokens=1, pairs=5, chat=chat))
    for padding in ("right", "left"):
        how = TraceSettings(batch_tokens=4096, pairs=5, chat=chat, padding=padding)
        together = trace(model, tokenizer, items, settings=how)
        assert together.tokens.tolist() == counts(tokenizer, items, counted)
        assert np.array_equal(together.topk_count, alone.topk_count)
        for column, values in alone.columns().items():
            np.testing.assert_allclose(together.columns()[column], values, atol=2e-6, err_msg=column)
    assert together.header.settings["text"] == "chat"
    assert together.header.settings["counted"] == counted
    assert together.header.settings.get("date") == ("2026-01-01" if name == "harmony" else None)
    assert together.header.turns == {"keep": "all", "roles": "own", "request": "Write a short text."}
    plain = trace(model, tokenizer, items).header
    assert plain.turns == {}
    assert "text" not in plain.settings


def test_plain_text_of_a_conversation_is_its_turns() -> None:
    model, tokenizer = tiny("qwen3_moe", vocab_size=300, max_position_embeddings=512), chat_tokenizer(None)
    assert trace(model, tokenizer, {"a": SOLVED}).tokens.tolist() == [len("2+2?\n\nFour.")]


def test_what_no_template_can_do_is_refused_in_a_sentence(tokenizer) -> None:
    with pytest.raises(TraceError, match=r"has no chat template, so its model reads no corpus as a chat: leave `chat`"):
        counts(tokenizer, ITEMS, "rendered")
    strict = chat_tokenizer("{% if messages[0].role != 'system' %}{{ raise_exception('no system') }}{% endif %}")
    with pytest.raises(TraceError, match="item lone is refused by the chat template of the tokenizer: no system"):
        counts(strict, ITEMS, "rendered")
    with pytest.raises(TraceError, match=r"item lone cannot be traced with `keep: assistant`: it has no turn"):
        counts(chat_tokenizer(PHI), ITEMS, "rendered", keep="assistant")
    slow = chat_tokenizer(PHI)
    slow.__class__ = type("Slow", (type(slow),), {"is_fast": False})
    with pytest.raises(TraceError, match="does not say which characters its tokens are of"):
        counts(slow, ITEMS, "content")


def test_tokens_with_a_digit_are_left_out_where_that_is_asked_for() -> None:
    tokenizer = chat_tokenizer(QWEN3, merges=[("1", "a")])
    item = (Turn("user", "1a2+b?"), Turn("assistant", "c3"))
    assert words(tokenizer, item, "content_without_bos") == "1a2+b?c3"
    assert words(tokenizer, item, "content_without_digits") == "+b?c"  # 1a is one token
