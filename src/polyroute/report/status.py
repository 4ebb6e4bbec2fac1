"""The state of every stage as a short table: stages of a model that are alike share a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from rich.table import Table

_STYLES = {"fresh": "green", "stale": "yellow", "waits": "dim", "missing": "red", "never run": "red"}

_COUNTED = {"stale": "stale", "missing": "missing", "never run": "never run", "waits": "waiting for these"}


class StageState(Protocol):
    """One stage of one model, as `cli.status` has it."""

    @property
    def stage(self) -> str:
        """Its name."""

    @property
    def model(self) -> str:
        """Whose; empty where it is of no model."""

    @property
    def state(self) -> str:
        """fresh, stale, waits, missing or never run."""

    @property
    def why(self) -> str:
        """What is other, or what is missing."""

    @property
    def brings(self) -> str:
        """The command that brings what is missing."""

    @property
    def seconds(self) -> float | None:
        """What it took when it last ran here."""


def headline(states: Sequence[StageState]) -> str:
    """How many stages are not up to date, and what brings all of them."""
    behind = [one for one in states if one.state != "fresh"]
    if not behind:
        return f"All {len(states)} stages are up to date."
    counts = Counter(one.state for one in behind)
    told = ", ".join(f"{counts[state]} {word}" for state, word in _COUNTED.items() if counts[state])
    return f"{len(behind)} of {len(states)} stages are not up to date ({told}): `polyroute study` runs what it takes."


def table(states: Sequence[StageState], *, whole: bool = False) -> Table:
    """The table.

    Args:
        states: of every stage.
        whole: a line for every stage; else stages of a model that are alike share one.
    """
    shown = Table("model", "state", "stages", "why, or what brings it", "last took", box=None, pad_edge=False)
    shown.columns[0].no_wrap, shown.columns[0].overflow = True, "fold"
    for model in dict.fromkeys(one.model for one in states):
        own = [one for one in states if one.model == model]
        groups: dict[tuple[str, ...], list[StageState]] = {}
        for one in own:
            groups.setdefault((one.stage,) if whole else (one.state, _alike(one)), []).append(one)
        name = model or "study"
        for group in groups.values():
            state = group[0].state
            stages = f"{len(group)} of {len(own)}" if state == "fresh" and len(group) > 1 else _names(group)
            shown.add_row(name, f"[{_STYLES[state]}]{state}[/]", stages, _told(group), duration(_total(group)))
            name = ""
    return shown


def _alike(one: StageState) -> str:
    """What stages that share a line have in common beside their state."""
    if one.brings:
        return " ".join(one.brings.split()[:2])
    return "" if one.state == "waits" else one.why


def _told(group: Sequence[StageState]) -> str:
    """Why, or what brings it; of several stages that run again, what runs all of them."""
    commands = list(dict.fromkeys(one.brings for one in group if one.brings))
    if commands:
        missing = f"{group[0].why}: " if len(group) == 1 and group[0].why else ""
        return f"{missing}`{commands[0] if len(commands) == 1 else 'polyroute study'}`"
    return "for stages that are not fresh" if group[0].state == "waits" and len(group) > 1 else group[0].why


def _names(states: Sequence[StageState]) -> str:
    return ", ".join(one.stage for one in states)


def duration(seconds: float | None) -> str:
    """`12 s`, `3 min 05 s` or `2 h 10 min`; a dash where it is not known."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _total(states: Sequence[StageState]) -> float | None:
    known = [one.seconds for one in states if one.seconds is not None]
    return sum(known) if known else None
