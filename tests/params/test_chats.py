"""Corpora that are traced as a chat, in params.yaml."""

from typing import Any

import pytest

from polyroute.ground.frozen import ParamsError
from polyroute.params.file import parse
from polyroute.params.resolve import resolve
from tiny import raw_params

PLAIN = "pocket-plain"
CHAT = {"counted": "content"}
OF_MODEL = ("pocket-sentences", "pocket-arithmetic", "pocket-knowledge")


def shipped() -> dict[str, Any]:
    raw = raw_params()
    raw["study"]["models"] = [PLAIN]
    return raw


def test_a_chat_reaches_the_stages_that_read_text_and_no_others() -> None:
    raw = shipped()
    before = resolve(parse(raw), {PLAIN: "a" * 64})
    for corpus in OF_MODEL:
        raw["corpora"][corpus]["chat"] = CHAT
    after = resolve(parse(raw), {PLAIN: "a" * 64})
    assert {name for name in before if before[name] != after[name]} == {
        "track",
        *(f"{PLAIN}/{stage}" for stage in ("fetch", "trace", "draw")),
    }
    found = after[f"{PLAIN}/trace"].model_dump(mode="json")["chats"]
    told = {"counted": "content", "keep": "all", "roles": "own", "request": "Write a short text."}
    assert found == dict.fromkeys(OF_MODEL, told)
    assert after[f"{PLAIN}/draw"].model_dump(mode="json")["chat"] == told


def test_text_of_a_task_is_read_as_the_generic_text_is() -> None:
    raw = shipped()
    raw["corpora"]["pocket-arithmetic"]["chat"] = CHAT
    expected = (
        "tasks.arithmetic.text: `pocket-arithmetic` is traced as a chat with `counted: content` and the generic text "
        "`pocket-sentences` as plain text"
    )
    with pytest.raises(ParamsError, match=expected):
        parse(raw)
    raw["corpora"]["pocket-sentences"]["chat"] = {"counted": "rendered"}
    with pytest.raises(ParamsError, match="as a chat with `counted: rendered`"):
        parse(raw)


def test_the_corpora_of_paper_1_are_entries() -> None:
    corpora = parse(shipped()).corpora
    for name in ("belebele-passages-chat", "gsm8k-instruct", "medinstruct-turns"):
        chat = corpora[name].chat
        assert chat is not None
        assert (chat.counted, chat.roles, chat.keep) == ("rendered", "own", "all")
    assert [(corpora[name].take, corpora[name].take_seed) for name in ("gsm8k-instruct", "medinstruct-turns")] == [
        (500, 0), (500, 0),
    ]  # fmt: skip


def test_an_unknown_key_of_a_chat_is_named() -> None:
    raw = shipped()
    raw["corpora"]["belebele"]["chat"] = {"cuonted": "content"}
    with pytest.raises(ParamsError, match=r"corpora.belebele.chat.cuonted: unknown key; did you mean counted\?"):
        parse(raw)
