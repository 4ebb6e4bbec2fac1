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
from pathlib import Path
from typing import Any

import pandas as pd
from transformers import PreTrainedModel

from polyroute.ground.files import digest, write_atomically
from polyroute.interventions.plans import Condition
from polyroute.models.taps import Router
from polyroute.steering.apply import steer
from polyroute.steering.lower_layers import LowerLayers, LowerLayersError

log = logging.getLogger(__name__)

Answer = Callable[[pd.DataFrame], pd.DataFrame]
"""From items to raw answers, one row an item in the same order, by running the model."""
SHARED_BATCHES = 4
"""About how many batches of prompts are kept in memory for all conditions."""


class AnswerStore:
    """Finished raw answers on disk, one file a condition and language."""

    def __init__(self, parts: Path, determines: Any):
        """Name the parts by what they are of.

        Args:
            parts: folder of all parts of the study.
            determines: plain data that decides the answers besides items and plan: model, task, settings, versions.
        """
        self._folder, self._determines = parts / "answers", determines

    def get(self, items: pd.DataFrame, condition: Condition) -> pd.DataFrame | None:
        """The answers to exactly these items, if finished before."""
        path = self._path(items, condition)
        try:
            return pd.read_parquet(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):  # a damaged disk: computing again is always right
            path.unlink()
            return None

    def put(self, items: pd.DataFrame, condition: Condition, answers: pd.DataFrame) -> None:
        """Keep finished answers."""
        write_atomically(self._path(items, condition), answers.to_parquet())

    def _path(self, items: pd.DataFrame, condition: Condition) -> Path:
        # What a plan is called and where it came from change nothing in what it does.
        plan = None if condition.plan is None else condition.plan.model_dump(mode="json", exclude={"source"})
        key = digest({"determines": self._determines, "items": items.to_json(orient="records"), "plan": plan})
        return self._folder / f"{key}.parquet"


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
    firsts = {first for condition in missing if (first := condition.first_layer) is not None}
    lower = _lower_layers(model, firsts, routers) if share and len(missing) > 1 else None
    # The one that begins last is recorded: up to there it is the unsteered model, as the others are up to theirs.
    missing.sort(
        key=lambda condition: math.inf if condition.first_layer is None else condition.first_layer, reverse=True
    )
    parts: dict[str, list[pd.DataFrame]] = {condition.name: [] for condition in missing}
    for chunk in _chunks(items, SHARED_BATCHES * batch_tokens) if missing else ():
        for number, condition in enumerate(missing):
            first = condition.first_layer
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
