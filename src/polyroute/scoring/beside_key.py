"""Raw answers beside the right ones, item by item."""

from __future__ import annotations

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
    beside = raw.merge(items[[*KEY, *columns]], on=KEY, how="left", sort=False, validate="one_to_one", indicator=True)
    if len(beside) < len(items) or (beside["_merge"] != "both").any():
        joined = raw.merge(items[KEY], on=KEY, how="outer", indicator=True, sort=False)
        for side, told in (("left_only", "answered, but not of the task"), ("right_only", "not answered")):
            lone = joined[joined["_merge"] == side]
            if len(lone):
                raise AnswerError(
                    f"task {task}: {named(lone)} {told} ({len(lone)} such): the task changed, so answer it again"
                )
    return beside.drop(columns="_merge")


def named(frame: pd.DataFrame) -> str:
    """The first item of a frame, as messages name it."""
    return f"item {frame['item_id'].iloc[0]} in {frame['language'].iloc[0]}"
