"""Choices: right if the right one is the likeliest, by sum, by token or by character (`asking.choices`).

Equal likelihoods are common in bfloat16, whose steps are coarse; the first of the equals would favour the option A, so
one is taken by a hash of the item's id: the same in every language, condition and run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.artifacts.answers import KEY, NORMALISATIONS
from polyroute.ground.errors import AnswerError
from polyroute.scoring.beside_key import beside_key, named


def score_choices(raw: pd.DataFrame, items: pd.DataFrame, task: str) -> pd.DataFrame:
    """Which choices are the likeliest, and whether they are right.

    Args:
        raw: from `asking.choices.score`.
        items: the task's items with their right answers, the same ones in any order.
        task: its name, for messages.

    Returns:
        item_id, language, split, log_likelihoods, tokens, characters, and extracted and correct in each of
        `NORMALISATIONS`; in the order of `raw`. `extracted` is the number of a choice, counted from 0.

    Raises:
        AnswerError: an item is missing on one side, there twice, or has another number of choices.
    """
    frame = beside_key(raw, items, task, ["split", "choices", "answer"])
    for name in ("log_likelihoods", "tokens", "characters"):
        other = frame[frame[name].map(len) != frame["choices"].map(len)]
        if len(other):
            raise AnswerError(
                f"task {task}, {named(other)}: {len(other['choices'].iloc[0])} choices, but its answer has "
                f"{len(other[name].iloc[0])} {name}: the task changed, so answer it again"
            )
    scored = frame[[*KEY, "split", "log_likelihoods", "tokens", "characters"]].copy()
    values = frame["log_likelihoods"].map(np.asarray)
    divided = [values, values / frame["tokens"].map(np.asarray), values / frame["characters"].map(np.asarray)]
    for ending, by_item in zip(NORMALISATIONS, divided, strict=True):
        picked = [likeliest(values_C, item_id) for values_C, item_id in zip(by_item, frame["item_id"], strict=True)]
        scored[f"extracted{ending}"] = picked
    for ending in NORMALISATIONS:
        scored[f"correct{ending}"] = scored[f"extracted{ending}"].to_numpy() == frame["answer"].to_numpy()
    return scored


def likeliest(values: Sequence[float] | NDArray[np.float64], item_id: str) -> int:
    """Index of the largest value; among equals the one that the item's id picks."""
    best = np.flatnonzero(np.asarray(values) == np.max(values))
    pick = int.from_bytes(hashlib.sha256(item_id.encode()).digest()[:8]) % len(best)
    return int(best[pick])
