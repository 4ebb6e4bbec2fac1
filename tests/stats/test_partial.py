import itertools

import numpy as np
import pytest
from scipy import stats

from polyroute.stats.partial import correlations, permutation_p, residual_maker

RNG = np.random.default_rng(0)
NONE = np.empty((12, 0))
X, Y, Z = RNG.normal(size=(12, 3)), RNG.normal(size=12), RNG.normal(size=(12, 2))


def test_without_covariates_it_is_pearson() -> None:
    found = correlations(X, Y, residual_maker(NONE))
    assert found == pytest.approx([stats.pearsonr(X[:, column], Y)[0] for column in range(3)])


def test_with_one_covariate_it_is_the_textbook_formula() -> None:
    found = correlations(X, Y, residual_maker(Z[:, :1]))
    for column in range(3):
        xy, xz, yz = (stats.pearsonr(a, b)[0] for a, b in ((X[:, column], Y), (X[:, column], Z[:, 0]), (Y, Z[:, 0])))
        assert found[column] == pytest.approx((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))


def test_with_several_it_is_the_correlation_of_least_squares_residuals() -> None:
    design = np.column_stack([np.ones(12), Z])
    left = [values - design @ np.linalg.lstsq(design, values)[0] for values in (X, Y)]
    expected = [stats.pearsonr(left[0][:, column], left[1])[0] for column in range(3)]
    assert correlations(X, Y, residual_maker(Z)) == pytest.approx(expected)


def test_units_of_covariates_do_not_matter() -> None:
    assert residual_maker(Z * [1e9, 1e-9]) == pytest.approx(residual_maker(Z))


@pytest.mark.parametrize("extra", [Z[:, :1] * 3 + 1, np.full((12, 1), 7.0), np.zeros((12, 1))])
def test_dependent_covariates_are_refused(extra) -> None:
    with pytest.raises(ValueError, match="linearly"):
        residual_maker(np.hstack([Z, extra]))


def test_no_variance_is_nan() -> None:
    maker = residual_maker(Z)
    flat = np.column_stack([X[:, 0], np.full(12, 0.3), Z[:, 0] * 2 + 1])
    for values in (correlations(flat, Y, maker), permutation_p(flat, Y, maker, 0, 99)):
        assert np.isnan(values).tolist() == [False, True, True]
    assert np.isnan(correlations(X, Z[:, 1], maker)).all()
    assert np.isnan(permutation_p(X, np.full(12, 0.3), residual_maker(NONE), 0)).all()


def test_few_units_are_permuted_exactly() -> None:
    x, y, maker = X[:6], Y[:6], residual_maker(NONE[:6])
    found = permutation_p(x, y, maker, 0)
    for column in range(3):
        every = np.array([stats.pearsonr(x[:, column], np.array(p))[0] for p in itertools.permutations(y)])
        r = correlations(x, y, maker)[column]
        assert found[column] == pytest.approx(min(1, 2 * min((every >= r - 1e-9).mean(), (every <= r + 1e-9).mean())))


def test_covariates_are_permuted_by_their_residuals() -> None:
    """Freedman and Lane, step by step: add permuted residuals to the fit, regress again, compare."""
    x, y, z = X[:6], Y[:6], Z[:6, :1]
    design = np.column_stack([np.ones(6), z])
    fit = design @ np.linalg.lstsq(design, y)[0]

    def partial(y_new, column) -> float:
        left = [values - design @ np.linalg.lstsq(design, values)[0] for values in (x[:, column], y_new)]
        return stats.pearsonr(*left)[0]

    found = permutation_p(x, y, residual_maker(z), 0)
    for column in range(2):
        every = np.array([partial(fit + np.array(p), column) for p in itertools.permutations(y - fit)])
        r = partial(y, column)
        assert found[column] == pytest.approx(min(1, 2 * min((every >= r - 1e-9).mean(), (every <= r + 1e-9).mean())))


def test_p_agrees_with_scipy() -> None:
    found = permutation_p(X, Y, residual_maker(NONE), 0)
    for column in range(3):
        reference = stats.permutation_test(
            (Y,), lambda y, x=X[:, column]: stats.pearsonr(x, y)[0], permutation_type="pairings", n_resamples=999,
            rng=np.random.default_rng(1),
        )  # fmt: skip
        assert found[column] == pytest.approx(reference.pvalue, abs=0.06)
    few = permutation_p(X[:5], Y[:5], residual_maker(NONE[:5]), 0)
    for column in range(3):
        reference = stats.permutation_test(
            (Y[:5],), lambda y, x=X[:5, column]: stats.pearsonr(x, y)[0], permutation_type="pairings"
        )
        assert few[column] == pytest.approx(reference.pvalue), "every permutation"


def test_p_is_near_the_t_tests_and_columns_do_not_disturb_one_another() -> None:
    maker = residual_maker(NONE)
    found = permutation_p(X, Y, maker, 0)
    assert found == pytest.approx([stats.pearsonr(X[:, column], Y)[1] for column in range(3)], abs=0.05)
    assert permutation_p(X[:, 1:2], Y, maker, 0) == pytest.approx(found[1])
    assert permutation_p(X, Y, residual_maker(Z), 0) == pytest.approx(
        [2 * stats.t.sf(abs(r) * np.sqrt(8 / (1 - r**2)), 8) for r in correlations(X, Y, residual_maker(Z))],
        abs=0.05,
    )


def test_chance_is_found_as_often_as_the_level_says() -> None:
    rng = np.random.default_rng(5)
    p = []
    for seed in range(60):
        z = rng.normal(size=(10, 1))
        x, y = rng.normal(size=(10, 6)) + 2 * z, rng.exponential(size=10) + 2 * z[:, 0]
        p.append(permutation_p(x, y, residual_maker(z), seed, 199))
    assert 0.05 < np.mean(np.array(p) <= 0.1) < 0.16
