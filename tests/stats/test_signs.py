import itertools

import numpy as np
import pytest

from polyroute.stats.signs import FEWEST, sign_flips


def test_few_units_are_tested_exactly() -> None:
    values = np.array([0.3, 0.1, 0.2, -0.15, 0.25])
    signs = np.array(list(itertools.product([1, -1], repeat=5)))
    means = (signs * values).mean(axis=1)
    expected = (means >= values.mean() - 1e-12).mean()
    assert sign_flips(values[:, None], seed=0).p[0] == pytest.approx(expected)


def test_one_sign_throughout_is_the_least_likely() -> None:
    values = np.stack([np.arange(1.0, 7.0), -np.arange(1.0, 7.0)], axis=1)
    found = sign_flips(values, seed=0)
    assert found.p[0] == pytest.approx(1 / 2**6)
    assert found.p[1] == 1
    assert found.q[0] == pytest.approx(2 / 2**6), "two tests"


def test_nothing_is_found_more_often_than_the_level_says() -> None:
    rng = np.random.default_rng(0)
    found = [(sign_flips(rng.normal(size=(8, 6)), seed=0).q < 0.1).any() for _ in range(300)]
    assert 0.05 < np.mean(found) < 0.15


def test_too_few_units_are_not_tested() -> None:
    assert sign_flips(np.ones((FEWEST - 1, 3)), seed=0) is None


def test_missing_values_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        sign_flips(np.array([[1.0], [np.nan], [1.0], [1.0], [1.0]]), seed=0)
