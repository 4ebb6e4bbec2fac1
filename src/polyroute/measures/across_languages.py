"""What holds of a model over languages: where translations meet, and the shape of divergence over depth.

Unit of resampling and of permutation: the language. Sentences of one language share its words, its tokens and what
the model happened to learn of it, so intervals over sentences tell what would be found in more text of the same
languages; only intervals over languages tell what would be found in others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.measures.rounding import bounded, rounded
from polyroute.measures.zones import Difference, depth_shape
from polyroute.stats.bootstrap import Bootstrap
from polyroute.stats.signs import sign_flips

LEVEL = 0.05
"""False discovery rate over layers at which a layer counts as aligned."""


def over_languages(
    alignment_VL: NDArray[np.float64] | None,
    zones_V3: NDArray[np.float64],
    layers: Sequence[int],
    *,
    resamples: int,
    confidence: float,
    seed: int,
) -> dict[str, Any]:
    """Test alignment in each layer, and name the shape of divergence over depth.

    Args:
        alignment_VL: sentence alignment of V languages in L layers; None where there are no sentences.
        zones_V3: their mean divergence in early, middle and late layers.
        layers: the L layers' numbers.
        resamples: bootstrap resamples.
        confidence: coverage of intervals.
        seed: of the resamples and of the sign patterns.

    Returns:
        `languages` (how many), `early_minus_middle`, `late_minus_middle` (with intervals) and `shape`; where there are
        sentences `alignment`, a record a layer with its mean, interval, p and q, `aligned_layers`, those whose q is
        below `LEVEL`, and `peak_layer`, the most aligned. Too few languages to resample or to test leave null.
    """
    bootstrap = Bootstrap(len(zones_V3), resamples, confidence, seed)
    early_V, middle_V, late_V = zones_V3.T
    interval = bootstrap.mean(np.stack([early_V - middle_V, late_V - middle_V], axis=1))
    outer = [Difference(*map(float, b)) for b in zip(interval.value, interval.low, interval.high, strict=True)]
    found: dict[str, Any] = {
        "languages": len(zones_V3),
        "early_minus_middle": bounded(outer[0]),
        "late_minus_middle": bounded(outer[1]),
        "shape": depth_shape(*outer),
    }
    if alignment_VL is None or np.isnan(alignment_VL).any():
        return found
    mean = bootstrap.mean(alignment_VL)
    tested = sign_flips(alignment_VL, seed)
    rows = []
    for place, layer in enumerate(layers):
        difference = Difference(float(mean.value[place]), float(mean.low[place]), float(mean.high[place]))
        p, q = (None, None) if tested is None else (rounded(tested.p[place]), rounded(tested.q[place]))
        rows.append({"layer": layer, **bounded(difference), "p": p, "q": q})
    aligned = None if tested is None else np.asarray(layers)[tested.q < LEVEL].tolist()
    return found | {
        "alignment": rows, "aligned_layers": aligned, "peak_layer": layers[int(np.argmax(mean.value))]
    }  # fmt: skip
