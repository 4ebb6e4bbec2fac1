"""Whether steering toward a language's experts helps its relatives more than other languages (paper 2).

Unit: the language. The error of a mean gain is that between its languages, and no less than what their own errors over
items leave: gains that happen to be alike prove nothing. Items are translations of one another, so what they share
cancels in the difference; that is not taken off, the careful side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from scipy import stats

from polyroute.claims.estimates import CONFIDENCE, FEWEST, Estimate
from polyroute.languages import table as languages

_NEAR = {"zho_Hans": ("jpn_Jpan",), "zho_Hant": ("jpn_Jpan",)}
"""Source -> what the claim calls its relatives though no language of the table is one."""


def relatives(source: str, codes: Sequence[str]) -> list[str]:
    """Languages of the family and script of a source, as German, French and Spanish are to English in paper 2.

    Raises:
        LanguageError: a code is unknown.
    """
    if source in _NEAR:
        return [code for code in codes if code in _NEAR[source]]
    own = languages.get(source)
    others = {code: languages.get(code) for code in codes if code != source}
    return [code for code, one in others.items() if (one.family, one.script) == (own.family, own.script)]


def gain_of_relatives(rows: pd.DataFrame, near: Sequence[str]) -> Estimate:
    """Mean gain of relatives less that of the rest.

    Args:
        rows: of steer.csv under one condition, a row a language, indexed by code.
        near: which are relatives.

    Returns:
        Student's interval with a degree of freedom for each language less two; nothing with fewer than `FEWEST`
        languages or without a language on either side.
    """
    parts = [rows[rows.index.isin(near)], rows[~rows.index.isin(near)]]
    if len(rows) < FEWEST or not all(len(part) for part in parts):
        return Estimate()
    variance = 0.0
    for part in parts:
        own = (part["high"] - part["low"]) / (2 * float(stats.norm.ppf((1 + CONFIDENCE) / 2)))
        between = float(part["difference"].var(ddof=1)) if len(part) > 1 else 0.0
        variance += max(between, float((own**2).mean())) / len(part)
    value = float(parts[0]["difference"].mean() - parts[1]["difference"].mean())
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(rows) - 2)) * math.sqrt(variance)
    return Estimate(value, value - half, value + half)
