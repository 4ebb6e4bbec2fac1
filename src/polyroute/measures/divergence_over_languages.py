"""Mean divergence from the pivot over languages, by zone and by layer, with intervals over languages and families.

Unit of both intervals: the language, whose sentences share its words and tokens; or the family, each left out in turn,
since related languages are no independent ones. Student's, as `stats.over_units` has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.ground.layers import ZONES
from polyroute.languages import table as language_table
from polyroute.results.quantities import rounded
from polyroute.stats.over_units import mean_by_family, mean_over_units
from polyroute.stats.signs import FEWEST


def mean_divergence(
    divergence_VL: NDArray[np.float64],
    zones_V3: NDArray[np.float64],
    layers: Sequence[int],
    languages: Sequence[str],
    confidence: float,
) -> dict[str, Any] | None:
    """Divergence over languages; plain data of `results.alignment.MeanDivergence`.

    Args:
        divergence_VL: of V languages in L layers.
        zones_V3: their means in early, middle and late layers.
        layers: the L layers' numbers.
        languages: codes of the V languages.
        confidence: coverage of the intervals.

    Returns:
        `zones`, by name, and `layers`, a record a layer: `value`, `low`, `high`, `family_low`, `family_high`; bounds
        null with fewer than `FEWEST` languages or, by family, three families. None where a language has no divergence
        in some layer.

    Raises:
        LanguageError: a code is unknown.
    """
    if np.isnan(divergence_VL).any():
        return None
    families = [language_table.get(code).family for code in languages]
    both_VM = np.concatenate([zones_V3, divergence_VL], axis=1)
    alone, by_family = mean_over_units(both_VM, confidence), mean_by_family(both_VM, families, confidence)
    rows = []
    for place, value in enumerate(alone.value):
        bounds = {
            "low": alone.low[place], "high": alone.high[place],
            "family_low": by_family.low[place], "family_high": by_family.high[place],
        }  # fmt: skip
        known = len(languages) >= FEWEST
        told = {name: rounded(bound) if known and np.isfinite(bound) else None for name, bound in bounds.items()}
        rows.append({"value": rounded(value), **told})
    named = [{"layer": int(layer), **row} for layer, row in zip(layers, rows[len(ZONES) :], strict=True)]
    return {"zones": dict(zip(ZONES, rows, strict=False)), "layers": named}
