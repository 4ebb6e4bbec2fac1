"""Early, middle and late layers, and the shape that a curve over depth has."""

from dataclasses import dataclass

import numpy as np

from polyroute.ground.layers import LayerRange, Zones
from polyroute.results.quantities import DepthShape


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


def default_zones(layers: int) -> Zones:
    """Zones by depth for a model whose entry names none: outer tenths against the middle three fifths.

    For the 48 layers of Qwen3-30B-A3B early and late are 0-4 and 43-47, the ranges of paper 2's masking.

    Args:
        layers: L; below 3 the zones share layers.
    """
    outer = max(1, -(-layers // 10))
    middle: LayerRange = (min(round(0.2 * layers), layers - 1), max(round(0.8 * layers) - 1, layers // 2))
    return Zones(early=(0, outer - 1), middle=middle, late=(layers - outer, layers - 1))


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
