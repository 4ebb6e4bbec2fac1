import dataclasses

import numpy as np
import pytest

from polyroute.artifacts.trace import Trace
from polyroute.measures import layer_curves
from polyroute.measures.layer_curves import Alignment, AlignmentError
from polyroute.measures.layer_measure import OfDistributions
from polyroute.measures.registry import MEASURES
from polyroute.tracing.collect import trace


@pytest.fixture(scope="module")
def pair(model, tokenizer) -> tuple[Trace, Trace]:
    texts = {"eng_Latn": ["a cat", "the dog"], "deu_Latn": ["eine katze", "der hund"]}
    return tuple(trace(model, tokenizer, text, language=code) for code, text in texts.items())


def rows(monkeypatch, pair, one: OfDistributions, of: Trace):
    monkeypatch.setattr(layer_curves, "MEASURES", (*MEASURES, one))
    pivot, _ = pair
    table = Alignment(pivot, resamples=100, confidence=0.9, nearest=2, seed=0).language(of).rows
    return table[table["measure"].str.startswith(one.name)]


def largest_share(q_E):
    return np.max(q_E, axis=-1)


def overlap(p_E, q_E):
    return np.minimum(p_E, q_E).sum(axis=-1)


def test_a_measure_of_distributions_is_taken_of_every_reading_by_sentence_and_pooled(monkeypatch, pair) -> None:
    one = OfDistributions("largest", title="", unit="share", bounds=(0, 1), pivot=False, of=largest_share)
    table = rows(monkeypatch, pair, one, pair[0])
    assert list(table["measure"].unique()) == ["largest_pooled", "largest"]
    assert list(table["reading"].unique()) == ["soft_mass", "topk_mass", "topk_count"]
    found = table[(table["measure"] == "largest") & (table["reading"] == "soft_mass")]
    expected = pair[0].distributions("soft_mass").max(axis=2).mean(axis=0)
    assert found["value"].to_numpy() == pytest.approx(expected, abs=5e-5)
    assert table[table["measure"] == "largest_pooled"]["low"].isna().all()


def test_a_measure_that_compares_with_the_pivot_has_no_row_of_it(monkeypatch, pair) -> None:
    one = OfDistributions("overlap", title="", unit="share", bounds=(0, 1), pivot=True, of=overlap)
    assert rows(monkeypatch, pair, one, pair[0]).empty
    assert not rows(monkeypatch, pair, one, pair[1]).empty


def test_the_pooled_curve_compares_the_language_with_the_pivot_and_not_with_itself(monkeypatch, pair) -> None:
    one = OfDistributions("overlap", title="", unit="share", bounds=(0, 1), pivot=True, of=overlap)
    table = rows(monkeypatch, pair, one, pair[1])
    found = table[(table["measure"] == "overlap_pooled") & (table["reading"] == "topk_count")]
    # Choices of each expert by all tokens of a corpus, as shares: what both have in common.
    counts = [of.topk_count.sum(axis=0) for of in pair]
    shares = [count_LE / count_LE.sum(axis=1, keepdims=True) for count_LE in counts]
    expected = np.minimum(*shares).sum(axis=1)
    assert (expected < 0.95).all(), "else the language itself would do"
    assert found["value"].to_numpy() == pytest.approx(expected, abs=5e-5)


def test_a_value_that_a_measure_cannot_have_is_refused(monkeypatch, pair) -> None:
    one = OfDistributions("largest", title="", unit="share", bounds=(0, 0.1), pivot=False, of=largest_share)
    with pytest.raises(AlignmentError, match=r"in eng_Latn: largest_pooled of soft_mass is .* outside of \[0, 0.1\]"):
        rows(monkeypatch, pair, one, pair[0])


def test_names_of_measures_are_one_each() -> None:
    names = [one.name for one in MEASURES]
    assert len(names) == len(set(names))
    assert all(one.title and one.unit and one.bounds[0] < one.bounds[1] for one in MEASURES)


def test_a_trace_without_a_column_of_tokens_has_no_row_of_it(pair, tmp_path) -> None:
    dataclasses.replace(pair[0], of_tokens={}).save(tmp_path / "older.safetensors")
    older = Trace.load(tmp_path / "older.safetensors")
    table = Alignment(older, resamples=100, confidence=0.9, nearest=2, seed=0).language(older).rows
    assert set(table["measure"]) == {"entropy", "entropy_pooled"}
