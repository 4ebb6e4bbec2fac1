r"""Whether the formula that a text gives is the right one, by math-verify, which compares values and not letters.

The formula inside the last `\boxed{...}` counts before any other. `\frac{2\pi}{6}` is `\frac{\pi}{3}`, and intervals,
sets and inequalities are compared as such. What math-verify cannot read or settle within its time limit (5 s) is wrong.
Source: https://github.com/huggingface/Math-Verify (Apache-2.0).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from polyroute.ground.errors import AnswerError

MARK = "$"
"""Stands around a right answer that is a formula."""


def is_formula(answer: str) -> bool:
    """Whether a right answer is a formula and not a plain number."""
    return len(answer) > 2 * len(MARK) and answer.startswith(MARK) and answer.endswith(MARK)


def compare(text: str, answer: str) -> tuple[str | None, bool]:
    """The formula that a text gives, and whether it equals the right one.

    Args:
        text: what a model wrote.
        answer: LaTeX between dollar signs.

    Returns:
        The formula as written; None where there is none.

    Raises:
        AnswerError: math-verify is not installed.
    """
    library, settings = _library()
    found = library.parse(text, extraction_config=settings)
    if not found:
        return None, False
    return str(found[-1]), bool(library.verify(library.parse(answer), found))


@cache
def _library() -> tuple[Any, list[Any]]:
    try:
        import math_verify
    except ImportError:
        raise AnswerError(
            "answers that are formulas are compared by math-verify: install the package `math-verify[antlr4_9_3]`"
        ) from None
    return math_verify, [math_verify.LatexExtractionConfig(boxed_match_priority=0), math_verify.ExprExtractionConfig()]
