"""Quantities that the stage `nulls` brings, where it has run: which of its quantities is which claim's."""

from __future__ import annotations

from typing import Literal

from polyroute.claims.asked import Asked, Found
from polyroute.results.claims import Missing
from polyroute.results.nulls import Depth

FEWEST_DRAWS = 19
"""Random initialisations, below which claims hold nothing against them: the smallest p would be above .05."""
PLACES: dict[str, dict[str, tuple[Depth, Literal["largest", "p"]]]] = {
    "p1.u_shape": {
        "random_init.em": ("early_minus_middle", "largest"),
        "random_init.lm": ("late_minus_middle", "largest"),
    },
    "own.translation_nearest": {
        "a_random": ("alignment_middle", "largest"),
        "a_rank": ("alignment_middle", "p"),
    },
}
"""Claim -> quantity -> what of the model among random initialisations it is."""


def from_nulls(asked: Asked, found: Found) -> None:
    """Fill in what nulls.json has of a claim's quantities, if it has enough random initialisations."""
    places, null = PLACES.get(found.claim.id, {}), asked.null
    if null is None:
        found.lack(places, Missing(kind="stage", what="nulls"))
    elif null.draws < FEWEST_DRAWS:
        few = f"{FEWEST_DRAWS} random initialisations (here {null.draws})"
        found.lack(places, Missing(kind="few", what=few))
    else:
        for quantity, (depth, part) in places.items():
            found.put(quantity, getattr(null.quantities.get(depth), part, None))
