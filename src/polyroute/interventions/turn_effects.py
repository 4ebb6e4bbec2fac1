"""What steering by turn does beside steering toward task experts, item by item.

Unit: the item with all its translations (`stats.paired`), over all languages but the pivot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from polyroute.interventions.turn_plans import BY_TURN
from polyroute.interventions.verdicts import EQUIVALENCE, Rule, all_rounded
from polyroute.stats.paired import PairedScores, of_the_same_items

MARGIN = 0.01
"""Within it on both sides two gains are equivalent: a point, as was fixed in advance."""


@dataclass(frozen=True)
class _Difference:
    condition: str
    value: float
    low: float
    high: float
    low90: float
    high90: float
    p: float
    items: int
    equivalent: bool


def by_turn_effects(right: Mapping[str, pd.DataFrame], pivot: str, rule: Rule) -> dict[str, Any] | None:
    """Gain of each of `BY_TURN` less that of the task experts whose place they take; plain data.

    Args:
        right: condition -> answers with item_id, language and correct.
        pivot: language that is not to be helped.
        rule: confidence and seed.

    Returns:
        As `results.steering.ByTurn`; None where neither was asked.

    Raises:
        PairedError: answers do not pair.
    """
    than = "published" if "published" in right else "chosen"
    asked = [name for name in BY_TURN if name in right]
    if not asked or than not in right:
        return None
    found = {name: asdict(_difference(name, right[than], right[name], pivot, rule)) for name in asked}
    return {"than": than, **{name.replace("-", "_"): all_rounded(found.get(name)) for name in BY_TURN}}


def _difference(name: str, base: pd.DataFrame, edited: pd.DataFrame, pivot: str, rule: Rule) -> _Difference:
    scores = PairedScores.from_tables(of_the_same_items(base, edited), edited)
    helped = scores.only([language for language in scores.languages if language != pivot])
    wide, narrow = (helped.mean_difference(coverage, rule.seed) for coverage in (rule.confidence, EQUIVALENCE))
    return _Difference(
        name, wide.value, wide.low, wide.high, narrow.low, narrow.high, wide.p, len(helped.item_ids),
        equivalent=narrow.low > -MARGIN and narrow.high < MARGIN,
    )  # fmt: skip
