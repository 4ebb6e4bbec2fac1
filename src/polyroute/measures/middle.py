"""The middle of a model: the layers in which languages are routed alike, from a curve of divergence over depth.

Paper 1 edits routers in the middle only and does not say how it chose its layers. The rule here: with m the smallest
divergence and e the mean of the first and the last layer's, the middle is the run of consecutive layers around the
smallest one that lie below (m + e) / 2. Where the curve has no trough, the middle is the default share of depth, and
the reason says so.

The curve must come from sentences that no later score is computed on: layers chosen on the data that show how good
they are would look better than they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.layers import LayerRange
from polyroute.measures.zones import default_zones

SHALLOWEST = 0.1
"""A trough that takes less than this share off the outer layers' divergence is none."""
MOST = 0.75
"""A trough that fewer of the languages than this share have is one of their mean alone."""


class MiddleError(PolyrouteError):
    """A curve that no middle can be chosen from."""


@dataclass(frozen=True)
class Middle:
    """First and last layer of the middle, and why these."""

    layers: LayerRange
    """In the model's numbering, both included."""
    found: bool
    """Whether the curve has a trough; otherwise `layers` are the default share of depth."""
    reason: str
    """The rule and the numbers that it saw, in words."""


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
    told = f"mean divergence over {len(divergence_VL)} languages"
    no_trough = None
    if ends <= 0 or curve_L[lowest] > (1 - SHALLOWEST) * ends:
        no_trough = (
            f"{told} takes only {_percent(1 - curve_L[lowest] / ends if ends > 0 else 0.0)} off that of the outer "
            f"layers ({ends:.3f}) where it is smallest (layer {layers[lowest]}), less than {_percent(SHALLOWEST)}"
        )
    elif first == 0 or last == len(layers) - 1:
        outer = "first" if first == 0 else "last"
        no_trough = f"{told} already lies below the line of the rule, {line:.3f}, in the {outer} layer"
    inner_V = divergence_VL[:, first : last + 1].mean(axis=1)
    agree = int(((divergence_VL[:, 0] > inner_V) & (divergence_VL[:, -1] > inner_V)).sum())
    shared = f"in {agree} of {len(divergence_VL)} languages both ends lie above these layers' mean"
    if no_trough is None and agree < MOST * len(divergence_VL):
        no_trough = f"{told} is smallest in layers {layers[first]} to {layers[last]}, but only {shared}"
    if no_trough is not None:
        if default is None:
            start, end = default_zones(len(layers)).middle
            default = layers[start], layers[end]
        return Middle(
            default, False, f"no trough: {no_trough}; taken are layers {default[0]} to {default[1]}, the default zone"
        )
    return Middle(
        (layers[first], layers[last]),
        True,
        f"{told} lies below {line:.3f} in layers {layers[first]} to {layers[last]}, halfway between its smallest "
        f"({curve_L[lowest]:.3f}, layer {layers[lowest]}) and the mean of its two ends ({ends:.3f}); {shared}",
    )


def _run(below_L: NDArray[np.bool_], inside: int) -> tuple[int, int]:
    """First and last place of the run of True around `inside`; that place alone where it is not True."""
    first = last = inside
    while first > 0 and below_L[first - 1]:
        first -= 1
    while last + 1 < len(below_L) and below_L[last + 1]:
        last += 1
    return first, last


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
