"""The state of every stage as a short table: stages of a model that are alike share a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.table import Table

_STYLES = {"fresh": "green", "stale": "yellow", "waits": "dim", "missing": "red", "never run": "red"}


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
        """What is other, or how to get it."""

    @property
    def seconds(self) -> float | None:
        """What it took when it last ran here."""


def table(states: Sequence[StageState], *, whole: bool = False) -> Table:
    """The table.

    Args:
        states: of every stage.
        whole: a line for every stage; else stages of a model that are alike share one.
    """
    shown = Table("model", "state", "stages", "why, or what brings it", "last took", box=None, pad_edge=False)
    for model in dict.fromkeys(one.model for one in states):
        own = [one for one in states if one.model == model]
        groups: dict[tuple[str, ...], list[StageState]] = {}
        for one in own:
            alike = (one.stage,) if whole else (one.state, "" if one.state == "waits" else one.why)
            groups.setdefault(alike, []).append(one)
        name = model or "study"
        for group in groups.values():
            first, state = group[0], group[0].state
            stages = f"{len(group)} of {len(own)}" if state == "fresh" and len(group) > 1 else _names(group)
            why = "for stages that are not fresh" if state == "waits" and len(group) > 1 else first.why
            shown.add_row(name, f"[{_STYLES[state]}]{state}[/]", stages, why, duration(_total(group)))
            name = ""
    return shown


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
