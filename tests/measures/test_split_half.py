import numpy as np
import pytest

from polyroute.measures.divergence import routing_divergence
from polyroute.measures.split_half import SplitHalfError, floor, split_half

RNG = np.random.default_rng(2)


def test_two_sentences_are_their_own_halves() -> None:
    q_NLE = RNG.dirichlet(np.ones(4), size=(2, 3))
    found_SL = split_half(q_NLE, splits=4, seed=0)
    assert found_SL == pytest.approx(np.tile(routing_divergence(q_NLE[0], q_NLE[1]), (4, 1)))


def test_equal_sentences_do_not_diverge() -> None:
    q_NLE = np.repeat(RNG.dirichlet(np.ones(4), size=(1, 3)), 7, axis=0)
    assert split_half(q_NLE, splits=3, seed=0) == pytest.approx(np.zeros((3, 3)), abs=1e-9)


def test_many_splits_come_to_the_mean_over_all_pairs() -> None:
    q_NLE = RNG.dirichlet([9, 3, 1, 1], size=(9, 2))
    pairs = [routing_divergence(q_NLE[i], q_NLE[j]) for i in range(9) for j in range(i)]
    found_SL = split_half(q_NLE, splits=4000, seed=1)
    assert found_SL.mean(axis=0) == pytest.approx(np.mean(pairs, axis=0), rel=0.02)


def test_one_sentence_has_no_halves() -> None:
    with pytest.raises(SplitHalfError, match="1 sentences has no halves"):
        split_half(np.full((1, 2, 4), 0.25), splits=2, seed=0)


def test_the_floor_by_hand() -> None:
    paired_SL = np.array([[0.3, 0.1, 0.1, 0.2], [0.5, 0.1, 0.3, 0.4]])
    zones_S3 = np.array([[0.3, 0.1, 0.2], [0.5, 0.2, 0.4]])
    assert floor(paired_SL, zones_S3) == {
        "splits": 2,
        "divergence": [0.4, 0.1, 0.2, 0.3],
        "high": pytest.approx([0.495, 0.1, 0.295, 0.395]),
        "early_minus_middle": {"mean": 0.25, "high": pytest.approx(0.2 + 0.975 * 0.1, abs=1e-4)},
        "late_minus_middle": {"mean": 0.15, "high": pytest.approx(0.1 + 0.975 * 0.1, abs=1e-4)},
    }
