"""Quantities at equal token budgets and equal positions: over the first tokens of each sentence (`trace.head`)."""

from __future__ import annotations

from polyroute.claims.asked import Asked, Found
from polyroute.claims.estimates import Estimate, correlation, over_languages
from polyroute.results.alignment import FirstTokens
from polyroute.results.claims import Missing, StandIn

HEAD = "head_mass"


def equal_budget(asked: Asked, found: Found) -> None:
    """own.equal_budget: both arms of the U over the first tokens."""
    put_arms(asked, found, "em", "lm")


def equal_positions(asked: Asked, found: Found) -> None:
    """own.equal_positions: alignment over the first tokens, in the middle layer that has most of it."""
    put_alignment(asked, found, "a_positions")


def put_arms(asked: Asked, found: Found, early: str, late: str) -> None:
    """Early and late D less the middle's, over languages."""
    if (first := _at_hand(asked, found, (early, late))) is None:
        return
    for name, field in ((early, "early_minus_middle"), (late, "late_minus_middle")):
        found.put(name, over_languages([getattr(one, field).value for one in first.languages.values()]))


def put_alignment(asked: Asked, found: Found, name: str) -> None:
    """Sentence alignment in the middle layer that has most of it."""
    if (first := _at_hand(asked, found, (name,))) is None:
        return
    rows = [row for row in first.over_languages.alignment or () if row.layer in asked.layers_of("middle")]
    top = max(rows, key=lambda row: row.value, default=None)
    found.put(name, None if top is None else Estimate(top.value, top.low, top.high))


def put_order(asked: Asked, found: Found, name: str) -> None:
    """Spearman's rho over languages of middle D and middle D over the first tokens."""
    if (first := _at_hand(asked, found, (name,))) is None:
        return
    codes = [code for code in asked.codes if code in first.languages]
    middle = [first.languages[code].middle for code in codes]
    found.put(name, correlation(asked.zone("middle", codes), middle, seed=asked.settings.seed, ranks=True))


def put_steeper(asked: Asked, found: Found, name: str) -> None:
    """How much more entropy falls from the early to the late zone than the pivot's, over the first tokens."""
    curves, pivot = asked.by_layer("entropy", HEAD), asked.results.pivot
    if (first := _at_hand(asked, found, (name,))) is None or pivot not in curves.index:
        return
    fall = curves[list(asked.layers_of("early"))].mean(axis=1) - curves[list(asked.layers_of("late"))].mean(axis=1)
    found.put(name, over_languages((fall[list(first.languages)] - fall[pivot]).to_numpy()))


def _at_hand(asked: Asked, found: Found, names: tuple[str, ...]) -> FirstTokens | None:
    """What is known of first tokens, with a note of how many sentences have as many; None where nothing is."""
    first = asked.alignment.first_tokens
    if first is None:
        if asked.alignment.sentences is None:
            found.lack(names, Missing(kind="few", what="sentences (here pooled counts)"))
        return None
    fewest = min(one.sentences for one in first.languages.values())
    found.languages = found.languages or len(first.languages)
    found.items = found.items or fewest
    absent = f", without {', '.join(first.left_out)}" if first.left_out else ""
    used = f"the first {first.tokens} of each sentence ({fewest} of {asked.alignment.sentences} or more are so long)"
    found.stand_in(StandIn(kind="budget", used=used + absent, meant="the fewest over languages"))
    return first
