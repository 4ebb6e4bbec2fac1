r"""The number that an answer gives, read in the conventions of the answer's language (`conventions`).

Which number counts:

1. the one inside the last `\boxed{...}` that holds any: the last side of an equation that is a number by itself, or
   what a calculation comes to, or else the first number outside `\text{...}`. `\sqrt{2}` is no number;
2. but the number that a later answer word announces wins over the box: the text takes its box back;
3. without a box, the number that follows the last answer word (English ones count in every language, and so does
   `####`) with nothing between but blanks, marks, currencies and words such as "is", unless it numbers a list; if it
   begins a calculation, the one after its last equals sign. A word that is a verb or a plural as well ("answers 20
   questions") announces only before a colon or a word such as "is"; "each answer" and "5 answers" announce nothing;
4. else the last number of the text.

How a number is read: digits of any script are digits. Blanks and apostrophes before three digits divide thousands
(1 234,5; 80'000). Point and comma:

- if both occur, the last kind is the decimal mark and the other divides thousands: 1.234,5 and 1,234.5;
- a mark that occurs several times divides thousands, in threes or as in India: 1.234.567 and 1,14,200;
- a mark before any number of digits but three is the decimal mark: 18,5 and 0.25;
- a single mark before exactly three digits is ambiguous. The other numbers of the text decide, if they show one
  convention only, else the language: 1.234 is 1234 in German and 1.234 in English. Spanish, written both ways, takes
  both marks for thousands. A comma before 000 always divides thousands: nobody writes a decimal fraction so, and
  models write English numbers in other languages.

After an English answer word English is the language, whatever was asked for.

What looks like neither (12.5.2024, 1,2,3) is several numbers. A digit that ends a word (CO2, x_1) is none. A minus sign
or a dash counts where it touches the number or its currency and nothing stands before it to be subtracted from, minus
in words likewise; with a blank between only where a box, a bracket or an equals sign opens before it.

Words for large numbers multiply the number before them, in Swahili the one after too (70 тысяч, 5千万,
elfu 70), and smaller parts are added (2 millones 500 mil). 千克 is a kilogram. Numbers in e-notation (1.2e6) and
powers (3 × 10^4) are worked out; two numbers with a slash are a fraction, with a number before them a mixed
one (2 1/2, 3¼, 2\frac{1}{2}).
In Chinese and Japanese, numerals in characters are read right after the answer word and nowhere else, since the
characters occur in other words. Numbers in words (eighteen) are not read.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from polyroute.languages.table import ENGLISH
from polyroute.scoring import latex
from polyroute.scoring.conventions import BLANK, HAN, HUNDREDS, MYRIADS, OTHER_WORDS, Convention, any_of, convention

_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_DIGITS = {code: str(unicodedata.decimal(chr(code))) for code in range(0x80, 0x20000) if chr(code).isdecimal()}
_QUARTERS = {
    chr(code): told.replace("\u2044", "/")
    for code in (*range(0xBC, 0xBF), *range(0x2150, 0x215F), 0x2189)
    if (told := unicodedata.normalize("NFKC", chr(code)))
}
"""Fractions of one character, such as ¼."""
_QUARTER = re.compile(rf"(\d?)([{''.join(_QUARTERS)}])")
_MARKS = str.maketrans(
    {"−": "-", "－": "-", "﹣": "-", "➖": "-", "‐": "-", "‑": "-", "‒": "–", "٫": ".", "．": ".", "＝": "=", "／": "/",
     "⁄": "/", "∕": "/", "＄": "$", "％": "%", "＋": "+"}
    | dict.fromkeys("\u200b\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2060", "")
)  # fmt: skip
_ENDLESS = re.compile(r"(?<=\d)([.,]\d{0,9})(?:\\(?:overline|dot|bar)\s*\{(\d{1,9})\}|(?<=[.,])\((\d{1,9})\))")
"""Decimals that repeat without end; 2.5(4) is a product."""
_RAISED = re.compile("[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_MARKUP = (
    (re.compile(r"\\!"), ""),
    (re.compile(r"(?<=\d)\{([.,])\}(?=\d)"), r"\1"),
    (re.compile(r"(?<=\d)_(?=\d{3}(?!\d))"), ""),
    (re.compile(r"(?<=\d)/[=-](?![\w-])"), ""),
    (re.compile(r"百分之\s*(?=[\d-])"), ""),
    (re.compile(r"(\d+)\s*(?:分[之の]|분의)\s*(\d+)"), r"\2/\1"),
    (re.compile(r"(?<=\d)٬(?=\d)"), ""),
    (re.compile(r"(?<=\d)，(?=\d{3})"), ","),
    (re.compile(r"(?<=\d)(?:\\[,;!: ]|~)(?=\d)"), "\u202f"),
    (re.compile(r"\\[,;!: ]|~"), " "),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), "×"),
    (re.compile(r"\\div(?![A-Za-z])"), "÷"),
)
"""LaTeX; what only divides thousands between digits (`{,}`, `\\,`, Arabic and full-width commas, underscores); the end
of a price (500/=); fractions that name the denominator first (3分の2)."""
_DIVIDERS = " \u00a0\u2007\u2009\u202f'’"
"""Blanks and apostrophes that divide thousands."""
_GROUPED = rf"[1-9]\d{{0,2}}(?:[{_DIVIDERS}]\d{{3}})+(?!\d)(?:[.,]\d+)?"
# Exponents are not numbers of their own, and a number does not begin inside another.
_NUMBER = re.compile(rf"(?<![\d^])(?<!\^\{{)(?:{_GROUPED}|\d+(?:[.,]\d+)*|(?<![\w.])\.\d+)")
_INDEX = re.compile(r"(?:(?:[^\W_]|[)\]}$])_\{?|\^\{?\s*[+-]?\s*)$")
"""What stands before an index or an exponent (x_1, CO$_2$, m^{-2})."""
_SPELT = re.compile(r"(\\?)([A-Za-zÀ-ɏͰ-ϿЀ-ӿḀ-ỿ]+)$")
"""Letters before a number that are part of its word, in scripts that put blanks between words."""
_E = re.compile(r"[eE]([+-]?\d{1,3})(?!\w)")
_EXPONENT = r"(?:\s?\^\s?(?:\{\s*([+-]?\s?\d{1,3})\s*\}|([+-]?\d{1,3}))|\*\*([+-]?\d{1,3}))(?!\d)"
_POWER = re.compile(_EXPONENT)
_TIMES_TEN = re.compile(rf"\s?[×xX*·⋅∙]\s?10{_EXPONENT}")
_ENGLISH_WORDS = (r"\banswers?\b", r"^####(?=[^\w\n]*\d[\d., ]*[^\w\n]*$)")
"""The English answer words, and the mark of GSM8K's answers, which are the whole line: headings have it too."""
_ENGLISH_PLURAL, _ENGLISH_VERB = (r"\banswers\b",), (r"\banswer\b",)
_NUMERALS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "両": 2}
_MIXED = "&|と|又|와|과"
"""What joins a whole number and a fraction, besides the word for `and`."""
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = re.compile(f"[{''.join([*_NUMERALS, *_UNITS, *MYRIADS])}]+")
_CHARACTERS = re.compile(f"({_NUMERAL.pattern})(?:分[之の]({_NUMERAL.pattern})|点([{''.join(_NUMERALS)}]+))?")
"""A number in characters: whole, a fraction or percentage (四分之三, 百分之二十), or with decimals (三点五)."""
_HAN_UNIT = re.compile(rf"{BLANK}?(?:({any_of(HUNDREDS, OTHER_WORDS)})|({any_of(MYRIADS, OTHER_WORDS)}))")
_NOT_ALONE = re.compile(
    r"\\(?:[dtcx]?frac|pi|sqrt|log|ln|sin|cos|tan|sum|int|infty|binom|theta|alpha|beta)(?![A-Za-z])"
)
"""Commands with which a number is not the whole of a formula."""
_OPERATOR = re.compile(r"[×÷*/+^!·⋅]|(?<=[\d)}])\s*-|\\sqrt|\\d?frac|(?<=\))\s*\(")
_MORE = re.compile(rf"({BLANK}?)(\d+(?:,\d{{3}})*(?:\.\d+)?)")
_EQUALS = re.compile(r"=|≈|\\(?:approx|equiv|Rightarrow|implies|to|sim|simeq|cong)(?![A-Za-z])|→|⇒")
_NUMBERED = re.compile(r"\b(?:question|problem|part|step|exercise|item)\s*#?\s*$", re.IGNORECASE)
_COUNTED = re.compile(r"\d[\d.,]*\s+(?:[^\W\d_]+\s+){0,2}$")
"""What stands before answers that are counted."""
_CLASSIFIED = re.compile(r"\d\s*(?:[个道個問题題つ개]|ข้อ)\S{0,6}?\s*(?:[^\W\d_]+\s*)?$")
"""The same where a classifier follows the count."""
_OPENED = re.compile(r"(?:[{(\[=≈]\s*[-–]|[:：] ?-)[ \u00a0]+$")
"""A sign with a blank behind it that has nothing to be subtracted from."""
_WORD = re.compile(r"(?<![A-Za-z\\])[A-Za-z]{2,}(?![A-Za-z])")


@dataclass(frozen=True)
class _Number:
    start: int
    end: int
    value: Decimal
    scaled: int = 0
    """Factor of its words for large numbers, below which the next number belongs to it; 0 where it has none."""
    whole: bool = False
    """Whether it is a whole number without factor, which a fraction may follow."""


@dataclass(frozen=True)
class _Announced:
    start: int
    """Where its number begins."""
    word: str
    value: Decimal


@dataclass(frozen=True)
class _Boxed:
    start: int
    end: int
    value: Decimal | None
    """None where it holds a formula that is no number."""


def extract(text: str, language: str) -> str | None:
    """The number that a text gives as its answer.

    Args:
        text: what a model wrote.
        language: FLORES code of the language whose conventions hold; those without words of their own have no answer
            word but the English one.

    Returns:
        A plain decimal such as `-18.5`, without zeros at the end of its fraction; None where there is no number.

    Raises:
        AnswerError: babel or math-verify is not installed.
    """
    return _extract(plain(text), language)


def first_boxed(text: str, language: str) -> str | None:
    r"""The number inside the first `\boxed{...}`, by which paper 2 scores (arXiv 2601.14050, its release).

    Args:
        text: what a model wrote.
        language: FLORES code of the language whose conventions hold.

    Returns:
        As `extract`; None where there is no box or no number in the first.
    """
    text = plain(text)
    found = _boxed(convention(language), language, latex.boxes(text)[:1])
    return None if found is None or found.value is None else canonical(found.value)


def announced_after(text: str, language: str, place: int) -> int | None:
    """Where the last announced answer behind a place begins; None where none is announced there.

    Args:
        text: what a model wrote.
        language: FLORES code.
        place: in the text.
    """
    rules = convention(language)
    for mark in _marks(text, rules):
        if mark.start() < place:
            break
        opening = rules.gap.match(text, mark.end())
        said = rules.said.search(opening.group()) if opening else None
        if opening and said and _announces(text, mark, opening.group(), rules):
            return opening.start() + said.end()
    return None


def canonical(value: Decimal | str) -> str:
    """A number as a plain decimal: no exponent, no zeros at the end of a fraction, no minus before zero.

    Raises:
        ValueError: a text that is no plain decimal, as `18`, `-18` or `18.00` are.
    """
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        raise ValueError(f"`{value}` is no plain decimal")
    told = format(Decimal(value), "f")
    if "." in told:
        told = told.rstrip("0").rstrip(".")
    return "0" if told in ("-0", "0") else told


def latin(text: str) -> str:
    """A text with Latin digits and ASCII signs in place of others of their kind, without marks of direction."""
    return unicodedata.normalize("NFC", text).translate(_MARKS).translate(_DIGITS)


def plain(text: str) -> str:
    """A text with the digits, signs and LaTeX that are read: others written as these, without marks of direction."""
    text = unicodedata.normalize("NFC", text).translate(_MARKS)
    text = _RAISED.sub(lambda raised: f"^{{{raised.group().translate(_LOWERED)}}}", text)
    text = _QUARTER.sub(lambda one: f"{one[1]} {_QUARTERS[one[2]]}" if one[1] else _QUARTERS[one[2]], text)
    text = _ENDLESS.sub(
        lambda one: one[1] + ((one[2] or one[3]) * latex.PLACES)[: latex.PLACES], text.translate(_DIGITS)
    )
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return latex.plain_fractions(text) if "\\" in text else text


def _extract(text: str, language: str) -> str | None:
    rules = convention(language)
    numbers = _numbers(text, rules, language)
    box = _boxed(rules, language, latex.boxes(text)[::-1])
    found = _announced(text, numbers, rules, language)
    if box is not None and (found is None or found.start < box.end):
        return None if box.value is None else canonical(box.value)
    if found is None:
        return canonical(numbers[-1].value) if numbers else None
    if language != ENGLISH and re.fullmatch(_ENGLISH_WORDS[0], found.word, re.IGNORECASE):
        return _extract(text, ENGLISH)
    return canonical(found.value)


def _boxed(rules: Convention, language: str, boxes: Sequence[latex.Box]) -> _Boxed | None:
    """What the first of these boxes that holds digits gives."""
    for box in boxes:
        content = latex.without_words(latex.unstyled(box.content))
        content = re.sub("[ \u00a0]{2,}", " ", content)
        content = re.sub(r"^[\s$({]*[-–]\s+(?=[\d.$])", "-", content)
        sides = [side for side in _EQUALS.split(content) if re.search(r"\d", side)]
        read = [found for side in sides if (found := _side(side, rules, language))]
        if not sides or not (read or any(_NOT_ALONE.search(side) for side in sides)):
            continue
        alone = [value for value, bare in read if bare]
        return _Boxed(box.start, box.end, alone[-1] if alone else read[-1][0] if read else None)
    return None


def _side(side: str, rules: Convention, language: str) -> tuple[Decimal, bool] | None:
    """The value of one side of an equation, and whether it is a number by itself; None where it is no number."""
    numbers = _numbers(side, rules, language)
    if not numbers:
        return None
    formula = bool(_NOT_ALONE.search(side))
    between = side[numbers[0].end : numbers[1].start] if len(numbers) > 1 else ""
    factorial = re.match(r"\s?!", side[numbers[0].end :])
    if not formula and not factorial and not _OPERATOR.search(between):
        return numbers[0].value, True
    pieces, done = [], 0
    for number in numbers:
        value = canonical(number.value)
        pieces += [_WORD.sub(" ", side[done : number.start]), f"({value})" if number.value < 0 else value]
        done = number.end
    pieces.append(_WORD.sub(" ", side[done:]))
    value_ = latex.value(
        re.sub(r"[$€£%]|(?<=\s)[-–]?\s*$", "", "".join(pieces)).replace("×", r"\times ").replace("÷", r"\div ")
    )
    if value_ is not None:
        return value_, False
    return None if formula else (numbers[-1].value, False)


def _numbers(text: str, rules: Convention, language: str) -> list[_Number]:
    """Every number of a text, in its order."""
    found = [match for match in _NUMBER.finditer(text) if not _part_of_a_word(text, match.start(), rules)]
    thousands = _thousands([match.group() for match in found], rules)
    numbers: list[_Number] = []
    done = 0
    for match in found:
        if match.start() < done:
            continue
        pieces = _values(match.group(), thousands)
        if len(pieces) > 1:
            numbers += [_Number(match.start(), match.end(), piece) for piece in pieces]
            continue
        number = _read(text, match, pieces[0], rules, language)
        done = number.end
        _append(text, numbers, number, rules)
    return numbers


def _read(text: str, match: re.Match[str], value: Decimal, rules: Convention, language: str) -> _Number:
    """A number with its exponent, its words for large numbers and its sign."""
    start, end = match.span()
    whole = value == value.to_integral_value() and match.group().isdecimal()
    value, end = _raised(text, start, value, end)
    factor = 1
    if language in HAN:
        value, end, factor = _with_characters(text, value, end)
    elif (before := _scale_before(text, start, rules)) is not None:
        factor, start = before
        value *= factor
    else:
        factor, end = _scale_after(text, end, rules)
        value *= factor
    whole = whole and end == match.end() and start == match.start()
    signed = _signed(text, start, rules)
    return _Number(signed, end, -value if signed < start else value, factor if factor > 1 else 0, whole)


def _append(text: str, numbers: list[_Number], number: _Number, rules: Convention) -> None:
    """Put a number behind the others, or into the last one that it is a part of."""
    before = numbers[-1] if numbers else None
    between = text[before.end : number.start] if before is not None else ""
    if before is None:
        numbers.append(number)
    elif before.scaled and 0 <= number.value < before.scaled and _belongs(between, number, rules):
        sum_ = before.value + (number.value if before.value >= 0 else -number.value)
        numbers[-1] = _Number(before.start, number.end, sum_, number.scaled)
    elif number.value and re.fullmatch(r" ?/ ?", between):
        quotient = latex.decimal(Fraction(before.value) / Fraction(number.value))
        numbers[-1] = _Number(before.start, number.end, quotient)
        whole = numbers[-2] if len(numbers) > 1 else None
        if whole is None or not (whole.whole and before.whole and number.whole and 0 < before.value < number.value):
            return
        if re.fullmatch(rf"{BLANK}|{BLANK}?(?:{rules.joins}|{_MIXED}){BLANK}?", text[whole.end : before.start]):
            mixed = (
                whole.value - quotient
                if text[whole.start : whole.end].startswith(("-", "–"))
                else whole.value + quotient
            )
            numbers[-2:] = [_Number(whole.start, number.end, mixed)]
    else:
        numbers.append(number)


def _belongs(between: str, number: _Number, rules: Convention) -> bool:
    """Whether a number is a smaller part of the one before (2 million 500 thousand)."""
    return bool(
        re.fullmatch(rf"{BLANK}*" if not number.scaled else rf"{BLANK}*(?:(?:{rules.joins}){BLANK}*)?", between)
    )


def _part_of_a_word(text: str, start: int, rules: Convention) -> bool:
    """Whether a digit only ends a word (CO2), or is an index or an exponent."""
    if text[start - 1 : start] in " \n:=($*":
        return False  # nearly always
    window = text[max(0, start - 24) : start]
    if _INDEX.search(window):
        return True
    spelt = _SPELT.search(window)
    if spelt is None or spelt[1] or rules.currency.search(window):
        return False
    return not (spelt[2] in "xX" and window[: spelt.start()].rstrip()[-1:].isdecimal())


def _raised(text: str, start: int, value: Decimal, end: int) -> tuple[Decimal, int]:
    """A number with its exponent, and where that ends."""
    if exponent := _E.match(text, end):
        return _scaled(value, int(exponent[1])), exponent.end()
    bold = text[max(0, start - 2) : start] == "**"
    if (exponent := _POWER.match(text, end)) and not (bold and exponent[3]):
        power = latex.power(Fraction(value), Fraction(int(_exponent(exponent))))
        return (value, end) if power is None else (latex.decimal(power), exponent.end())
    if exponent := _TIMES_TEN.match(text, end):
        return _scaled(value, int(_exponent(exponent))), exponent.end()
    return value, end


def _exponent(match: re.Match[str]) -> str:
    return next(one for one in match.groups() if one is not None).replace(" ", "")


def _scaled(value: Decimal, power: int) -> Decimal:
    sign, digits, exponent = value.as_tuple()
    return Decimal((sign, digits, int(exponent) + power))


def _scale_before(text: str, start: int, rules: Convention) -> tuple[int, int] | None:
    """Factor of the word for a large number before the digits, and where it begins (elfu 70)."""
    factor, place = 1, start
    while rules.before_pattern and (word := rules.before_pattern.search(text[max(0, place - 24) : place])):
        factor *= rules.before[word[1].lower()]
        place -= len(word.group())
    return None if factor == 1 else (factor, place)


def _scale_after(text: str, end: int, rules: Convention) -> tuple[int, int]:
    """Factor of the words for large numbers that follow, and where they end (2 mil millones)."""
    factor = 1
    words = rules.after | rules.before
    while rules.after_pattern and (word := rules.after_pattern.match(text, end)):
        if rules.before and re.match(rf"{BLANK}?\d", text[word.end() : word.end() + 2]):
            break  # it belongs to the next number
        factor *= words[word[1].lower()]
        end = word.end()
    return factor, end


def _with_characters(text: str, value: Decimal, end: int) -> tuple[Decimal, int, int]:
    """Digits and characters as one numeral (3千5百万), where it ends, and its last factor."""
    total, part = Decimal(0), Decimal(0)
    current: Decimal | None = value
    last = 1
    while True:
        if unit := _HAN_UNIT.match(text, end):
            if unit[1]:
                last = HUNDREDS[unit[1]]
                part += (1 if current is None else current) * last
            else:
                last = MYRIADS[unit[2]]
                if current is None and not part:
                    total *= last
                else:
                    total, part = total + (part + (current or 0)) * last, Decimal(0)
            current, end = None, unit.end()
            continue
        more = _MORE.match(text, end) if current is None else None
        if more is None:
            break
        digits = Decimal(more[2].replace(",", ""))
        if digits >= last or (more[1] and not _HAN_UNIT.match(text, more.end())):
            break
        current, end = digits, more.end()
    return total + part + (current or 0), end, last


def _thousands(bodies: list[str], rules: Convention) -> str:
    """The marks that divide thousands in this text: as its unambiguous numbers show, else as the language has it."""
    point = any(re.fullmatch(r"\d+\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}", body)
                for body in bodies)  # fmt: skip
    comma = any(re.fullmatch(r"\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}", body)
                for body in bodies)  # fmt: skip
    if point != comma:
        return "," if point else "."
    return rules.thousands


def _values(body: str, thousands: str) -> list[Decimal]:
    """A number as written, or several where it looks like none."""
    joined = re.sub(f"[{_DIVIDERS}]", "", body)
    marks = re.findall("[.,]", joined)
    if not marks:
        return [Decimal(joined)]
    if joined != body or joined.startswith("."):  # thousands are divided by blanks, or there are none
        return [Decimal(joined.replace(",", "."))]
    whole, _, rest = joined.rpartition(marks[-1])
    if len(marks) == 1:
        threes = len(rest) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
        if threes and (marks[0] in thousands or (marks[0] == "," and rest == "000")):
            return [Decimal(whole + rest)]
        return [Decimal(f"{whole}.{rest}")]
    if len(set(marks)) == 1 and _is_divided(joined, marks[0]):
        return [Decimal(joined.replace(marks[0], ""))]
    if len(set(marks)) == 2 and marks.count(marks[-1]) == 1 and _is_divided(whole, marks[0]):
        return [Decimal(f"{whole.replace(marks[0], '')}.{rest}")]
    return [Decimal(piece) for piece in re.split("[.,]", joined)]


def _is_divided(body: str, mark: str) -> bool:
    """Whether a mark divides digits in threes, or a comma as in India."""
    mark_ = re.escape(mark)
    threes = re.fullmatch(rf"[1-9]\d{{0,2}}(?:{mark_}\d{{3}})+", body)
    indian = mark == "," and re.fullmatch(r"[1-9]\d?(?:,\d{2})+,\d{3}", body)
    return bool(threes or indian)


def _signed(text: str, start: int, rules: Convention) -> int:
    """Where the number begins with its minus sign; `start` where it has none."""
    place = start
    while place and unicodedata.category(text[place - 1]) == "Sc":
        place -= 1
    lettered = text[max(0, start - 3) : start].rstrip(". \u00a0\u202f")[-1:]
    lettered = lettered if unicodedata.category(lettered or " ")[0] in "LM" else ""
    if place == start and lettered and (currency := rules.currency.search(text[max(0, start - 12) : start])):
        place -= len(currency.group())
    window = text[max(0, place - 32) : place]
    if window[-1:] in ("-", "–"):
        before = window[:-1]
        if _is_spelt(before[-1:]) or _is_subtracted(before):
            return start
        return place - 1
    if opened := _OPENED.search(window):
        return place - len(opened.group()) + 1
    word = rules.minus.search(window) if lettered or place < start else None
    return start if word is None or _is_subtracted(window[: word.start()]) else place - len(word.group())


def _is_spelt(character: str) -> bool:
    """Whether a sign behind a character is a hyphen (A-5, COVID-19)."""
    return character.isdecimal() or _SPELT.search(character) is not None


def _is_subtracted(before: str) -> bool:
    """Whether something stands before a sign that the number is taken from."""
    nearest = before.rstrip(" ")[-1:]
    return nearest.isdecimal() or (nearest != "" and nearest in ")]}%-–")


def _marks(text: str, rules: Convention) -> list[re.Match[str]]:
    """Every answer word of a text, the last first."""
    words = "|".join((*rules.words.answer, *rules.words.plural, *rules.words.verb, *_ENGLISH_WORDS))
    return list(re.finditer(words, text, re.IGNORECASE | re.MULTILINE))[::-1]


def _announced(text: str, numbers: list[_Number], rules: Convention, language: str) -> _Announced | None:
    """The last answer word that a number follows at once, and that number."""
    starts = [number.start for number in numbers]
    for mark in _marks(text, rules):
        place = bisect_left(starts, mark.end())
        if place < len(numbers) and rules.gap.fullmatch(text, mark.end(), starts[place]):
            between = text[mark.end() : starts[place]]
            if _NUMBERED.search(between) and place + 1 < len(numbers):
                if not rules.gap.fullmatch(text, numbers[place].end, starts[place + 1]):
                    continue
                between = text[numbers[place].end : starts[place + 1]]
                place += 1
            if _enumerates(text, mark.end(), numbers[place]) or not _announces(text, mark, between, rules):
                continue
            return _Announced(starts[place], mark.group(), _result(text, numbers[place:]))
        if language in ("zho_Hans", "zho_Hant", "yue_Hant", "jpn_Jpan"):
            opening = rules.gap.match(text, mark.end())
            numeral = _CHARACTERS.match(text, opening.end()) if opening else None
            if numeral and opening and _announces(text, mark, opening.group(), rules):
                return _Announced(numeral.start(), mark.group(), _in_characters(numeral))
    return None


def _announces(text: str, mark: re.Match[str], between: str, rules: Convention) -> bool:
    """Whether an answer word announces what follows: it is no verb, and not one of several answers."""
    if mark.group() == "####":
        return True
    before = text[max(0, mark.start() - 60) : mark.start()]
    if rules.each.search(before) or _CLASSIFIED.search(before):
        return False
    said = rules.said.search(between) is not None

    def is_one_of(patterns: Sequence[str]) -> bool:
        return any(re.compile(pattern, re.IGNORECASE).match(text, mark.start()) for pattern in patterns)

    if is_one_of((*rules.words.plural, *_ENGLISH_PLURAL)):
        return said and not _COUNTED.search(before)
    if is_one_of((*rules.words.verb, *_ENGLISH_VERB)):
        return said or re.search(r"(?:^|\n)[^\w\n]*$", before) is not None
    return True


def _enumerates(text: str, mark: int, number: _Number) -> bool:
    """Whether a number begins a line of a list (`1. First`, `1) First`) instead of being the answer."""
    between = text[mark : number.start]
    signs = ")." if "\n" in between else ")"
    return "(" not in between and bool(re.match(rf"[{signs}][ \t]+\S", text[number.end : number.end + 20]))


def _result(text: str, numbers: list[_Number]) -> Decimal:
    """The first number, or what a calculation that it begins comes to: its last side that is a number by itself."""
    sides = [[numbers[0]]]
    for left, right in pairwise(numbers):
        between = text[left.end : right.start]
        if not re.fullmatch(r"[^\n.;。]{0,40}?[-+*/×÷·=≈][^\n.;。]{0,20}?", between):
            break
        if re.search("[=≈]", between):
            sides.append([right])
        else:
            sides[-1].append(right)
    alone = [side for side in sides if len(side) == 1]
    return (alone or sides)[-1][0].value


def _in_characters(match: re.Match[str]) -> Decimal:
    """What a match of `_CHARACTERS` comes to; a percentage is its number, as 20% is 20."""
    first = _numeral(match[1])
    if match[3]:
        return Decimal(f"{first}.{''.join(str(_NUMERALS[digit]) for digit in match[3])}")
    if match[2] and first:
        return Decimal(_numeral(match[2])) if match[1] == "百" else latex.decimal(Fraction(_numeral(match[2]), first))
    return Decimal(first)


def _numeral(characters: str) -> int:
    """A Chinese or Japanese numeral in characters: 二十七万六千 is 276000."""
    total = part = digit = 0
    for character in characters:
        if character in _NUMERALS:
            digit = digit * 10 + _NUMERALS[character]  # 一〇〇 is read digit by digit
        elif character in _UNITS:
            part += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            total += (part + digit or 1) * MYRIADS[character]
            part = digit = 0
    return total + part + digit
