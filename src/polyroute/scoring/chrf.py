"""How near translations are to a reference by their letters: chrF, by sacrebleu.

chrF2 as WMT reports it (Popovic 2015, W15-3049; sacrebleu's signature `nc:6|nw:0|space:no|case:mixed`, beta 2): the F
score over n-grams of 1 to 6 characters, blanks left out, recall weighing twice as much as precision. It needs no
cutting into words, so one score does for all scripts. Of a sentence, orders of n-grams that it is too short for are
left out. Of a corpus, n-grams are counted over all sentences: it is not the mean of sentence scores.
Both in [0, 1], a hundredth of what sacrebleu prints.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from polyroute.ground.errors import AnswerError


def of_sentence(output: str, reference: str) -> float:
    """chrF of one translation, in [0, 1]; 0 for an empty one.

    Raises:
        AnswerError: sacrebleu is not installed.
    """
    return _share(_metric().sentence_score(output, [reference]).score)


def of_corpus(outputs: Sequence[str], references: Sequence[str]) -> float:
    """chrF over all translations together, in [0, 1].

    Args:
        outputs: translations.
        references: one each, in the same order.

    Raises:
        AnswerError: sacrebleu is not installed.
    """
    return _share(_metric().corpus_score(list(outputs), [list(references)]).score)


def _share(percent: float) -> float:
    # Equal texts may come out a rounding above 100.
    return min(float(percent) / 100, 1.0)


@cache
def _metric() -> Any:
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError:
        raise AnswerError("translations are scored by sacrebleu: install the package `sacrebleu`") from None
    return CHRF()
