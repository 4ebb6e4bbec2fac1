"""What becomes of stages, as one process tells another: `polyroute study` reads it without loading DVC."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

MARK = "\x1f"
"""What such a line begins with."""
Fate = Literal["begun", "done", "unchanged", "failed", "changed"]


class Event(NamedTuple):
    """What became of a stage, or that it has to run."""

    fate: Fate
    stage: str

    def __str__(self) -> str:
        return f"{MARK}{self.fate} {self.stage}"

    @classmethod
    def read(cls, line: str) -> Event | None:
        """A line of that kind read back; None for any other."""
        word, _, stage = line.removeprefix(MARK).strip().partition(" ")
        fate = next((fate for fate in get_args(Fate) if fate == word), None)
        return cls(fate, stage) if fate and line.startswith(MARK) else None
