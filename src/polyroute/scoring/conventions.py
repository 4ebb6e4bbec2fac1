"""How languages write numbers and announce answers.

Decimal marks and the words for thousands, millions and the like of every language are CLDR's (the package `babel`): its
compact numbers, such as `7 тысяч`, `70 thousand` and Swahili `elfu 70`. Of its abbreviations those count that have two
letters at least (Mio., млн, rb): `m` and `K` are units as well. What CLDR does not have is here, by hand: the words
that announce an answer, those that stand between them and a number, minus in words, other spellings of large numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from polyroute.ground.errors import AnswerError
from polyroute.languages import table
from polyroute.languages.table import ENGLISH, LanguageError

BLANK = "[ \u00a0\u202f]"
"""A blank inside a number."""
_UNSPACED = {"zho_Hans", "zho_Hant", "yue_Hant", "jpn_Jpan", "tha_Thai", "lao_Laoo", "khm_Khmr", "mya_Mymr"}
_ABBREVIATED = {"Latn", "Cyrl", "Grek"}
"""Scripts whose abbreviations of large numbers are read."""


@dataclass(frozen=True)
class _Words:
    """What a language says around an answer."""

    answer: tuple[str, ...] = ()
    """Nouns for the answer, as regular expressions."""
    plural: tuple[str, ...] = ()
    """Their plurals: they announce an answer where a mark or a copula follows and no number counts them."""
    verb: tuple[str, ...] = ()
    """Words that are verbs too: they announce an answer before a mark or a copula, or where a line begins."""
    copula: str = ""
    """Words that say that what follows is the answer."""
    links: str = ""
    """Other words that may stand between an answer word and its number."""
    each: str = ""
    """Words that make the answer one of several."""
    minus: str = ""
    """Words for the minus sign, before the number."""
    apart: str = ""
    """Words before `minus` by which it is no sign (at least, plus or minus)."""
    scales: dict[str, int] = field(default_factory=dict)
    """Words for large numbers that CLDR lacks."""
    unless: dict[str, str] = field(default_factory=dict)
    """Word for a large number -> how another word that begins with it goes on, as a regular expression."""
    attached: bool = False
    """Whether endings are attached to these words, so that letters may follow them."""
    both: bool = False
    """Whether point and comma both divide thousands."""


@dataclass(frozen=True)
class Convention:
    """How a language writes numbers and announces an answer."""

    thousands: str
    """Marks that divide thousands where they stand before exactly three digits."""
    words: _Words
    after: dict[str, int]
    """Words after a number that multiply it, in lower case."""
    before: dict[str, int]
    """Words before a number that multiply it."""
    gap: re.Pattern[str]
    """What may stand between an answer word and its number."""
    said: re.Pattern[str]
    """A mark or a copula in that."""
    each: re.Pattern[str]
    """What stands before a word for one of several answers."""
    after_pattern: re.Pattern[str] | None
    before_pattern: re.Pattern[str] | None
    minus: re.Pattern[str]
    """A minus sign in words, up to the number."""
    currency: re.Pattern[str]
    """Signs and codes of currencies in letters, up to the number."""
    joins: str
    """The word for `and`, as a regular expression."""


HUNDREDS = {"百": 100, "千": 1000, "백": 100, "천": 1000}
"""Units below ten thousand that stand after digits, in Chinese, Japanese and Korean."""
OTHER_WORDS = {
    "百": "分", "千": "克|米|瓦|卡|焦|伏|帕|赫|字|比|欧|歐|牛|安培|里米", "兆": "字|瓦|帕|赫|焦|比|欧|歐|位|伏",
    "백": "분|화", "천": "막|둥|재|국", "만": "큼|화", "조": "각|합|건|항|립|직", "경": "기|주|우|로|험|찰|매|계",
}  # fmt: skip
"""How a word that begins like a unit of these three languages goes on: 千克 is a kilogram, 3조각 are three pieces."""
MYRIADS = {
    "万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12, "京": 10**16,
    "만": 10**4, "억": 10**8, "조": 10**12, "경": 10**16,
}  # fmt: skip
HAN = {"zho_Hans", "zho_Hant", "yue_Hant", "jpn_Jpan", "kor_Hang"}

_WORDS = {
    "eng_Latn": _Words(
        plural=(r"\banswers\b",), verb=(r"\banswer\b",),
        copula="is was are be would will should equals equal",
        links="therefore thus so final correct exactly about approximately number the a an to this that question "
        "problem total text textbf mathbf boxed us",
        each="each every per any wrong incorrect", minus="minus negative", apart="plus or",
        scales={"hundred": 100, "thousands": 10**3, "millions": 10**6, "billions": 10**9, "trillions": 10**12,
                "lakh": 10**5, "lakhs": 10**5, "crore": 10**7, "crores": 10**7, "mn": 10**6, "bn": 10**9},
    ),
    "deu_Latn": _Words(
        answer=(r"\b(?:end)?antwort\b", r"\blösung\b", r"\b(?:end)?ergebnis\b"), plural=(r"\bantworten\b",),
        copula="ist sind lautet beträgt wäre",
        links="also somit daher die der das endgültige gesamt insgesamt genau etwa auf frage rund zusammen",
        each="jede jeder jedes falsche", minus="minus negativ", apart="oder",
        scales={"hundert": 100, "tsd": 10**3, "mill": 10**6},
    ),
    "spa_Latn": _Words(
        answer=(r"\brespuesta\b", r"\bresultado\b", r"\bsolución\b"), plural=(r"\brespuestas\b",),
        copula="es son sería serían igual",
        links="final correcta por lo tanto entonces de la el los las un una total a pregunta en",
        each="cada", minus="menos negativo", apart="al lo o ni", scales={"cientos": 100}, both=True,
    ),
    "fra_Latn": _Words(
        answer=(r"\bréponse\b", r"\brésultat\b", r"\bsolution\b"), plural=(r"\bréponses\b",),
        copula="est sont serait égal égale",
        links="finale final correcte donc de la le les un une total à question environ",
        each="chaque", minus="moins négatif", apart="au du de ou",
        scales={"cent": 100, "cents": 100, "milliers": 10**3},
    ),
    "rus_Cyrl": _Words(
        answer=(r"\bответ(?:ом)?\b", r"\bитого\b"),
        copula="это будет равен равна равно составляет составит есть является",
        links="на вопрос задачи задачу итоговый окончательный правильный",
        each="каждый каждого неправильный", minus="минус", apart="или",
    ),
    "zho_Hans": _Words(
        answer=("答案", "结果", "結果", "答(?=[:：])"), copula="是 为 為 就是 应为 应该 应 等于 等於 即",
        links="最终 最終 总共 總共 一共 共 约 大约 美元", each="每个 每個 每 各", minus="负 負", apart="正 胜 勝",
    ),
    "jpn_Jpan": _Words(
        answer=("答え", "答案", "答(?=[:：])", "(?<!不)正解(?=[はがの:： ])"), verb=("解答", "回答"), copula="は が",
        links="最終的な 最終的に 合計 合計で 約 ドル 正解 つまり", each="各 毎", minus="マイナス 負の", apart="プラス",
    ),
    "kor_Hang": _Words(
        answer=("정답", "(?:최종 ?)?답(?:변)?(?=[은이는: ：*])", "결과", "해답"), copula="은 는 이 가",
        links="총 약 모두 최종 따라서 원 달러", each="각 매 개당", minus="마이너스 음수", apart="플러스", attached=True,
    ),
    "swh_Latn": _Words(
        answer=(r"\bjibu\b",), plural=(r"\bmajibu\b",), copula="ni",
        links="la mwisho sahihi kwa swali hili hivyo jumla ya dola shilingi sh kilo mita saa siku dakika asilimia",
        each="kila", minus="hasi", scales={"mia": 100, "laki": 10**5},
    ),
    "tha_Thai": _Words(
        answer=("คำตอบ",), verb=("ตอบ",), copula="คือ เป็น เท่ากับ ได้ ว่า",
        links="สุดท้าย ที่ถูกต้อง จึง ของ คำถาม นี้ ทั้งหมด รวม ร้อยละ", each="แต่ละ ทุก", minus="ลบ ติดลบ",
        scales={"ร้อย": 100}, unless={"ร้อย": "ละ", "พัน": "ธ", "ล้าน": "นา"}, attached=True,
    ),
    "ben_Beng": _Words(
        answer=("উত্তর(?! *(?:দিক|মেরু))", "ফলাফল"), copula="হল হলো হবে হচ্ছে",
        links="টি টা চূড়ান্ত সঠিক মোট এর প্রশ্নের প্রায়", each="প্রতিটি প্রতি", minus="মাইনাস ঋণাত্মক",
        scales={"লক্ষ": 10**5, "শত": 100, "শো": 100, "মিলিয়ন": 10**6},
        unless={"শত": "াংশ|ক|বর্ষ", "লক্ষ": "্|ণ|ী", "শো": "রু|কে"}, attached=True,
    ),
    "tel_Telu": _Words(
        answer=("సమాధానం", "జవాబు", "ఫలితం"), copula="అంటే ఏమిటంటే ఏమనగా గా ఇది",
        links="తుది చివరి సరైన మొత్తం సుమారు ప్రశ్నకు", each="ప్రతి", minus="మైనస్",
        scales={"వేల": 10**3, "లక్షలు": 10**5, "లక్షల": 10**5, "లక్ష": 10**5, "కోట్లు": 10**7, "కోట్ల": 10**7, "కోటి": 10**7},
        unless={"లక్ష": "్|ణ", "వేల": "ం"}, attached=True,
    ),
    "hin_Deva": _Words(
        answer=("उत्तर(?! *(?:दिशा|की ओर|प्रदेश))", "जवाब", "परिणाम"), copula="है हैं होगा",
        links="अंतिम सही कुल का की के प्रश्न लगभग",
        each="प्रत्येक हर प्रति", minus="माइनस ऋण ऋणात्मक", scales={"हजार": 10**3, "सौ": 100, "मिलियन": 10**6},
    ),
    "arb_Arab": _Words(
        answer=("(?:ال)?[إا]جابة", "(?:ال)?جواب", "(?:ال)?نتيجة", "(?:ال)?ناتج", "(?:ال)?حل(?=[:：])"),
        copula="هي هو تساوي يساوي",
        links="النهائية النهائي الصحيحة الصحيح إذن إذا على السؤال هذا حوالي", each="كل لكل",
        minus="سالب ناقص", apart="زائد",
        scales={"الف": 10**3, "ألفا": 10**3, "ألفًا": 10**3, "الاف": 10**3, "مليونا": 10**6, "مليونًا": 10**6,
                "مليارا": 10**9, "مليارات": 10**9, "مئة": 100, "مائة": 100, "مئات": 100,
                "بليون": 10**9, "تريليون": 10**12},
    ),
    "ind_Latn": _Words(
        answer=(r"\bjawaban(?:nya)?\b", r"\bhasil(?:nya)?\b"), copula="adalah ialah yaitu sama",
        links="akhir yang benar dari jadi total untuk pertanyaan ini dengan rp", each="setiap tiap",
        minus="minus negatif", apart="atau", scales={"ratus": 100, "milyar": 10**9},
    ),
    "zsm_Latn": _Words(
        answer=(r"\bjawapan(?:nya)?\b", r"\bhasil(?:nya)?\b"), copula="ialah adalah iaitu sama",
        links="akhir yang betul jadi jumlah untuk soalan ini dengan rm", each="setiap tiap",
        minus="minus negatif", apart="atau", scales={"ratus": 100, "bilion": 10**9},
    ),
    "ita_Latn": _Words(
        answer=(r"\brisposta\b", r"\brisultato\b", r"\bsoluzione\b"), plural=(r"\brisposte\b",),
        copula="è sono sarebbe sarà uguale pari",
        links="finale corretta quindi di a la il le un totale alla domanda circa", each="ogni ciascuna",
        minus="meno negativo", apart="o al lo per", scales={"mila": 10**3, "cento": 100},
    ),
    "por_Latn": _Words(
        answer=(r"\bresposta\b", r"\bresultado\b", r"\bsolução\b"), plural=(r"\brespostas\b",),
        copula="é são seria será igual",
        links="final correta portanto então de da do a o um total à pergunta cerca", each="cada por",
        minus="menos negativo", apart="ao pelo ou nem",
        scales={"mil": 10**3, "bilião": 10**12, "biliões": 10**12},
    ),
    "vie_Latn": _Words(
        answer=(r"\bcâu trả lời\b", r"\bđáp án\b", r"\bđáp số\b", r"\bkết quả\b"), verb=(r"(?<!câu )\btrả lời\b",),
        copula="là bằng", links="cuối cùng đúng cho câu hỏi vậy tổng cộng khoảng của", each="mỗi", minus="âm trừ",
        apart="cộng", scales={"ngàn": 10**3, "trăm": 100, "tỉ": 10**9},
    ),
}  # fmt: skip
_WORDS["zho_Hant"] = _WORDS["yue_Hant"] = _WORDS["zho_Hans"]


@cache
def convention(language: str) -> Convention:
    """The conventions of a language.

    Args:
        language: FLORES code. A language without words of its own is announced in English alone; one that CLDR does not
            have writes a decimal point.

    Raises:
        AnswerError: babel is not installed.
    """
    locale, english = _locale(language), _locale(ENGLISH)
    own, common = _WORDS.get(language, _Words()), _WORDS[ENGLISH]
    spaced = language not in _UNSPACED
    after, before = _scales(locale)
    after |= own.scales if not before else {}
    before |= own.scales if before else {}
    if language in HAN:  # these are read as one numeral, digits and characters together
        after = {}
    decimal, joins = _marks(locale)
    thousands = ".," if own.both else "." if decimal == "," else ","
    copula = (
        _any(common.copula) + "|" + _any(own.copula, spaced and not own.attached) if own.copula else _any(common.copula)
    )
    links = _any(common.links) + ("|" + _any(own.links, spaced and not own.attached) if own.links else "")
    currency = _currency(locale, english)
    each = rf"\b(?:{any_of(common.each.split())})\s+(?:of\s+(?:the\s+)?)?(?:(?!the\b|so\b)\w+\s+){{0,2}}"
    if own.each:
        several = any_of(own.each.split())
        each += rf"|(?<!\w)(?:{several})\s+(?:[^\W\d_]+\s+)?" if spaced else rf"|(?:{several})\S{{0,5}}"
    minus = any_of({*common.minus.split(), *own.minus.split()})
    apart = "".join(
        rf"(?<!{re.escape(word)} )(?<!{re.escape(word)})" for word in {*common.apart.split(), *own.apart.split()}
    )
    opening = r"(?<![^\W\d_])" if spaced else ""
    return Convention(
        thousands=thousands,
        words=own,
        after=after,
        before=before,
        gap=re.compile(rf"(?:[^\w.!?。！？।]|_|{currency}\.?|{copula}|{links})*", re.IGNORECASE),
        said=re.compile(rf"[:：=→\n—–-]|{copula}", re.IGNORECASE),
        each=re.compile(rf"(?:{each})$", re.IGNORECASE),
        after_pattern=_after(after | before, own.unless, closed=spaced and not own.attached),
        before_pattern=re.compile(rf"(?<![^\W\d_])({any_of(before)}){BLANK}?$", re.IGNORECASE) if before else None,
        minus=re.compile(rf"{apart}{opening}({minus}){BLANK}?$", re.IGNORECASE),
        currency=re.compile(rf"(?:{currency})\.?{BLANK}?$"),
        joins=joins,
    )


def _locale(language: str) -> Any:
    """CLDR's data of a language; None where it has none."""
    try:
        import babel
    except ImportError:
        raise AnswerError("numbers in answers are read with CLDR: install the package `babel`") from None
    try:
        tag = table.get(language).bcp47
        locale = babel.Locale.parse(tag, sep="-")
    except (LanguageError, babel.UnknownLocaleError, ValueError):
        return None
    # A locale of which CLDR has a name and no numbers is filled up from its root.
    return locale


def _marks(locale: Any) -> tuple[str, str]:
    """Decimal mark between Latin digits, and the word for `and` as a regular expression."""
    if locale is None:
        return ".", "and"
    symbols = locale.number_symbols.get("latn") or locale.number_symbols.get(locale.default_numbering_system) or {}
    pair = locale.list_patterns.get("standard", {}).get("2", "{0} and {1}")
    joins = pair.replace("{0}", "").replace("{1}", "").strip()
    return str(symbols.get("decimal", ".")), "|".join(re.escape(word) for word in {joins, "and"} if word)


def _scales(locale: Any) -> tuple[dict[str, int], dict[str, int]]:
    """CLDR's words for large numbers that stand after and before the digits."""
    after: dict[str, int] = {}
    before: dict[str, int] = {}
    if locale is None:
        return after, before
    for form in ("long", "short"):
        for patterns in locale.compact_decimal_formats.get(form, {}).values():
            for power, pattern in patterns.items():
                told = unicodedata.normalize("NFC", pattern.pattern.split(";")[0].replace("'", ""))
                digits = told.count("0")
                word = told.replace("0", "").strip(" \u00a0\u202f\u200f\u200e").rstrip(".").lower()
                value = int(power) // 10 ** (digits - 1) if digits else 0
                if not value or value < 100 or not word or re.search(r"[\s\u00a0\u202f]", word):
                    continue
                if form == "short" and (len(word) < 2 or not _spelt(word)):
                    continue
                if len(word) < 2 and _spelt(word):
                    continue
                place = before if told.rstrip().endswith("0") and not told.startswith("0") else after
                place[word] = value
                place[word.replace("\u093c", "").replace("\u09bc", "")] = value  # dots below are often left out
    return after, before


def _spelt(word: str) -> bool:
    """Whether a word is in a script that abbreviates."""
    return all(unicodedata.name(letter, "").split()[0] in ("LATIN", "CYRILLIC", "GREEK") for letter in word)


def _after(words: dict[str, int], unless: dict[str, str], *, closed: bool) -> re.Pattern[str] | None:
    if not words:
        return None
    opening = rf"(?:{BLANK}(?:de{BLANK})?|{BLANK}?\\(?:text|mathrm|mbox)\{{{BLANK}?)?"
    told = any_of(words, unless)
    return re.compile(rf"{opening}({told})\.?" + (r"(?![^\W\d_])" if closed else ""), re.IGNORECASE)


def any_of(words: Iterable[str], unless: Mapping[str, str] | None = None) -> str:
    """Words as a regular expression; none of those in `unless` where it goes on as another word does."""
    longest, unless = sorted(words, key=len, reverse=True), unless or {}
    return "|".join(re.escape(word) + (f"(?!{unless[word]})" if word in unless else "") for word in longest)


def _any(words: str, spaced: bool = True) -> str:
    found = any_of(words.split())
    return rf"(?<!\w)(?:{found})(?!\w)" if spaced else rf"(?:{found})"


@cache
def _currency(*locales: Any) -> str:
    """Signs of currencies that have letters, and their codes; in their own case: `all` is no Albanian lek."""
    names = {"Rs", "Tk", "Rp", "RM", "Sh", "Tsh", "Ksh", "TSh", "KSh", "US", "EUR", "Eur", "Usd"}
    for locale in locales:
        if locale is not None:
            names |= {code for code in locale.currencies if len(code) == 3}
            names |= {sign.rstrip(".") for sign in locale.currency_symbols.values()}
    told = {name for name in names if len(name) > 1 and any(letter.isalpha() for letter in name)}
    return rf"(?<![^\W_])(?-i:{any_of(told)})(?![^\W\d_])"
