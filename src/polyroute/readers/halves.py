"""Into which half of a task an item falls: the one that plans are chosen on, or the one that is reported.

The level `low` of PolyMath is the first 125 problems of MGSM, in order and word for word in all nine languages that
both have (QwenLM/PolyMath @fab12d6 against the release of MGSM). The two are one set of items: a problem falls into
the same half in both, whatever params.yaml calls them, so that none is chosen on in one and reported in the other.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Mapping
from functools import cache

from polyroute.artifacts.questions import SPLITS, Split

MGSM = "mgsm"
"""By which name MGSM is divided."""
MGSM_ITEMS = 250
MGSM_IN_POLYMATH = 125
"""Its first problems are the level `low` of PolyMath."""


def halves(task: str, together: Mapping[str, str]) -> dict[str, Split]:
    """Which half items belong to: the first or the second in the order of a hash.

    Passages, or single items, are ordered by the SHA-256 of the task's name and their id, and cut where the two halves
    are most nearly of as many items; of two such places the first, so that the reported half is the larger. The same
    items are always divided in the same way; adding or leaving out some moves others near the middle.

    Args:
        task: its name in params.yaml.
        together: id of an item -> what must not be divided, the item itself or its passage.

    Returns:
        What must not be divided -> its half.
    """
    count = Counter(together.values())
    order = sorted(count, key=lambda one: hashlib.sha256(f"{task}/{one}".encode()).digest())
    before = [0, *itertools.accumulate(count[one] for one in order)]
    cut = min(range(len(before)), key=lambda place: abs(2 * before[place] - before[-1]))
    return {one: SPLITS[place >= cut] for place, one in enumerate(order)}


@cache
def mgsm_halves() -> tuple[Split, ...]:
    """The half of each of MGSM's problems, in order; the first ones are those of PolyMath's level `low`."""
    names = [f"{number:03d}" for number in range(MGSM_ITEMS)]
    of = halves(MGSM, dict(zip(names, names, strict=True)))
    return tuple(of[name] for name in names)
