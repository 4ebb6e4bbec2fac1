"""What the stage `experts` finds of domain divergence over pairs of sequences."""

from __future__ import annotations

from polyroute.results.quantities import (
    Corpus,
    Count,
    Divergence,
    DivergenceDifference,
    Language,
    Layer,
    Model,
    Reading,
    Task,
)
from polyroute.results.table import Row


class DomainPairRow(
    Row,
    file="domain_pairs.csv",
    stage="experts",
    key=("task", "layer", "reading"),
    decimals=4,
    readers=("MLflow",),
):
    """Divergence between sequences of a task's text and of generic text in the same language, in one layer."""

    model: Model
    """Name in params.yaml."""
    corpus: Corpus
    """The in-task text."""
    language: Language
    """FLORES code of both texts."""
    layer: Layer
    """In the model's own numbering."""
    reading: Reading
    """What of the routers' output was read."""
    pairs: Count
    """Pairs of a sequence of each text."""
    value: Divergence | None
    """Mean D of these pairs."""
    low: Divergence | None
    """Lower bound of the interval over sequences."""
    high: Divergence | None
    """Upper bound."""
    floor: Divergence | None
    """Mean D of two sequences of generic text."""
    floor_low: Divergence | None
    """Lower bound."""
    floor_high: Divergence | None
    """Upper bound."""
    above: DivergenceDifference | None
    """`value` minus `floor`: what the domain adds."""
    above_low: DivergenceDifference | None
    """Lower bound."""
    above_high: DivergenceDifference | None
    """Upper bound."""
    task: Task
    """Whose text it is."""
