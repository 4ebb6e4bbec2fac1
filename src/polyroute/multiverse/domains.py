"""The claim that domains diverge from generic English most in the middle, and less than languages do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from polyroute.claims.asked import NAMES, Found
from polyroute.claims.estimates import CONFIDENCE, Estimate, mean, minus
from polyroute.ground.layers import Zones
from polyroute.measures.chunks import by_chunk
from polyroute.measures.divergence import jensen_shannon, routing_divergence
from polyroute.measures.domain_divergence import FEWEST, DomainDivergence, domain_divergence
from polyroute.measures.language_distance import cosine_distance
from polyroute.multiverse.distances import curves
from polyroute.multiverse.grid import Cell, Choice
from polyroute.multiverse.overlap import text_of_roles
from polyroute.multiverse.study import Places, Study
from polyroute.results.claims import StandIn
from polyroute.results.quantities import DECIMALS
from polyroute.stats.over_units import mean_over_units

_DISTANCE: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]] = {
    "divergence": routing_divergence, "jsd": jensen_shannon, "cosine": cosine_distance,
}  # fmt: skip


def choices(study: Study) -> list[Choice]:
    """p1.domain_cap; none where a task has no text of its own, or there are counts alone."""
    if not text_of_roles(study) or study.bootstrap is None:
        return []
    return [
        study.readings, Choice("domain_text", ("pooled", "pairs")), Choice("floor", ("subtracted", "kept")),
        study.distances, study.zones(), study.numbering, study.languages,
    ]  # fmt: skip


def domain_cap(study: Study, cell: Cell, found: Found) -> None:
    """p1.domain_cap: as `claims.routing.domain_cap`, from traces.

    Pairs are the i-th sequence of either text, an arbitrary pairing; their floor is generic text against itself, the
    i-th sequence with the one half a text later. Unit: the pair, whose interval is Student's.
    """
    places = study.places(cell["zones"], cell["numbering"])
    largest = _largest_of_languages(study, cell)
    for role, (task, text) in text_of_roles(study).items():
        if task != NAMES[role]:
            found.stand_in(StandIn(kind="task", used=task, meant=NAMES[role]))
        take = _of_pairs if cell["domain_text"] == "pairs" else _of_pooled
        me, ml, most = take(study, text, cell, places)
        found.put(f"me.{role}", me)
        found.put(f"ml.{role}", ml)
        if largest:
            found.put(f"weaker.{role}", minus(most, mean(largest)))


def _of_pooled(study: Study, text: str, cell: Cell, places: Places) -> tuple[Estimate, Estimate, Estimate]:
    """Middle less early, middle less late, and the layer with the largest value, of pooled texts."""

    def compute() -> DomainDivergence:
        return domain_divergence(
            study.trace(text, study.pivot), study.first, confidence=study.settings.intervals.confidence,
            seed=study.settings.seed, reading=cell["reading"], distance=_DISTANCE[cell["distance"]],
        )  # fmt: skip

    one = study.once(("domain", text, cell["reading"], cell["distance"]), compute)
    rows = study.once(("domain_rows", text, cell["reading"], cell["distance"]), one.table)
    most = _largest(*(rows[part].to_numpy(np.float64) for part in ("value", "low", "high")))
    if cell["floor"] == "kept" and one.left is not None:
        blank = {"floor_L": np.zeros_like(one.left.floor_L), "floor_NL": np.zeros_like(one.left.floor_NL)}
        one = replace(one, left=replace(one.left, **blank))
    numbers = one.layers
    spans = {zone: (numbers[inside[0]], numbers[inside[-1]]) for zone, inside in places.items()}
    told = one.sentences >= FEWEST
    outer = [
        Estimate(*(None if part is None else -round(part, DECIMALS) for part in (of.value, of.high, of.low)))
        if told else Estimate(-round(of.value, DECIMALS))
        for of in one.outer_minus_middle(Zones(**spans))
    ]  # fmt: skip
    return outer[0], outer[1], most


def _of_pairs(study: Study, text: str, cell: Cell, places: Places) -> tuple[Estimate, Estimate, Estimate]:
    """The same of arbitrary pairs of sequences."""
    reading, distance = cell["reading"], cell["distance"]
    paired_NL = study.once(("pairs", text, reading, distance), lambda: _pairs(study, text, reading, distance))
    floor_NL = study.once(("pairs", "", reading, distance), lambda: _pairs(study, None, reading, distance))
    by_layer = mean_over_units(paired_NL, CONFIDENCE)
    most = _largest(*(part_L.round(DECIMALS) for part_L in (by_layer.value, by_layer.low, by_layer.high)))
    less_NL = paired_NL - floor_NL[: len(paired_NL)] if cell["floor"] == "subtracted" else paired_NL
    differences = [
        less_NL[:, places["middle"]].mean(axis=1) - less_NL[:, places[zone]].mean(axis=1) for zone in ("early", "late")
    ]
    over = mean_over_units(np.stack(differences, axis=1), CONFIDENCE)
    me, ml = (Estimate(*map(float, part)) for part in zip(over.value, over.low, over.high, strict=True))
    return me, ml, most


def _pairs(study: Study, text: str | None, reading: str, distance: str) -> NDArray[np.float64]:
    """(N, L) distance of the i-th sequences of a text and generic text; without a text, of generic text and itself."""
    generic_NLE = study.first.distributions(reading)
    if text is None:
        other_NLE = np.roll(generic_NLE, -(len(generic_NLE) // 2), axis=0)
    else:
        other_NLE = study.trace(text, study.pivot).distributions(reading)
    count = min(len(generic_NLE), len(other_NLE))
    return by_chunk(_DISTANCE[distance], other_NLE[:count], generic_NLE[:count])


def _largest_of_languages(study: Study, cell: Cell) -> list[Estimate]:
    """The layer with the largest distance from the pivot, of each language."""
    whole = curves(study, cell["reading"], "sequences", cell["distance"], study.pivot)
    confidence = study.settings.intervals.confidence
    key = ("bounds", cell["reading"], cell["distance"])
    bounds = study.once(key, lambda: whole.bounds(confidence))
    if bounds is None:
        return []
    low_VL, high_VL = bounds
    places = [whole.codes.index(code) for code in study.among(cell["languages"])]
    parts = [part_VL.round(DECIMALS)[places] for part_VL in (whole.value_VL, low_VL, high_VL)]
    return [_largest(*rows) for rows in zip(*parts, strict=True)]


def _largest(
    value_L: NDArray[np.float64], low_L: NDArray[np.float64], high_L: NDArray[np.float64]
) -> Estimate:  # fmt: skip
    top = int(np.argmax(value_L))
    return Estimate(float(value_L[top]), float(low_L[top]), float(high_L[top]))
