r"""LaTeX in answers: boxes, fractions, powers and equations, as far as they are numbers.

math-verify's parser reads formulas; what it builds is worked out here in fractions, since its own evaluation has no
bound (`9^{9^9}`). Roots and constants that are no fractions (`\sqrt{2}`, `\pi`) are no numbers here.
"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any, NamedTuple

from polyroute.ground.errors import AnswerError

PLACES = 12
"""Decimals to which a fraction such as 1/3 is written."""
LONGEST = 200
"""Characters of the longest formula that is worked out."""
_LARGEST = 400
"""Digits of the largest number that is."""
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=[{\d])")
_STYLES = re.compile(
    r"\\(?:math(?:bf|rm|it|sf|tt|bb|cal|normal)|boldsymbol|bm|pmb|boxed|fbox|underline|text(?:bf|color\{\w+\})"
    r"|operatorname)\s*\{"
)
_WORDS = re.compile(r"\\(?:text(?:rm|it|sf|tt|normal|up)?|mbox|hbox|textnormal|mathrm)\s*\{")
_NOTHING = re.compile(r"\\(?:displaystyle|textstyle|left|right|bigl?|bigr?|Bigl?|Bigr?|limits|nolimits)(?![A-Za-z])")
_UNSEEN = re.compile(r"\\(?:[hv]?phantom|[hv]space\*?|color|tag|label|ref|eqref)\s*(?:\[[^\]]*\])?\{[^{}]*\}")
"""Commands whose argument is not read: it is invisible, a length, a colour or a mark."""
_FRACTION = re.compile(r"\\(?:[dtcx]?frac|sfrac|nicefrac)(?![A-Za-z])\s*")
_OVER = re.compile(r"(-?\d+)\s*\\over(?![A-Za-z])\s*(-?\d+)")


_UNBOUNDED = re.compile(r"\^\s*\{[^{}]*\^|\^\s*[+-]?\d+\s*\^|[})]\s*\^|\^\s*\{?\s*[+-]?\d{4,}|\d{3,}\s*!|[!)}]\s*!")
"""Towers of powers, long exponents and large factorials: the parser works some of them out while it reads."""
_KNOWN = re.compile(r"\\(?:times|cdot|div|d?frac|left|right|sqrt)")


class Box(NamedTuple):
    """A `\\boxed{...}`: where it stands and what it holds."""

    start: int
    end: int
    content: str
    inside: int
    """Where the content begins."""


def boxes(text: str) -> list[Box]:
    """Every box of a text that is closed, the outermost of nested ones."""
    found: list[Box] = []
    for mark in _BOX.finditer(text):
        if found and mark.start() < found[-1].end:
            continue
        if text[mark.end()] != "{":
            digits = re.compile(r"\d+").match(text, mark.end())
            assert digits is not None, "a digit follows"
            found.append(Box(mark.start(), digits.end(), digits.group(), mark.end()))
            continue
        close = closing(text, mark.end())
        if close is not None:
            found.append(Box(mark.start(), close + 1, text[mark.end() + 1 : close], mark.end() + 1))
    return found


def closing(text: str, opening: int) -> int | None:
    """Where the brace that opens at a place is closed; None where it never is."""
    depth = 0
    for place in re.compile(r"\\?[{}]").finditer(text, opening):
        if place.group() == "{":
            depth += 1
        elif place.group() == "}":
            depth -= 1
            if depth == 0:
                return place.start()
    return None


def unstyled(content: str) -> str:
    r"""Without what only styles (`\mathbf{...}`, `\left`); what it holds stays."""
    content = _NOTHING.sub("", _UNSEEN.sub(" ", content))
    return _unwrapped(content, _STYLES, "")


def without_words(content: str) -> str:
    r"""Without the digits inside `\text{...}`, where there are others; the words stay."""
    outside = _dropped(content, _WORDS)
    if not re.search(r"\d", outside):
        return _unwrapped(content, _WORDS, " ")
    return _unwrapped(content, _WORDS, " ", digits=False)


def outside_words(content: str) -> str:
    r"""What stands outside `\text{...}`."""
    return _dropped(content, _WORDS)


def plain_fractions(text: str) -> str:
    r"""A text with its LaTeX fractions written with a slash: `2\frac{1}{2}` is `2 1/2`, `\frac{-3}{4}` is `-3/4`."""
    text = _OVER.sub(lambda match: _slashed(int(match[1]), int(match[2])) or match.group(), text)
    told: list[str] = []
    done = 0
    for mark in _FRACTION.finditer(text):
        if mark.start() < done:
            continue
        above = _argument(text, mark.end())
        below = above and _argument(text, above[1])
        if not above or not below:
            continue
        value = _quotient(*(without_words(unstyled(part[0])) for part in (above, below)))
        if value is None:
            continue
        written = _slashed(value.numerator, value.denominator) if abs(value.denominator) < 10**9 else None
        if written is None:
            continue
        before = text[done : mark.start()]
        if written.startswith("-") and before.rstrip().endswith("-"):
            before, written = before.rstrip()[:-1], written[1:]
        joint = " " if before[-1:].isdecimal() else ""
        told += [before, joint, written]
        done = below[1]
    return "".join([*told, text[done:]])


@lru_cache(4096)
def value(formula: str) -> Decimal | None:
    """What a formula of numbers alone comes to; None where it is no number.

    Args:
        formula: LaTeX, numbers as plain decimals.

    Returns:
        To `PLACES` decimals.

    Raises:
        AnswerError: math-verify is not installed.
    """
    if len(formula) > LONGEST:
        return None
    found = _worked_out(_parsed(formula))
    return None if found is None else decimal(found)


def decimal(number: Fraction) -> Decimal:
    """A fraction to `PLACES` decimals, a whole number exactly."""
    if number.denominator == 1:
        return Decimal(number.numerator)
    with localcontext() as context:
        context.prec = _LARGEST + 20
        return round(Decimal(number.numerator) / Decimal(number.denominator), PLACES)


def _quotient(above: str, below: str) -> Fraction | None:
    whole = [re.fullmatch(r"\s*([+-]?)\s*(\d{1,30})\s*", part) for part in (above, below)]
    parts: list[Fraction | None]
    if all(whole):
        parts = [Fraction(f"{match[1]}{match[2]}") for match in whole if match]
    elif len(above) + len(below) > LONGEST or re.search(r"[A-Za-z]", _KNOWN.sub("", above + below)):
        return None
    else:
        parts = [_worked_out(_parsed(part)) for part in (above, below)]
    top, bottom = parts
    return None if top is None or not bottom else top / bottom


def _slashed(above: int, below: int) -> str | None:
    if below == 0:
        return None
    sign = "-" if (above < 0) != (below < 0) and above else ""
    return f"{sign}{abs(above)}/{abs(below)}"


def _argument(text: str, place: int) -> tuple[str, int] | None:
    """A command's argument (one in braces, or the next digit) and where it ends."""
    while text[place : place + 1].isspace():
        place += 1
    if text[place : place + 1] == "{":
        close = closing(text, place)
        return None if close is None else (text[place + 1 : close], close + 1)
    return (text[place], place + 1) if text[place : place + 1].isdecimal() else None


def _unwrapped(content: str, command: re.Pattern[str], edge: str, *, digits: bool = True) -> str:
    while mark := command.search(content):
        close = closing(content, mark.end() - 1)
        if close is None:
            return content[: mark.start()] + edge + content[mark.end() :]
        inner = content[mark.end() : close]
        if not digits:
            inner = re.sub(r"\d[\d.,]*", " ", inner)
        content = content[: mark.start()] + edge + inner + edge + content[close + 1 :]
    return content


def _dropped(content: str, command: re.Pattern[str]) -> str:
    while mark := command.search(content):
        close = closing(content, mark.end() - 1)
        content = content[: mark.start()] + " " + ("" if close is None else content[close + 1 :])
    return content


def _parsed(formula: str) -> Any:
    if _UNBOUNDED.search(formula):
        return None
    parse, normalise, config = _library()
    try:
        return parse(normalise(formula, config))
    except Exception:  # noqa: BLE001 - the parser raises plain exceptions at whatever it cannot read
        return None


def _worked_out(tree: Any) -> Fraction | None:
    """A parsed formula in fractions; None where it is none, or too large."""
    name = type(tree).__name__
    if tree is None or not hasattr(tree, "args"):
        return None
    if getattr(tree, "is_Rational", False):
        return Fraction(int(tree.p), int(tree.q))
    if getattr(tree, "is_Float", False):
        return Fraction(str(tree))
    parts = [_worked_out(part) for part in tree.args]
    if not parts or any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    if name == "Add":
        return sum(known, Fraction(0))
    if name == "Mul":
        product = Fraction(1)
        for part in known:
            product *= part
            if _digits(product) > _LARGEST:
                return None
        return product
    if name == "Pow" and len(known) == 2:
        return power(*known)
    if name in ("UnevaluatedExpr", "Abs") and len(known) == 1:
        return abs(known[0]) if name == "Abs" else known[0]
    if name == "factorial" and known[0].denominator == 1 and 0 <= known[0] <= 100:
        product = Fraction(1)
        for factor in range(2, int(known[0]) + 1):
            product *= factor
        return product
    return None


def power(base: Fraction, exponent: Fraction) -> Fraction | None:
    """A power that is a fraction; None where it is none or has more than some 400 digits."""
    if base == 0:
        return Fraction(0) if exponent > 0 else None
    if exponent.denominator == 1:
        if _digits(base) * abs(exponent) > _LARGEST + abs(exponent):
            return None
        return base ** int(exponent)
    if base > 0 and exponent.denominator <= 10:
        roots = [_root(part, exponent.denominator) for part in (base.numerator, base.denominator)]
        if all(root is not None for root in roots):
            return power(Fraction(roots[0] or 0, roots[1] or 1), Fraction(exponent.numerator))
    return None


def _root(number: int, degree: int) -> int | None:
    """The whole root of a number; None where it has none."""
    if number > 10**_LARGEST:
        return None
    low, high = 0, 1 << (number.bit_length() // degree + 1)
    while low < high:
        middle = (low + high + 1) // 2
        if middle**degree <= number:
            low = middle
        else:
            high = middle - 1
    return low if low**degree == number else None


def _digits(number: Fraction) -> int:
    return max(len(str(abs(number.numerator))), len(str(number.denominator)))


@cache
def _library() -> tuple[Any, Any, Any]:
    try:
        from latex2sympy2_extended.latex2sympy2 import NormalizationConfig, latex2sympy, normalize_latex
    except ImportError:
        raise AnswerError(
            "LaTeX in answers is read by math-verify: install the package `math-verify[antlr4_9_3]`"
        ) from None
    config = NormalizationConfig(
        basic_latex=True, units=True, malformed_operators=True, nits=True, boxed="none", equations=False
    )
    return latex2sympy, normalize_latex, config
