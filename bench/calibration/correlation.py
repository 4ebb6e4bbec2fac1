"""The verdict on divergence and accuracy over languages: size, coverage and power, as the study computes them.

Populations: normal, skewed (both exponential, coupled by a Gaussian copula) and, where languages are not independent,
half of the variance of both quantities shared within families whose sizes are as uneven as those of the study's
languages. With families the test that permutes languages is too liberal; the interval by family is not, and the study
says where the two disagree.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from bench.calibration.families import FAMILIES
from bench.calibration.table import Row
from numpy.typing import NDArray
from scipy import stats

from polyroute.measures.zone_correlation import POWER, SIZE, detectable_r
from polyroute.stats.correlation_interval import leave_out_interval
from polyroute.stats.partial import correlations, permutation_p, residual_maker

TOPIC = "correlation"
SIZES = (5, 7, 11, 17, 50)
RHO = 0.6
"""Of the normal quantities whose correlation the intervals should cover."""
CONFIDENCE = 0.95
SHARED = 0.5
"""Of the variance within a family."""
_PERMUTATIONS = 999
_DRAWS = 400_000
"""From which the true correlation of skewed quantities is taken."""


def simulate(studies: int, sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Size, coverage and power of the verdict.

    Args:
        studies: simulated for each row.
        sizes: languages of a study; those of `SIZES`.
    """
    for languages in sizes:
        family_V = np.repeat(np.arange(len(FAMILIES[languages])), FAMILIES[languages])
        alone_V = np.arange(languages)
        for skewed in (False, True):
            name = "skewed" if skewed else "normal"
            for rho in (0.0, RHO):
                true = _true(rho, skewed)
                study_S2V = _draw(studies, languages, rho, skewed, alone_V)
                yield _row("coverage of the interval", f"{name}, r {true:.2f}", CONFIDENCE, study_S2V, alone_V, true)
                clustered_S2V = _draw(studies, languages, rho, skewed, family_V)
                population = f"{name} in families, r {true:.2f}"
                yield _row("coverage by family", population, CONFIDENCE, clustered_S2V, family_V, true)
                if rho == 0:
                    yield _rejected("size of the verdict", name, SIZE, study_S2V)
                    yield _rejected("size of the verdict", population, SIZE, clustered_S2V)
                    yield _rejected("size where families agree", population, SIZE, clustered_S2V, family_V)
        smallest = detectable_r(languages)
        assert smallest is not None, "five languages are enough"
        found_S2V = _draw(studies, languages, smallest, False, alone_V)
        yield _rejected("power at the detectable r", f"normal, r {smallest:.2f}", POWER, found_S2V)


def _draw(studies: int, languages: int, rho: float, skewed: bool, group_V: NDArray[np.int64]) -> NDArray[np.float64]:
    """(S, 2, V) two quantities of each language; within a group of several, related."""
    rng = np.random.default_rng([languages, round(1000 * rho), skewed, int(group_V.max())])

    def pair(count: int) -> NDArray[np.float64]:
        x_SV, noise_SV = rng.standard_normal((2, studies, count))
        return np.stack([x_SV, rho * x_SV + np.sqrt(1 - rho**2) * noise_SV], axis=1)

    drawn_S2V = pair(languages)
    if len(np.unique(group_V)) < languages:
        of_group_S2V = pair(int(group_V.max()) + 1)[:, :, group_V]
        drawn_S2V = np.sqrt(SHARED) * of_group_S2V + np.sqrt(1 - SHARED) * drawn_S2V
    return np.asarray(stats.expon.ppf(stats.norm.cdf(drawn_S2V))) if skewed else drawn_S2V


def _true(rho: float, skewed: bool) -> float:
    """Pearson's correlation of the population."""
    if not skewed or rho == 0:
        return rho
    return float(np.corrcoef(_draw(1, _DRAWS, rho, True, np.arange(_DRAWS))[0])[0, 1])


def _row(
    quantity: str, population: str, nominal: float, study_S2V: NDArray[np.float64], group_V: NDArray[np.int64],
    true: float,
) -> Row:  # fmt: skip
    bounds_S2 = _intervals(study_S2V, group_V)
    hits = float(((bounds_S2[:, 0] <= true) & (true <= bounds_S2[:, 1])).mean())
    return Row(TOPIC, quantity, population, study_S2V.shape[2], nominal, hits, len(study_S2V))


def _rejected(
    quantity: str, population: str, nominal: float, study_S2V: NDArray[np.float64],
    family_V: NDArray[np.int64] | None = None,
) -> Row:  # fmt: skip
    """Share of studies with a verdict that has a sign; with families, that their interval bears out."""
    maker_VV = residual_maker(np.empty((study_S2V.shape[2], 0)))
    p_S = np.array([permutation_p(x_V[:, None], y_V, maker_VV, 0, _PERMUTATIONS)[0] for x_V, y_V in study_S2V])
    told_S = p_S < SIZE
    if family_V is not None:
        bounds_S2 = _intervals(study_S2V, family_V)
        r_S = np.array([correlations(x_V[:, None], y_V, maker_VV)[0] for x_V, y_V in study_S2V])
        told_S &= np.where(r_S < 0, bounds_S2[:, 1] < 0, bounds_S2[:, 0] > 0)
    return Row(TOPIC, quantity, population, study_S2V.shape[2], nominal, float(told_S.mean()), len(study_S2V))


def _intervals(study_S2V: NDArray[np.float64], group_V: NDArray[np.int64]) -> NDArray[np.float64]:
    """(S, 2) bounds of each study."""
    return np.array([
        np.concatenate(leave_out_interval(x_V[:, None], y_V, group_V, CONFIDENCE, ranked=False))
        for x_V, y_V in study_S2V
    ])  # fmt: skip
