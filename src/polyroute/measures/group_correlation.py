"""Divergence and accuracy over groups of languages that a study names, each with and without languages at chance.

Which languages a correlation is over decides much of it. The code behind paper 1 (arXiv 2510.04694) lists 14 beside
English; its keys let romanised Arabic take the place of Arabic, which leaves 13, and 12 once both are dropped before
drawing. And of a language that is answered by guessing, accuracy says nothing: two of the 13 lie near the chance of
Belebele, 1/4, far from the others, and can make a correlation by themselves (leverage).

The quantity is that of `measures.zone_correlation`, Pearson's r of the middle zone's mean divergence, within the group.
Unit of permutation and of the interval: the language, for the reason that `measures.correlation` gives.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.layers import Zones
from polyroute.measures.zone_correlation import correlate_zones


def correlate_groups(
    divergence_VL: NDArray[np.float64],
    accuracy_V: NDArray[np.float64],
    *,
    languages: Sequence[str],
    layers: Sequence[int],
    zones: Zones,
    groups: Mapping[str, Sequence[str]],
    near_chance: Collection[str],
    confidence: float,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Correlate within every group, whole and without the languages near chance.

    Args:
        divergence_VL: divergence of V languages from the pivot in L layers, the pivot apart.
        accuracy_V: share of right answers in each language.
        languages: the V codes.
        layers: the L layers' numbers.
        zones: ranges of those numbers.
        groups: name -> codes, the pivot apart; those that are not among `languages` are told as lacking.
        near_chance: codes that are answered about as well as by guessing.
        confidence: coverage of intervals.
        seed: of the permutations.

    Returns:
        Name -> record of `results.correlation.GroupCorrelation`. Its numbers are null where fewer languages are left
        than a correlation needs.

    Raises:
        CorrelationError: as `measures.zone_correlation.correlate_zones`.
    """

    def over(codes: Sequence[str]) -> dict[str, Any]:
        if not codes:
            return {"languages": 0} | dict.fromkeys(("r", "low", "high", "p", "verdict"))
        places = [languages.index(code) for code in codes]
        found = correlate_zones(
            divergence_VL[places], accuracy_V[places], languages=codes, layers=layers, zones=zones,
            confidence=confidence, seed=seed,
        ).record()  # fmt: skip
        middle = found["zones"]["middle"]
        numbers = {name: middle[name] for name in ("r", "low", "high", "p")}
        return {"languages": len(codes), **numbers, "verdict": found["verdict"]}

    records = {}
    for name, codes in groups.items():
        held = [code for code in languages if code in codes]
        guessed = [code for code in held if code in near_chance]
        records[name] = {
            "whole": over(held),
            "lacking": [code for code in codes if code not in languages],
            "near_chance": guessed,
            "without": over([code for code in held if code not in guessed]) if guessed else None,
        }
    return records
