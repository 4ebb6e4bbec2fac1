"""Every measure by layer.

To add one: a module here with its `MEASURE`, and that in `MEASURES`.
"""

from polyroute.measures import consistency, divergence, entropy, sentence_alignment
from polyroute.measures.layer_measure import LayerMeasure

MEASURES: tuple[LayerMeasure, ...] = (
    entropy.MEASURE, divergence.MEASURE, sentence_alignment.UNRELATED, sentence_alignment.MEASURE, consistency.MEASURE,
)  # fmt: skip
"""In the order of layers.csv."""
