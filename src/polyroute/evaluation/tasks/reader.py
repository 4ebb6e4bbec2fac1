"""What a reader of a task is, and the items that it gives."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from polyroute.ground.hub import HubSource

Split = Literal["select", "report"]
"""Items to choose settings on, and items to report."""
SPLITS: tuple[Split, ...] = ("select", "report")


@dataclass(frozen=True)
class Item:
    """One item in one language, as a model is asked it."""

    item_id: str
    """The same in every language; sorts as the release has it."""
    language: str
    """FLORES code."""
    prompt: str
    answer: int | str
    """Index of the right choice; or text: the right number, a plain decimal, or a formula between dollar signs; the
    right short answer; the reference translation."""
    choices: tuple[str, ...] = ()
    """Texts that follow the prompt, blanks before them included; none where the answer is written."""
    shown: tuple[str, ...] = ()
    """Options that the prompt lists, where the choices are but their letters."""
    split: str | None = None
    """Where the task has splits of its own."""
    together: str | None = None
    """What must not be divided between the splits, such as the passage that questions share; else the item's id."""


@dataclass(frozen=True)
class TaskReader:
    """Reads one kind of task."""

    version: int
    """Goes up whenever the same files give other items or prompts."""
    read: Callable[[str, Any, Sequence[str], HubSource], list[Item]]
    """Name in params.yaml, its entry, FLORES codes and where files come from -> items."""
    files: Callable[[Any, str], list[str]]
    """Entry and FLORES code -> the files that a language is read from."""
    covered: Callable[[Any], list[str] | None]
    """Entry -> FLORES codes that the task has, sorted; None where that depends on the files."""
    stops: Callable[[Any, str], tuple[str, ...]] = lambda _spec, _language: ()
    """Entry and FLORES code -> strings that end a generated answer: those with which a next item would begin."""


def split_of(task: str, together: str) -> Split:
    """Which half an item belongs to: by SHA-256 of the task's name and the item's id, so the same for good.

    A hash decides each item alone: adding or leaving out others moves none. So halves are equal but for chance.
    """
    return SPLITS[hashlib.sha256(f"{task}/{together}".encode()).digest()[0] % 2]


def lettered(options: Sequence[str]) -> tuple[str, ...]:
    """Letters of options as choices that follow `Answer:`."""
    return tuple(f" {letter}" for letter, _ in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", options, strict=False))
