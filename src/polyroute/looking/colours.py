"""Which expert of a layer has which colour."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from polyroute.looking.passes import DROPPED

if TYPE_CHECKING:
    from polyroute.looking.look import Look

COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""Okabe and Ito's, which are told apart with any colour vision."""
GREY = "#9a9a9a"
RARE = len(COLOURS)
"""Number of the grey that all other experts have."""


def by_layer(look: Look) -> list[dict[int, int]]:
    """Layer by layer: expert -> number of its colour, for those that are the first choice of most tokens.

    Over both texts, before and after a plan, so that the same expert has the same colour in all of them. Experts that
    are not in it have `RARE`.
    """
    found = []
    for place in range(len(look.layers)):
        counted: Counter[int] = Counter()
        for one in (*look.before, *(look.after or ())):
            counted.update(int(expert) for expert in one.ids_TLK[:, place, 0] if expert != DROPPED)
        often = sorted(counted, key=lambda expert: (-counted[expert], expert))[: len(COLOURS)]
        found.append({expert: number for number, expert in enumerate(often)})
    return found


def ink(colour: str) -> str:
    """Black or white, whichever stands out from a colour (relative luminance of WCAG)."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if luminance > 0.179 else "#ffffff"
