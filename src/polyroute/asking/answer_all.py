"""Answers of a model to the items of one language under every condition, kept part by part.

All conditions that are still to be answered go through the model together (`steering.sweep`), the baseline among them:
so base and steered answers come from the same batches and differ by the steering alone. A baseline that was kept from
an earlier sitting is asked again beside the conditions that are new, and answers that differ are counted.

A part is so many items under one condition. It is kept as soon as it is finished, under a digest of everything that
determines it, with the plans that shared its batches.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from polyroute.asking.store import AnswerStore, plan_of
from polyroute.ground.files import digest
from polyroute.steering.condition import Condition
from polyroute.steering.plan import Plan

log = logging.getLogger(__name__)

Progress = Callable[[int], None]
Answer = Callable[[pd.DataFrame, Sequence[Plan | None], Progress], list[pd.DataFrame]]
"""From items and the plans of conditions to raw answers of each condition, one row an item in the same order, by
running the model; told of answers as they are given."""
PART_ITEMS = 128
"""Items of a part: what a killed run loses at most, under all conditions of one language."""


def answer_all(
    items: pd.DataFrame,
    conditions: Sequence[Condition],
    answer: Answer,
    store: AnswerStore,
    *,
    progress: Progress = lambda _answers: None,
) -> dict[str, pd.DataFrame]:
    """Answers under every condition.

    Args:
        items: of one language.
        conditions: what to do to the model; two that do the same are asked once.
        answer: from items and plans to raw answers.
        store: where finished parts are kept.
        progress: told the answers, of all conditions.

    Returns:
        Name of the condition -> raw answers.
    """
    parts: dict[str, list[pd.DataFrame]] = {condition.name: [] for condition in conditions}
    doing = {condition.name: digest(plan_of(condition)) for condition in conditions}
    for part in parts_of(items):
        kept = {condition.name: store.get(part, condition) for condition in conditions}
        progress(len(part) * sum(answers is not None for answers in kept.values()))
        missing = [condition for condition in conditions if kept[condition.name] is None]
        distinct: dict[str, Condition] = {}  # what is done -> the first that does it
        for condition in missing:
            distinct.setdefault(doing[condition.name], condition)
        beside = [condition for condition in conditions if condition.plan is None and condition not in missing]
        together = [*beside, *distinct.values()] if distinct else []
        if together:
            new = _share(progress, len(missing), len(together))
            answered = answer(part, [condition.plan for condition in together], new)
            for condition, answers in zip(together, answered, strict=True):
                before = kept[condition.name]
                if before is None:
                    store.put(part, condition, answers, beside=[doing[one.name] for one in together])
                    kept[condition.name] = answers
                elif differing := _differing(before, answers):
                    log.warning(
                        "%s: %d of %d kept answers differ from those beside the conditions that are new, by rounding "
                        "in another batch", condition.name, differing, len(part),
                    )  # fmt: skip
        for condition in missing:  # a plan under two names is followed once
            kept[condition.name] = kept[distinct[doing[condition.name]].name]
        for name, given in kept.items():
            assert given is not None, "kept or just given"
            parts[name].append(given)
    return {name: pd.concat(found, ignore_index=True) for name, found in parts.items()}


def parts_of(items: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Items as they are answered and kept: `PART_ITEMS` at a time, in their order."""
    for start in range(0, max(len(items), 1), PART_ITEMS):
        yield items.iloc[start : start + PART_ITEMS].reset_index(drop=True)


def _share(progress: Progress, part: int, whole: int) -> Progress:
    """Tells of a part of what it is told of, in whole answers."""
    given = 0

    def told(answers: int) -> None:
        nonlocal given
        before, given = given * part // whole, given + answers
        progress(given * part // whole - before)

    return told


def _differing(kept: pd.DataFrame, again: pd.DataFrame) -> int:
    """Items with another text, or another likeliest choice."""
    if "output" in kept:
        return int((kept["output"] != again["output"]).sum())
    likeliest = [
        [max(range(len(nats)), key=nats.__getitem__) for nats in one["log_likelihoods"]] for one in (kept, again)
    ]
    return sum(before != after for before, after in zip(*likeliest, strict=True))
