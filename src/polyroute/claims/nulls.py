"""Quantities that the stage `nulls` brings, where it has run: which number of nulls.json is which claim's quantity.

A place is a dotted name in nulls.json, of a number or of what has `value`, `low`, `high` and the like. A quantity whose
place is not there stays unknown, and its claim says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from polyroute.claims.asked import Asked, Found
from polyroute.claims.claim import SUFFIXES, ClaimsError

FILE = "nulls.json"
PLACES: dict[str, dict[str, str]] = {
    "p1.u_shape": {
        "noise.em": "english_halves.early_minus_middle.high",
        "noise.lm": "english_halves.late_minus_middle.high",
        "random_init.em": "random_init.early_minus_middle.largest",
        "random_init.lm": "random_init.late_minus_middle.largest",
    },
    "p1.entropy_by_depth": {"steeper_budget": "equal_budget.entropy_steeper"},
    "own.translation_nearest": {
        "a_random": "random_init.alignment.largest",
        "a_rank": "random_init.alignment.p",
        "a_matched": "length_matched.alignment",
        "a_budget": "equal_budget.alignment",
    },
    "own.not_fertility": {
        "d_budget": "equal_budget.agreement",
        "u_budget.em": "equal_budget.early_minus_middle",
        "u_budget.lm": "equal_budget.late_minus_middle",
    },
    "own.english_floor": {"margin": "english_halves.margin", "ratio": "english_halves.ratio"},
    "own.equal_budget": {"em": "equal_budget.early_minus_middle", "lm": "equal_budget.late_minus_middle"},
    "own.equal_positions": {"a_positions": "equal_positions.alignment"},
    "own.length_matched": {"a_matched": "length_matched.alignment"},
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
    """Fill in what nulls.json has of a claim's quantities."""
    for quantity, place in PLACES.get(found.claim.id, {}).items():
        found.put(quantity, asked.nulls.get(place))
        for suffix in SUFFIXES:
            found.put(f"{quantity}.{suffix}", asked.nulls.get(f"{place}.{suffix}"))


def _numbers(name: str, content: Any) -> Iterator[tuple[str, float]]:
    if isinstance(content, Mapping):
        for key, part in content.items():
            yield from _numbers(f"{name}.{key}" if name else str(key), part)
    elif isinstance(content, int | float) and not isinstance(content, bool):
        yield name, float(content)
