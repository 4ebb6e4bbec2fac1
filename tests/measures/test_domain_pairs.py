"""Domain divergence over pairs of sequences, above that of generic text."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from experts.made import make_trace, random_trace
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.domain_pairs import FEWEST, domain_pairs, over_pairs
from polyroute.measures.specialisation import SpecialisationError
from polyroute.results.domain_pairs import DomainPairRow

CONFIDENCE = 0.95
ONE, OTHER = [1.0, 0, 0, 0], [0, 1.0, 0, 0]


def test_pairs_by_hand() -> None:
    # D of the same distribution is 0; of two different certainties ln 2 / ln 4 = 1/2.
    generic = np.array([ONE, ONE, OTHER, OTHER])[:, None]
    domain = np.array([ONE, OTHER, OTHER, OTHER, ONE])[:, None]
    found = over_pairs(domain, generic, CONFIDENCE)
    assert found.pairs == 4
    # Across: 0, 1/2, 0, 0. Within: 0 with 2 and 1 with 3, both 1/2.
    assert found.value.value.tolist() == pytest.approx([1 / 8])
    assert found.floor.value.tolist() == pytest.approx([1 / 2])
    assert found.above.value.tolist() == pytest.approx([1 / 8 - 1 / 2])
    # Units of sequences 0 and 2 with a mean of 0, 1 and 3 with 1/4: SE 1/8, t of one degree of freedom 12.7.
    assert found.value.high[0] == 1
    assert found.above.low[0] == -1
    assert found.floor.low == found.floor.high == pytest.approx([1 / 2])
    known = stats.ttest_1samp([0 - 1 / 2, 1 / 4 - 1 / 2], 0).confidence_interval(0.5)
    half = over_pairs(domain, generic, 0.5).above
    assert (half.low[0], half.high[0]) == pytest.approx((known.low, known.high))


def test_a_text_like_generic_text_is_at_the_floor_and_another_above_it() -> None:
    preferred = np.tile(np.linspace(0, 3, 8), (3, 1))
    generic = random_trace(0, 120, shift_LE=preferred)
    same = domain_pairs(random_trace(1, 120, corpus="more", shift_LE=preferred), generic, CONFIDENCE)
    assert ((same["above_low"] <= 0) & (same["above_high"] >= 0)).all()
    assert (same["floor"] > 0.2).all()
    turned = preferred.copy()
    turned[1] = turned[1, ::-1]
    other = domain_pairs(random_trace(1, 120, corpus="sums", shift_LE=turned), generic, CONFIDENCE)
    assert (other["above_low"] > 0).tolist() == [False, True, False]
    assert list(other.columns) == DomainPairRow.columns()[:-1]


def test_a_narrow_text_between_generic_ones_lies_below_the_floor() -> None:
    # Two generic sequences with nothing in common diverge by more than either does from the domain's, between them.
    generic = np.array([ONE] * 10 + [OTHER] * 10)[:, None]
    domain = np.full((20, 1, 4), [0.5, 0.5, 0, 0])
    found = over_pairs(domain, generic, CONFIDENCE)
    assert found.floor.value[0] == pytest.approx(1 / 2)
    between = (np.log(2) * 3 / 2 - np.log(3) * 3 / 4) / (np.log(4) - np.log(2) / 2)
    assert found.value.value[0] == pytest.approx(between)
    assert found.above.high[0] < 0


def test_every_reading_is_taken_and_the_value_is_the_mean_over_pairs_by_place(tmp_path) -> None:
    domain, generic = random_trace(0, 10, corpus="sums"), random_trace(1, 15)
    shares = np.random.default_rng(0).dirichlet(np.ones(8), size=(25, 3)).astype(np.float32)
    domain, generic = (
        dataclasses.replace(domain, soft_mass=shares[:10], softmax_of_weights=shares[:10, ::-1]),
        dataclasses.replace(generic, soft_mass=shares[10:], softmax_of_weights=shares[10:, ::-1]),
    )
    table = domain_pairs(domain, generic, CONFIDENCE)
    assert list(table["reading"].unique()) == ["soft_mass", "topk_count", "softmax_of_weights"]
    assert set(table["pairs"]) == {10}
    for reading, rows in table.groupby("reading"):
        p, q = generic.distributions(reading), domain.distributions(reading)
        assert rows["value"].tolist() == pytest.approx(routing_divergence(p[:10], q).mean(axis=0), abs=1e-4)
        assert rows["floor"].tolist() == pytest.approx(routing_divergence(p[:5], p[5:10]).mean(axis=0), abs=1e-4)
        assert rows["above"].tolist() == pytest.approx((rows["value"] - rows["floor"]).tolist(), abs=2e-4)
    DomainPairRow.write(tmp_path, [table.assign(task="arithmetic")])
    assert len(DomainPairRow.read(tmp_path)) == 9


def test_a_sequence_without_tokens_is_left_out_with_its_unit() -> None:
    generic, domain = (np.random.default_rng(seed).dirichlet(np.ones(4), size=(10, 1)) for seed in (0, 1))
    domain[3] = np.nan
    found = over_pairs(domain, generic, CONFIDENCE)
    kept = [0, 1, 2, 4]
    within = routing_divergence(generic[kept], generic[[k + 5 for k in kept]])
    assert found.floor.value == pytest.approx(within.mean(axis=0))


def test_without_sequences_enough_there_are_no_rows(tmp_path) -> None:
    few = domain_pairs(random_trace(0, FEWEST - 1, corpus="sums"), random_trace(1, 50), CONFIDENCE)
    pooled = [make_trace([[[3, 2, 1]]], [3], corpus=corpus, pooled=True) for corpus in ("sums", "text")]
    none = domain_pairs(*pooled, CONFIDENCE)
    DomainPairRow.write(tmp_path, [table.assign(task="t") for table in (few, none)])
    assert DomainPairRow.read(tmp_path).empty


def test_parallel_text_is_compared_sentence_by_sentence() -> None:
    with pytest.raises(SpecialisationError, match="parallel to the generic text"):
        domain_pairs(random_trace(0, 10, language="deu_Latn"), random_trace(1, 10), CONFIDENCE)
