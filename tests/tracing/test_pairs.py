import numpy as np
import pytest

from polyroute.tracing.pairs import sample_batch, sample_pairs


def test_all_pairs_of_a_short_sequence() -> None:
    assert sample_pairs(4, 10, 0, "a").tolist() == [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
    assert sample_pairs(1, 10, 0, "a").shape == (0, 2)


def test_a_long_sequence_gives_distinct_pairs_fixed_by_seed_and_item() -> None:
    pairs = sample_pairs(100_000, 64, 0, "a")
    assert len({tuple(pair) for pair in pairs.tolist()}) == 64
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert pairs.max() < 100_000
    assert pairs.min() >= 0
    assert np.array_equal(pairs, sample_pairs(100_000, 64, 0, "a"))
    assert not np.array_equal(pairs, sample_pairs(100_000, 64, 0, "b"))
    assert not np.array_equal(pairs, sample_pairs(100_000, 64, 1, "a"))
    assert not np.array_equal(pairs * 2, sample_pairs(200_000, 64, 0, "a"))


def test_every_pair_is_as_likely_as_any_other() -> None:
    drawn = np.concatenate([sample_pairs(6, 3, seed, "a") for seed in range(3000)])
    seen = np.unique(drawn, axis=0, return_counts=True)[1]
    assert len(seen) == 15
    assert abs(seen / seen.sum() - 1 / 15).max() < 0.01


def test_pairs_that_are_apart_by_hand() -> None:
    assert sample_pairs(5, 10, 0, "a", apart=3).tolist() == [[0, 3], [0, 4], [1, 4]]
    assert sample_pairs(3, 10, 0, "a", apart=3).shape == (0, 2)
    assert sample_pairs(0, 10, 0, "a", apart=3).shape == (0, 2)
    far = sample_pairs(100, 64, 0, "a", apart=20)
    assert len({tuple(pair) for pair in far.tolist()}) == 64
    assert (far[:, 1] - far[:, 0]).min() >= 20
    assert far.min() >= 0
    assert far.max() <= 99


@pytest.mark.parametrize("apart", [1, 7])
def test_a_batch_draws_the_pairs_of_its_sequences(apart) -> None:
    counted_BS = np.random.default_rng(0).random((6, 40)) < 0.6
    counted_BS[0] = counted_BS[1, 1:] = False
    names = list("abcdef")
    positions_2BP, real_BP = sample_batch(counted_BS, 64, 3, names, apart)
    assert real_BP.sum(axis=1).tolist()[:2] == [0, 0]
    for b, name in enumerate(names):
        counted = np.flatnonzero(counted_BS[b])
        expected_P2 = counted[sample_pairs(len(counted), 64, 3, name, apart)]
        assert np.array_equal(positions_2BP[:, b, real_BP[b]].T, expected_P2)
        assert (positions_2BP[:, b, ~real_BP[b]] == 0).all()
