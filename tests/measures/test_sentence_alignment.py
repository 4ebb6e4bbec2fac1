import importlib

import numpy as np
import pytest

from polyroute.measures.divergence import routing_divergence
from polyroute.measures.sentence_alignment import alignment, partners, unrelated_divergence
from tiny import ROOT


def distributions(rng, *shape) -> np.ndarray:
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def test_two_sentences_meet_only_each_other() -> None:
    p, q = distributions(np.random.default_rng(0), 2, 2, 3, 4)
    expected = [routing_divergence(p[0], q[1]), routing_divergence(p[1], q[0])]
    assert unrelated_divergence(p, q, np.array([3, 9]), nearest=8, seed=1) == pytest.approx(
        np.array(expected), abs=1e-6
    )


def test_partners_are_the_sentences_of_the_nearest_length_by_hand() -> None:
    #                 0  1   2   3   4   5
    tokens = np.array([5, 30, 6, 29, 40, 7])
    # Two partners and the one that stands in: of 40 tokens 30, 29 and 7.
    found = {item: partners(tokens, 2, seed=0)[:, item].tolist() for item in range(6)}
    assert found[4] == [1, 3, 5]
    assert found[0] == [2, 5, 3]
    assert found[2][:2] in ([0, 5], [5, 0])
    assert found[1] == [3, 4, 5]


@pytest.mark.parametrize("spread", [1, 3, 40])
def test_partners_agree_with_sorting_all_others(spread) -> None:
    rng = np.random.default_rng(spread)
    tokens = rng.integers(5, 5 + spread, size=60)
    found = partners(tokens, 8, seed=3)
    assert found.shape == (9, 60)
    for item, chosen in enumerate(found.T):
        others = np.delete(np.arange(60), item)
        apart = np.sort(np.abs(tokens[others] - tokens[item]))[:9]
        assert np.abs(tokens[chosen] - tokens[item]).tolist() == apart.tolist()
        assert item not in chosen
        assert len(set(chosen)) == 9


def test_sentences_of_one_length_are_partners_alike_often_and_the_seed_decides_which() -> None:
    found = partners(np.full(50, 12), 8, seed=0)[:8]
    assert np.bincount(found.ravel(), minlength=50).max() <= 12
    assert not np.array_equal(found, partners(np.full(50, 12), 8, seed=1)[:8])
    np.testing.assert_array_equal(found, partners(np.full(50, 12), 8, seed=0)[:8])


def test_a_sentence_never_meets_its_translation() -> None:
    p = np.eye(7)[:, None, :]
    assert unrelated_divergence(p, p, np.arange(7), nearest=4, seed=0) == pytest.approx(
        routing_divergence(p[0], p[1]) * np.ones((7, 1))
    )


def test_a_single_sentence_has_no_others() -> None:
    p = np.full((1, 2, 4), 0.25)
    assert np.isnan(unrelated_divergence(p, p, np.array([5]), nearest=3, seed=0)).all()


@pytest.mark.parametrize("concentration", [0.05, 1.0, 1000.0])
def test_many_pairs_agree_with_plain_float64(concentration) -> None:
    """From routing to a few experts, most of them at 0, to routing that is nearly uniform."""
    rng = np.random.default_rng(2)
    p, q = (rng.dirichlet(np.full(64, concentration), size=(40, 3)) for _ in range(2))
    p[p < 1e-4], p[3, 1], q[5, 0] = 0, np.nan, np.nan
    p /= p.sum(axis=-1, keepdims=True)
    tokens = rng.integers(5, 30, size=40)
    far = np.array([routing_divergence(p, q[partner]) for partner in partners(tokens, 8, 3)[:8]])
    found = unrelated_divergence(p, q, tokens, nearest=8, seed=3)
    assert np.isnan(found).sum() == 1, "a sentence without a value is left out of the partners of others"
    expected = np.full((40, 3), np.nan)
    expected[~np.isnan(found)] = np.nanmean(far[:, ~np.isnan(found)], axis=0)
    assert found == pytest.approx(expected, abs=1e-5, nan_ok=True)


def test_a_text_and_itself_have_no_divergence_in_float32_either() -> None:
    p = np.repeat(distributions(np.random.default_rng(4), 1, 2, 100), 5, axis=0)
    assert (unrelated_divergence(p, p, np.arange(5), nearest=3, seed=0) == 0).all()


@pytest.mark.parametrize("sentences", [30, 9, 4], ids=["one stands in", "no other is left", "few"])
def test_bounds_leave_each_sentence_out_of_both_its_parts(sentences) -> None:
    rng = np.random.default_rng(sentences)
    near, far = rng.random((sentences, 1)), rng.random((min(9, sentences - 1), sentences, 1))
    partner = partners(rng.integers(5, 9, size=sentences), 8, seed=0)
    left = []
    for out in range(sentences):
        means = []
        for item in set(range(sentences)) - {out}:
            kept = [place for place in range(len(partner)) if partner[place, item] != out]
            means.append(far[kept[:8], item].mean())
        left.append(1 - np.delete(near, out).mean() / np.mean(means))
    found, _ = alignment(near, far, partner, 8, 0.95)
    assert found.value[0] == pytest.approx(1 - near.mean() / far[:8].mean())
    error = np.sqrt((sentences - 1) / sentences * np.sum((left - np.mean(left)) ** 2))
    reach = {30: 2.0452, 9: 2.3060, 4: 3.1824}[sentences] * error
    assert found.low[0] == pytest.approx(found.value[0] - reach, rel=1e-4)
    assert found.high[0] == pytest.approx(min(1, found.value[0] + reach), rel=1e-4)


def test_sentences_without_a_value_do_not_count() -> None:
    rng = np.random.default_rng(0)
    near, far, partner = rng.random((20, 2)), rng.random((9, 20, 2)), partners(np.arange(20), 8, seed=0)
    near[4, 1] = np.nan
    whole, _ = alignment(near[:, :1], far[:, :, :1], partner, 8, 0.95)
    both, unrelated = alignment(near, far, partner, 8, 0.95)
    assert (both.value[0], both.low[0]) == pytest.approx((whole.value[0], whole.low[0]))
    assert both.value[1] == pytest.approx(1 - np.nanmean(near[:, 1]) / np.delete(far[:8, :, 1], 4, axis=1).mean())
    assert np.isfinite([both.low, both.high, unrelated.low, unrelated.high]).all()


def test_intervals_of_one_language_cover_what_they_say(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    simulate = importlib.import_module("bench.calibration.alignment").simulate
    # Of 100 studies of a true 95%, fewer than 88 come once in four hundred times.
    for row in simulate(100):
        assert row.found >= 0.88, row
