"""Early, middle and late layers, and the shape that a curve over depth has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import Zones
from polyroute.results.quantities import DepthShape


class ZoneError(PolyrouteError):
    """A zone without a traced layer; the message names it."""


@dataclass(frozen=True)
class Difference:
    """A difference between two zones, with its interval where there is one."""

    value: float
    low: float | None
    high: float | None

    @property
    def sign(self) -> int | None:
        """1 or -1 where the interval (or, without one, the value) excludes 0; 0 where it holds 0; None if unknown."""
        low, high = (self.value if bound is None else bound for bound in (self.low, self.high))
        if np.isnan(low) or np.isnan(high):
            return None
        return 1 if low > 0 else -1 if high < 0 else 0


def default_zones(layers: Sequence[int]) -> Zones:
    """Zones by depth for a model whose entry names none: outer tenths against the middle three fifths.

    For the 48 layers of Qwen3-30B-A3B early and late are 0-4 and 43-47, the ranges of paper 2's masking.

    Args:
        layers: the model's own numbers of its L router layers, ascending; with fewer than 3, zones share layers.
    """
    count = len(layers)
    outer = max(1, -(-count // 10))
    first, last = min(round(0.2 * count), count - 1), max(round(0.8 * count) - 1, count // 2)
    return Zones(
        early=(layers[0], layers[outer - 1]), middle=(layers[first], layers[last]), late=(layers[-outer], layers[-1])
    )


def inside(zones: Zones, layers: Sequence[int]) -> NDArray[np.bool_]:
    """(3, L) which layers each zone holds.

    Args:
        zones: in the model's numbering.
        layers: numbers of the L layers that were traced or measured.

    Raises:
        ZoneError: a zone holds none of them.
    """
    numbers_L = np.asarray(layers)
    inside_3L = np.array([(numbers_L >= first) & (numbers_L <= last) for _, (first, last) in zones])
    for (zone, span), inside_L in zip(zones, inside_3L, strict=True):
        if not inside_L.any():
            raise ZoneError(
                f"zone {zone} = {list(span)} holds no traced layer: the trace has layers {layers[0]} to {layers[-1]}"
            )
    return inside_3L


def depth_shape(early_minus_middle: Difference, late_minus_middle: Difference) -> DepthShape:
    """Name the shape of a curve over depth.

    `U`: both outer zones lie above the middle (paper 1's finding for languages); `cap`: both below (its finding for
    domains); `falling`, `rising`: one above and one below; `flat`: neither difference is distinguishable from 0;
    `unclear`: one is and the other is not.
    """
    match early_minus_middle.sign, late_minus_middle.sign:
        case 1, 1:
            return "U"
        case -1, -1:
            return "cap"
        case 1, -1:
            return "falling"
        case -1, 1:
            return "rising"
        case 0, 0:
            return "flat"
        case _:
            return "unclear"
