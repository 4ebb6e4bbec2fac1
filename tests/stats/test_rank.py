import numpy as np
import pytest

from polyroute.stats.rank import attainable_p, rank_p


def test_rank_by_hand() -> None:
    # Of 3 draws 1 is above 2, one ties with it, one lies below: (1 + 2) / 4.
    assert rank_p(2, [1, 2, 3]) == 0.75
    np.testing.assert_array_equal(rank_p([2, 9, 0], [[1, 1, 1], [2, 2, 2], [3, 3, 3]]), [0.75, 0.25, 1])


def test_no_rank_lies_below_the_attainable_one() -> None:
    assert attainable_p(19) == rank_p(1, np.zeros(19)) == 0.05


def test_p_is_uniform_under_the_null() -> None:
    values_SM = np.random.default_rng(0).standard_exponential((20, 20000))
    p_M = rank_p(values_SM[0], values_SM[1:])
    share = [np.mean(p_M <= level) for level in (0.05, 0.25, 0.5)]
    np.testing.assert_allclose(share, [0.05, 0.25, 0.5], atol=0.01)


@pytest.mark.parametrize(("observed", "drawn"), [(1, []), (np.nan, [1]), (1, [np.nan]), ([1, 2], [[1]])])
def test_what_has_no_rank_is_refused(observed, drawn) -> None:
    with pytest.raises(ValueError, match=r"NaN|draws of shape"):
        rank_p(observed, drawn)
