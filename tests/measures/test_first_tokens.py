"""Divergence over the first tokens, against the same text cut by hand."""

import dataclasses

import numpy as np
import pytest

from polyroute.artifacts.importance import HEAD
from polyroute.artifacts.trace import TraceError
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.first_tokens import FirstTokens, over_first_tokens
from polyroute.measures.layer_curves import Alignment
from polyroute.results import alignment as results
from polyroute.tracing.collect import TraceSettings, trace

ENGLISH = {"a": "hello world", "b": "the fox", "c": "a dog and a cat", "d": "is", "e": "the cat is", "f": "a fox is a fox",
           "g": "world and dog"}  # fmt: skip
GERMAN = {"a": "hallo welt", "b": "er", "c": "ein hund und eine katze", "d": "der fuchs", "e": "die katze ist",
          "f": "ein fuchs ist ein fuchs", "g": "welt und hund"}  # fmt: skip
HOW = TraceSettings(head=6)


@pytest.fixture(scope="module")
def traces(model, tokenizer):
    texts = {"eng_Latn": ENGLISH, "deu_Latn": GERMAN}
    return [trace(model, tokenizer, items, language=code, settings=HOW) for code, items in texts.items()]


def alignment(pivot) -> Alignment:
    return Alignment(pivot, resamples=200, confidence=0.95, nearest=5, seed=0)


def test_pairs_that_are_as_long_in_both_languages_count_and_no_others(traces, model, tokenizer) -> None:
    english, german = traces
    curves = alignment(english).language(german)
    found = curves.rows[curves.rows["reading"] == HEAD].set_index(["measure", "layer"])["value"]
    # "er" and "is" are shorter than 6 letters: the five others are left. A causal model reads no further.
    cut = [
        trace(model, tokenizer, {item: texts[item][:6] for item in "acefg"}, settings=HOW).distributions("soft_mass")
        for texts in (ENGLISH, GERMAN)
    ]
    expected_NL = routing_divergence(*cut)
    assert [found["divergence", layer] for layer in range(3)] == pytest.approx(expected_NL.mean(axis=0), abs=6e-5)
    first = curves.first_tokens
    assert first.sentences == 5
    assert first.zones_3 == pytest.approx(expected_NL.mean(axis=0), abs=1e-5), "three layers are three zones"
    assert first.summary["early"] == pytest.approx(first.zones_3[0], abs=5e-5)
    unrelated = [found["unrelated_divergence", layer] for layer in range(3)]
    assert first.alignment_L == pytest.approx(1 - expected_NL.mean(axis=0) / unrelated, abs=2e-3)
    assert not curves.rows["measure"].str.endswith("_pooled")[curves.rows["reading"] == HEAD].any()


def test_whole_sentences_are_what_they_were_without_first_tokens(traces) -> None:
    english, german = traces
    bare = [dataclasses.replace(one, head_mass=None) for one in traces]
    rows = alignment(english).language(german).rows
    without = alignment(bare[0]).language(bare[1])
    assert without.first_tokens is None
    assert rows[rows["reading"] != HEAD].reset_index(drop=True).equals(without.rows)


def test_a_trace_that_is_older_says_to_trace_again(traces) -> None:
    old = dataclasses.replace(traces[0], head_mass=None)
    assert old.head == 0
    with pytest.raises(TraceError, match=r"in eng_Latn does not hold `head_mass`: .* run the stage `trace` again"):
        old.distributions(HEAD)


def test_over_languages_and_those_left_out() -> None:
    summary = dict.fromkeys(("early", "late"), 0.4) | {"middle": 0.2, "shape": "U"}
    summary |= {f"{zone}_minus_middle": {"value": 0.2, "low": 0.1, "high": 0.3} for zone in ("early", "late")}
    codes = ["deu_Latn", "fra_Latn", "rus_Cyrl", "jpn_Jpan", "swh_Latn"]
    found = {
        code: FirstTokens(9 - n, summary, np.array([0.4 + 0.01 * n, 0.2, 0.5]), np.array([0.1, 0.2 + 0.02 * n, 0.0]))
        for n, code in enumerate(codes)
    }
    told = over_first_tokens(
        found | {"zho_Hans": FirstTokens(1, {}, np.full(3, np.nan), np.full(3, np.nan)), "hin_Deva": None},
        6, [0, 1, 2], confidence=0.95, seed=0,
    )  # fmt: skip
    checked = results.FirstTokens.model_validate(told)
    assert checked.left_out == ["zho_Hans", "hin_Deva"]
    assert {code: one.sentences for code, one in checked.languages.items()} == dict(
        zip(codes, [9, 8, 7, 6, 5], strict=True)
    )
    over = checked.over_languages
    assert (over.early_minus_middle.value, over.shape) == (pytest.approx(0.22), "U")
    assert over.alignment[1].value == pytest.approx(0.24)
    assert over_first_tokens({"deu_Latn": None}, 6, [0], confidence=0.95, seed=0) is None
