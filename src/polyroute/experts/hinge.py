"""Whether the overlap of task and multilingual experts hinges on one language (paper 1, section 5.2).

A multilingual expert is one of any language, so a single language can bring an overlap that no other has. Each language
is left out in turn; unit: the language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def without_each(
    task_LE: NDArray[np.float64], delta_by_language: Mapping[str, NDArray[np.float64]], tau: float
) -> dict[str, Any]:
    """Experts in both sets without each language, in short; fields of `results.experts.ExpertSets`.

    Args:
        task_LE: Delta of the task's text.
        delta_by_language: code -> (L, E) Delta of the generic text in that language.
        tau: threshold on Delta.

    Returns:
        `both_without_one`, the fewest; `both_hinges_on`, the languages without any one of which no expert is in both.
        Nothing with fewer than two languages: then there is no multilingual expert without one.
    """
    if len(delta_by_language) < 2:
        return {}
    above_VLE = np.stack([delta_LE > tau for delta_LE in delta_by_language.values()]) & (task_LE > tau)
    count_LE = above_VLE.sum(axis=0)
    # Without a language those are lost that it alone brings.
    both = int((count_LE > 0).sum())
    lost_V = (above_VLE & (count_LE == 1)).sum(axis=(1, 2))
    hinges = [code for code, lost in zip(delta_by_language, lost_V.tolist(), strict=True) if both and lost == both]
    return {"both_without_one": both - int(lost_V.max()), "both_hinges_on": hinges}
