r"""Whether the formula that a text gives is the right one, by math-verify, which compares values and not letters.

The formula inside the last `\boxed{...}` counts before any other, but a later line that announces an answer wins over
the box. `\frac{2\pi}{6}` is `\frac{\pi}{3}`, and intervals, sets and inequalities are compared as such; a decimal is
read as the language writes it (0,5 in German) in digits of any script, and 50% is 1/2 as well as 50. What math-verify
cannot read or settle within its time limit (5 s; none outside a program's main thread, where it cannot interrupt
itself) is wrong. Where math-verify is lenient, ours is not:

- it rounds to six decimals, which makes 0.0000001 and 0.0000002 equal: here values differ by less than `CLOSE` of the
  larger one;
- it drops the base of a number: 12_5 and 12_7 are not equal here; a number without base has the right one's;
- it drops words beside a formula: `n \text{ even}` and `n \text{ odd}` are not equal here. Words that the right answer
  has not (units) and words beside a mere number may be left out.

Source: https://github.com/huggingface/Math-Verify (Apache-2.0).
"""

from __future__ import annotations

import math
import re
import threading
from decimal import Decimal
from functools import cache
from typing import Any

from polyroute.artifacts.formula import FORMULA_MARK
from polyroute.ground.errors import AnswerError
from polyroute.languages.table import ENGLISH
from polyroute.scoring import latex, numbers

CLOSE = 1e-5
"""Relative difference below which two values are equal: a fraction and its decimals differ by less."""
_DECIMAL = re.compile(r"([-−–\s$\d.,{}\\!;'’]*\d[\s$\d.,{}\\!;'’]*)(%?)[\s$]*")
"""A number with its separators alone, or a percentage."""
_BASED = re.compile(r"\(?\s*([0-9A-Za-z]+)\s*\)?\s*_\s*\{?\s*\(?\s*(?:\\text\s*\{)?\s*(\d{1,2})\s*\}?\s*\)?\s*\}?")
_TEXT = re.compile(r"\\(?:text|mbox|mathrm|textrm)\s*\{([^{}]*)\}")
_JOINING = {"and", "or", "if", "where", "for", "with", "und", "oder", "y", "o", "et", "ou", "и", "или", "e"}


def compare(text: str, answer: str, language: str = ENGLISH) -> tuple[str | None, bool]:
    """The formula that a text gives, and whether it equals the right one.

    Args:
        text: what a model wrote.
        answer: LaTeX between dollar signs.
        language: FLORES code of the language whose conventions hold.

    Returns:
        The formula as written; None where there is none.

    Raises:
        AnswerError: math-verify or babel is not installed.
    """
    return _compared(*_given(text, language), answer, language)


def compare_first_box(text: str, answer: str, language: str = ENGLISH) -> bool:
    """Whether the formula inside the first box equals the right one; see `compare`."""
    found = latex.boxes(text)
    return bool(found) and _compared(found[0].content, True, answer, language)[1]


def _given(text: str, language: str) -> tuple[str, bool]:
    """What gives the answer, and whether it is a formula by itself and not a text that holds one."""
    found = latex.boxes(text)
    later = numbers.announced_after(text, language, found[-1].end if found else 0)
    if later is not None:
        line = text[later:].split("\n", 1)[0].strip()
        inner = latex.boxes(line)
        if not inner:
            return line, False
        found = inner
    return (found[-1].content, True) if found else (text, False)


def _compared(given: str, alone: bool, answer: str, language: str) -> tuple[str | None, bool]:
    library, settings = _library()
    right = answer[len(FORMULA_MARK) : -len(FORMULA_MARK)]
    value = latex.value(right)
    given = numbers.latin(given)
    number = _DECIMAL.fullmatch(given)
    if value is not None and number:
        told = numbers.extract(number[1], language)
        if not told:
            return None, False
        shares = [Decimal(told) / 100] if number[2] else []
        return given.strip(), any(_is_value(one, value) for one in (Decimal(told), *shares))
    if alone and _bare(given) and _bare(given) == _bare(right):
        return given.strip(), True
    limits = {} if threading.current_thread() is threading.main_thread() else {"parsing_timeout": None}
    found = library.parse(rf"\boxed{{{given}}}" if alone else given, extraction_config=settings, **limits)
    if not found:
        return None, False
    told = given.strip().strip(FORMULA_MARK) if alone else str(found[-1])
    if not _same_base(told, right) or not _same_words(told, right):
        return told, False
    wanted = library.parse(answer, **limits)
    if _BASED.fullmatch(told.strip()) and _BASED.fullmatch(right.strip()):
        return told, True  # by value
    limit = {"timeout_seconds": None} if limits else {}
    return told, bool(library.verify(wanted, found, **limit)) and _close(wanted, found)


def _bare(formula: str) -> str:
    """A formula without blanks and without what marks words; one letter in brackets (the name of a choice) is that."""
    bare = re.sub(r"\s|\\[ ,;:!]|\.$|\$", "", latex.unstyled(latex.without_words(formula)))
    return re.sub(r"^\(([A-Za-z])\)$", r"\1", bare)


def _is_value(told: Decimal, value: Decimal) -> bool:
    """Whether a decimal is a value, or near enough where the value's own decimals have no end."""
    endless = -int(value.as_tuple().exponent) >= latex.PLACES
    return abs(told - value) <= (Decimal(CLOSE) * abs(value) if endless else 0)


def _same_base(given: str, right: str) -> bool:
    """Whether two numbers with a base are the same number; true of all that has none."""
    wanted = _BASED.fullmatch(right.strip())
    if wanted is None:
        return _BASED.fullmatch(given.strip()) is None or not given.strip()[:1].isdecimal()
    told = _BASED.fullmatch(given.strip())
    if told is None:
        return given.strip().lower() == wanted[1].lower()
    try:
        return int(told[1], int(told[2])) == int(wanted[1], int(wanted[2]))
    except ValueError:  # x_1, or a digit that the base does not have
        return told.groups() == wanted.groups()


def _same_words(given: str, right: str) -> bool:
    """Whether the words beside two formulas agree."""
    said, wanted = (
        {word for inner in _TEXT.findall(one) for word in re.findall(r"[^\W\d_]+", inner.lower())} - _JOINING
        for one in (given, right)
    )
    if not wanted:
        return True
    if not said:
        return re.search(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", "", latex.outside_words(right))) is None and bool(
            re.search(r"\d", latex.outside_words(right))
        )
    return bool(said & wanted)


def _close(wanted: list[Any], found: list[Any]) -> bool:
    """Whether two values differ by less than `CLOSE` of the larger one; true of what is no single value."""
    try:
        first, second = (abs(complex(one[0])) for one in (wanted, found))
        apart = abs(complex(wanted[0]) - complex(found[0]))
        if first == second == 0 or math.isinf(first) or math.isinf(second):  # too small or too large for a float
            first, second, apart = (abs(one.evalf()) for one in (wanted[0], found[0], wanted[0] - found[0]))
        return bool(apart <= CLOSE * max(first, second))
    except (TypeError, ValueError, AttributeError, OverflowError):
        return True


@cache
def _library() -> tuple[Any, list[Any]]:
    try:
        import math_verify
    except ImportError:
        raise AnswerError(
            "answers that are formulas are compared by math-verify: install the package `math-verify[antlr4_9_3]`"
        ) from None
    return math_verify, [math_verify.LatexExtractionConfig(boxed_match_priority=0), math_verify.ExprExtractionConfig()]
