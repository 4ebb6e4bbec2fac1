"""Differences as results are written."""

import numpy as np

from polyroute.measures.zones import Difference
from polyroute.results.quantities import rounded


def bounded(difference: Difference) -> dict[str, float | None]:
    """A difference and its interval as results are written; null where there is none."""
    return {
        name: None if bound is None or np.isnan(bound) else rounded(bound)
        for name, bound in (("value", difference.value), ("low", difference.low), ("high", difference.high))
    }
