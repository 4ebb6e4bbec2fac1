"""Items that are conversations, and how a corpus's items become conversations when a model reads them as a chat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from pydantic import Field

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.frozen import Frozen

USER = "user"
ASSISTANT = "assistant"
BETWEEN = "\n\n"
"""Between turns where a conversation is read as one text."""


class TurnError(PolyrouteError):
    """An item that has no turn of the kind that is asked for."""


class Turn(NamedTuple):
    """What one side says once."""

    role: str
    """`user`, `assistant`, or whatever else the chat template knows."""
    text: str


Item = str | tuple[Turn, ...]
"""One text, or the turns of a conversation."""


class Said(NamedTuple):
    """A turn as a model reads it."""

    turn: Turn
    content: bool
    """Whether it is of the item, and not a request that every item shares."""


def joined(item: str | Iterable[tuple[str, str]]) -> str:
    """An item as one text, a blank line between its turns."""
    return item if isinstance(item, str) else BETWEEN.join(text for _, text in item)


class ChatText(Frozen):
    """How a corpus is traced as a chat, in the model's own template, without a generation prompt."""

    counted: Literal["rendered", "content", "content_without_bos", "content_without_digits"] = "rendered"
    """Which tokens count: all of the rendered conversation (as the code behind paper 1 does); those of the items' own
    text and the BOS before them, where there is one; those of the items' own text alone; or, of these, those without a
    digit."""
    keep: Literal["all", "user", "assistant"] = "all"
    """Which turns of an item are kept: question and solution, the question alone, or the solution alone."""
    roles: Literal["own", "user", "assistant"] = "own"
    """Who says it: each turn its own role, and a lone text the user; or the user, or the assistant, all of it, turns
    joined by a blank line. What the assistant says follows a `request`."""
    request: str = Field(default="Write a short text.", min_length=1)
    """The user's turn before a text that is the assistant's: the same for every item, never content."""

    def conversation(self, item: str | Iterable[tuple[str, str]]) -> tuple[Said, ...]:
        """The turns that a model reads.

        Args:
            item: one text, or roles with their texts.

        Raises:
            TurnError: the item has no turn of those that are kept.
        """
        turns = [Turn(USER, item)] if isinstance(item, str) else [Turn(*turn) for turn in item]
        kept = [turn for turn in turns if self.keep in ("all", turn.role)]
        if not kept:
            raise TurnError(f"it has no turn of the {self.keep}, only of {', '.join(turn.role for turn in turns)}")
        if self.roles == "own":
            return tuple(Said(turn, True) for turn in kept)
        said = Said(Turn(self.roles, joined(kept)), True)
        return (said,) if self.roles == USER else (Said(Turn(USER, self.request), False), said)
