"""The claim on routing entropy over depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.importance import HEAD
from polyroute.claims.asked import Found
from polyroute.claims.estimates import Estimate, minus
from polyroute.multiverse.distances import Curves, entropies
from polyroute.multiverse.grid import Cell, Choice
from polyroute.multiverse.study import Places, Study, over
from polyroute.results.claims import Missing
from polyroute.results.quantities import DECIMALS


def choices(study: Study) -> list[Choice]:
    """p1.entropy_by_depth, of which paper 1's middle is no part."""
    zones = Choice("zones", ("study", "rise"))
    return [study.readings, study.averaging, zones, study.languages, study.units]


def by_depth(study: Study, cell: Cell, found: Found) -> None:
    """p1.entropy_by_depth: as `claims.routing.entropy_by_depth`, from traces."""
    places = study.places(cell["zones"])
    one = entropies(study, cell["reading"], cell["averaging"])
    value_VL, others = one.value_VL.round(DECIMALS), study.among(cell["languages"])
    found.put("fall_en", _of_pivot(study, one, places))
    fall_V = _fall(value_VL, places)
    kept = [one.codes.index(code) for code in others]
    found.put("fall_x", over(fall_V[kept], others, cell["unit"]))
    found.put("steeper", over(fall_V[kept] - fall_V[0], others, cell["unit"]))
    _budget(study, cell, places, others, found)


def _of_pivot(study: Study, one: Curves, places: Places) -> Estimate:
    """The pivot's fall, with an interval that is no narrower than it must be, as the board has it."""
    value_L = one.value_VL[0].round(DECIMALS)
    bounds = one.bounds(study.settings.intervals.confidence)
    if bounds is None:
        return Estimate(float(_fall(value_L, places)))
    low_L, high_L = (bound_VL[0].round(DECIMALS) for bound_VL in bounds)
    early, late = (
        Estimate(*(float(part_L[places[zone]].mean()) for part_L in (value_L, low_L, high_L)))
        for zone in ("early", "late")
    )
    return minus(early, late)


def _budget(study: Study, cell: Cell, places: Places, others: list[str], found: Found) -> None:
    """The same over the first tokens of each sentence, whose soft mass alone is kept."""
    table = study.asked.by_layer("entropy", HEAD)
    first = study.asked.alignment.first_tokens
    if table.empty or first is None or study.pivot not in table.index:
        return
    kept = [code for code in others if code in first.languages]
    if cell["reading"] != "soft_mass" or len(kept) < len(others):
        found.lack(("steeper_budget",), Missing(kind="new", what=f"{cell['reading']} of the first tokens"))
        return
    fall_V = _fall(table.loc[[study.pivot, *kept]].to_numpy(np.float64), places)
    found.put("steeper_budget", over(fall_V[1:] - fall_V[0], kept, cell["unit"]))


def _fall(values: NDArray[np.float64], places: Places) -> NDArray[np.float64]:
    """Mean over the early zone less that over the late, of values whose last axis is layers."""
    fall: NDArray[np.float64] = values[..., places["early"]].mean(axis=-1) - values[..., places["late"]].mean(axis=-1)
    return fall
