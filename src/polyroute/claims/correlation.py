"""Quantities of claims on divergence and accuracy, from align.json, accuracy.csv and correlation.json."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from polyroute.claims import first_tokens
from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import FEWEST, Estimate, correlation
from polyroute.ground.layers import ZONES
from polyroute.results.claims import Missing, StandIn
from polyroute.results.quantities import Zone


def divergence_and_accuracy(asked: Asked, found: Found) -> None:
    """p1.correlation: r of each zone's mean D and accuracy, with and without languages near chance."""
    by_zone = _by_zone(asked, found)
    if not by_zone or _few_published(asked, found, ("r", "r_edges", "r_without", "r_given")):
        return
    published = asked.published_middle(found.claim)
    middle = by_zone["middle"] if published is None else _r(asked, found, published)
    found.put("r", middle)
    edges = [one.value for one in (by_zone["early"], by_zone["late"]) if one.value is not None]
    if len(edges) == 2:
        found.put("r_edges", Estimate(min(edges)))
    low = asked.near_chance()
    by_language = _zone(asked, "middle") if published is None else published
    without = _r(asked, found, by_language, leave_out=low) if low else replace(middle, p=None, q=None)
    found.put("r_without", without)
    if without.value is None:
        few = f"{FEWEST} languages above chance (here {(found.languages or 0) - len(low)})"
        found.lack(("r_without",), Missing(kind="few", what=few))
    found.put("r_given", _given(asked, "all"))
    if published is not None:
        found.stand_in(StandIn(kind="setting", used="", meant="the paper's layers where covariates are held fixed"))


def not_fertility(asked: Asked, found: Found) -> None:
    """own.not_fertility: r of the middle zone, and given tokens a sentence; D at equal token budgets."""
    first_tokens.put_order(asked, found, "d_budget")
    first_tokens.put_arms(asked, found, "u_budget.em", "u_budget.lm")
    if (tokens := asked.log_tokens(asked.codes)) is not None:
        seed = asked.settings.seed
        found.put("r_fertility", correlation(tokens, asked.zone("middle"), seed=seed, ranks=True))
    by_zone = _by_zone(asked, found)
    if not by_zone or _few_published(asked, found, ("r_given", "r_plain")):
        return
    found.put("r_plain", by_zone["middle"])
    accuracy = asked.accuracy(found, "reading")
    codes = [code for code in asked.codes if accuracy is not None and code in accuracy.index]
    tokens = asked.log_tokens(codes)
    if accuracy is not None and tokens is not None:
        y = accuracy[codes].to_numpy()
        found.put("r_given", correlation(asked.zone("middle", codes), y, seed=asked.settings.seed, given=[tokens]))


def _few_published(asked: Asked, found: Found, names: tuple[str, ...]) -> bool:
    """Whether routing is known in too few languages with a published accuracy; the quantities then say so."""
    needed = None if asked.published is None else asked.published[1].languages_needed
    if needed is None or (found.languages or 0) >= needed:
        return False
    found.lack(names, Missing(kind="few", what=f"{found.languages} of at least {needed} languages"))
    return True


def _by_zone(asked: Asked, found: Found) -> dict[str, Estimate]:
    """r by zone: as `correlate` has it, else computed here; empty without accuracy."""
    if (told := _told(asked)) is not None:
        asked.accuracy(found, "reading")
        found.languages = len(told.points)
        return {str(zone): Estimate(one.r, one.low, one.high, one.p) for zone, one in told.zones.items()}
    if asked.accuracy(found, "reading") is None:
        return {}
    return {str(zone): _r(asked, found, _zone(asked, zone)) for zone in ZONES}


def _zone(asked: Asked, name: Zone) -> pd.Series[float]:
    """Mean D of a zone by language."""
    return pd.Series(asked.zone(name), index=asked.codes)


def _r(asked: Asked, found: Found, by_language: pd.Series[float], leave_out: list[str] | None = None) -> Estimate:
    """r of D and accuracy, of languages that have both."""
    accuracy = asked.accuracy(found, "reading")
    if accuracy is None:
        return Estimate()
    codes = [code for code in asked.codes if code in accuracy.index and code not in (leave_out or ())]
    if leave_out is None:
        found.languages = len(codes)
    return correlation(by_language[codes].to_numpy(), accuracy[codes].to_numpy(), seed=asked.settings.seed)


def _given(asked: Asked, what: str) -> Estimate:
    """Partial r of the middle zone; one test, so that q is p."""
    told = _told(asked)
    one = None if told is None else told.zones["middle"].given.get(what)
    return Estimate() if one is None else Estimate(one.r, p=one.p, q=one.p)


def _told(asked: Asked) -> Any:
    """What `correlate` says of the task that stands for reading, where it tells of zones."""
    if asked.results.correlations is None:
        return None
    one = asked.results.correlations.tasks.get(asked.for_reading or "")
    return one if getattr(one, "zones", None) else None
