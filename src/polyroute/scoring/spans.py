"""Whether a text that a model wrote gives a short answer that stands in a passage: inclusion, exact match and F1.

Texts are compared as MLQA does (Lewis et al. 2020, arXiv:1910.07475; `mlqa_evaluation_v1.py`, after SQuAD's): lower
case, no punctuation (Unicode's and ASCII's), no articles of the language, single blanks; every Chinese character is a
token, elsewhere blanks divide tokens. Its articles are those of English, Spanish, German, Vietnamese and Arabic; of
Arabic it takes out the letters of the article wherever they stand, inside words too, from both texts alike.
Deviations, all where MLQA has no rule or would say nothing:

- texts are in NFC: some tokenizers write NFC (Qwen's), and 31 of XQuAD's Hindi and 5 of its Arabic answers are not;
- Japanese and Thai, written without blanks, are divided into characters as Chinese is;
- languages that MLQA lacks (Greek, Romanian, Russian, Thai, Turkish, and all others) have no articles;
- a text of which nothing is left, such as `A` or `%`, is compared as it stands.

**Inclusion** is the score of paper 2 (arXiv 2601.14050; `intervention/vllm_intervention_xquad.py`): the right answer is
part of the text, or the text is part of the right answer. The second half makes every empty text right in the release;
here an empty text is wrong. A text of a letter or two may still be right by it, so exact match and F1 stand beside it.
The release compares raw text; `includes_as_released` is its rule to the letter.
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


def normalised(text: str, language: str) -> str:
    """A text as it is compared: its tokens, a blank between them; empty for a blank text alone.

    Args:
        text: an answer, or what a model wrote.
        language: FLORES code.
    """
    plain = unicodedata.normalize("NFC", text).lower()
    bare = "".join(character for character in plain if not _is_mark(character))
    if language in _ARTICLES:
        bare = re.sub(_ARTICLES[language], " ", bare)
    if language[-4:] in _CHARACTERS:
        bare = re.sub(f"({_CHARACTERS[language[-4:]]})", r" \1 ", bare)
    return " ".join(bare.split() or plain.split())


def includes(output: str, answer: str, language: str) -> bool:
    """Whether one of two normalised texts holds the other; an empty output holds nothing."""
    said, wanted = normalised(output, language), normalised(answer, language)
    return bool(said) and (wanted in said or said in wanted)


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
