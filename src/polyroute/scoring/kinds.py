"""From raw answers to right and wrong: needs no model, so it can be rerun whenever a rule changes.

A choice is right if the right one is the likeliest, by sum, by token or by character (`choice`). Equal likelihoods are
common in bfloat16, whose steps are coarse; the first of the equals would favour the option A, so one is taken by
a hash of the item's id: the same in every language, condition and run.

A number is right if the text is finished and the number that it gives (`numbers`) equals the right one, 18.00 and 18
alike; so is a formula (`formulas`). An empty text, a truncated one and one without a number are wrong, and
`accuracy.table` counts them.

A short answer (span) is scored by inclusion, exact match and F1 (`spans`); a text that is not finished has none of
them. Paper 2's inclusion to the letter stands beside them: it counts empty and unfinished texts too.

A translation has the chrF of its sentence (`chrf`), finished or not, as is usual.

What a model thinks before it answers is no part of the answer: all up to the last `</think>`, or up to the last
`final` channel of the harmony format (GPT-OSS). Thinking that never ends leaves an empty answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.ground.errors import AnswerError
from polyroute.scoring import chrf, formulas, numbers, spans
from polyroute.scoring.output_language import OutputLanguages

READINGS = ("", "_by_token", "_by_character")
"""How the columns `extracted` and `correct` end: of the sum, the sum by tokens and the sum by characters."""
KEY = ["item_id", "language"]

_THOUGHT = re.compile(r".*</think>", re.DOTALL)
_CHANNEL = re.compile(r"<\|channel\|>(\w+)(?:(?!<\|channel\|>).)*?<\|message\|>", re.DOTALL)
_SPECIAL = re.compile(r"<\|[^|<>]*\|>")


def score_choices(raw: pd.DataFrame, items: pd.DataFrame, task: str) -> pd.DataFrame:
    """Which choices are the likeliest, and whether they are right.

    Args:
        raw: from `choice.score`.
        items: the task's items, the same ones in any order; see `tasks`.
        task: its name, for messages.

    Returns:
        item_id, language, split, log_likelihoods, tokens, characters, and extracted and correct in each of
        `READINGS`; in the order of `raw`. `extracted` is the number of a choice, counted from 0.

    Raises:
        AnswerError: an item is missing on one side, there twice, or has another number of choices.
    """
    frame = _joined(raw, items, task, ["split", "choices", "answer"])
    for name in ("log_likelihoods", "tokens", "characters"):
        other = frame[frame[name].map(len) != frame["choices"].map(len)]
        if len(other):
            raise AnswerError(
                f"task {task}, {_named(other)}: {len(other['choices'].iloc[0])} choices, but its answer has "
                f"{len(other[name].iloc[0])} {name}: the task changed, so answer it again"
            )
    scored = frame[[*KEY, "split", "log_likelihoods", "tokens", "characters"]].copy()
    values = frame["log_likelihoods"].map(np.asarray)
    divided = [values, values / frame["tokens"].map(np.asarray), values / frame["characters"].map(np.asarray)]
    for ending, by_item in zip(READINGS, divided, strict=True):
        picked = [likeliest(values_C, item_id) for values_C, item_id in zip(by_item, frame["item_id"], strict=True)]
        scored[f"extracted{ending}"] = picked
    for ending in READINGS:
        scored[f"correct{ending}"] = scored[f"extracted{ending}"].to_numpy() == frame["answer"].to_numpy()
    return scored


def likeliest(values: Sequence[float] | NDArray[np.float64], item_id: str) -> int:
    """Index of the largest value; among equals the one that the item's id picks."""
    best = np.flatnonzero(np.asarray(values) == np.max(values))
    pick = int.from_bytes(hashlib.sha256(item_id.encode()).digest()[:8]) % len(best)
    return int(best[pick])


def score_numbers(
    raw: pd.DataFrame, items: pd.DataFrame, task: str, recogniser: OutputLanguages | None = None
) -> pd.DataFrame:
    """The number that each text gives, whether it is right, and the language of the text.

    Args:
        raw: from `generation.generate`.
        items: the task's items, the same ones in any order; see `tasks`.
        task: its name, for messages.
        recogniser: tells the language; None leaves it null.

    Returns:
        item_id, language, split, output, tokens, finished, extracted (null where there is no number or formula),
        correct, output_language; in the order of `raw`. The language is null for items in languages that the recogniser
        cannot give.

    Raises:
        AnswerError: an item is missing on one side or there twice.
    """
    frame = _joined(raw, items, task, ["split", "answer"])
    scored, spoken = _written(frame)
    read = [
        _number(text, answer, code)
        for text, answer, code in zip(spoken, frame["answer"], frame["language"], strict=True)
    ]
    scored["extracted"] = pd.Series([number for number, _ in read], dtype=object)
    scored["correct"] = frame["finished"].to_numpy(bool) & np.array([right for _, right in read], bool)
    scored["output_language"] = _languages(spoken, frame, recogniser)
    return scored


def score_spans(
    raw: pd.DataFrame, items: pd.DataFrame, task: str, recogniser: OutputLanguages | None = None
) -> pd.DataFrame:
    """Whether each text gives the short answer that is right, by every rule of `spans`, and its language.

    Args:
        raw: from `generation.generate`.
        items: the task's items, the same ones in any order; see `tasks`.
        task: its name, for messages.
        recogniser: tells the language; None leaves it null.

    Returns:
        item_id, language, split, output, tokens, finished, inclusion, inclusion_as_released, exact_match, f1 (in
        [0, 1]), output_language; in the order of `raw`.

    Raises:
        AnswerError: an item is missing on one side or there twice.
    """
    frame = _joined(raw, items, task, ["split", "answer"])
    scored, spoken = _written(frame)
    finished = frame["finished"].to_numpy(bool)
    compared = list(zip(spoken, frame["answer"], frame["language"], strict=True))
    scored["inclusion"] = finished & np.array([spans.includes(*one) for one in compared], bool)
    scored["inclusion_as_released"] = [spans.includes_as_released(text, answer) for text, answer, _ in compared]
    scored["exact_match"] = finished & np.array([spans.exact_match(*one) for one in compared], bool)
    scored["f1"] = finished * np.array([spans.f1(*one) for one in compared], np.float64)
    scored["output_language"] = _languages(spoken, frame, recogniser)
    return scored


def score_translations(
    raw: pd.DataFrame, items: pd.DataFrame, task: str, recogniser: OutputLanguages | None = None
) -> pd.DataFrame:
    """How near each translation is to its reference, and its language.

    Args:
        raw: from `generation.generate`.
        items: the task's items, the same ones in any order; see `tasks`.
        task: its name, for messages.
        recogniser: tells the language; None leaves it null.

    Returns:
        item_id, language, split, output, tokens, finished, reference, chrf (of the sentence, in [0, 1]),
        output_language; in the order of `raw`.

    Raises:
        AnswerError: an item is missing on one side or there twice, or sacrebleu is not installed.
    """
    frame = _joined(raw, items, task, ["split", "answer"])
    scored, spoken = _written(frame)
    scored["reference"] = frame["answer"]
    scored["chrf"] = [chrf.of_sentence(text, wanted) for text, wanted in zip(spoken, frame["answer"], strict=True)]
    scored["output_language"] = _languages(spoken, frame, recogniser)
    return scored


def answer_part(output: str) -> str:
    """What a model says after it has thought, without special tokens; empty where it never stops thinking."""
    channels = list(_CHANNEL.finditer(output))
    if channels:
        final = [match for match in channels if match[1] == "final"]
        output = output[final[-1].end() :] if final else ""
    elif "</think>" in output:
        output = _THOUGHT.sub("", output)
    elif "<think>" in output:
        output = ""
    return _SPECIAL.sub("", output).strip()


def _number(text: str, answer: str, language: str) -> tuple[str | None, bool]:
    """The number or formula that a text gives, and whether it is the right one."""
    if formulas.is_formula(answer):
        return formulas.compare(text, answer)
    found = numbers.extract(text, language)
    return found, found is not None and found == numbers.canonical(answer)


def _written(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The columns that all generated answers have, and what is said after all thought."""
    written = frame[[*KEY, "split", "output", "tokens", "finished"]].copy()
    return written, [answer_part(output) for output in frame["output"]]


def _languages(spoken: Sequence[str], frame: pd.DataFrame, recogniser: OutputLanguages | None) -> pd.Series:
    """Language of each text; null for items in languages that the recogniser cannot give."""
    told = [
        None if recogniser is None or code in recogniser.unknown else recogniser.of(text)
        for text, code in zip(spoken, frame["language"], strict=True)
    ]
    return pd.Series(told, dtype=object)


def _joined(raw: pd.DataFrame, items: pd.DataFrame, task: str, columns: list[str]) -> pd.DataFrame:
    """Raw answers beside their items, in the order of the answers."""
    for name, frame in (("answers", raw), ("items", items)):
        twice = frame[frame.duplicated(KEY)]
        if len(twice):
            raise AnswerError(f"task {task}: {name} hold {_named(twice)} twice")
    joined = raw.merge(items[[*KEY, *columns]], on=KEY, how="outer", indicator=True, sort=False)
    for side, told in (("left_only", "answered, but not of the task"), ("right_only", "not answered")):
        lone = joined[joined["_merge"] == side]
        if len(lone):
            raise AnswerError(
                f"task {task}: {_named(lone)} {told} ({len(lone)} such): the task changed, so answer it again"
            )
    return raw.merge(items[[*KEY, *columns]], on=KEY, how="left", sort=False, validate="one_to_one")


def _named(frame: pd.DataFrame) -> str:
    return f"item {frame['item_id'].iloc[0]} in {frame['language'].iloc[0]}"
