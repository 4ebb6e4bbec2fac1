"""Quantities that the stage `nulls` brings, where it has run: which number of nulls.json is which claim's quantity.

A place is a dotted name in nulls.json. A quantity whose place is not there stays unknown, and its claim says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polyroute.claims.asked import Asked, Found
from polyroute.claims.claim import ClaimsError
from polyroute.results.claims import Missing

FILE = "nulls.json"
DRAWS = "draws"
"""How many random initialisations there are."""
FEWEST_DRAWS = 19
"""Random initialisations, below which claims hold nothing against them: the smallest p would be above .05."""
PLACES: dict[str, dict[str, str]] = {
    "p1.u_shape": {
        "random_init.em": "quantities.early_minus_middle.largest",
        "random_init.lm": "quantities.late_minus_middle.largest",
    },
    "own.translation_nearest": {
        "a_random": "quantities.alignment_middle.largest",
        "a_rank": "quantities.alignment_middle.p",
    },
}
"""Claim -> quantity -> its place."""


def read_nulls(folder: Path) -> dict[str, float]:
    """Dotted name -> number; empty where the stage has not run.

    Raises:
        ClaimsError: the file cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        return dict(_numbers("", json.loads(path.read_text(encoding="utf-8"))))
    except ValueError as error:
        raise ClaimsError(f"{path} cannot be read ({error}): `dvc repro nulls@{folder.name}` writes it") from error


def from_nulls(asked: Asked, found: Found) -> None:
    """Fill in what nulls.json has of a claim's quantities, if it has enough random initialisations."""
    places = PLACES.get(found.claim.id, {})
    draws = int(asked.nulls.get(DRAWS, 0))
    if draws >= FEWEST_DRAWS:
        for quantity, place in places.items():
            found.put(quantity, asked.nulls.get(place))
    elif asked.nulls:
        few = f"{FEWEST_DRAWS} random initialisations (here {draws})"
        found.lack(places, Missing(kind="few", what=few))
    else:
        found.lack(places, Missing(kind="stage", what="nulls"))


def _numbers(name: str, content: Any) -> Iterator[tuple[str, float]]:
    if isinstance(content, Mapping):
        for key, part in content.items():
            yield from _numbers(f"{name}.{key}" if name else str(key), part)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield name, float(content)
