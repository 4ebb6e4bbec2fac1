"""What was written, as text: where it stops, whether it is finished, and what is kept of it; for every engine alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from polyroute.artifacts import thoughts
from polyroute.asking import marks
from polyroute.asking.prompts import Chat


class Texts:
    """Reads the tokens that a model has written."""

    def __init__(
        self, tokenizer: Any, stop: Sequence[str], ends: set[int], conversation: Chat | None = None,
        asked: Mapping[str, str] | None = None,
    ):  # fmt: skip
        """Say what ends a text.

        Args:
            tokenizer: of the model.
            stop: strings that end a text outside a thought.
            ends: tokens that end a text.
            conversation: in which prompts stand; None where they do not.
            asked: text of a prompt in a conversation -> its question.
        """
        self.tokenizer, self.stop, self.ends = tokenizer, tuple(stop), ends
        self.marks = marks.of(tokenizer, conversation)
        self.asked = asked if conversation is not None and asked is not None else {}
        # A token has at least a byte, so a string's last token and these hold all of it, and a cut letter before.
        self.reach = max((len(one.encode()) for one in self.stop), default=0) + 8

    def stops(self, ids: list[int], opened: str) -> bool:
        """Whether a stop string ends in the last token, and not inside a thought.

        transformers' own criterion compares strings with tokens, and misses letters that a byte-level tokenizer cuts
        into several, as it does in most scripts.
        """
        if not self.stop:
            return False
        tail = self._text(ids[-self.reach :])
        return any(stop in tail for stop in self.stop) and self._first_stop(self._text(ids), opened) is not None

    def opened(self, text: str) -> str:
        """The mark of the thought that the template opens behind the question; empty where it opens none."""
        question = self.asked.get(text, "").strip()
        return self.marks.opened(text[text.rindex(question) + len(question) :]) if question else ""

    def _first_stop(self, text: str, opened: str) -> int | None:
        """Where the first stop string outside a thought begins."""
        if not any(stop in text for stop in self.stop):
            return None
        whole = opened + text
        inside = list(thoughts.thoughts(self.marks.spelt(whole))) if whole else []
        return min(
            (
                place
                for stop in self.stop
                for place in _places(self.marks.spelt(whole), stop)
                if place >= len(opened)
                and not any(start <= place and (end is None or place < end) for start, end in inside)
            ),
            default=None,
        )

    def told(self, ids: list[int], opened: str) -> tuple[str, int, bool]:
        """A row's text as it is kept, its tokens, and whether it is finished."""
        ended = bool(ids) and ids[-1] in self.ends
        text = self.marks.spelt(opened + self._text(ids[:-1] if ended else ids))
        cut = self._first_stop(text[len(opened) :], opened)
        text = text[:cut]
        return text, len(ids), (ended or cut is not None) and not thoughts.is_open(text)

    def _text(self, ids: list[int]) -> str:
        text: str = self.tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return text


def _places(text: str, stop: str) -> Iterator[int]:
    """Every place where a string stands in a text."""
    place = text.find(stop)
    while place >= 0:
        yield place
        place = text.find(stop, place + 1)
