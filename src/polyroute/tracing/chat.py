"""Texts as conversations in a model's own chat template, and which of their tokens count.

Paper 1's code renders every traced text so, without a generation prompt and with `enable_thinking=False`, and counts
all tokens: template, role names, BOS and ends of turns. What is rendered here is what `apply_chat_template` renders.

The content's tokens are found by characters. The template is rendered once more with marks in place of the texts,
which shows what it writes before, between and after them; an item's rendering must be exactly that around its own
texts, whole or without the blanks at their ends, or the item is refused. A token counts if it lies within a text, or
shares a character that is no blank with it; so a token that a text and the template share counts, and one that only
takes in a text's outer blanks, as some special tokens do, does not.

Templates that write today's date (GPT-OSS) get `DATE`, as prompts do.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jinja2 import TemplateError
from numpy.typing import NDArray

from polyroute.artifacts.trace import TraceError
from polyroute.artifacts.turns import ChatText, Item, Said, Turn, TurnError
from polyroute.models.chat_template import DATE, has_template, name_of

_OTHER = datetime.datetime(1999, 12, 31)
_MARK = "polyroutetextplace{}end"
"""Stands for a text while a template is rendered; templates trim blanks, so it has none."""


def encode_chat(
    tokenizer: Any, items: Mapping[str, Item], chat: ChatText
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.bool_]]]:
    """Token ids of conversations, and which tokens count.

    Args:
        tokenizer: of a model with a chat template.
        items: item id -> text, or turns.
        chat: how they become conversations.

    Returns:
        For each item (T,) ids and (T,) whether each counts.

    Raises:
        TraceError: there is no chat template, or it refuses an item or changes what the item says; names the item.
    """
    require_template(tokenizer)
    frames = _Frames(tokenizer)
    content = chat.counted != "rendered"
    if content and not tokenizer.is_fast:
        raise TraceError(
            f"{name_of(tokenizer)} does not say which characters its tokens are of, so a text's cannot be told from "
            "the template's: count `rendered`"
        )
    conversations, rendered = [], []
    for item_id, item in items.items():
        try:
            conversation = chat.conversation(item)
            rendered.append(_render(tokenizer, [said.turn for said in conversation]))
        except TurnError as error:
            raise TraceError(f"item {item_id} cannot be traced with `keep: {chat.keep}`: {error}") from None
        except TemplateError as error:
            raise TraceError(
                f"item {item_id} is refused by the chat template of {name_of(tokenizer)}: {error}"
            ) from None
        conversations.append(conversation)
    encoding = tokenizer(
        rendered, add_special_tokens=False, return_attention_mask=False, return_token_type_ids=False,
        return_offsets_mapping=content, padding=False, truncation=False,
    )  # fmt: skip
    ids = [np.array(row, dtype=np.int64) for row in encoding["input_ids"]]
    if not content:
        return ids, [np.ones(len(row), dtype=np.bool_) for row in ids]
    counted = []
    for place, (item_id, row) in enumerate(zip(items, ids, strict=True)):
        spans = frames.spans(item_id, conversations[place], rendered[place])
        inside = _inside(np.array(encoding["offset_mapping"][place]).reshape(-1, 2), rendered[place], spans)
        if chat.counted == "content" and row.size and row[0] == tokenizer.bos_token_id:
            inside[0] = True
        if chat.counted == "content_without_digits":
            inside &= ~_with_digit(np.array(encoding["offset_mapping"][place]).reshape(-1, 2), rendered[place])
        counted.append(inside)
    return ids, counted


def require_template(tokenizer: Any) -> None:
    """Refuse a tokenizer that does not know how its model converses.

    Raises:
        TraceError: it has no chat template.
    """
    if not has_template(tokenizer):
        raise TraceError(
            f"{name_of(tokenizer)} has no chat template, so its model reads no corpus as a chat: leave `chat` out of "
            "the corpus in params.yaml, or name a corpus without it"
        )


def writes_date(tokenizer: Any) -> bool:
    """Whether a tokenizer's chat template writes today's date into a conversation.

    Raises:
        TraceError: it has no chat template.
    """
    require_template(tokenizer)
    turns = [Turn("user", _MARK)]
    return _render(tokenizer, turns) != _render(tokenizer, turns, _OTHER)


def _render(tokenizer: Any, turns: Iterable[tuple[str, str]], date: datetime.datetime = DATE) -> str:
    text: str = tokenizer.apply_chat_template(
        [{"role": role, "content": text} for role, text in turns],
        tokenize=False, add_generation_prompt=False, enable_thinking=False, strftime_now=date.strftime,
    )  # fmt: skip
    return text


class _Frames:
    """What a template writes around the texts of conversations of the same roles."""

    def __init__(self, tokenizer: Any):
        self._tokenizer = tokenizer
        self._known: dict[tuple[str, ...], list[str]] = {}

    def spans(self, item_id: str, conversation: Sequence[Said], rendered: str) -> list[tuple[int, int]]:
        """First and last character of each content of a rendered conversation, the last exclusive."""
        before, *after = self._around(item_id, tuple(said.turn.role for said in conversation))
        place, spans = len(before), []
        fits = rendered.startswith(before)
        for said, next_one in zip(conversation, after, strict=True):
            text = next((one for one in _trimmed(said.turn.text) if rendered.startswith(one + next_one, place)), None)
            if not fits or text is None:
                break
            if said.content:
                spans.append((place, place + len(text)))
            place += len(text) + len(next_one)
        else:
            if place == len(rendered):
                return spans
        raise TraceError(
            f"item {item_id}: the chat template of {name_of(self._tokenizer)} changes what it says, so its tokens "
            "cannot be told from the template's: count `rendered`, or leave the item out"
        )

    def _around(self, item_id: str, roles: tuple[str, ...]) -> list[str]:
        if roles not in self._known:
            marks = [_MARK.format(place) for place in range(len(roles))]
            rest = _render(self._tokenizer, zip(roles, marks, strict=True))
            pieces = []
            for mark in marks:
                piece, found, rest = rest.partition(mark)
                if not found or mark in rest:
                    raise TraceError(
                        f"item {item_id}: the chat template of {name_of(self._tokenizer)} does not write each turn "
                        f"of {', '.join(roles)} once and in order, so contents cannot be found: count `rendered`"
                    )
                pieces.append(piece)
            self._known[roles] = [*pieces, rest]
        return self._known[roles]


def _trimmed(text: str) -> list[str]:
    """A text as templates write it: whole, or without blanks or line breaks at one end or both; the longest first."""
    ends = (None, "\n")
    ways = [text, *(trim(end) for end in ends for trim in (text.lstrip, text.rstrip, text.strip))]
    return sorted(set(ways), key=lambda one: (-len(one), ways.index(one)))


def _inside(offsets_T2: NDArray[np.int64], text: str, spans: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
    """(T,) whether a token is of one of the spans."""
    end_T = offsets_T2[:, 1]
    # Byte-level tokenizers leave a token's outer spaces out of its offsets: they go on where the tokens before ended.
    reached_T = np.maximum.accumulate(np.concatenate([[0], end_T]))[:-1]
    start_T = np.minimum(offsets_T2[:, 0], reached_T)
    solid = np.concatenate([[0], np.cumsum([not character.isspace() for character in text], dtype=np.int64)])
    inside_T = np.zeros(len(end_T), dtype=np.bool_)
    for first, last in spans:
        low_T, high_T = np.clip(start_T, first, last), np.clip(end_T, first, last)
        within_T = (start_T >= first) & (end_T <= last) & (end_T > start_T)
        inside_T |= within_T | (solid[high_T] > solid[low_T])
    return inside_T


def _with_digit(offsets_T2: NDArray[np.int64], text: str) -> NDArray[np.bool_]:
    """(T,) whether a token shares a character with a number."""
    digits = np.concatenate([[0], np.cumsum([character.isdigit() for character in text], dtype=np.int64)])
    with_T: NDArray[np.bool_] = digits[offsets_T2[:, 1]] > digits[offsets_T2[:, 0]]
    return with_T
