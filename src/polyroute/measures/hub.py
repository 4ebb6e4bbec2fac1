"""Whether middle layers are a hub: overlap and specificity of experts there less those of outer layers, over languages.

Paper 2 finds early and late layers specific to languages and the middle used by all. Overlap and specificity are RISE's
(`measures.specificity`), in its zones of depth. Both hang on which languages there are:

- Unit: the language, left out in turn of everything that it has a part in (jackknife): each is one draw of those that
  could have been asked. Where the difference has another sign without a single language, that one is named.
- Families balanced: sets that hold one language of each family, since relatives use the same experts and make these
  look used by all. All sets that there are where these are no more than `DRAWS`, else so many random ones. Families are
  those of the language table (Glottolog).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.artifacts.trace import Trace
from polyroute.languages import table as language_table
from polyroute.measures.rounding import bounded
from polyroute.measures.specificity import overlap_of_choices, rise_zones, specificity_of_choices
from polyroute.measures.usage import Usage, usage
from polyroute.measures.zones import Difference
from polyroute.results.quantities import rounded
from polyroute.stats.jackknife import jackknife
from polyroute.stats.signs import FEWEST

DRAWS = 100
"""Sets of languages, at most."""
NAMES = ("overlap_middle_minus_early", "overlap_middle_minus_late", "specificity_middle_minus_outer")


def hub(traces: Sequence[Trace], *, confidence: float, seed: int) -> dict[str, Any] | None:
    """The three differences, plain data of `results.similarity.Hub`.

    Args:
        traces: of one model on one parallel corpus, each of another language.
        confidence: coverage of intervals, missing with fewer than `FEWEST` languages.
        seed: of random sets of languages.

    Returns:
        None with fewer than three languages: leaving one out must leave two to compare.

    Raises:
        LanguageError: a language is not in the language table.
        UsageError: as `measures.usage.usage`.
    """
    of = usage(traces)
    count = len(of.languages)
    if count < 3:
        return None
    value_M = _differences(of)
    left_VM = np.stack([_differences(of.only(np.arange(count) != place)) for place in range(count)])
    over = jackknife(value_M, left_VM, confidence)
    sets_DV = balanced_sets([language_table.get(code).family for code in of.languages], seed)
    balanced_M = None
    if sets_DV[0].sum() > 1:
        balanced_M = np.mean([_differences(of.only(set_V)) for set_V in sets_DV], axis=0)
    found: dict[str, Any] = {}
    for place, name in enumerate(NAMES):
        bounds = (float(over.low[place]), float(over.high[place])) if count >= FEWEST else (None, None)
        turned_V = left_VM[:, place] * value_M[place] < 0
        found[name] = bounded(Difference(float(value_M[place]), *bounds)) | {
            "balanced": None if balanced_M is None else rounded(balanced_M[place]),
            "turns_without": [code for code, turned in zip(of.languages, turned_V, strict=True) if turned],
        }
    return {"languages_of_a_set": int(sets_DV[0].sum()), "sets": len(sets_DV)} | found


def balanced_sets(families: Sequence[str], seed: int, draws: int = DRAWS) -> NDArray[np.bool_]:
    """(D, V) sets of languages that hold one of each family.

    Args:
        families: of V languages.
        seed: of random sets.
        draws: sets, at most.
    """
    members = [[place for place, of in enumerate(families) if of == family] for family in dict.fromkeys(families)]
    if math.prod(map(len, members)) <= draws:
        chosen = [list(one) for one in itertools.product(*members)]
    else:
        rng = np.random.default_rng(seed)
        chosen = [[int(rng.choice(of)) for of in members] for _ in range(draws)]
    sets_DV = np.zeros((len(chosen), len(families)), dtype=np.bool_)
    for set_V, places in zip(sets_DV, chosen, strict=True):
        set_V[places] = True
    return sets_DV


def _differences(of: Usage) -> NDArray[np.float64]:
    """(M) those of `NAMES`."""
    layers, zones = np.array(of.layers), rise_zones(of.layers)
    overlap_L, specificity_L = overlap_of_choices(of), specificity_of_choices(of).mean(axis=0)
    (of_early, sp_early), (of_middle, sp_middle), (of_late, sp_late) = (
        (overlap_L[inside_L].mean(), specificity_L[inside_L].mean())
        for inside_L in ((layers >= first) & (layers <= last) for _, (first, last) in zones)
    )
    return np.array([of_middle - of_early, of_middle - of_late, sp_middle - (sp_early + sp_late) / 2])
