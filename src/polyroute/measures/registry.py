"""Every measure by layer.

To add one: a module here with its `MEASURE`, and that in `MEASURES`; one of tokens is in `traced.TRACED` instead.
"""

from polyroute.measures import divergence, entropy, sentence_alignment
from polyroute.measures.of_tokens import LayerMeasure
from polyroute.measures.traced import TRACED

MEASURES: tuple[LayerMeasure, ...] = (
    entropy.MEASURE, divergence.MEASURE, sentence_alignment.UNRELATED, sentence_alignment.MEASURE, *TRACED,
)  # fmt: skip
"""In the order of layers.csv."""
