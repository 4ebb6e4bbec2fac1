import numpy as np
import pytest

from polyroute.measures.divergence import routing_divergence
from polyroute.measures.split_half import SplitHalfError, split_half

RNG = np.random.default_rng(2)


def test_two_sentences_are_their_own_halves() -> None:
    q_NLE = RNG.dirichlet(np.ones(4), size=(2, 3))
    found = split_half(q_NLE, np.array([3, 9]), splits=4, seed=0)
    expected_L = routing_divergence(q_NLE[0], q_NLE[1])
    assert found.pooled_L == pytest.approx(expected_L)
    assert found.paired_L == pytest.approx(expected_L)


def test_equal_sentences_do_not_diverge() -> None:
    q_NLE = np.repeat(RNG.dirichlet(np.ones(4), size=(1, 3)), 7, axis=0)
    found = split_half(q_NLE, np.arange(1, 8), splits=3, seed=0)
    assert found.pooled_L == pytest.approx(np.zeros(3), abs=1e-9)
    assert found.paired_L == pytest.approx(np.zeros(3), abs=1e-9)


def test_tokens_weigh_alike_in_a_half() -> None:
    sure, even = [0.9, 0.1], [0.5, 0.5]
    q_NLE, tokens_N = np.array([[sure], [even], [sure], [even]]), np.array([9, 1, 2, 3])
    order = np.random.default_rng(0).permutation(4)
    halves = [np.average(q_NLE[side, 0], axis=0, weights=tokens_N[side]) for side in (order[:2], order[2:])]
    found = split_half(q_NLE, tokens_N, splits=1, seed=0)
    assert found.pooled_L == pytest.approx([float(routing_divergence(*halves))])


def test_more_sentences_lower_the_pooled_floor_alone() -> None:
    few, many = (
        split_half(RNG.dirichlet([9, 3, 1, 1], size=(count, 1)), np.ones(count, dtype=int), splits=20, seed=1)
        for count in (8, 200)
    )
    assert many.pooled_L < few.pooled_L / 5
    assert many.paired_L > 10 * many.pooled_L, "pairs of sentences come no nearer"


def test_one_sentence_has_no_halves() -> None:
    with pytest.raises(SplitHalfError, match="1 sentences has no halves"):
        split_half(np.full((1, 2, 4), 0.25), np.array([5]), splits=2, seed=0)
