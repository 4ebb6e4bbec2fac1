"""The middle of a model: the layers in which languages are routed alike, from a curve of divergence over depth.

Paper 1 edits routers in the middle only and does not say how it chose its layers. The rule here: with m the smallest
divergence and e the mean of the first and the last layer's, the middle is the run of consecutive layers around the
smallest one that lie below (m + e) / 2. Where the curve has no trough, the middle is the default share of depth.

The curve must come from sentences that no later score is computed on: layers chosen on the data that show how good
they are would look better than they are.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import LayerRange
from polyroute.measures.zones import default_zones
from polyroute.results.quantities import DECIMALS, Middle, MiddleCurve, MiddleRule

SHALLOWEST = 0.1
"""A trough that takes less than this share off the outer layers' divergence is none."""
MOST = 0.75
"""A trough that fewer of the languages than this share have is one of their mean alone."""


class MiddleError(PolyrouteError):
    """A curve that no middle can be chosen from."""


def choose_middle(
    divergence_VL: NDArray[np.float64], layers: Sequence[int], default: LayerRange | None = None
) -> Middle:
    """Choose the middle of a model by its trough of divergence.

    There is no trough, and the default is taken, where the run around the smallest divergence reaches the first or
    the last layer (the curve falls, rises or is a cap), where it is less than `SHALLOWEST` deep, or where in fewer than
    `MOST` of the languages both ends lie above the mean of the run (a bump of the mean curve, not a middle).

    Args:
        divergence_VL: divergence of V languages from the pivot in L layers, on sentences that no later score uses.
        layers: the L layers' numbers, ascending.
        default: first and last layer where there is no trough; by default the middle zone of `default_zones`.

    Raises:
        MiddleError: no language, a number of layers that is not L, or divergence that is NaN or infinite.
    """
    if divergence_VL.ndim != 2 or not divergence_VL.size or divergence_VL.shape[1] != len(layers):
        raise MiddleError(f"divergence of shape {divergence_VL.shape} is not that of languages in {len(layers)} layers")
    for place, layer in enumerate(layers):
        if not np.isfinite(divergence_VL[:, place]).all():
            raise MiddleError(f"layer {layer}: divergence is NaN or infinite: leave out a language without numbers")
    curve_L = divergence_VL.mean(axis=0)
    ends, lowest = (curve_L[0] + curve_L[-1]) / 2, int(curve_L.argmin())
    line = (curve_L[lowest] + ends) / 2
    first, last = _run(curve_L < line, lowest)
    inner_V = divergence_VL[:, first : last + 1].mean(axis=1)
    agreeing = int(((divergence_VL[:, 0] > inner_V) & (divergence_VL[:, -1] > inner_V)).sum())
    rule: MiddleRule = "trough"
    if ends <= 0 or curve_L[lowest] > (1 - SHALLOWEST) * ends:
        rule = "shallow"
    elif first == 0:
        rule = "at_first_layer"
    elif last == len(layers) - 1:
        rule = "at_last_layer"
    elif agreeing < MOST * len(divergence_VL):
        rule = "few_languages"
    smallest, outer, halfway = (round(float(value), DECIMALS) for value in (curve_L[lowest], ends, line))
    below = int(layers[first]), int(layers[last])
    seen = MiddleCurve(
        languages=len(divergence_VL), smallest=smallest, smallest_layer=int(layers[lowest]), ends=outer,
        threshold=halfway, layers_below=below, languages_agreeing=agreeing,
    )  # fmt: skip
    if rule != "trough" and default is None:
        default = default_zones(layers).middle
    chosen = below if rule == "trough" or default is None else default
    return Middle(layers=chosen, has_trough=rule == "trough", rule=rule, curve=seen)


def _run(below_L: NDArray[np.bool_], inside: int) -> tuple[int, int]:
    """First and last place of the run of True around `inside`; that place alone where it is not True."""
    first = last = inside
    while first > 0 and below_L[first - 1]:
        first -= 1
    while last + 1 < len(below_L) and below_L[last + 1]:
        last += 1
    return first, last
