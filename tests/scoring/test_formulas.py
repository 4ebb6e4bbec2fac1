"""Formulas are compared by value."""

import pytest

from polyroute.scoring import formulas


@pytest.mark.parametrize(
    ("text", "answer", "right"),
    [
        (r"Also $\boxed{\frac{2\pi}{6}}$.", r"$\frac{\pi}{3}$", True),
        (r"First $\boxed{1}$? No: $x = 4\sqrt{2}$, so $\boxed{\sqrt{32}}$", r"$4\sqrt{2}$", True),
        (r"$\boxed{[2, 3)}$", r"$[2,3)$", True),
        (r"$\boxed{[2, 3]}$", r"$[2,3)$", False),
        (r"答案是 $\boxed{2+\sqrt{5}}$。", r"$2 + \sqrt{5}$", True),
        (r"\boxed{0.5}", r"$\frac{1}{2}$", True),
        (r"\boxed{-\frac{1}{2}}", r"$\frac{1}{2}$", False),
        ("I do not know.", r"$\frac{1}{2}$", False),
        ("", r"$\frac{1}{2}$", False),
    ],
)
def test_the_boxed_formula_is_held_against_the_right_one(text, answer, right) -> None:
    assert formulas.compare(text, answer)[1] is right


def test_what_is_read_is_told_as_written() -> None:
    assert formulas.compare(r"so $\boxed{\frac{2\pi}{6}}$", r"$\pi$")[0] == r"\frac{2\pi}{6}"
    assert formulas.compare("nothing", r"$\pi$")[0] is None


def test_formulas_stand_between_dollar_signs() -> None:
    assert [formulas.is_formula(text) for text in ("$x$", "$$", "18", "$18", "$a$ or $b$")] == [
        True, False, False, False, True
    ]  # fmt: skip
