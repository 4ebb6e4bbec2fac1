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
    assert unrelated_divergence(p, q, shuffles=3, seed=1) == pytest.approx(np.array(expected))


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
