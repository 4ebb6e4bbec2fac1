"""Quantities of the claim on task experts and the assistant's turn, from turns.json and steer.json."""

from __future__ import annotations

from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import Estimate
from polyroute.results.claims import Missing
from polyroute.results.steering import Steered
from polyroute.results.turns import Part

_OF_TRACES = ("turn_share", "turn_null", "r_task")


def turn_experts(asked: Asked, found: Found) -> None:
    """own.turn_experts: turn share and its null, Delta by task, and what steering by turn gains.

    All rendered tokens count, as published; the first task that stands for mathematics is asked.
    """
    summary = asked.results.turns
    if summary is None:
        found.lack(_OF_TRACES, Missing(kind="stage", what="turns"))
        return
    if summary.not_run == "no_template":
        found.lack((*_OF_TRACES, "steer_turn"), Missing(kind="new", what="a chat template"))
        return
    task = asked.task("maths")
    if task is None or task not in summary.tasks:
        return
    one = summary.tasks[task]
    first = one.readings[0]
    found.items = one.items
    if first.turn_share.value is None:
        found.lack(_OF_TRACES, Missing(kind="few", what=f"task experts above {one.tau:g}"))
    elif first.null is None:
        found.lack(("turn_null",), Missing(kind="few", what="other experts in a layer to match the task experts"))
    found.put("turn_share", _estimate(first.turn_share))
    found.put("r_task", _estimate(first.r_task))
    found.put("turn_null", first.null.high if first.null else None)
    steered = asked.results.steering.tasks.get(task) if asked.results.steering else None
    by_turn = steered.by_turn.by_turn if isinstance(steered, Steered) and steered.by_turn else None
    if by_turn is None:
        found.lack(("steer_turn",), Missing(kind="new", what="answers under experts of the turn, by the stage `steer`"))
        return
    found.put(
        "steer_turn",
        Estimate(by_turn.value, by_turn.low, by_turn.high, by_turn.p, ci90_low=by_turn.low90, ci90_high=by_turn.high90),
    )


def _estimate(one: Part) -> Estimate:
    return Estimate(one.value, one.low, one.high)
