"""Divergence and accuracy over languages in the three zones of depth, and the verdict that rests on the middle one.

Paper 1 (section on correlation) finds that the nearer a language is routed to the pivot in the middle layers, the
better the model answers in it. The zones are fixed before anything is measured, so that the mean divergence of the
middle zone gives one test and none that was chosen among layers. Unit of resampling and of permutation: the language,
for the reason that `measures.correlation` gives; its interval and its p-value are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from polyroute.ground.layers import Zones
from polyroute.measures.correlation import CorrelationError, correlate
from polyroute.stats.signs import FEWEST

ZONES = ("early", "middle", "late")
SIZE = 0.05
"""Two-sided, of the test that the verdict rests on."""
POWER = 0.8
SEEN = 0.8
"""A correlation that a study must be able to see before "not distinguishable" says anything of the model: the weakest
that paper 1 reports for a middle layer of OLMoE. It takes 10 languages."""

CorrelationVerdict = Literal["negative", "positive", "not_distinguishable", "cannot_be_seen"]


@dataclass(frozen=True)
class ZoneCorrelation:
    """Correlations of the zones' mean divergence with accuracy."""

    rows: pd.DataFrame
    """As `correlation.Correlation.rows`, with `zone` for `layer` and without `q`: the middle is the only test."""
    notes: tuple[str, ...]
    """One sentence for everything that was not computed."""
    detectable_r: float | None
    """From `detectable_r`."""
    verdict: CorrelationVerdict | None
    """From `correlation_verdict`, by Pearson's r of the middle zone with nothing held fixed."""


def correlate_zones(
    divergence_VL: NDArray[np.float64],
    accuracy_V: NDArray[np.float64],
    *,
    languages: Sequence[str],
    layers: Sequence[int],
    zones: Zones,
    resamples: int,
    confidence: float,
    seed: int,
    covariates: pd.DataFrame | None = None,
) -> ZoneCorrelation:
    """Correlate the mean divergence of each zone with accuracy over languages.

    Args:
        divergence_VL: divergence of V languages from the pivot in L layers, the pivot apart.
        accuracy_V: share of right answers in each language.
        languages: the V codes.
        layers: the L layers' numbers.
        zones: ranges of those numbers.
        resamples: bootstrap resamples of languages.
        confidence: coverage of intervals.
        seed: of the resamples and the permutations.
        covariates: as of `correlate`.

    Raises:
        CorrelationError: a zone holds none of the layers, or as `correlate`.
    """
    if divergence_VL.shape != (len(languages), len(layers)):
        raise CorrelationError(
            f"divergence of shape {divergence_VL.shape} is not of {len(languages)} languages in {len(layers)} layers"
        )
    number_L = np.asarray(layers)
    mean_VZ = np.empty((len(languages), len(ZONES)))
    for place, zone in enumerate(ZONES):
        first, last = getattr(zones, zone)
        inside_L = (number_L >= first) & (number_L <= last)
        if not inside_L.any():
            raise CorrelationError(f"zone {zone}, layers {first} to {last}, holds no measured layer: correct the zones")
        mean_VZ[:, place] = divergence_VL[:, inside_L].mean(axis=1)
    found = correlate(
        mean_VZ, accuracy_V, languages=languages, layers=range(len(ZONES)), resamples=resamples, confidence=confidence,
        seed=seed, covariates=covariates,
    )  # fmt: skip
    rows = found.rows.drop(columns="q")
    rows.insert(0, "zone", [ZONES[place] for place in rows.pop("layer")])
    middle = rows[(rows["zone"] == "middle") & (rows["method"] == "pearson") & (rows["controlled_for"] == "")].iloc[0]
    r, low, high, p = (float(middle[name]) for name in ("r", "low", "high", "p"))
    verdict = correlation_verdict(r, low, high, p, len(languages))
    return ZoneCorrelation(rows, found.notes, detectable_r(len(languages)), verdict)


def detectable_r(languages: int, *, size: float = SIZE, power: float = POWER) -> float | None:
    """The smallest correlation that a two-sided test over so many languages finds with the given power.

    By Fisher's transform, V = ((z_(1 - size/2) + z_power) / atanh r)^2 + 3 solved for r (Cohen 1988, section 3.4).

    Returns:
        In (0, 1); None for fewer than `FEWEST` languages.
    """
    if languages < FEWEST:
        return None
    return float(np.tanh((stats.norm.ppf(1 - size / 2) + stats.norm.ppf(power)) / np.sqrt(languages - 3)))


def correlation_verdict(r: float, low: float, high: float, p: float, languages: int) -> CorrelationVerdict | None:
    """What a correlation over languages says.

    Returns:
        `negative` or `positive` where p < `SIZE` and the interval lies on that side of 0; otherwise `cannot_be_seen`
        where so few languages would miss a correlation of `SEEN`, else `not_distinguishable`. None for fewer than
        `FEWEST` languages, or where r was not computed.
    """
    smallest = detectable_r(languages)
    if smallest is None or np.isnan(r):
        return None
    if p < SIZE and (high < 0 or low > 0):
        return "negative" if high < 0 else "positive"
    return "cannot_be_seen" if smallest > SEEN else "not_distinguishable"
