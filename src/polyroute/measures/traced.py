"""Every measure that is taken of tokens while the model runs.

To add one: a module here with its `MEASURE`, and that in `TRACED`. Models are then traced anew.
"""

from polyroute.measures import consistency
from polyroute.measures.of_tokens import OfPairs, OfTokens

TRACED: tuple[OfTokens | OfPairs, ...] = (consistency.MEASURE, consistency.FAR)
"""In the order of layers.csv, where they come last."""
