"""Mean change over items, each of which is answered in several languages: its interval and p-value.

Unit: the item with all its translations; it speaks of other items in the same languages. An item counts with its mean
change over languages, a. Student's interval of the mean of a is too short where few items change, and has no width
where none does. So half an item is added on either side, as Agresti and Min (2005) add half an answer to each cell of a
table of one language:

    (sum a +- t sqrt(sum a^2 + c^2 - (sum a)^2 / (n + 2))) / (n + 2)          t of n - 1 degrees of freedom
    c^2 = (sum a^2 + 1) / (m + 1)

The added item moves as far as the m that moved and one that moves whole, in all languages alike (root mean square):
until many items have moved, nothing rules out that some do.

Coverage of the 95% interval in simulated studies of 13 to 250 items in 2 to 17 languages, of which 2 to 20% of answers
change, with a correlation of .05 to .3 between languages: 93% and more while net change is at most 0.3 of all changes,
nearer 99% at 13 items and 95% at 250. Where 0.6 of all changes is net, so that items are strongly skewed, it is 93% and
more in 24 of 25 populations, and 86% in the worst, 17 languages with a correlation of .3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True)
class ItemMean:
    """A mean over items."""

    value: float
    """In [-1, 1]."""
    low: float
    high: float
    """The bounds, in [-1, 1]; never the same."""
    p: float
    """Two-sided: at most 1 - confidence exactly where the bounds leave out 0."""


def changes_by_item(
    difference_NV: NDArray[np.float64], weight_V: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """What each item adds to the mean over languages of their means, or to another weighted sum of these.

    Args:
        difference_NV: of N items in V languages; NaN where a language lacks an item.
        weight_V: of each language's mean; 1/V unless told otherwise.

    Returns:
        (n) of the items that some language has, so that their mean is that sum: where every language has all of them,
        an item's own sum. Where some lack items their spread is overstated, the careful side.

    Raises:
        ValueError: a language has no item.
    """
    known_NV = ~np.isnan(difference_NV)
    count_V = known_NV.sum(axis=0)
    if not count_V.size or not count_V.all():
        raise ValueError("each language needs an item")
    held_N = known_NV.any(axis=1)
    share_V = held_N.sum() / count_V * (1 / len(count_V) if weight_V is None else weight_V)
    added_N: NDArray[np.float64] = np.nansum(difference_NV * share_V, axis=1)[held_N]
    # Where gains and losses cancel, rounding must not make a change of it.
    return np.where(np.abs(added_N) > 1e-12, added_N, 0.0)


def mean_over_items(change_N: NDArray[np.float64], confidence: float, inflation: float = 1.0) -> ItemMean:
    """Mean over items with its interval.

    Args:
        change_N: one value an item, in [-1, 1].
        confidence: coverage, in (0, 1), such as 0.95.
        inflation: factor of the variance, where items are not quite independent (`stats.cross_fitting`).

    Returns:
        Where no item changed the bounds are those of the share of items that change at most, the one-sided exact
        1 - (1 - confidence)^(1/n), about 3/n at 0.95, and p is 1.

    Raises:
        ValueError: there is no item, a value is NaN, or the confidence is outside (0, 1).
    """
    items = len(change_N)
    if not items or np.isnan(change_N).any():
        raise ValueError("a mean over items needs a value of at least one, and of each")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} must lie in (0, 1)")
    moved = change_N[change_N != 0]
    if not len(moved):
        bound = 1 - (1 - confidence) ** (1 / items)
        return ItemMean(0.0, -bound, bound, 1.0)
    total, free = float(change_N.sum()), max(items - 1, 1)
    squares = float((moved**2).sum())
    error = math.sqrt(inflation * (squares + (squares + 1) / (len(moved) + 1) - total**2 / (items + 2)))
    reach = float(stats.t.ppf((1 + confidence) / 2, free)) * error
    low, high = ((total + side) / (items + 2) for side in (-reach, reach))
    return ItemMean(
        total / items, max(low, -1.0), min(high, 1.0), min(2 * float(stats.t.sf(abs(total) / error, free)), 1.0)
    )
