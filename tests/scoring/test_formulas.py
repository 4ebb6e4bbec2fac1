"""Formulas are compared by value."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from polyroute.artifacts.formula import is_formula
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


@pytest.mark.parametrize(
    ("language", "text", "answer", "right"),
    [
        # The last box, and the answer that a later line announces.
        ("eng_Latn", r"First \boxed{\frac{\pi}{4}}. No, it is \boxed{\frac{\pi}{3}}.", r"$\frac{\pi}{3}$", True),
        ("deu_Latn", "\\boxed{\\frac{\\pi}{4}}\nAntwort: $\\frac{\\pi}{3}$", r"$\frac{\pi}{3}$", True),
        ("eng_Latn", "\\boxed{\\frac{\\pi}{3}}\nI hope the answer helps", r"$\frac{\pi}{3}$", True),
        # Decimals as the language writes them.
        ("deu_Latn", r"\boxed{0,5}", r"$\frac{1}{2}$", True),
        ("eng_Latn", r"\boxed{0.3333333}", r"$\frac{1}{3}$", True),
        ("eng_Latn", r"\boxed{0.333}", r"$\frac{1}{3}$", False),
        ("arb_Arab", r"\boxed{٠٫٥}", r"$\frac{1}{2}$", True),
        ("arb_Arab", r"\boxed{\frac{١}{٢}}", r"$\frac{1}{2}$", True),
        ("eng_Latn", r"\boxed{50\%}", r"$\frac{1}{2}$", True),
        ("eng_Latn", r"\boxed{5\%}", r"$\frac{1}{2}$", False),
        # What is the same to the letter.
        ("eng_Latn", r"\boxed{\text{k odd}}", r"$k \text{ odd}$", True),
        ("eng_Latn", r"\boxed{even}", r"$\text{even}$", True),
        ("eng_Latn", r"\boxed{A}", r"$\text{(A)}$", True),
        ("eng_Latn", r"\boxed{B}", r"$\text{(A)}$", False),
        # Values that a float does not hold.
        ("eng_Latn", r"\boxed{\frac{1}{2006!}}", r"$\frac{1}{2004!}$", False),
        ("eng_Latn", r"\boxed{\frac{1}{2004!}}", r"$\frac{1}{2004!}$", True),
        ("eng_Latn", r"\boxed{10^{401}}", r"$10^{400}$", False),
        ("eng_Latn", r"\boxed{10^{400}}", r"$10^{400}$", True),
        # Values near zero.
        ("eng_Latn", r"\boxed{0.0000002}", r"$0.0000001$", False),
        ("eng_Latn", r"\boxed{0}", r"$10^{-7}$", False),
        ("eng_Latn", r"\boxed{0.0000006}", r"$\frac{\pi}{10000000}$", False),
        ("eng_Latn", r"\boxed{0.00000031416}", r"$\frac{\pi}{10000000}$", True),
        # Bases.
        ("eng_Latn", r"\boxed{1011_2}", r"$1011_2$", True),
        ("eng_Latn", r"\boxed{1011_3}", r"$1011_2$", False),
        ("eng_Latn", r"\boxed{13_8}", r"$1011_2$", True),
        ("eng_Latn", r"\boxed{1011}", r"$1011_2$", True),
        # Words.
        ("eng_Latn", r"\boxed{n \text{ odd}}", r"$n \text{ even}$", False),
        ("eng_Latn", r"\boxed{n}", r"$n \text{ even}$", False),
        ("eng_Latn", r"\boxed{3}", r"$3\text{ apples}$", True),
        ("eng_Latn", r"\boxed{\frac{\pi}{3}\text{ square units}}", r"$\frac{\pi}{3}$", True),
    ],
)
def test_where_math_verify_is_lenient_we_are_not(language, text, answer, right) -> None:
    assert formulas.compare(text, answer, language)[1] is right


def test_formulas_are_compared_in_any_thread() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(formulas.compare, r"\boxed{\frac{2\pi}{6}}", r"$\frac{\pi}{3}$").result()[1]


def test_the_first_box_is_compared_by_paper_2() -> None:
    text = r"\boxed{\frac{\pi}{4}}, no: \boxed{\frac{\pi}{3}}"
    assert formulas.compare_first_box(text, r"$\frac{\pi}{4}$")
    assert not formulas.compare_first_box(text, r"$\frac{\pi}{3}$")
    assert not formulas.compare_first_box("no box", r"$\pi$")


def test_what_is_read_is_told_as_written() -> None:
    assert formulas.compare(r"so $\boxed{\frac{2\pi}{6}}$", r"$\pi$")[0] == r"\frac{2\pi}{6}"
    assert formulas.compare("nothing", r"$\pi$")[0] is None


def test_formulas_stand_between_dollar_signs() -> None:
    assert [is_formula(text) for text in ("$x$", "$$", "18", "$18", "$a$ or $b$")] == [
        True, False, False, False, True
    ]  # fmt: skip
