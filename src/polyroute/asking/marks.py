"""What a tokenizer and its chat template say of a conversation's marks: of thought, and of the end of a turn.

Marks of thought are what the template writes around an assistant's thought, found by filling it in with one under each
of the names that templates give it; and pairs of special tokens whose names speak of thinking (`artifacts.thoughts`).
The end of a turn is the special token that the template writes behind what the assistant says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from polyroute.artifacts import thoughts
from polyroute.asking import prompts
from polyroute.asking.prompts import Chat

_THOUGHT, _ANSWER = "polyroutesthought", "polyroutesanswer"
"""Stand for what the assistant thinks and says while a template is filled in."""
_BEFORE = re.compile(r"(<[^<>\s]+>|\[[^\[\]\s]+\]|◁\w+▷)\s*$")
_BEHIND = re.compile(r"\s*(</[^<>\s]+>|<[^<>\s]+>|\[/[^\[\]\s]+\]|◁/\w+▷)")


@dataclass(frozen=True)
class Marks:
    """How a model writes thought."""

    pairs: tuple[tuple[str, str], ...] = ()
    """Opening and closing marks that are known from the template alone, not by their form."""

    def spelt(self, text: str) -> str:
        """A text with marks of another form written as `artifacts.thoughts` reads them."""
        for opening, closing in self.pairs:
            text = text.replace(opening, thoughts.OPEN).replace(closing, thoughts.CLOSE)
        return text

    def opened(self, prompt: str) -> str:
        """The mark of the thought inside which the end of a prompt lies; empty where it lies in none."""
        prompt = self.spelt(prompt)
        begun = [start for start, end in thoughts.thoughts(prompt) if end is None]
        return prompt[begun[-1] :] if begun else ""


def of(tokenizer: Any, conversation: Chat | None) -> Marks:
    """How a model writes thought in a conversation, as its template shows; nothing without one."""
    if conversation is None:
        return Marks()
    found: dict[tuple[str, str], None] = {}
    for turn in _thinking():
        told = prompts.filled_in(tokenizer, [{"role": "user", "content": "?"}, turn], conversation)
        place = -1 if told is None else told.find(_THOUGHT)
        if told is None or place < 0 or _ANSWER not in told[place:]:
            continue
        before, behind = _BEFORE.search(told[:place]), _BEHIND.match(told, place + len(_THOUGHT))
        if before and behind and before[1] != behind[1]:
            found[before[1], behind[1]] = None
    unknown = [
        pair for pair in found if list(thoughts.thoughts("".join(pair))) != [(0, len("".join(pair)))]
        and "channel" not in pair[0]
    ]  # fmt: skip
    return Marks(tuple(unknown))


def turn_ends(tokenizer: Any, conversation: Chat | None) -> set[int]:
    """The special token that ends a turn of the assistant, as the template writes it; none without a conversation."""
    if conversation is None:
        return set()
    turns: list[dict[str, Any]] = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _ANSWER}]
    told = prompts.filled_in(tokenizer, turns, conversation)
    if told is None or _ANSWER not in told:
        return set()
    behind = told[told.rindex(_ANSWER) + len(_ANSWER) :].lstrip()
    known = sorted(
        ((token.content, number) for number, token in tokenizer.added_tokens_decoder.items() if token.content),
        key=lambda one: -len(one[0]),
    )
    return {number for content, number in known if behind.startswith(content)} if behind else set()


def _thinking() -> Sequence[dict[str, Any]]:
    """An assistant's turn that holds a thought, under each of the names that templates give it."""
    said = {"role": "assistant", "content": _ANSWER}
    parts = [{"type": "thinking", "thinking": _THOUGHT}, {"type": "text", "text": _ANSWER}]
    named = ("reasoning_content", "reasoning", "thinking", "thought")
    return [*(said | {name: _THOUGHT} for name in named), {"role": "assistant", "content": parts}]
