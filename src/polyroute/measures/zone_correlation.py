"""Divergence and accuracy over languages in the three zones of depth, and the verdict that rests on the middle one.

Paper 1 (section on correlation) finds that the nearer a language is routed to the pivot in the middle layers, the
better the model answers in it. It picks no layer beforehand; here the zones are fixed before anything is measured, so
that the mean divergence of the middle zone gives one test and none that was chosen among layers.

Unit of permutation and of the interval: the language, for the reason that `measures.correlation` gives. Related
languages count for less than as many unrelated ones: with 17 languages of which 7 are of one family, a permutation test
at 5% rejects 6 to 12% of the time where both quantities follow families. So beside the verdict stands the interval that
leaves out one family at a time, and whether the two agree.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from polyroute.ground.layers import ZONES, Zones
from polyroute.languages import table as language_table
from polyroute.measures.correlation import CorrelationError, correlate
from polyroute.measures.zones import inside
from polyroute.results.correlation import CorrelationVerdict
from polyroute.results.quantities import DECIMALS, numbers_or_none, rounded
from polyroute.stats.correlation_interval import leave_out_interval
from polyroute.stats.partial import all_orders
from polyroute.stats.signs import FEWEST

SIZE = 0.05
"""Two-sided, of the test that the verdict rests on."""
POWER = 0.8
SEEN = 0.8
"""A correlation that a study must be able to see before "not distinguishable" says anything of the model: the weakest
that paper 1 reports for a middle layer of OLMoE. It takes 9 languages."""
_STUDIES = 2000
"""Simulated for each correlation that is tried; the power of each is then known to within 2 points."""
_STEPS = 9
"""Bisections; they leave less than 0.002."""
_ENUMERATED = 7
"""Languages up to which all permutations are taken; beyond, the permutation test and Student's differ by less than a
point of power."""
_TIE = 1e-12
"""Correlations nearer than this are equal but for rounding."""


@dataclass(frozen=True)
class ZoneCorrelations:
    """Correlations of the zones' mean divergence with accuracy."""

    rows: pd.DataFrame
    """As `correlation.Correlation.rows`, with `zone` for `layer` and without `q`: the middle is the only test."""
    notes: tuple[str, ...]
    """One sentence for everything that was not computed."""
    points: pd.DataFrame
    """Indexed by language: `divergence`, the mean over the middle zone, and `accuracy`."""
    by_family: dict[str, Any]
    """`families` (how many), `low`, `high` and `verdict` of the middle's Pearson correlation with a family as the unit,
    and whether it `agrees`; null with fewer than three families or no verdict."""
    detectable_r: float | None
    """From `detectable_r`."""
    verdict: CorrelationVerdict | None
    """From `correlation_verdict`, by Pearson's r of the middle zone with nothing held fixed."""

    def record(self) -> dict[str, Any]:
        """As `results.correlation.TaskCorrelation`."""
        by: Any = self.rows.set_index(["zone", "method", "controlled_for"]).sort_index()
        given = [name for name in self.rows["controlled_for"].unique() if name]
        zones = {}
        for zone in ZONES:
            plain, ranked = by.loc[(zone, "pearson", "")], by.loc[(zone, "spearman", "")]
            zones[zone] = {
                **numbers_or_none(plain[["r", "low", "high", "p"]]),
                **{name: numbers_or_none(ranked[[of]])[of] for name, of in (("rho", "r"), ("rho_p", "p"))},
                "given": {name: numbers_or_none(by.loc[(zone, "pearson", name)][["r", "p"]]) for name in given},
            }
        return {
            "verdict": self.verdict,
            "detectable_r": None if self.detectable_r is None else rounded(self.detectable_r),
            "by_family": self.by_family,
            "zones": zones,
            "points": self.points.round(DECIMALS).to_dict(orient="index"),
            "notes": list(self.notes),
        }


def correlate_zones(
    divergence_VL: NDArray[np.float64],
    accuracy_V: NDArray[np.float64],
    *,
    languages: Sequence[str],
    layers: Sequence[int],
    zones: Zones,
    confidence: float,
    seed: int,
    covariates: pd.DataFrame | None = None,
) -> ZoneCorrelations:
    """Correlate the mean divergence of each zone with accuracy over languages.

    Args:
        divergence_VL: divergence of V languages from the pivot in L layers, the pivot apart.
        accuracy_V: share of right answers in each language.
        languages: the V codes.
        layers: the L layers' numbers.
        zones: ranges of those numbers.
        confidence: coverage of intervals.
        seed: of the permutations.
        covariates: as of `correlate`.

    Raises:
        ZoneError: a zone holds none of the layers.
        CorrelationError: as `correlate`.
        LanguageError: a code is unknown.
    """
    if divergence_VL.shape != (len(languages), len(layers)):
        raise CorrelationError(
            f"divergence of shape {divergence_VL.shape} is not of {len(languages)} languages in {len(layers)} layers"
        )
    mean_VZ = np.stack([divergence_VL[:, inside_L].mean(axis=1) for inside_L in inside(zones, layers)], axis=1)
    found = correlate(
        mean_VZ, accuracy_V, languages=languages, layers=range(len(ZONES)), confidence=confidence, seed=seed,
        covariates=covariates,
    )  # fmt: skip
    rows = found.rows.drop(columns="q")
    rows.insert(0, "zone", [ZONES[place] for place in rows.pop("layer")])
    middle = rows[(rows["zone"] == "middle") & (rows["method"] == "pearson") & (rows["controlled_for"] == "")].iloc[0]
    verdict = correlation_verdict(float(middle["r"]), float(middle["p"]), len(languages))
    of_middle_V = mean_VZ[:, ZONES.index("middle")]
    return ZoneCorrelations(
        rows=rows,
        notes=found.notes,
        points=pd.DataFrame({"divergence": of_middle_V, "accuracy": accuracy_V}, index=list(languages)),
        by_family=_by_family(of_middle_V, accuracy_V, languages, confidence, verdict),
        detectable_r=detectable_r(len(languages)),
        verdict=verdict,
    )


def detectable_r(languages: int) -> float | None:
    """The smallest correlation that the verdict finds with power `POWER` over so many languages.

    By simulation of the verdict's own rule on normal quantities of independent languages: the same studies for every
    correlation that is tried, bisected. Related languages see less.

    Returns:
        In (0, 1); None for fewer than `FEWEST` languages.
    """
    return None if languages < FEWEST else _detectable_r(languages)


@functools.cache
def _detectable_r(languages: int) -> float:
    rng = np.random.default_rng(languages)
    x_SV, noise_SV = (rng.standard_normal((_STUDIES, languages)) for _ in range(2))
    x_SV -= x_SV.mean(axis=1, keepdims=True)
    rejected = _by_orders if languages <= _ENUMERATED else _by_student
    found_in = rejected(x_SV, noise_SV)
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        rho = (low + high) / 2
        low, high = (low, rho) if found_in(rho) >= POWER else (rho, high)
    return high


def _by_orders(x_SV: NDArray[np.float64], noise_SV: NDArray[np.float64]) -> Callable[[float], float]:
    """Share of S studies with p < `SIZE` where y = rho x + sqrt(1 - rho^2) noise, as `stats.partial.permutation_p`."""
    studies, languages = x_SV.shape
    # Products of x, permuted, with x and with the noise, of which those with y are sums; the first order is the data's.
    orders_PVV = np.eye(languages)[all_orders(languages)].reshape(-1, languages**2)
    of_x_SP, of_noise_SP = (
        (values_SV[:, :, None] * x_SV[:, None]).reshape(studies, -1) @ orders_PVV.T for values_SV in (x_SV, noise_SV)
    )

    def found_in(rho: float) -> float:
        drawn_SP = rho * of_x_SP + np.sqrt(1 - rho**2) * of_noise_SP
        above_S, below_S = ((sign * drawn_SP >= sign * drawn_SP[:, :1] - _TIE).mean(axis=1) for sign in (1, -1))
        return float((2 * np.minimum(above_S, below_S) < SIZE).mean())

    return found_in


def _by_student(x_SV: NDArray[np.float64], noise_SV: NDArray[np.float64]) -> Callable[[float], float]:
    """The same by Student's test of a correlation."""
    languages = x_SV.shape[1]
    quantile = stats.t.ppf(1 - SIZE / 2, languages - 2)
    smallest = quantile / np.sqrt(languages - 2 + quantile**2)

    def found_in(rho: float) -> float:
        r_S = stats.pearsonr(x_SV, rho * x_SV + np.sqrt(1 - rho**2) * noise_SV, axis=1).statistic
        return float((np.abs(r_S) > smallest).mean())

    return found_in


def correlation_verdict(r: float, p: float, languages: int) -> CorrelationVerdict | None:
    """What a correlation over languages says.

    Returns:
        The sign of r, `negative` or `positive`, where p < `SIZE`; otherwise `cannot_be_seen` where so few languages
        would miss a correlation of `SEEN`, else `not_distinguishable`. None for fewer than `FEWEST` languages, or where
        r was not computed.
    """
    smallest = detectable_r(languages)
    if smallest is None or np.isnan(r):
        return None
    if p < SIZE:
        return "negative" if r < 0 else "positive"
    return "cannot_be_seen" if smallest > SEEN else "not_distinguishable"


def _by_family(
    divergence_V: NDArray[np.float64],
    accuracy_V: NDArray[np.float64],
    languages: Sequence[str],
    confidence: float,
    verdict: CorrelationVerdict | None,
) -> dict[str, Any]:
    """The interval with a family as the unit, what it says, and whether the verdict over languages says the same."""
    names, family_V = np.unique([language_table.get(code).family for code in languages], return_inverse=True)
    found: dict[str, Any] = {"families": len(names)} | dict.fromkeys(("low", "high", "verdict", "agrees"))
    if verdict is None:
        return found
    bounds = leave_out_interval(divergence_V[:, None], accuracy_V, family_V, confidence, ranked=False)
    low, high = (float(bound_1[0]) for bound_1 in bounds)
    if np.isnan(low):
        return found
    by_family: CorrelationVerdict = "negative" if high < 0 else "positive" if low > 0 else "not_distinguishable"
    signs = ("negative", "positive")
    agrees = by_family == verdict if verdict in signs else by_family not in signs
    return found | {"low": rounded(low), "high": rounded(high), "verdict": by_family, "agrees": agrees}
