import numpy as np
import pytest
from scipy.stats import entropy

from polyroute.measures.midpoints import halves, information, own_information


@pytest.mark.parametrize(("concentration", "within"), [(0.05, 1e-6), (1.0, 3e-7), (1000.0, 3e-8)])
def test_information_is_what_entropy_lacks_of_the_uniform_one(concentration, within) -> None:
    p, q = np.random.default_rng(0).dirichlet(np.full(64, concentration), size=(2, 50))
    p[p < 1e-3] = 0
    p /= p.sum(axis=-1, keepdims=True)
    t = halves(p) + halves(q)
    found = information(t, np.empty_like(t))
    assert found == pytest.approx(np.log(64) - entropy((p + q) / 2, axis=-1), abs=within)
    assert own_information(halves(p)) == pytest.approx(np.log(64) - entropy(p, axis=-1), abs=within)


def test_a_midpoint_with_itself_gives_the_same_bits() -> None:
    half = halves(np.random.default_rng(1).dirichlet(np.ones(128), size=(700, 3)))
    t = half + half
    assert np.array_equal(own_information(half), information(t, np.empty_like(t)))


def test_nan_stays_nan() -> None:
    half = halves(np.array([[np.nan, 0.5], [1.0, 0.0]]))
    assert np.isnan(own_information(half)).tolist() == [True, False]
