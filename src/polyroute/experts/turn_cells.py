"""Text by turn: the cells in which the task can be told from the assistant's turn.

Delta of paper 1 compares text of a user and an assistant with text of a user alone. Here each text, a passage or a
task's question with its solution, is read as either side's, in the same template:

    cell                      the user says                   the assistant says
    passage_user              the passage                     -                        the published generic text
    passage_assistant         a request, always the same      the passage
    item_both                 the question                    the solution             the published task text
    item_user                 question and solution           -
    item_assistant            the request                     question and solution
    solution_assistant        the request                     the solution             a control

All are English. Cells of one text hold the same sequences, so what differs between them is paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from polyroute.artifacts.turns import ChatText

Text = Literal["passage", "item"]
Cell = Literal[
    "passage_user", "passage_assistant", "item_both", "item_user", "item_assistant", "solution_assistant"
]  # fmt: skip
Counted = Literal["rendered", "content", "without_digits"]
"""Which tokens count: all of the rendered conversation, as published; those of the text alone, which are the same in
either turn; or of these those without a digit."""
COUNTED: Final[dict[Counted, Literal["rendered", "content_without_bos", "content_without_digits"]]] = {
    "rendered": "rendered", "content": "content_without_bos", "without_digits": "content_without_digits",
}  # fmt: skip
"""What each is in `ChatText`."""


class _Read(NamedTuple):
    text: Text
    keep: Literal["all", "assistant"]
    roles: Literal["own", "user", "assistant"]


CELLS: Final[dict[Cell, _Read]] = {
    "passage_user": _Read("passage", "all", "user"),
    "passage_assistant": _Read("passage", "all", "assistant"),
    "item_both": _Read("item", "all", "own"),
    "item_user": _Read("item", "all", "user"),
    "item_assistant": _Read("item", "all", "assistant"),
    "solution_assistant": _Read("item", "assistant", "assistant"),
}


def cells_of(text: Text) -> tuple[Cell, ...]:
    """The cells that a text is read in."""
    return tuple(cell for cell, read in CELLS.items() if read.text == text)


def as_chat(cell: Cell, counted: Counted) -> ChatText:
    """How the text of a cell becomes a conversation."""
    _, keep, roles = CELLS[cell]
    return ChatText(counted=COUNTED[counted], keep=keep, roles=roles)


Delta = Literal["published", "turn", "task_user", "task_assistant", "solution"]
DELTAS: Final[Mapping[Delta, tuple[Cell, Cell]]] = {
    "published": ("item_both", "passage_user"),
    "turn": ("passage_assistant", "passage_user"),
    "task_user": ("item_user", "passage_user"),
    "task_assistant": ("item_assistant", "passage_assistant"),
    "solution": ("solution_assistant", "passage_assistant"),
}
"""Difference of activation frequency -> the cell, less the other: as published; the same words in the other turn; task
text and generic text both the user's; both the assistant's; and the latter of the solution alone."""
