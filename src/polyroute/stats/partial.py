"""Correlation of two quantities over units once others are held fixed, with a permutation test.

Partial correlation is the correlation of residuals: with M = I - Z Z^+ for the covariates Z and a constant,

    r = (M x . M y) / (|M x| |M y|)

Without covariates M takes off the mean and r is Pearson's; of ranks it is Spearman's rho. The test permutes the
residuals M y and takes the covariates off again (Freedman and Lane 1983), which without covariates is the permutation
test of a correlation. Unit of permutation: the row, which the caller names (a language, say).
"""

import functools
import itertools
import math

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS = 9999
"""Random permutations; all of them where there are no more."""
_TIE = 1e-12
"""Correlations nearer than this are equal but for rounding."""
_FLAT = 1e-9
"""Residuals smaller than this share of a column's size are rounding error of none."""


def residual_maker(covariates_VC: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix M that takes a constant and C covariates off V values.

    Args:
        covariates_VC: C may be 0.

    Returns:
        (V, V), symmetric and idempotent; of rank V - 1 - C.

    Raises:
        ValueError: the covariates depend linearly on one another or on the constant: their number would not say how
            many degrees of freedom they take.
    """
    units = len(covariates_VC)
    size_C = np.abs(covariates_VC).max(axis=0, initial=0.0)
    scaled_VC = covariates_VC / np.where(size_C > 0, size_C, 1.0)  # so that rank does not hang on units
    design_VD = np.column_stack([np.ones(units), scaled_VC])
    if np.linalg.matrix_rank(design_VD) < design_VD.shape[1]:
        raise ValueError("covariates depend linearly on one another or do not vary")
    maker_VV: NDArray[np.float64] = np.eye(units) - design_VD @ np.linalg.pinv(design_VD)
    return maker_VV


def correlations(
    x_VM: NDArray[np.float64], y_V: NDArray[np.float64], maker_VV: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Correlation of each column with y, the covariates taken off both.

    Args:
        x_VM: M quantities of V units.
        y_V: another of the same units.
        maker_VV: from `residual_maker`.

    Returns:
        (M) in [-1, 1]; NaN where a column or y has no variance that the covariates leave.
    """
    y_1V = _unit((maker_VV @ y_V)[None], _FLAT * _size(y_V))
    r_M: NDArray[np.float64] = (_directions(x_VM, maker_VV) @ y_1V.T)[:, 0]
    return r_M


def permutation_p(
    x_VM: NDArray[np.float64],
    y_V: NDArray[np.float64],
    maker_VV: NDArray[np.float64],
    seed: int,
    permutations: int = PERMUTATIONS,
) -> NDArray[np.float64]:
    """Two-sided p-value of each correlation, by permutation of y's residuals; the same permutations for all columns.

    Args:
        x_VM: M quantities of V units.
        y_V: another of the same units.
        maker_VV: from `residual_maker`.
        seed: of the permutations.
        permutations: how many; where V has no more, all of them are taken.

    Returns:
        (M); NaN where the correlation is.
    """
    found_M = correlations(x_VM, y_V, maker_VV)
    order_PV, exact = _orders(len(y_V), permutations, seed)
    # One permutation of y serves all columns, so that their null distributions are one product of matrices.
    permuted_PV = _unit((maker_VV @ y_V)[order_PV] @ maker_VV, _FLAT * _size(y_V))
    drawn_PM = permuted_PV @ _directions(x_VM, maker_VV).T
    # As scipy.stats.permutation_test counts: the data are one permutation among the random ones.
    own = 0 if exact else 1
    tails_2M = [
        (side_PM.sum(axis=0) + own) / (len(order_PV) + own)
        for side_PM in (drawn_PM >= found_M - _TIE, drawn_PM <= found_M + _TIE)
    ]
    p_M: NDArray[np.float64] = np.where(np.isnan(found_M), np.nan, np.minimum(2 * np.minimum(*tails_2M), 1.0))
    return p_M


def all_orders(units: int) -> NDArray[np.int64]:
    """(units!, units) every order of so many units."""
    return np.array(list(itertools.permutations(range(units))))


@functools.lru_cache(maxsize=4)
def _orders(units: int, permutations: int, seed: int) -> tuple[NDArray[np.int64], bool]:
    """(P, V) orders of the units, and whether they are all that there are; kept, since many tests share them."""
    exact = math.factorial(units) <= permutations
    tiled_PV = np.tile(np.arange(units), (0 if exact else permutations, 1))
    order_PV = all_orders(units) if exact else np.random.default_rng(seed).permuted(tiled_PV, axis=1)
    order_PV.setflags(write=False)
    return order_PV, exact


def _size(values: NDArray[np.float64]) -> float:
    return float(np.abs(values).max(initial=0.0))


def _unit(values: NDArray[np.float64], smallest: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Rows at length 1; NaN where nothing but rounding error is left."""
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(values, length, out=np.full_like(values, np.nan), where=length > smallest)
    return unit


def _directions(x_VM: NDArray[np.float64], maker_VV: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, V) residuals of each column, at length 1."""
    return _unit((maker_VV @ x_VM).T, _FLAT * np.abs(x_VM).max(axis=0)[:, None])
