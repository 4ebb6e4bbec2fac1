"""The state of every stage as a short table: a line a model of what is fresh, then a line a stage that is not."""

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
        whole: a line for every stage; else those of a model that are fresh share one.
    """
    shown = Table("model", "stage", "state", "why, or what brings it", "last took", box=None, pad_edge=False)
    for model in sorted({one.model for one in states}, key=[one.model for one in states].index):
        own = [one for one in states if one.model == model]
        fresh = [] if whole else [one for one in own if one.state == "fresh"]
        name = model or "study"
        if fresh:
            named = fresh[0].stage if len(own) == 1 else f"{len(fresh)} of {len(own)}"
            shown.add_row(name, named, _state("fresh"), "", duration(_total(fresh)))
            name = ""
        for one in own:
            if one not in fresh:
                shown.add_row(name, one.stage, _state(one.state), one.why, duration(one.seconds))
                name = ""
    return shown


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


def _state(state: str) -> str:
    return f"[{_STYLES[state]}]{state}[/]"
