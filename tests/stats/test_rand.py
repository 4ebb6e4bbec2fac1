import itertools

import numpy as np
import pytest

from polyroute.stats.rand import adjusted_rand


def plain(first, second) -> float:
    """Pair by pair, as Hubert and Arabie count them."""
    pairs = list(itertools.combinations(range(len(first)), 2))
    in_first = [first[i] == first[j] for i, j in pairs]
    in_second = [second[i] == second[j] for i, j in pairs]
    both = sum(a and b for a, b in zip(in_first, in_second, strict=True))
    chance = sum(in_first) * sum(in_second) / len(pairs)
    return (both - chance) / ((sum(in_first) + sum(in_second)) / 2 - chance)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([0, 0, 1, 1], [5, 5, 3, 3], 1),
        ([0, 0, 1, 2], [0, 0, 1, 1], 4 / 7),  # both pages of scikit-learn's documentation
        ([0, 0, 1, 1], [0, 1, 0, 1], -0.5),
        ([0, 0, 0, 0], [0, 1, 2, 3], 0),
        ([0, 0, 0], [1, 1, 1], 1),
        ([0, 1, 2], [2, 0, 1], 1),
    ],
)
def test_by_hand(first, second, expected) -> None:
    assert float(adjusted_rand(first, second)) == pytest.approx(expected)


def test_many_partitions_at_once_agree_with_counting_pairs() -> None:
    rng = np.random.default_rng(0)
    first_V, second_SV = rng.integers(4, size=12), rng.integers(-2, 3, size=(50, 12))
    expected = [plain(first_V, second_V) for second_V in second_SV]
    assert adjusted_rand(first_V, second_SV) == pytest.approx(np.array(expected))


def test_partitions_of_other_units_are_refused() -> None:
    with pytest.raises(ValueError, match="not of the same units"):
        adjusted_rand([0, 1, 1], [[0, 1], [1, 0]])
