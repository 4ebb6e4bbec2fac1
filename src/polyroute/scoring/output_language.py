"""Which language a model wrote in, by lingua's n-gram models, restricted to the languages of the study.

A text is taken sentence by sentence. Sentences long enough to tell vote with their letters for the language that
lingua gives them, if it gives it at least `SURE` of the probability; the text is in the language that has at least
`MOST` of the votes, and `mixed` where none has. It is `undetermined` if it has too few letters to tell (digits,
formulas, "OK") or if lingua is unsure about half of it or more. Letters of Chinese, Japanese and Korean count
`WIDE`-fold, since they carry more.

Restricting the candidates makes short texts tellable, and makes a language outside them pass for a close one inside.
Source of the detector: https://github.com/pemistahl/lingua-py (Apache-2.0).
"""

from __future__ import annotations

import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from polyroute.ground.errors import AnswerError
from polyroute.languages import table as languages

MIXED = "mixed"
UNDETERMINED = "undetermined"
LETTERS = 6
"""Fewest letters of a text."""
SENTENCE_LETTERS = 15
"""Fewest letters of a sentence that votes; shorter texts vote as a whole."""
SURE = 0.7
MOST = 0.8
WIDE = 3

_TAGS = {"fil": "tl", "zh-Hans": "zh", "zh-Hant": "zh"}
"""BCP 47 tags that lingua writes otherwise."""
_NOT_PROSE = re.compile(r"```.*?```|https?://\S+|<[^<>\s]*>|\\[A-Za-z]+|<\|[^|]*\|>", re.DOTALL)
"""Code, addresses, tags and LaTeX commands: Latin letters of no language."""
_SENTENCE_END = re.compile(r"\n+|(?<=[.!?])\s+|(?<=[。！？।])")

log = logging.getLogger(__name__)


class OutputLanguages:
    """Tells texts in the given languages apart."""

    def __init__(self, codes: Sequence[str]):
        """Load the models of some languages.

        Args:
            codes: FLORES codes of all languages that a text may be in.

        Raises:
            AnswerError: lingua is not installed, or tells apart fewer than two of them.
            LanguageError: a code is unknown.
        """
        try:
            import lingua
        except ImportError:
            raise AnswerError(
                "the language of answers needs lingua: install the package `lingua-language-detector`"
            ) from None
        self._codes: dict[Any, str] = {}
        unknown = []
        for code in codes:
            language = _known(lingua, code)
            if language is None or language in self._codes:
                unknown.append(code)
            else:
                self._codes[language] = code
        self.unknown: tuple[str, ...] = tuple(unknown)
        """Codes that are never given: lingua lacks the language, or one before it (Chinese in other characters)."""
        if len(self._codes) < 2:
            raise AnswerError(
                f"lingua tells apart {len(self._codes)} of {', '.join(codes)}: the language of an answer needs two"
            )
        # Of a language that the study brings, `polyroute check` says so once.
        if told := [code for code in unknown if languages.get(code).detector is None]:
            log.warning("answers in %s cannot be recognised: lingua does not tell them apart", ", ".join(told))
        self._detector = lingua.LanguageDetectorBuilder.from_languages(*self._codes).build()

    def of(self, text: str) -> str:
        """FLORES code of the language that a text is in, `MIXED` or `UNDETERMINED`."""
        prose = _NOT_PROSE.sub(" ", text)
        if _letters(prose) < LETTERS:
            return UNDETERMINED
        sentences = [part for part in _SENTENCE_END.split(prose) if _letters(part) >= SENTENCE_LETTERS] or [prose]
        votes: Counter[str] = Counter()
        for sentence in sentences:
            best = self._detector.compute_language_confidence_values(sentence)[0]
            votes[self._codes[best.language] if best.value >= SURE else UNDETERMINED] += _letters(sentence)
        unsure = votes.pop(UNDETERMINED, 0)
        told = votes.total()
        if told <= unsure:
            return UNDETERMINED
        (language, most), *_ = votes.most_common(1)
        return language if most >= MOST * told else MIXED


def _known(lingua: Any, code: str) -> Any:
    """lingua's language for a FLORES code; None where it has none, such as one in another script than usual."""
    language = languages.get(code)
    tag = language.bcp47 if language.detector is None else language.detector
    try:
        return lingua.Language.from_iso_code_639_1(lingua.IsoCode639_1.from_str(_TAGS.get(tag, tag).upper()))
    except ValueError:
        return None


def _letters(text: str) -> int:
    """How much a text has to tell its language by."""
    return sum(
        WIDE if unicodedata.east_asian_width(character) == "W" else 1
        for character in text
        if unicodedata.category(character)[0] in "LM"
    )
