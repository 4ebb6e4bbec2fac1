"""Kinds of tasks: how the answers of each are scored, and which score decides.

To add a kind: a function here or beside `written` that scores it, its entry in `SCORES` and in the schemas of
`artifacts.answers`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from polyroute.artifacts.answers import Answers
from polyroute.artifacts.kinds import TaskKind
from polyroute.ground.errors import AnswerError
from polyroute.scoring.choices import score_choices
from polyroute.scoring.output_language import OutputLanguages
from polyroute.scoring.written import score_numbers, score_spans, score_translations

SCORES: dict[TaskKind, dict[str, str]] = {
    "choice": {"sum": "correct", "token": "correct_by_token", "character": "correct_by_character"},
    "number": {"correct": "correct", "flexible_extract": "flexible_extract", "first_box": "first_box"},
    "span": {
        "inclusion": "inclusion", "inclusion_as_released": "inclusion_as_released", "exact_match": "exact_match",
        "f1": "f1",
    },
    "translation": {"chrf": "chrf"},
}  # fmt: skip
"""Scores of each kind of task -> their column of scored answers. Whatever is written has `IN_LANGUAGE` too."""
IN_LANGUAGE = "in_language"
"""The score that says whether an answer is in the language of its item, right or wrong: output-language consistency."""


def scored(
    raw: pd.DataFrame, items: pd.DataFrame, name: str, kind: TaskKind, languages: Sequence[str] | None = None
) -> pd.DataFrame:
    """Whether answers are right; needs no model.

    Args:
        raw: of every language.
        items: of the task.
        name: of the task, for messages.
        kind: of the task.
        languages: that an answer may be in; by default those that were asked.

    Returns:
        As the function of `scoring` for the kind.
    """
    if kind == "choice":
        return score_choices(raw, items, name)
    recogniser = OutputLanguages(list(raw["language"].unique() if languages is None else languages))
    if kind == "number":
        return score_numbers(raw, items, name, recogniser)
    if kind == "span":
        return score_spans(raw, items, name, recogniser)
    return score_translations(raw, items, name, recogniser)


def by_score(frame: pd.DataFrame, kind: TaskKind, score: str) -> pd.DataFrame:
    """Scored answers with one score in the column `correct`, which is what is compared and counted.

    Args:
        frame: as `scored` returns it.
        kind: of the task.
        score: of `SCORES`, or `IN_LANGUAGE`, by which answers in languages that cannot be recognised are left out.

    Returns:
        The frame with `correct`: true or false, or in [0, 1] (f1, chrf). Numbers keep what our own reader says as
        `as_read`.

    Raises:
        AnswerError: tasks of the kind have no such score.
    """
    if score == IN_LANGUAGE and kind != "choice":
        known = frame[frame["output_language"].notna()]
        return known.assign(correct=(known["output_language"] == known["language"]).astype(bool))
    if score not in SCORES[kind]:
        known_scores = [*SCORES[kind], *(() if kind == "choice" else (IN_LANGUAGE,))]
        raise AnswerError(f"{kind} tasks have no score `{score}`; there is {', '.join(known_scores)}")
    if kind == "number":
        frame = frame.assign(as_read=frame["correct"])
    return frame.assign(correct=frame[SCORES[kind][score]])


def grade(raw: Answers, items: pd.DataFrame, split: str) -> Answers:
    """Raw answers scored; needs no model.

    Args:
        raw: of one half of a task under one condition.
        items: the task with its right answers; those of the half in the languages that were asked are held against,
            and an answer may be in the language of any.
        split: which half.

    Raises:
        AnswerError: an item is missing on one side or there twice.
    """
    half = items[(items["split"] == split) & items["language"].isin(raw.header.questions)]
    name = f"{raw.header.task} ({raw.header.condition})"
    frame = scored(raw.frame, half, name, raw.header.kind, list(items["language"].unique()))
    return Answers(raw.header.model_copy(update={"scored": True}), frame)
