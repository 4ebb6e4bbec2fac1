"""What the stage `distances` finds: distances between languages that others recorded, without a trace."""

from __future__ import annotations

from typing import Annotated, Literal

from polyroute.results.alignment import Interval, Zones
from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import Coefficient, DepthShape, Language, Layer
from polyroute.results.similarity import Join, LabelAgreement, Ratio, Relatedness, ZoneName
from polyroute.results.table import Unit

Bits = Annotated[float, Unit("bits")]
Reading = Literal["topk_count", "soft_mass"]


class DistancesByDepth(Frozen):
    """Mean distance over depth."""

    zones: dict[ZoneName, Bits]
    """Early, middle and late."""
    early_minus_middle: Interval
    """Over languages, in bits; from the pivot alone."""
    late_minus_middle: Interval
    """The same."""
    shape: DepthShape | None
    """What the two differences make of it."""


class OfReading(Frozen):
    """One reading of the routers."""

    families: Relatedness | None
    """Over the mean of all layers; null without relatives."""
    pair_ratio: Ratio | None
    """Distance of the pair in `pair` by the mean distance of its first language from the others of its branch."""
    linkage: list[Join]
    """The tree of all languages, of the mean of all layers."""
    labels: dict[Annotated[str, Unit("label")], LabelAgreement]
    """Whether it follows family, branch, script or region."""
    from_pivot: DistancesByDepth
    """Mean over languages of the distance from the pivot."""
    between: dict[ZoneName, Bits]
    """Mean distance of the other languages from one another."""


class HardAgainstSoft(Frozen):
    """Expert choices against the softmax of the router's logits."""

    rho: Coefficient
    """Spearman's, over all pairs of languages, of the mean of all layers; pairs are not independent."""
    by_layer: list[Coefficient]
    """The same in each layer."""
    ratio: Ratio
    """Mean distance by choices over that by softmax."""


class RecordedDistances(
    Document,
    Frozen,
    file="distances.json",
    stage="distances",
    readers=("table Recorded distances",),
):
    """Distances between languages of one model, as others recorded them."""

    model: Annotated[str, Unit("model")]
    """As its authors call it."""
    corpus: Annotated[str, Unit("text")]
    """The text."""
    source: str
    """Repository and folder, with its commit."""
    licence: str
    """Of the numbers."""
    languages: list[Language]
    """In the order of the tree's leaves."""
    pivot: Language
    """Left out of families."""
    layers: list[Layer]
    """In the model's own numbering."""
    depth: Zones
    """Layers of the zones."""
    pair: tuple[Language, Language] | None
    """Two languages that differ in script and little else: Hindi and Urdu; null where they are not there."""
    readings: dict[Reading, OfReading]
    """By choices and by softmax."""
    hard_against_soft: HardAgainstSoft
    """How far the two agree."""
