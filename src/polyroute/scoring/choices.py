"""Choices: right if the right one is the likeliest, by sum, by token or by character (`asking.choices`).

Equal likelihoods are common in bfloat16, whose steps are coarse; the first of the equals would favour the option A, so
one is taken by a hash of the item's id: the same in every language, condition and run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

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
    sum_NC, tokens_NC, characters_NC = (
        _beside_one_another(frame[name]) for name in ("log_likelihoods", "tokens", "characters")
    )
    divided = sum_NC, sum_NC / tokens_NC, sum_NC / characters_NC
    for ending, values_NC in zip(NORMALISATIONS, divided, strict=True):
        scored[f"extracted{ending}"] = likeliest(values_NC, frame["item_id"].tolist())
    for ending in NORMALISATIONS:
        scored[f"correct{ending}"] = scored[f"extracted{ending}"].to_numpy() == frame["answer"].to_numpy()
    return scored


def likeliest(values_NC: NDArray[np.float64], item_ids: Sequence[str]) -> NDArray[np.int64]:
    """(N) index of each item's largest value; among equals the one that the item's id picks. NaN is no choice."""
    best_NC = values_NC == np.nanmax(values_NC, axis=1, keepdims=True)
    picked_N: NDArray[np.int64] = best_NC.argmax(axis=1)
    for row in np.flatnonzero(best_NC.sum(axis=1) > 1).tolist():
        equals = np.flatnonzero(best_NC[row])
        picked_N[row] = equals[int.from_bytes(hashlib.sha256(item_ids[row].encode()).digest()[:8]) % len(equals)]
    return picked_N


def _beside_one_another(lists: Iterable[Sequence[float]]) -> NDArray[np.float64]:
    """(N, C) numbers of items, NaN where one has fewer choices than another."""
    rows = [np.asarray(row, np.float64) for row in lists]
    numbers_NC = np.full((len(rows), max(map(len, rows), default=1)), np.nan)
    for number, row in enumerate(rows):
        numbers_NC[number, : len(row)] = row
    return numbers_NC
