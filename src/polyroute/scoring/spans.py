"""Whether a text that a model wrote gives a short answer that stands in a passage: inclusion, exact match and F1.

Texts are compared as MLQA does (Lewis et al. 2020, arXiv:1910.07475; `mlqa_evaluation_v1.py`, after SQuAD's): small
letters, no punctuation (Unicode's and ASCII's), no articles of the language, single blanks; every Chinese character is
a token, elsewhere blanks divide tokens. Its articles are those of English, Spanish, German, Vietnamese and Arabic; of
Arabic it takes out the letters of the article wherever they stand, inside words too, from both texts alike.
Deviations, all where MLQA has no rule or would say nothing:

- texts are in NFC: some tokenizers write NFC (Qwen's), and 31 of XQuAD's Hindi and 5 of its Arabic answers are not;
- what one text writes and another may leave out is left out: invisible characters, vowel marks and the tatweel of
  Arabic and Hebrew, the accent of Greek, the dot by which Turkish and Azerbaijani tell i from ı; ß is ss, full-width
  letters are plain ones, and digits of every script are the same digits;
- Japanese and Thai, written without blanks, are divided into characters as Chinese is;
- languages that MLQA lacks (Greek, Romanian, Russian, Thai, Turkish, and all others) have no articles;
- a text of which nothing is left, such as `A` or `%`, is compared as it stands.

**Inclusion** is the score of paper 2 (arXiv 2601.14050; `intervention/vllm_intervention_xquad.py`): the right answer is
part of the text, or the text is part of the right answer. The second half makes every empty text right in the release;
here an empty text is wrong. A part must begin where a word begins (`B` is no part of `because`); endings may follow it,
since many languages attach them (Denver'de), unless the part has fewer than `SHORT` letters or is a number. In scripts
without blanks every character is a word. The release compares raw text; `includes_as_released` is its rule to the
letter.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter

_ARTICLES = {
    "eng_Latn": r"\b(a|an|the)\b",
    "spa_Latn": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "deu_Latn": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "vie_Latn": r"\b(của|là|cái|chiếc|những)\b",
    "arb_Arab": r"\sال^|ال",
}
"""FLORES code -> articles, as MLQA has them."""
_CHARACTERS = {
    "Hans": "[\u4e00-\u9fa5]", "Hant": "[\u4e00-\u9fa5]", "Jpan": "[\u3041-\u30ff\u4e00-\u9fa5]",
    "Thai": "[\u0e00-\u0e7f]",
}  # fmt: skip
"""Script -> characters that are a token each."""
_UNSPACED = {"Laoo", "Khmr", "Mymr", "Tibt"}
"""Scripts without blanks whose characters are no tokens here."""
_PREFIXES = {"Arab": "وفبكل", "Hebr": "ובלכהשמ"}
"""Letters that are written as one with the word that follows."""
_WIDE = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_VOWEL_MARKS = {
    "Arab": "[\u0640\u064b-\u0652\u0670]", "Grek": "\u0301",
    "Hebr": "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]",
}  # fmt: skip
"""Script -> marks, in NFD, that many texts leave out."""
_DOTTED = {"tur_Latn", "azj_Latn", "crh_Latn"}
_APOSTROPHE = re.compile("['’ʼ]")
SHORT = 4
"""Letters below which a part counts as a whole word alone."""


def normalised(text: str, language: str) -> str:
    """A text as it is compared: its tokens, a blank between them; empty for a blank text alone.

    Args:
        text: an answer, or what a model wrote.
        language: FLORES code.
    """
    plain = _folded(text, language)
    bare = "".join(character for character in plain if not _is_mark(character))
    if language in _ARTICLES:
        bare = re.sub(_ARTICLES[language], " ", bare)
    if language[-4:] in _CHARACTERS:
        bare = re.sub(f"({_CHARACTERS[language[-4:]]})", r" \1 ", bare)
    return " ".join(bare.split() or plain.split())


def _folded(text: str, language: str) -> str:
    """A text in small letters and NFC, without what is written or left out as one likes."""
    text = "".join(
        str(unicodedata.decimal(one)) if one.isdecimal() else one
        for one in text.translate(_WIDE).casefold()
        if unicodedata.category(one) != "Cf"
    )
    if marks := _VOWEL_MARKS.get(language[-4:]):
        text = re.sub(marks, "", unicodedata.normalize("NFD", text))
    if language in _DOTTED:
        text = text.replace("i\u0307", "i").replace("ı", "i")
    return unicodedata.normalize("NFC", text)


def includes(output: str, answer: str, language: str) -> bool:
    """Whether one of two normalised texts holds the other, by words; an empty output holds nothing."""
    said, wanted = normalised(output, language), normalised(answer, language)
    if not said or language[-4:] in _UNSPACED:
        return bool(said) and (wanted in said or said in wanted)
    # An ending behind an apostrophe is none of the word (Oz'da).
    apart = normalised(_APOSTROPHE.sub(" ", output), language)
    prefixes = _PREFIXES.get(language[-4:], "")
    return any(_holds(whole, wanted, prefixes) for whole in (said, apart)) or _holds(wanted, said, prefixes)


def _holds(whole: str, part: str, prefixes: str) -> bool:
    """Whether a part stands in a text from the beginning of a word, alone or with an ending."""
    attached = len(part) >= SHORT and not part[-1:].isdecimal()
    place = whole.find(part)
    while place >= 0:
        ahead, behind = whole[:place], whole[place + len(part) :][:1]
        bare = (
            ahead.rstrip(prefixes) if prefixes and attached and len(ahead) - len(ahead.rstrip(prefixes)) <= 2 else ahead
        )
        if not _is_letter(bare[-1:]) and (attached or not _is_letter(behind)):
            return True
        place = whole.find(part, place + 1)
    return False


def _is_letter(character: str) -> bool:
    """Whether a character is part of a word."""
    return character != "" and unicodedata.category(character)[0] in "LMN"


def includes_as_released(output: str, answer: str) -> bool:
    """Paper 2's rule to the letter: raw text, either way round, so that an empty output is right."""
    said = output.strip()
    return answer in said or said in answer


def exact_match(output: str, answer: str, language: str) -> bool:
    """Whether two texts are the same but for what is normalised away."""
    return normalised(output, language) == normalised(answer, language)


def f1(output: str, answer: str, language: str) -> float:
    """Harmonic mean of precision and recall over tokens, in [0, 1] (Rajpurkar et al. 2016, arXiv:1606.05250)."""
    said, wanted = (normalised(text, language).split() for text in (output, answer))
    shared = sum((Counter(said) & Counter(wanted)).values())
    return 2 * shared / (len(said) + len(wanted)) if shared else 0.0


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P") or character in string.punctuation
