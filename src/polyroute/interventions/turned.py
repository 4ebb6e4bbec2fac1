"""Items that the chosen plan turned right or wrong, with their text: what a difference of a few points is made of."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from polyroute.artifacts import answers
from polyroute.artifacts.key import read_joined
from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.paths import Paths
from polyroute.results.steering import TurnedRow
from polyroute.scoring.kinds import by_score

SHOWN = 6
"""Items of each direction that a task shows, one of as many languages as can be before a second of any."""
LONGEST = 600
"""Characters of a text that are kept."""


def turned(paths: Paths, model: str, task: str, score: str) -> pd.DataFrame:
    """Some of the items that the chosen plan turned, each half under the plan that was chosen on the other.

    Args:
        paths: of the study, whose scored answers, questions and key of the task are there.
        model: name in params.yaml.
        task: name in params.yaml.
        score: that is compared, of `scoring.kinds.SCORES`.

    Returns:
        `TurnedRow`s, those turned right first.
    """
    folder = paths.scored(model, "interventions") / "steer" / task
    texts = read_joined(paths.task_questions(model, task), paths.key(model, task)).set_index(["item_id", "language"])
    found: list[TurnedRow] = []
    for half in ("select", "report"):
        plain, edited = (folder / half / f"{condition}.parquet" for condition in ("baseline", "chosen"))
        if edited.exists():  # a half without task experts on the other is not edited
            found += _of_half(plain, edited, texts, task, score)
    found.sort(key=lambda one: (one.item, one.language))
    rows = [row for direction in ("right", "wrong") for row in some(found, direction)]
    return pd.DataFrame([row.model_dump() for row in rows], columns=TurnedRow.columns())


def some(found: list[TurnedRow], direction: str) -> list[TurnedRow]:
    """`SHOWN` of those turned one way, a language in turn, each with how many there are."""
    left = [one for one in found if one.direction == direction]
    count, chosen = len(left), list[TurnedRow]()
    while left and len(chosen) < SHOWN:
        taken: set[str] = set()
        for one in list(left):
            if one.language not in taken and len(chosen) < SHOWN:
                taken.add(one.language)
                chosen.append(one.model_copy(update={"of": count}))
                left.remove(one)
    return chosen


def _of_half(plain: Path, edited: Path, texts: pd.DataFrame, task: str, score: str) -> Iterator[TurnedRow]:
    before, after = answers.read(plain), answers.read(edited)
    answers.comparable(before, after)
    kind = before.header.kind
    both = by_score(before.frame, kind, score).merge(
        by_score(after.frame, kind, score), on=["item_id", "language"], suffixes=("_before", "_after")
    )
    for row in both.to_dict("records"):
        was, now = float(row["correct_before"]), float(row["correct_after"])
        # Graded scores turn where they pass one half.
        if (was > 0.5) == (now > 0.5):
            continue
        text = texts.loc[(row["item_id"], row["language"])]
        yield TurnedRow(
            task=task, item=str(row["item_id"]), language=str(row["language"]),
            direction="right" if now > 0.5 else "wrong", of=1, prompt=_cut(str(text["prompt"])),
            answer=_cut(_right(kind, text)), before=_cut(_answered(kind, row, "before", text)),
            after=_cut(_answered(kind, row, "after", text)),
        )  # fmt: skip


def _right(kind: TaskKind, text: Any) -> str:
    return str(text["choices"][int(text["answer"])]) if kind == "choice" else str(text["answer"])


def _answered(kind: TaskKind, row: Mapping[Hashable, Any], when: str, text: Any) -> str:
    return str(text["choices"][int(row[f"extracted_{when}"])] if kind == "choice" else row[f"output_{when}"])


def _cut(content: str) -> str:
    """The end of a long text, where the question and the answer stand."""
    flat = " ".join(content.split())
    return flat if len(flat) <= LONGEST else f"… {flat[-LONGEST:]}"
