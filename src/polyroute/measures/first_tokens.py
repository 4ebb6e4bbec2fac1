"""Divergence over the first tokens of each sentence alone: as many tokens, at the same positions, in every language.

A language that needs more tokens for the same sentence is averaged over more of them, and over positions that others
do not reach; both change a sentence's distribution over experts, whatever the language. So entropy, divergence and
sentence alignment are taken again over `trace.head` first tokens (`Trace.head_mass`). A sentence that is shorter in the
language or in the pivot is left out of their pair.

What the first tokens of a sentence say need not be what those of its translation say: word orders differ. D over them
is therefore larger than over whole sentences, and alignment smaller. Not in the papers.

Unit of resampling: the sentence within a language, the language over languages, as of whole sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyroute.measures.across_languages import over_languages
from polyroute.stats.signs import FEWEST


@dataclass(frozen=True)
class FirstTokens:
    """What one language's first tokens say."""

    sentences: int
    """Sentences that have as many tokens in both languages."""
    summary: dict[str, Any]
    """Zone means, their differences with intervals and the curve's shape; empty with fewer than `FEWEST` sentences."""
    zones_3: NDArray[np.float64]
    """Mean divergence in the early, middle and late zone."""
    alignment_L: NDArray[np.float64]
    """Sentence alignment."""


def over_first_tokens(
    found: Mapping[str, FirstTokens | None], tokens: int, layers: Sequence[int], *, confidence: float, seed: int
) -> dict[str, Any] | None:
    """Divergence and alignment over first tokens; plain data of `results.alignment.FirstTokens`.

    Args:
        found: language -> what its first tokens say; None where its trace keeps none.
        tokens: how many.
        layers: the L layers' numbers.
        confidence: coverage of the intervals over languages.
        seed: of the sign patterns.

    Returns:
        None where no language has `FEWEST` sentences.
    """
    kept = {code: one for code, one in found.items() if one is not None and one.sentences >= FEWEST}
    if not kept:
        return None
    return {
        "tokens": tokens,
        "languages": {code: one.summary | {"sentences": one.sentences} for code, one in kept.items()},
        "left_out": [code for code in found if code not in kept],
        "over_languages": over_languages(
            np.stack([one.alignment_L for one in kept.values()]), np.stack([one.zones_3 for one in kept.values()]),
            layers, list(kept), confidence=confidence, seed=seed,
        ),
    }  # fmt: skip
