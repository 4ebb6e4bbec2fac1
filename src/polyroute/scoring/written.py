"""Written answers: the number, short answer or translation in a text, whether it is right, and its language.

A number is right if the text is finished and the number that it gives (`numbers`) equals the right one, 18.00 and 18
alike; so is a formula (`formulas`). An empty text, a truncated one and one without a number are wrong, and
`accuracy.table` counts them. lm-evaluation-harness's rule (`flexible_extract`) stands beside it; it reads the whole
text, thought and unfinished ones too. Beside it stands paper 2's rule (`first_box`), by which the first box counts; of
finished texts alone, as here. Its release also accepts a hundredth and a hundredfold of the right number, this not.

A short answer (span) is scored by inclusion, exact match and F1 (`spans`); a text that is not finished has none of
them. Paper 2's inclusion to the letter stands beside them: it counts empty and unfinished texts too.

A translation has the chrF of its sentence (`chrf`), finished or not, as is usual.

What a model thinks before it answers is left out (`artifacts.thoughts`). A thought that never ends leaves an empty
answer, and its text counts as not finished.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from polyroute.artifacts.answers import KEY
from polyroute.artifacts.formula import is_formula
from polyroute.artifacts.thoughts import answer_part, is_open
from polyroute.scoring import chrf, flexible_extract, formulas, numbers, spans
from polyroute.scoring.beside_key import beside_key
from polyroute.scoring.output_language import OutputLanguages


def score_numbers(
    raw: pd.DataFrame, items: pd.DataFrame, task: str, recogniser: OutputLanguages | None = None
) -> pd.DataFrame:
    """The number that each text gives, whether it is right, and the language of the text.

    Args:
        raw: from `asking.generation.generate`.
        items: the task's items with their right answers, the same ones in any order.
        task: its name, for messages.
        recogniser: tells the language; None leaves it null.

    Returns:
        item_id, language, split, output, tokens, finished, extracted (null where there is no number or formula),
        correct, by_flexible_extract (what the harness would take, or null), flexible_extract (whether it would call
        that right), first_box (whether the first box is right), output_language; in the order of `raw`. The language is
        null for items in languages that the recogniser cannot give.

    Raises:
        AnswerError: an item is missing on one side or there twice.
    """
    frame = beside_key(raw, items, task, ["split", "answer"])
    scored, spoken = _written(frame)
    read = [
        _number(text, answer, code)
        for text, answer, code in zip(spoken, frame["answer"], frame["language"], strict=True)
    ]
    scored["extracted"] = pd.Series([number for number, _ in read], dtype=object)
    scored["correct"] = scored["finished"].to_numpy(bool) & np.array([right for _, right in read], bool)
    taken = [flexible_extract.extract(output) for output in frame["output"]]
    scored["by_flexible_extract"] = pd.Series(taken, dtype=object)
    scored["flexible_extract"] = [
        flexible_extract.matches(one, answer) for one, answer in zip(taken, frame["answer"], strict=True)
    ]
    boxed = [
        _first_box(text, answer, code)
        for text, answer, code in zip(spoken, frame["answer"], frame["language"], strict=True)
    ]
    scored["first_box"] = scored["finished"].to_numpy(bool) & np.array(boxed, bool)
    scored["output_language"] = _languages(spoken, frame, recogniser)
    return scored


def score_spans(
    raw: pd.DataFrame, items: pd.DataFrame, task: str, recogniser: OutputLanguages | None = None
) -> pd.DataFrame:
    """Whether each text gives the short answer that is right, by every rule of `spans`, and its language.

    Args:
        raw: from `asking.generation.generate`.
        items: the task's items with their right answers, the same ones in any order.
        task: its name, for messages.
        recogniser: tells the language; None leaves it null.

    Returns:
        item_id, language, split, output, tokens, finished, inclusion, inclusion_as_released, exact_match, f1 (in
        [0, 1]), output_language; in the order of `raw`.

    Raises:
        AnswerError: an item is missing on one side or there twice.
    """
    frame = beside_key(raw, items, task, ["split", "answer"])
    scored, spoken = _written(frame)
    finished = scored["finished"].to_numpy(bool)
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
        raw: from `asking.generation.generate`.
        items: the task's items with their right answers, the same ones in any order.
        task: its name, for messages.
        recogniser: tells the language; None leaves it null.

    Returns:
        item_id, language, split, output, tokens, finished, reference, chrf (of the sentence, in [0, 1]),
        output_language; in the order of `raw`.

    Raises:
        AnswerError: an item is missing on one side or there twice, or sacrebleu is not installed.
    """
    frame = beside_key(raw, items, task, ["split", "answer"])
    scored, spoken = _written(frame)
    scored["reference"] = frame["answer"]
    scored["chrf"] = [chrf.of_sentence(text, wanted) for text, wanted in zip(spoken, frame["answer"], strict=True)]
    scored["output_language"] = _languages(spoken, frame, recogniser)
    return scored


def _number(text: str, answer: str, language: str) -> tuple[str | None, bool]:
    """The number or formula that a text gives, and whether it is the right one."""
    if is_formula(answer):
        return formulas.compare(text, answer, language)
    found = numbers.extract(text, language)
    return found, found is not None and found == numbers.canonical(answer)


def _first_box(text: str, answer: str, language: str) -> bool:
    """Whether the number or formula in the first box is the right one."""
    if is_formula(answer):
        return formulas.compare_first_box(text, answer, language)
    found = numbers.first_boxed(text, language)
    return found is not None and found == numbers.canonical(answer)


def _written(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The columns that all generated answers have, and what is said after all thought."""
    written = frame[[*KEY, "split", "output", "tokens", "finished"]].copy()
    ended = [not is_open(output) for output in frame["output"]]
    written["finished"] = frame["finished"].to_numpy(bool) & np.array(ended, bool)
    return written, [answer_part(output) for output in frame["output"]]


def _languages(spoken: Sequence[str], frame: pd.DataFrame, recogniser: OutputLanguages | None) -> pd.Series:
    """Language of each text; null for items in languages that the recogniser cannot give."""
    told = [
        None if recogniser is None or code in recogniser.unknown else recogniser.of(text)
        for text, code in zip(spoken, frame["language"], strict=True)
    ]
    return pd.Series(told, dtype=object)
