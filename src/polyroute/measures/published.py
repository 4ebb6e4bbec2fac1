"""Divergence against accuracies that others published, where only routing was measured here.

Published accuracies are of a few languages, chosen by others, and routing may be known in few of these. Paper 1
correlates over 13 languages, of which two are answered at chance: 11 are the fewest that a verdict is given on. Below
that r is a number and no verdict, and with fewer than five languages it is not computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from polyroute.languages import table as language_table
from polyroute.measures.zone_correlation import ZoneCorrelations

LEAST = 11
"""Languages beside the pivot, of a verdict on published accuracies."""


def with_published(found: ZoneCorrelations, languages: Sequence[str]) -> ZoneCorrelations:
    """A correlation with published accuracies: with fewer than `LEAST` languages it has no verdict, and says so first.

    Args:
        found: over the languages with both.
        languages: their codes.
    """
    if len(languages) >= LEAST:
        return found
    names = ", ".join(language_table.get(code).name for code in languages)
    note = f"{few(len(languages))} have both routing and a published accuracy: {names}"
    by_family = found.by_family | {"verdict": None, "agrees": None}
    return replace(found, verdict=None, by_family=by_family, notes=(note, *found.notes))


def few(languages: int) -> str:
    """`3 of at least 11 languages`."""
    return f"{languages} of at least {LEAST} languages"
