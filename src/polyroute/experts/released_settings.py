"""Paper 2's settings for a model of another shape (arXiv 2601.14050; released for Qwen3-30B-A3B, L = 48 and E = 128).

The release names layers and numbers of experts. Here they are shares of the depth and of a layer, which for that model
are the released ones.
"""

from collections.abc import Sequence

from polyroute.ground.layers import Zones

LAYERS, EXPERTS = 48, 128
"""Of the model that paper 2's settings are for."""


def kept(k: int, experts: int) -> int:
    """How many experts of a layer are kept for each language.

    Args:
        k: of 128.
        experts: E.

    Returns:
        The same share of E, rounded; at least 1.
    """
    return max(1, round(k * experts / EXPERTS))


def ranges(layers: Sequence[int], width: int) -> Zones:
    """Layers to mask together, at the start, in the centre and at the end of a model.

    Args:
        layers: numbers of its router layers, ascending; below 3 the ranges share layers.
        width: of 48.

    Returns:
        The same share of the depth, rounded, at least 1. For 48 layers the released 0-4, 22-26 and 43-47 of width 5,
        and 0-9, 19-28 and 38-47 of width 10.
    """
    wide = max(1, round(width * len(layers) / LAYERS))
    starts = {"early": 0, "middle": (len(layers) - wide + 1) // 2, "late": len(layers) - wide}
    return Zones.model_validate({name: (layers[at], layers[at + wide - 1]) for name, at in starts.items()})
