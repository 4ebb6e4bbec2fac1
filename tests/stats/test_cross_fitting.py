import numpy as np
import pytest
from scipy import integrate, stats

from polyroute.stats.cross_fitting import inflation


def largest(candidates: int) -> float:
    """Mean of the largest of so many standard normal deviates."""

    def times_density(x: float) -> float:
        return x * candidates * stats.norm.pdf(x) * stats.norm.cdf(x) ** (candidates - 1)

    return integrate.quad(times_density, -9, 9)[0]


@pytest.mark.parametrize("candidates", [2, 3, 6])
def test_of_candidates_without_anything_in_common_it_is_known(candidates: int) -> None:
    halves = np.random.default_rng(1).normal(size=(2, candidates, 4000))
    expected = 1 + largest(candidates) ** 2 / (candidates - 1)
    assert inflation(list(halves)) == pytest.approx(expected, abs=0.04)


def test_what_candidates_have_in_common_goes_off_it() -> None:
    rng = np.random.default_rng(1)
    common, own = rng.normal(size=(2, 1, 4000)), rng.normal(size=(2, 2, 4000))
    half_own = list(np.sqrt(0.5) * common + np.sqrt(0.5) * own)
    assert inflation(half_own) == pytest.approx(1 + 0.5 * largest(2) ** 2, abs=0.04)
    assert inflation([np.repeat(one, 3, axis=0) for one in common]) == pytest.approx(1, abs=0.03)


def test_one_candidate_or_none_that_changes_anything_needs_no_choice() -> None:
    assert inflation([np.zeros((3, 10)), np.zeros((3, 12))]) == 1
    assert inflation([np.random.default_rng(0).normal(size=(1, 50))] * 2) == pytest.approx(1, abs=0.03)
    with pytest.raises(ValueError, match="one half has 2 candidates, the other 3"):
        inflation([np.zeros((2, 10)), np.zeros((3, 10))])
