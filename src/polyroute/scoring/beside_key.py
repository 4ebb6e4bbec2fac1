"""Raw answers beside the right ones, item by item."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polyroute.artifacts.answers import KEY
from polyroute.ground.errors import AnswerError


def beside_key(raw: pd.DataFrame, items: pd.DataFrame, task: str, columns: list[str]) -> pd.DataFrame:
    """Raw answers beside their items, in the order of the answers.

    Raises:
        AnswerError: an item is missing on one side or there twice.
    """
    for name, frame in (("answers", raw), ("items", items)):
        twice = frame[frame.duplicated(KEY)]
        if len(twice):
            raise AnswerError(f"task {task}: {name} hold {named(twice)} twice")
    asked, known = (pd.MultiIndex.from_frame(frame[KEY]) for frame in (raw, items))
    place_N = known.get_indexer(asked)
    unanswered = np.setdiff1d(np.arange(len(items)), place_N)
    for lone, told in (
        (raw[place_N < 0], "answered, but not of the task"), (items.iloc[unanswered], "not answered"),
    ):  # fmt: skip
        if len(lone):
            raise AnswerError(
                f"task {task}: {named(lone)} {told} ({len(lone)} such): the task changed, so answer it again"
            )
    right = items[columns].iloc[place_N].reset_index(drop=True)
    return pd.concat([raw.reset_index(drop=True), right], axis=1)


def named(frame: pd.DataFrame) -> str:
    """The first item of a frame, as messages name it."""
    return f"item {frame['item_id'].iloc[0]} in {frame['language'].iloc[0]}"
