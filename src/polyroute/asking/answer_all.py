"""Answers of a model to the items of one language under every condition.

Conditions share what they can: items go a few batches at a time through all conditions, and the layers below the first
edited one run once for all of them (`steering.lower_layers`). The baseline and every steered run see the same items in
the same batches, so that they differ by the steering alone.

A (condition, language) that is finished is kept at once, under a digest of everything that determines it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import pandas as pd
from transformers import PreTrainedModel

from polyroute.asking.store import AnswerStore
from polyroute.models.taps import Router
from polyroute.steering.apply import steer
from polyroute.steering.condition import Condition
from polyroute.steering.lower_layers import LowerLayers, LowerLayersError

log = logging.getLogger(__name__)

Answer = Callable[[pd.DataFrame], pd.DataFrame]
"""From items to raw answers, one row an item in the same order, by running the model."""
SHARED_BATCHES = 4
"""About how many batches of prompts are kept in memory for all conditions."""


def _first_layer(condition: Condition) -> int | None:
    """The lowest layer that is edited."""
    return None if condition.plan is None else min(condition.plan.experts)


def answer_all(
    model: PreTrainedModel,
    routers: Sequence[Router],
    items: pd.DataFrame,
    conditions: Sequence[Condition],
    answer: Answer,
    store: AnswerStore,
    *,
    batch_tokens: int,
    share: bool = True,
    progress: Callable[[int], None] = lambda _items: None,
) -> dict[str, pd.DataFrame]:
    """Answers under every condition.

    Args:
        model: the model that `answer` runs.
        routers: all of its routers.
        items: of one language, with a column `prompt`.
        conditions: what to do to the model; a baseline among them is run unsteered.
        answer: from items to raw answers.
        store: where finished conditions are kept.
        batch_tokens: padded tokens of a batch, as `answer` uses it; decides how many items go together.
        share: whether lower layers are run once for all conditions; the answers are the same bits.
        progress: told the items answered, of all conditions.

    Returns:
        Name of the condition -> raw answers.
    """
    found = {condition.name: store.get(items, condition) for condition in conditions}
    progress(len(items) * sum(answers is not None for answers in found.values()))
    missing = [condition for condition in conditions if found[condition.name] is None]
    firsts = {first for condition in missing if (first := _first_layer(condition)) is not None}
    lower = _lower_layers(model, firsts, routers) if share and len(missing) > 1 else None
    # The one that begins last is recorded: up to there it is the unsteered model, as the others are up to theirs.
    missing.sort(
        key=lambda condition: math.inf if condition.plan is None else min(condition.plan.experts), reverse=True
    )
    parts: dict[str, list[pd.DataFrame]] = {condition.name: [] for condition in missing}
    for chunk in _chunks(items, SHARED_BATCHES * batch_tokens) if missing else ():
        for number, condition in enumerate(missing):
            first = _first_layer(condition)
            with nullcontext() if condition.plan is None else steer(model, condition.plan, routers=routers):
                if lower is None:
                    answers = answer(chunk)
                elif number == 0:
                    answers, lower = _recorded(lower, answer, chunk)
                else:
                    with nullcontext() if first is None else lower.replay(first):
                        answers = answer(chunk)
            parts[condition.name].append(answers)
            progress(len(chunk))
    for condition in missing:
        joined = pd.concat(parts[condition.name]).set_index("item_id").loc[items["item_id"]].reset_index()
        store.put(items, condition, joined)
        found[condition.name] = joined
    return {name: answers for name, answers in found.items() if answers is not None}


def _lower_layers(model: PreTrainedModel, firsts: set[int], routers: Sequence[Router]) -> LowerLayers | None:
    try:
        return LowerLayers(model, firsts, routers)
    except LowerLayersError as error:
        log.info("conditions share no layers: %s", error)
        return None


def _recorded(lower: LowerLayers, answer: Answer, chunk: pd.DataFrame) -> tuple[pd.DataFrame, LowerLayers | None]:
    """Answers of the condition whose lower layers the others take over; None where they cannot."""
    try:
        with lower.record():
            return answer(chunk), lower
    except LowerLayersError as error:  # what a layer keeps shows only when it runs
        log.info("conditions share no layers: %s", error)
        return answer(chunk), None


def _chunks(items: pd.DataFrame, characters: int) -> Iterator[pd.DataFrame]:
    """Items of about equal length together, up to so many characters of prompt; a token has at least about one."""
    lengths = items["prompt"].str.len()
    order = lengths.sort_values(kind="stable").index
    chosen: list[Any] = []
    total = 0
    for index in order:
        if chosen and total + lengths[index] > characters:
            yield items.loc[chosen]
            chosen, total = [], 0
        chosen.append(index)
        total += int(lengths[index])
    if chosen:
        yield items.loc[chosen]
