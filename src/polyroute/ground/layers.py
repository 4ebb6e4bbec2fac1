"""Ranges of layers, and the zones of a model's depth."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from polyroute.ground.frozen import Frozen

LayerRange = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
"""First and last layer, both included, counted from 0 in the model's own numbering."""


ZONES: tuple[Literal["early", "middle", "late"], ...] = ("early", "middle", "late")
"""Names of the zones, from the first layers to the last."""


class Zones(Frozen):
    """Layer ranges that a summary compares."""

    early: LayerRange
    middle: LayerRange
    late: LayerRange


def check_zones(zones: Zones, count: int | None = None) -> None:
    """Zones that a user names: inside the model, one after another, no layer in two."""
    for name in ZONES:
        check_range(f"zones.{name}", getattr(zones, name), count)
    for one, other in pairwise(ZONES):
        if getattr(zones, one)[1] >= getattr(zones, other)[0]:
            raise ValueError(
                f"`zones`: {one} {list(getattr(zones, one))} ends in or after {other} {list(getattr(zones, other))}; "
                "zones follow one another and share no layer"
            )


def check_range(key: str, layers: LayerRange, count: int | None = None) -> None:
    """First before last and, where the model's layers are numbered 0 to `count` - 1, inside it."""
    first, last = layers
    if first > last:
        raise ValueError(f"`{key}: [{first}, {last}]`: the first layer comes after the last")
    if count is not None and last >= count:
        raise ValueError(f"`{key}: [{first}, {last}]` is outside the model: both between 0 and {count - 1}")
