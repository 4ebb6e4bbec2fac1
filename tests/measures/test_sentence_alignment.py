import itertools

import numpy as np
import pytest

from polyroute.measures.divergence import routing_divergence
from polyroute.measures.sentence_alignment import unrelated_divergence


def distributions(rng, *shape) -> np.ndarray:
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def test_two_sentences_meet_only_each_other() -> None:
    p, q = distributions(np.random.default_rng(0), 2, 2, 3, 4)
    expected = [routing_divergence(p[0], q[1]), routing_divergence(p[1], q[0])]
    assert unrelated_divergence(p, q, shuffles=3, seed=1) == pytest.approx(np.array(expected), abs=1e-6)


def test_many_shuffles_come_to_the_mean_over_all_other_sentences() -> None:
    rng = np.random.default_rng(1)
    p, q = distributions(rng, 5, 2, 6), distributions(rng, 5, 2, 6)
    expected = np.zeros((5, 2))
    for i, j in itertools.permutations(range(5), 2):
        expected[i] += routing_divergence(p[i], q[j]) / 4
    assert unrelated_divergence(p, q, shuffles=4000, seed=0) == pytest.approx(expected, abs=0.01)


def test_a_sentence_never_meets_its_translation() -> None:
    p = np.eye(7)[:, None, :]
    assert unrelated_divergence(p, p, shuffles=50, seed=0) == pytest.approx(
        routing_divergence(p[0], p[1]) * np.ones((7, 1))
    )


def test_a_single_sentence_has_no_others() -> None:
    p = np.full((1, 2, 4), 0.25)
    assert np.isnan(unrelated_divergence(p, p, shuffles=3, seed=0)).all()


@pytest.mark.parametrize("concentration", [0.05, 1.0, 1000.0])
def test_many_pairs_agree_with_plain_float64(concentration) -> None:
    """From routing to a few experts, most of them at 0, to routing that is nearly uniform."""
    rng = np.random.default_rng(2)
    p, q = (rng.dirichlet(np.full(64, concentration), size=(40, 3)) for _ in range(2))
    p[p < 1e-4], q[3, 1] = 0, np.nan
    p /= p.sum(axis=-1, keepdims=True)
    draws, expected = np.random.default_rng(3), np.zeros((40, 3))
    for _ in range(20):
        order = draws.permutation(40)
        for place in range(40):
            expected[order[place]] += routing_divergence(p[order[place]], q[order[place - 1]]) / 20
    found = unrelated_divergence(p, q, shuffles=20, seed=3)
    assert found == pytest.approx(expected, abs=1e-5, nan_ok=True)
    assert 0 < np.isnan(found).sum() < 40


def test_a_text_and_itself_have_no_divergence_in_float32_either() -> None:
    p = np.repeat(distributions(np.random.default_rng(4), 1, 2, 100), 5, axis=0)
    assert (unrelated_divergence(p, p, shuffles=3, seed=0) == 0).all()
