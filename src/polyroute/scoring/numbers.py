r"""The number that an answer gives, read in the conventions of the answer's language.

Which number counts:

1. the last one inside the last `\boxed{...}` that holds any;
2. else the number that follows the last answer word (English ones count in every language, and so does `####`) with
   nothing between but blanks, marks and words such as "is", unless it numbers a list; if it begins a calculation, the
   one after its last equals sign;
3. else the last number of the text.

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

What looks like neither (12.5.2024, 1,2,3) is several numbers. A minus sign counts where it touches the number or its
currency sign and nothing stands before it to be subtracted from. Words for thousands and millions after a number
multiply it (8万5千, 70 тысяч); two numbers with a slash are a fraction. In Chinese and Japanese, numerals in
characters are read right after the answer word and nowhere else, since the characters occur in other words.

Not read: numbers in words, powers of ten, factors before the number (Swahili `elfu 70`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import pairwise

from polyroute.languages.table import ENGLISH

_PLAIN = re.compile(r"-?\d+(\.\d+)?")
_DIGITS = {code: str(unicodedata.decimal(chr(code))) for code in range(0x80, 0x20000) if chr(code).isdecimal()}
_MARKS = str.maketrans(
    {"−": "-", "－": "-", "﹣": "-", "٫": ".", "．": ".", "＝": "=", "／": "/", "＄": "$", "％": "%"}
)
_MARKUP = (
    (re.compile(r"(?<=\d)(?:\{,\}|٬|，)(?=\d{3})"), ","),
    (re.compile(r"(?<=\d)(?:\\[,;!: ]|~)(?=\d)"), "\u202f"),
    (re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}"), r"\1/\2"),
    (re.compile(r"\\([$%])"), r"\1"),
    (re.compile(r"\\(?:times|cdot)"), "×"),
)
"""LaTeX, and what only divides thousands between digits: `{,}`, `\\,`, Arabic and full-width commas."""
_BOXED = re.compile(r"\\boxed\s*\{((?:[^{}]|\{[^{}]*\})*)\}")
_DIVIDERS = " \u00a0\u2007\u2009\u202f'’"
"""Blanks and apostrophes that divide thousands."""
_GROUPED = rf"[1-9]\d{{0,2}}(?:[{_DIVIDERS}]\d{{3}})+(?!\d)(?:[.,]\d+)?"
# Exponents are not numbers of their own, and a number does not begin inside another.
_NUMBER = re.compile(rf"(?<![\d^])(?<!\^\{{)(?:{_GROUPED}|\d+(?:[.,]\d+)*|(?<![\w.])\.\d+)")
_ENGLISH = r"\banswers?\b"
_ENGLISH_WORDS = (_ENGLISH, r"^####(?=[^\w\n]*\d[\d., ]*[^\w\n]*$)")
"""The English answer word, and the mark of GSM8K's answers, which are the whole line: headings have it too."""
_LINKS = (
    "is was are be would will should therefore thus so equals equal final exactly about approximately number the a an "
    "to this that question problem total text textbf mathbf boxed us usd eur rs"
)
_NUMERALS = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "両": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8}
_NUMERAL = re.compile(f"[{''.join([*_NUMERALS, *_UNITS, *_MYRIADS])}]+")
_PLACES = 12
"""Decimals to which a fraction such as 1/3 is written."""


@dataclass(frozen=True)
class _Convention:
    """How a language writes numbers and announces an answer."""

    thousands: str = ","
    """Marks that divide thousands where they stand before exactly three digits."""
    answer: tuple[str, ...] = ()
    """Words for the answer, as regular expressions."""
    links: str = ""
    """Words that may stand between answer word and number."""
    spaced: bool = True
    """Whether words stand between blanks."""
    scales: Mapping[str, int] = field(default_factory=dict)
    """Words after a number that multiply it."""


_CHINESE = {"千": 1000, **_MYRIADS}
_CONVENTIONS = {
    "eng_Latn": _Convention(scales={"thousand": 10**3, "million": 10**6, "billion": 10**9}),
    "deu_Latn": _Convention(
        thousands=".", answer=(r"\bantwort\w*", r"\blösung\b", r"\b(?:end)?ergebnis\b"),
        links="ist lautet beträgt wäre sind also somit daher die der das endgültige gesamt insgesamt genau etwa auf "
        "frage",
        scales={"tausend": 10**3, "millionen": 10**6, "million": 10**6},
    ),
    "spa_Latn": _Convention(
        thousands=".,", answer=(r"\brespuestas?\b", r"\bresultado\b", r"\bsolución\b"),
        links="es son sería serían final correcta por lo tanto entonces de la el un total igual a la pregunta",
        scales={"mil": 10**3, "millones": 10**6, "millón": 10**6},
    ),
    "fra_Latn": _Convention(
        thousands=".", answer=(r"\bréponses?\b", r"\brésultat\b", r"\bsolution\b"),
        links="est sont serait finale final correcte donc de la le un total à question égal égale",
        scales={"mille": 10**3, "millions": 10**6, "million": 10**6},
    ),
    "rus_Cyrl": _Convention(
        thousands=".", answer=(r"\bответ\w*", r"\bитого\b"),
        links="это будет равен равна равно составляет составит на вопрос задачи задачу есть итоговый окончательный",
        scales={"тысяч": 10**3, "тысячи": 10**3, "тысяча": 10**3, "тыс": 10**3,
                "миллионов": 10**6, "миллиона": 10**6, "миллион": 10**6, "млн": 10**6},
    ),
    "zho_Hans": _Convention(
        answer=("答案", "结果", "答(?=[:：])"), links="是 为 就是 应为 应该 应 等于 最终 总共 一共 共 约 大约 美元 即",
        spaced=False, scales=_CHINESE,
    ),
    "jpn_Jpan": _Convention(
        answer=("答え", "答案", "解答", "回答", "答(?=[:：])"),
        links="は が 最終的な 最終的に 合計 合計で 約 ドル 正解 つまり",
        spaced=False, scales=_CHINESE,
    ),
    "swh_Latn": _Convention(
        answer=(r"\bjibu\b", r"\bmajibu\b"), links="ni la mwisho sahihi kwa swali hili hivyo jumla ya",
    ),
    "tha_Thai": _Convention(
        answer=("คำตอบ", "ตอบ"), links="คือ เป็น เท่ากับ สุดท้าย ที่ถูกต้อง ว่า จึง ของ คำถาม นี้ ได้ ทั้งหมด รวม",
        spaced=False, scales={"พัน": 10**3, "หมื่น": 10**4, "แสน": 10**5, "ล้าน": 10**6},
    ),
    "ben_Beng": _Convention(
        answer=("উত্তর(?! *(?:দিক|মেরু))", "ফলাফল"), links="টি টা হল হলো হবে হচ্ছে চূড়ান্ত সঠিক মোট এর প্রশ্নের প্রায়",
        spaced=False, scales={"হাজার": 10**3, "লাখ": 10**5, "লক্ষ": 10**5, "কোটি": 10**7},
    ),
    "tel_Telu": _Convention(
        answer=("సమాధానం", "జవాబు", "ఫలితం"), links="అంటే తుది చివరి సరైన మొత్తం గా ఇది సుమారు ప్రశ్నకు",
        spaced=False,
        scales={"వేలు": 10**3, "వేల": 10**3, "లక్షలు": 10**5, "లక్షల": 10**5, "లక్ష": 10**5, "కోట్లు": 10**7, "కోట్ల": 10**7},
    ),
}  # fmt: skip
_LIKE = {"zho_Hant": "zho_Hans"}
_COMMA = {
    "afr_Latn", "als_Latn", "azj_Latn", "bel_Cyrl", "bos_Latn", "bul_Cyrl", "cat_Latn", "ces_Latn", "dan_Latn",
    "ell_Grek", "est_Latn", "eus_Latn", "fin_Latn", "glg_Latn", "hrv_Latn", "hun_Latn", "hye_Armn", "ind_Latn",
    "isl_Latn", "ita_Latn", "kat_Geor", "kaz_Cyrl", "kir_Cyrl", "lit_Latn", "lvs_Latn", "mkd_Cyrl", "nld_Latn",
    "nno_Latn", "nob_Latn", "pol_Latn", "por_Latn", "ron_Latn", "slk_Latn", "slv_Latn", "srp_Cyrl", "swe_Latn",
    "tur_Latn", "ukr_Cyrl", "uzn_Latn", "vie_Latn",
}  # fmt: skip
"""Other languages that write a decimal comma (CLDR); all the rest are taken to write a decimal point."""


@dataclass(frozen=True)
class _Number:
    start: int
    end: int
    value: Decimal


def extract(text: str, language: str) -> str | None:
    """The number that a text gives as its answer.

    Args:
        text: what a model wrote.
        language: FLORES code of the language whose conventions hold; those without an entry of their own have no
            answer word but the English one.

    Returns:
        A plain decimal such as `-18.5`, without zeros at the end of its fraction; None where there is no number.
    """
    convention = _convention(language)
    text = _plain(text)
    numbers = _numbers(text, convention)
    for box in reversed(list(_BOXED.finditer(text))):
        inside = [number for number in numbers if box.start(1) <= number.start < box.end(1)]
        if inside:
            return canonical(inside[-1].value)
    announced = _announced(text, numbers, language, convention)
    if announced is None:
        return canonical(numbers[-1].value) if numbers else None
    word, value = announced
    if language != ENGLISH and re.fullmatch(_ENGLISH, word, re.IGNORECASE):
        return extract(text, ENGLISH)
    return canonical(value)


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


def _convention(language: str) -> _Convention:
    language = _LIKE.get(language, language)
    if language in _COMMA:
        return _Convention(thousands=".")
    return _CONVENTIONS.get(language, _Convention())


def _plain(text: str) -> str:
    text = text.translate(_DIGITS).translate(_MARKS)
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return text


def _numbers(text: str, convention: _Convention) -> list[_Number]:
    """Every number of a text, in its order."""
    found = list(_NUMBER.finditer(text))
    thousands = _thousands([match.group() for match in found], convention)
    numbers: list[_Number] = []
    scaled = 0  # factor of the last number, where the next may belong to it (8万5千)
    for match in found:
        pieces = _values(match.group(), thousands)
        start, end = match.start(), match.end()
        if len(pieces) > 1:
            numbers += [_Number(start, end, piece) for piece in pieces]
            scaled = 0
            continue
        value = pieces[0]
        factor, end = _scale(text, end, convention)
        value *= factor
        start = _signed(text, start)
        if start < match.start():
            value = -value
        before = numbers[-1] if numbers else None
        if before is not None and before.end == start and value < scaled:
            numbers[-1] = _Number(before.start, end, before.value + value)
        elif before is not None and value and re.fullmatch(r" ?/ ?", text[before.end : start]):
            quotient = before.value / value
            # Decimal holds 28 digits: what is too large to have this many decimals has fewer by itself.
            quotient = round(quotient, _PLACES) if abs(quotient) < 10**_PLACES else quotient
            numbers[-1] = _Number(before.start, end, quotient)
        else:
            numbers.append(_Number(start, end, value))
        scaled = factor if factor > 1 else 0
    return numbers


def _thousands(bodies: list[str], convention: _Convention) -> str:
    """The marks that divide thousands in this text: as its unambiguous numbers show, else as the language has it."""
    point = any(re.fullmatch(r"\d+\.(?:\d{1,2}|\d{4,})|0\.\d+|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}", body)
                for body in bodies)  # fmt: skip
    comma = any(re.fullmatch(r"\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}", body)
                for body in bodies)  # fmt: skip
    if point != comma:
        return "," if point else "."
    return convention.thousands


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


def _scale(text: str, end: int, convention: _Convention) -> tuple[int, int]:
    """Factor of the word for thousands or the like that follows, and where it ends."""
    rest = text[end : end + 20]
    for word, factor in sorted(convention.scales.items(), key=lambda item: -len(item[0])):
        closing = r"(?!\w)" if convention.spaced else ""
        match = re.match(rf"[ \u00a0]?{word}{closing}", rest, re.IGNORECASE)
        if match:
            return factor, end + match.end()
    return 1, end


def _signed(text: str, start: int) -> int:
    """Where the number begins with its minus sign; `start` where it has none."""
    place = start
    while place and (unicodedata.category(text[place - 1]) == "Sc"):
        place -= 1
    if not place or text[place - 1] != "-":
        return start
    before = text[: place - 1]
    touching = before[-1:].isalnum() and before[-1:].isascii()
    nearest = before.rstrip(" ")[-1:]
    subtracted = nearest.isdecimal() or (nearest != "" and nearest in ")]}%-")
    return start if touching or subtracted else place - 1


@cache
def _gap(language: str) -> re.Pattern[str]:
    """What may stand between an answer word and its number."""
    convention = _convention(language)
    english = r"|".join(rf"\b{word}\b" for word in _LINKS.split())
    own = "|".join(
        rf"\b{re.escape(word)}\b" if convention.spaced else re.escape(word)
        for word in sorted(convention.links.split(), key=len, reverse=True)
    )
    # Ends of sentences may not: "I hope this answer helps. 3 ...".
    return re.compile(rf"(?:[^\w.!?。！？।]|_|{english}{'|' + own if own else ''})*", re.IGNORECASE)


def _announced(text: str, numbers: list[_Number], language: str, convention: _Convention) -> tuple[str, Decimal] | None:
    """The last answer word that a number follows at once, and that number."""
    words = "|".join((*convention.answer, *_ENGLISH_WORDS))
    gap = _gap(language)
    for mark in reversed(list(re.finditer(words, text, re.IGNORECASE | re.MULTILINE))):
        place = next((place for place, number in enumerate(numbers) if number.start >= mark.end()), None)
        if place is not None and gap.fullmatch(text, mark.end(), numbers[place].start):
            if _enumerates(text, mark.end(), numbers[place]):
                continue
            return mark.group(), _result(text, numbers[place:])
        if convention.scales is _CHINESE:
            opening = gap.match(text, mark.end())
            numeral = _NUMERAL.match(text, opening.end()) if opening else None
            if numeral:
                return mark.group(), Decimal(_numeral(numeral.group()))
    return None


def _enumerates(text: str, mark: int, number: _Number) -> bool:
    """Whether a number begins a line of a list (`1. First`, `1) First`) instead of being the answer."""
    between = text[mark : number.start]
    signs = ")." if "\n" in between else ")"
    return "(" not in between and bool(re.match(rf"[{signs}][ \t]+\S", text[number.end : number.end + 20]))


def _result(text: str, numbers: list[_Number]) -> Decimal:
    """The first number, or what a calculation that it begins comes to."""
    result = numbers[0]
    for left, right in pairwise(numbers):
        between = text[left.end : right.start]
        if not re.fullmatch(r"[^\n.;。]{0,40}?[-+*/×÷·=≈][^\n.;。]{0,20}?", between):
            break
        if re.search("[=≈]", between):
            result = right
    return result.value


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
            total += (part + digit or 1) * _MYRIADS[character]
            part = digit = 0
    return total + part + digit
