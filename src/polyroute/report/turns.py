"""Task experts or experts of the assistant's turn, in words and a table."""

from __future__ import annotations

from collections.abc import Sequence

from polyroute.report import words
from polyroute.report.words import NONE
from polyroute.results.model import ModelResults
from polyroute.results.turns import Decision, Part, TurnReading

SAID: dict[Decision, str] = {"holds": "of the turn", "rejected": "of the task", "open": "open"}
"""What task experts are experts of, by the decision on the rival."""


def turn_table(measured: Sequence[ModelResults]) -> str:
    """A row a model, task and way of counting: are its task experts experts of the task or of the assistant's turn?

    `turn share`: of the task experts, those that are as much more frequent where the assistant says the same passages;
    `random`: 97.5% point of sets as large and as frequent. `by turn`, `by task`: share of the experts' Delta that the
    turn, and the task at equal turn, bring by themselves.
    """
    columns = ["model", "task", "tokens", "task experts", "turn share", "random", "by turn", "by task", "experts are"]
    rows = []
    for one in measured:
        for task, held in one.turns.tasks.items() if one.turns is not None else ():
            for found in held.readings:
                if found.assistant == "question and solution":
                    counts = f"{found.published} above {held.tau:g}"
                    parts = [_told(found.turn_share), _null(found), _told(found.r_turn), _told(found.r_task)]
                    tokens = found.counted.replace("_", " ")
                    rows.append([one.model, task, tokens, counts, *parts, said(found)])
    return words.markdown(columns, rows)


def said(found: TurnReading) -> str:
    """What task experts are experts of."""
    return NONE if found.decision is None else SAID[found.decision]


def in_short(task: str, found: TurnReading) -> str:
    """A task in a few words: `mgsm of the task, turn share 0.05 [0.00, 0.14]`."""
    return f"{task} {said(found)}, turn share {_told(found.turn_share)}"


def _told(one: Part) -> str:
    if one.value is None:
        return NONE
    bounds = "" if one.low is None or one.high is None else f" [{one.low:.2f}, {one.high:.2f}]"
    return f"{one.value:.2f}{bounds}"


def _null(found: TurnReading) -> str:
    return NONE if found.null is None else f"{found.null.high:.2f}"
