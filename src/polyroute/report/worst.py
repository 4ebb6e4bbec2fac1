"""Which languages fare worst: routed least like the pivot in the middle layers, and answered least accurately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from polyroute.report import words
from polyroute.results.model import ModelResults


class Ends(NamedTuple):
    """The two ends of a range of languages; languages with the same value share an end."""

    worst: str
    """Names, and the value."""
    best: str


def divergence(found: ModelResults, corpus: str) -> Ends | None:
    """By mean divergence from the pivot in the middle zone; None where all languages have the same."""
    return _ends({code: -one.middle for code, one in found.alignment.corpora[corpus].languages.items()}, "D ")


def accuracy(found: ModelResults, task: str) -> Ends | None:
    """By accuracy, the pivot among them; None where all languages have the same, or the task was not asked."""
    if found.accuracy is None:
        return None
    table = found.accuracy.table
    scored = table[(table["task"] == task) & table["accuracy"].notna()]
    return _ends(dict(zip(scored["language"], scored["accuracy"].astype(float), strict=True)), "")


def _ends(values: Mapping[str, float], unit: str) -> Ends | None:
    if len(set(values.values())) < 2:
        return None
    told = []
    for value in (min(values.values()), max(values.values())):
        names = [words.named(code) for code, one in values.items() if one == value]
        said = ", ".join(names) if len(names) < 4 else f"{len(names)} languages"
        told.append(f"{said} ({unit}{abs(value):.2f})" if unit else f"{said} ({words.percent(value)}%)")
    return Ends(*told)
