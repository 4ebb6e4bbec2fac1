"""The harness's rule on cases by hand; `tests/bench/test_lm_eval_agreement.py` holds it against the package."""

import pytest

from polyroute.scoring.flexible_extract import extract, matches


@pytest.mark.parametrize(
    ("output", "taken"),
    [
        ("The answer is 18.", "18."), ("Answer: $1,234,567", "$1,234,567"), ("-5", "-5"), ("16-9=7 eggs", "7"),
        ("16-95", "-95"), ("7 left", "7"), ("18 dollars in 7 days", "7"), ("18...", "18..."), ("18 ...", "..."),
        ("18 .", "18"), ("$ 18", "18"), ("18$", "18$"), ("80 000", "000"), ("১৮", None), ("７０，０００", None),
        ("", None), ("none.", None), ("none..", ".."),
    ],
)  # fmt: skip
def test_the_last_run_of_digits_and_marks_is_taken(output, taken) -> None:
    assert extract(output) == taken


@pytest.mark.parametrize(
    ("taken", "answer", "right"),
    [
        ("18.", "18", True), ("$1,000", "1000", True), ("1.000", "1000", True), ("18.00", "18", False),
        ("1.8", "18", True), ("-18", "18", True), ("5", "-5", True), ("3.5", "3.5", True), ("..", "18", False),
        (None, "18", False), ("18", "18.5", False),
    ],
)  # fmt: skip
def test_marks_and_signs_do_not_count(taken, answer, right) -> None:
    assert matches(taken, answer) is right
