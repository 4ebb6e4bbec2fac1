"""What holds of a model over languages: where translations meet, and the shape of divergence over depth.

Unit of resampling and of permutation: the language. Sentences of one language share its words, its tokens and what
the model happened to learn of it, so intervals over sentences tell what would be found in more text of the same
languages; only intervals over languages tell what would be found in others. Related languages are no independent ones:
beside each verdict stands the one with the family as the unit, and whether the two agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.languages import table as language_table
from polyroute.measures.rounding import bounded
from polyroute.measures.zones import Difference, depth_shape
from polyroute.results.quantities import rounded
from polyroute.stats.bootstrap import Interval
from polyroute.stats.over_units import mean_by_family, mean_over_units
from polyroute.stats.signs import FEWEST, sign_flips

LEVEL = 0.05
"""False discovery rate over layers at which a layer counts as aligned."""


def over_languages(
    alignment_VL: NDArray[np.float64] | None,
    zones_V3: NDArray[np.float64],
    layers: Sequence[int],
    languages: Sequence[str],
    *,
    confidence: float,
    seed: int,
    sentences: int | None = None,
) -> dict[str, Any]:
    """Test alignment in each layer, and name the shape of divergence over depth.

    Args:
        alignment_VL: sentence alignment of V languages in L layers; None where there are no sentences.
        zones_V3: their mean divergence in early, middle and late layers.
        layers: the L layers' numbers.
        languages: codes of the V languages.
        confidence: coverage of the t intervals; a U needs both one-sided tests at half of what it leaves.
        seed: of the sign patterns.
        sentences: of each language; None where it was not read by the sentence.

    Returns:
        `languages` (how many), `early_minus_middle`, `late_minus_middle` (with intervals) and `shape`; `by_family`, the
        same with families left out in turn, and whether its shape is the same; where there are sentences `alignment`, a
        record a layer with its mean, interval, p and q, `aligned_layers`, those whose q is below `LEVEL`, and
        `peak_layer`, the most aligned. Fewer than `FEWEST` languages or sentences leave bounds, shapes and tests null:
        what so few sentences share says nothing of other text, however many languages they are in.

    Raises:
        LanguageError: a code is unknown.
    """
    early_V, middle_V, late_V = zones_V3.T
    outer_V2 = np.stack([early_V - middle_V, late_V - middle_V], axis=1)
    families = [language_table.get(code).family for code in languages]
    enough = len(languages) >= FEWEST and (sentences is None or sentences >= FEWEST)
    alone = _told(mean_over_units(outer_V2, confidence), enough)
    by_family = _told(mean_by_family(outer_V2, families, confidence), enough)
    agrees = None if by_family["shape"] is None else alone["shape"] == by_family["shape"]
    found: dict[str, Any] = {
        "languages": len(languages),
        **alone,
        "by_family": {"families": len(set(families)), **by_family, "agrees": agrees},
    }
    if alignment_VL is None or np.isnan(alignment_VL).any():
        return found
    mean = _claimed(mean_over_units(alignment_VL, confidence), enough)
    tested = sign_flips(alignment_VL, seed) if enough else None
    rows = []
    for place, layer in enumerate(layers):
        difference = Difference(float(mean.value[place]), float(mean.low[place]), float(mean.high[place]))
        p, q = (None, None) if tested is None else (rounded(tested.p[place]), rounded(tested.q[place]))
        rows.append({"layer": layer, **bounded(difference), "p": p, "q": q})
    aligned = None if tested is None else np.asarray(layers)[tested.q < LEVEL].tolist()
    return found | {
        "alignment": rows, "aligned_layers": aligned, "peak_layer": layers[int(np.argmax(mean.value))]
    }  # fmt: skip


def _claimed(mean: Interval, enough: bool) -> Interval:
    """The mean, without bounds where languages or sentences are too few."""
    unknown = np.full_like(mean.value, np.nan)
    return mean if enough else Interval(mean.value, unknown, unknown)


def _told(outer: Interval, enough: bool) -> dict[str, Any]:
    """Outer zones minus the middle and the shape; none where languages, sentences or families are too few."""
    outer = _claimed(outer, enough)
    early, late = (Difference(*map(float, b)) for b in zip(outer.value, outer.low, outer.high, strict=True))
    shape = None if early.sign is None else depth_shape(early, late)
    return {"early_minus_middle": bounded(early), "late_minus_middle": bounded(late), "shape": shape}
