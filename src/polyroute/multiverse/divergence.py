"""Claims on divergence from the pivot: its U over depth, and its correlation with accuracy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyroute.claims.asked import Found
from polyroute.claims.estimates import CONFIDENCE, FEWEST, Estimate, correlation
from polyroute.claims.nulls import from_nulls
from polyroute.measures.correlation import held_fixed, language_covariates
from polyroute.measures.split_half import HIGH
from polyroute.multiverse.distances import curves, halves
from polyroute.multiverse.grid import Cell, Choice
from polyroute.multiverse.study import Places, Study, over
from polyroute.results.claims import Missing
from polyroute.results.quantities import DECIMALS
from polyroute.stats.correlation_interval import leave_out_interval
from polyroute.stats.partial import correlations, permutation_p
from polyroute.stats.resampled import percentile_bounds

SCORES = ("accuracy", "accuracy_by_token", "accuracy_by_character", "as_read", "flexible_extract")
"""Columns of accuracy.csv that tell how well a language is answered; the board's first."""
OUTER = ("early", "late")
_RANDOM = Missing(
    kind="new", what="random initialisations of this reading, averaging, distance, zones, languages and pivot"
)


def u_shape_choices(study: Study) -> list[Choice]:
    """p1.u_shape."""
    return [
        study.readings, study.averaging, study.distances, study.zones(), study.numbering, study.languages,
        study.units, study.pivots,
    ]  # fmt: skip


def u_shape(study: Study, cell: Cell, found: Found) -> None:
    """p1.u_shape: as `claims.routing.u_shape`, from traces."""
    how = (cell["reading"], cell["averaging"], cell["distance"], cell["pivot"], cell["zones"], cell["numbering"])
    one = study.once(("arms", *how), _arms, study, *how)
    kept = [code for code in one.codes if code in {*study.among(cell["languages"]), study.pivot}]
    places = [one.codes.index(code) for code in kept]
    for name, outer_V in zip(("em", "lm"), one.outer_2V, strict=True):
        found.put(name, over(outer_V[places], kept, cell["unit"]))
    if one.lows_2V is not None:
        found.put("share_u", float((one.lows_2V[:, places].min(axis=0) > 0).mean()))
    if one.noise_2 is not None:
        for name, noise in zip(("noise.em", "noise.lm"), one.noise_2, strict=True):
            found.put(name, noise)
    if all(cell[one.name] == one.levels[0] for one in u_shape_choices(study) if one.name != "unit"):
        from_nulls(study.asked, found)
    else:
        found.lack(("random_init.em", "random_init.lm"), _RANDOM)


@dataclass(frozen=True)
class _Arms:
    """Early and late layers less middle ones."""

    codes: list[str]
    outer_2V: NDArray[np.float64]
    lows_2V: NDArray[np.float64] | None
    """Lower bounds over sentences; None of pooled counts."""
    noise_2: list[float] | None
    """What random halves of the pivot's sentences exceed in 2.5% of splits; None of pooled counts."""


def _arms(
    study: Study, reading: str, averaging: str, distance: str, pivot: str, zones: str, numbering: str
) -> _Arms:  # fmt: skip
    places = study.places(zones, numbering)
    one = curves(study, reading, averaging, distance, pivot)
    paired_SL = halves(study, reading, averaging, distance, pivot)
    lows = noise = None
    if one.draws_RVL is not None:
        drawn_2RV = [_outer(one.draws_RVL, zone, places) for zone in OUTER]
        lows = np.stack([percentile_bounds(of_RV, study.settings.intervals.confidence)[0] for of_RV in drawn_2RV])
    if paired_SL is not None:
        noise = [float(np.quantile(_outer(paired_SL, zone, places), HIGH)) for zone in OUTER]
    outer_2V = np.stack([_outer(one.value_VL, zone, places) for zone in OUTER]).round(DECIMALS)
    return _Arms(one.codes, outer_2V, None if lows is None else lows.round(DECIMALS), noise)


def correlation_choices(study: Study) -> list[Choice]:
    """p1.correlation; none without accuracies of enough languages."""
    accuracy = study.asked.results.accuracy
    task = study.asked.for_reading
    if accuracy is None or task is None:
        return []
    table = accuracy.table[accuracy.table["task"] == task]
    scores = [score for score in SCORES if score in table and table[score].notna().all()]
    if sum(table["language"].isin(study.settings.languages[1:])) < FEWEST or not scores:
        return []
    return [
        study.readings, study.averaging, Choice("distance", study.distances.levels[:2]),
        study.zones(published_first=study.named_middle is not None), study.numbering, study.languages,
        Choice("correlation", ("pearson", "spearman")), Choice("score", tuple(scores)),
    ]  # fmt: skip


def divergence_and_accuracy(study: Study, cell: Cell, found: Found) -> None:
    """p1.correlation: as `claims.correlation`, from traces and accuracy.csv."""
    accuracy = study.once(("accuracy", cell["score"]), _accuracy, study, cell["score"])
    one = curves(study, cell["reading"], cell["averaging"], cell["distance"], study.pivot)
    codes = [code for code in one.codes if code in accuracy.index and code in study.among(cell["languages"])]
    value_VL = one.only(codes).value_VL.round(DECIMALS)
    y_V: NDArray[np.float64] = np.asarray(accuracy[codes], dtype=np.float64)
    places = study.places(cell["zones"], cell["numbering"])
    ranked = cell["correlation"] == "spearman"
    # The board takes Fisher's interval where a claim names the middle, and leaves languages out in turn elsewhere.
    named = cell["zones"] == "published" and study.named_middle is not None
    zone_V = {zone: _mean(value_VL, inside) for zone, inside in places.items()}
    middle = _r(zone_V["middle"], y_V, ranked=ranked, fisher=named)
    found.put("r", middle)
    edges = [correlation(zone_V[zone], y_V, seed=None, ranks=ranked).value for zone in OUTER]
    if None not in edges:
        found.put("r_edges", Estimate(min(value for value in edges if value is not None)))
    above_V = np.array([code not in study.near_chance for code in codes])
    without = (
        replace(middle, p=None, q=None)
        if above_V.all()
        else _r(zone_V["middle"][above_V], y_V[above_V], ranked=ranked, fisher=True)
    )
    found.put("r_without", without)
    if without.value is None:
        few = f"{FEWEST} languages above chance (here {int(above_V.sum())})"
        found.lack(("r_without",), Missing(kind="few", what=few))
    given = study.places("study", cell["numbering"]) if named else places
    found.put("r_given", _given(study, _mean(value_VL, given["middle"]), y_V, codes, ranked))


def _outer(values: NDArray[np.float64], zone: str, places: Places) -> NDArray[np.float64]:
    """Mean over an outer zone less that over the middle, of values whose last axis is layers."""
    return _mean(values, places[zone]) - _mean(values, places["middle"])


def _mean(values: NDArray[np.float64], inside: NDArray[np.intp]) -> NDArray[np.float64]:
    """Mean over layers, the last axis."""
    weights_L = np.zeros(values.shape[-1])
    weights_L[inside] = 1 / len(inside)
    return np.asarray(values @ weights_L, dtype=np.float64)


def _accuracy(study: Study, score: str) -> pd.Series[float]:
    results = study.asked.results.accuracy
    assert results is not None, "cells of this claim need accuracies"
    rows = results.table[results.table["task"] == study.asked.for_reading]
    by: pd.Series[float] = rows.set_index("language")[score]
    return by


def _r(x_V: NDArray[np.float64], y_V: NDArray[np.float64], *, ranked: bool, fisher: bool) -> Estimate:
    """Correlation with Fisher's interval, or that which leaves one language out at a time."""
    if fisher or len(x_V) < FEWEST:
        return correlation(x_V, y_V, seed=None, ranks=ranked)
    value = correlation(x_V, y_V, seed=None, ranks=ranked).value
    if value is None:
        return Estimate()
    low, high = leave_out_interval(x_V[:, None], y_V, np.arange(len(x_V)), CONFIDENCE, ranked=ranked)
    bounds = [None if math.isnan(bound) else float(bound) for bound in (low[0], high[0])]
    return Estimate(value, *bounds)


def _given(
    study: Study, x_V: NDArray[np.float64], y_V: NDArray[np.float64], codes: list[str], ranked: bool
) -> Estimate:
    """Partial correlation given tokens, script and resource; one test, so that q is p."""

    def maker() -> NDArray[np.float64] | None:
        tokens = {code: float(study.of(code).tokens.mean()) for code in codes}
        shares = study.settings.text_shares
        resource = None if shares is None else {code: math.log(shares[code]) for code in shares}
        return held_fixed(language_covariates(tokens, resource), codes, ranked)

    maker_VV = study.once(("given", tuple(codes), ranked), maker)
    if maker_VV is None or len(codes) < FEWEST:
        return Estimate()
    if ranked:
        x_V, y_V = (np.asarray(pd.Series(one).rank(), dtype=np.float64) for one in (x_V, y_V))
    r = float(correlations(x_V[:, None], y_V, maker_VV)[0])
    p = float(permutation_p(x_V[:, None], y_V, maker_VV, study.settings.seed)[0])
    return Estimate(r, p=p, q=p)
