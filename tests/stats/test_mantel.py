import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from polyroute.stats.mantel import matrix_correlation

RNG = np.random.default_rng(3)
PLACE = RNG.normal(size=(9, 2))
Z = pdist(PLACE[:, :1])
X = pdist(PLACE + 0.5 * RNG.normal(size=(9, 2)))
Y = Z + 0.4 * X + 0.5 * pdist(RNG.normal(size=(9, 3)))


def partial(y, x, z) -> float:
    """Correlation of least-squares residuals."""
    design = np.column_stack([np.ones(len(y)), z])
    y, x = (values - design @ np.linalg.lstsq(design, values)[0] for values in (y, x))
    return float(stats.pearsonr(y, x).statistic)


def test_without_others_r_is_pearsons_over_pairs() -> None:
    assert matrix_correlation(Y, X, shuffles=9, seed=0).r == pytest.approx(stats.pearsonr(Y, X).statistic)


def test_given_others_r_is_the_partial_correlation() -> None:
    found = matrix_correlation(Y, X, [Z], shuffles=9, seed=0)
    assert found.r == pytest.approx(partial(Y, X, Z))
    unit = matrix_correlation(Y, X, [1000 * Z], shuffles=9, seed=0)
    assert (unit.r, unit.p) == pytest.approx((found.r, found.p))


@pytest.mark.parametrize("given", [[], [Z]])
def test_p_is_the_share_of_permuted_units(given) -> None:
    """Against every order of six units, one at a time, rows with columns."""
    small = [squareform(squareform(values)[:6, :6]) for values in (Y, X, *given)]
    y, x, *z = small
    design = np.column_stack([np.ones(len(y)), *z])
    residual = squareform(x - design @ np.linalg.lstsq(design, x)[0], checks=False)
    found = matrix_correlation(y, x, z, shuffles=4000, seed=1)
    drawn = []
    for order in itertools.permutations(range(6)):
        moved = residual[np.ix_(order, order)][np.triu_indices(6, 1)]
        drawn.append(partial(y, moved, z[0]) if z else stats.pearsonr(y, moved).statistic)
    exact = np.mean(np.array(drawn) >= found.r - 1e-12)
    assert found.p == pytest.approx(exact, abs=0.03)


def test_equal_matrices_are_the_rarest_of_permutations() -> None:
    found = matrix_correlation(X, X, shuffles=199, seed=0)
    assert found.r == pytest.approx(1)
    assert found.p == 1 / 200
    assert matrix_correlation(X, -X, shuffles=199, seed=0).p > 0.9, "one-sided"


def test_a_matrix_that_others_explain_has_no_correlation() -> None:
    assert np.isnan(matrix_correlation(Y, 3 * Z + 1, [Z], shuffles=9, seed=0).r)
    assert np.isnan(matrix_correlation(Y, np.ones_like(Y), shuffles=9, seed=0).p)


def test_it_keeps_its_level_when_the_others_are_related() -> None:
    """y depends on z alone, and x on what z depends on: naive permutation of x would find it too often."""
    rng, hits = np.random.default_rng(0), 0
    for trial in range(200):
        place = rng.normal(size=(8, 1))
        z, x = (pdist(place + 0.5 * rng.normal(size=(8, 1))) for _ in range(2))
        y = z + 0.3 * pdist(rng.normal(size=(8, 2)))
        hits += matrix_correlation(y, x, [z], shuffles=99, seed=trial).p <= 0.05
    assert hits / 200 < 0.1


def test_matrices_of_other_units_are_refused() -> None:
    with pytest.raises(ValueError, match="of the same units"):
        matrix_correlation(Y, X[:-1], shuffles=9, seed=0)
    with pytest.raises(ValueError, match="condensed"):
        matrix_correlation(Y[:5], X[:5], shuffles=9, seed=0)


def test_units_are_permuted_within_their_groups_alone() -> None:
    groups = ["a"] * 3 + ["b"] * 4
    small = [squareform(squareform(values)[:7, :7]) for values in (Y, X)]
    found = matrix_correlation(*small, shuffles=4000, seed=1, within=groups)
    drawn = []
    for first in itertools.permutations(range(3)):
        for second in itertools.permutations(range(3, 7)):
            moved = squareform(small[1])[np.ix_(first + second, first + second)][np.triu_indices(7, 1)]
            drawn.append(stats.pearsonr(small[0], moved).statistic)
    assert found.p == pytest.approx(np.mean(np.array(drawn) >= found.r - 1e-12), abs=0.03)
    assert found.r == pytest.approx(matrix_correlation(*small, shuffles=9, seed=0).r)


def test_groups_that_leave_few_orders_have_no_p() -> None:
    found = matrix_correlation(Y, X, shuffles=99, seed=0, within=["a", "a", "b", "b", "c", "c", "d", "e", "f"])
    assert np.isnan(found.p)
    assert not np.isnan(found.r)
    with pytest.raises(ValueError, match="2 groups are not one for each of 9 units"):
        matrix_correlation(Y, X, shuffles=9, seed=0, within=["a", "b"])


def test_an_order_that_changes_nothing_counts_as_high_as_the_one_observed() -> None:
    # The corners of a square: 8 of the 24 orders of its corners leave every distance as it was.
    square = pdist(np.array([[0, 0], [0, 1], [1, 1], [1, 0]]))
    found = matrix_correlation(square, square, shuffles=3000, seed=0)
    assert found.r == pytest.approx(1)
    assert found.p == pytest.approx(8 / 24, abs=0.04)
