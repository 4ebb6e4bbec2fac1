"""Signs of a recorder that did not record."""

import numpy as np
import pytest

from polyroute.artifacts.implausible_counts import implausible
from polyroute.artifacts.recorded_counts import Counts, CountsHeader
from polyroute.artifacts.recording import RecordingError

TEXT = [[6, 4, 3, 7], [5, 5, 4, 6]]
SAME = [10, 0, 10, 0]


def found(*by_language: list[list[int]], tokens: int = 10, top_k: int = 2) -> Counts:
    languages = ("deu_Latn", "eng_Latn")[: len(by_language)]
    header = CountsHeader(
        model="a/b", corpus="c", text="", languages=languages, layers=(3, 4), source="s", commit=None, licence="MIT",
        experts=4, top_k=top_k, tokens=dict.fromkeys(languages, tokens),
    )  # fmt: skip
    return Counts(header, np.array(by_language, dtype=np.int64))


def test_text_says_nothing() -> None:
    assert implausible(found(TEXT, [TEXT[1], TEXT[0]]), "a") == ()


def test_a_layer_in_which_all_tokens_chose_alike_is_named() -> None:
    assert implausible(found([TEXT[0], SAME]), "a") == (
        "deu_Latn: every token chose the same experts in layer 4: was it the recorder's profiling run?",
    )


def test_all_layers_so_are_refused() -> None:
    with pytest.raises(RecordingError, match=r"a: eng_Latn: every token .* in every layer \(in layer 3, \[0, 2\]\)"):
        implausible(found(TEXT, [SAME, SAME]), "a")


def test_a_few_tokens_may_choose_alike_and_so_may_all_where_every_expert_is_chosen() -> None:
    assert implausible(found([[3, 0, 3, 0], [0, 3, 3, 0]], tokens=3), "a") == ()
    assert implausible(found([[10] * 4, [10] * 4], top_k=4), "a") == ()


def test_copies_of_layers_and_languages_are_named() -> None:
    assert implausible(found([TEXT[0], TEXT[0]], [TEXT[0], TEXT[0]]), "a") == (
        "deu_Latn: layers 3 and 4 have equal counts of every expert: was one written over the other?",
        "eng_Latn: layers 3 and 4 have equal counts of every expert: was one written over the other?",
        "eng_Latn has the same counts as deu_Latn in every layer: is it that language's file?",
    )
