"""What the stage `align` finds: how far each language is routed from the pivot, by layer.

Sentences are the unit of all intervals, but of those over languages.
"""

from __future__ import annotations

from typing import Annotated, Literal

import pandas as pd
from pydantic import Field, RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import (
    Chance,
    Corpus,
    Count,
    DepthShape,
    Divergence,
    DivergenceDifference,
    Experts,
    Items,
    Language,
    Languages,
    Layer,
    LayerRange,
    Model,
    Reading,
    Zone,
)
from polyroute.results.table import Row, Unit

OfMeasure = Annotated[float, Unit("of the measure")]
Alignment = Annotated[float, Field(le=1), Unit("sentence alignment")]


class LayerRow(
    Row,
    file="layers.csv",
    stage="align",
    # Not rounded here: files in git hold some -0.0, which rounding would turn into 0.0.
    key=("corpus", "language", "layer", "measure", "reading"),
    readers=("stage claims", "stage multiverse", "stage experts", "stage correlate", "a figure a measure", "MLflow"),
):
    """One measure of one language in one layer, with its interval over sentences."""

    model: Model
    """Name in params.yaml."""
    corpus: Corpus
    """The parallel text."""
    language: Language
    """FLORES code; the pivot has those measures alone that need no other language."""
    layer: Layer
    """In the model's own numbering."""
    measure: str = Field(min_length=1)
    """Name of a measure, whose module in `measures/` says what it is; with `_pooled` of the corpus as one
    distribution, and not by sentence."""
    reading: Reading
    """What of the routers' output was read."""
    value: OfMeasure | None
    """Mean over sentences; missing where it is not defined."""
    low: OfMeasure | None
    """Lower bound of the interval over sentences; missing of pooled counts."""
    high: OfMeasure | None
    """Upper bound."""


def divergence(layers: pd.DataFrame, corpus: str, reading: str) -> pd.DataFrame:
    """Divergence from the pivot as summaries show it: a row a language, a column a layer.

    Sentence by sentence; of counts recorded elsewhere, which hold no sentences, over the whole corpus.

    Args:
        layers: `LayerRow`s.
        corpus: which.
        reading: which, most often the corpus's `reading` in align.json.
    """
    table = layers[(layers["corpus"] == corpus) & (layers["reading"] == reading)]
    by_sentence = table[table["measure"] == "divergence"]
    chosen = table[table["measure"] == "divergence_pooled"] if by_sentence.empty else by_sentence
    curves: pd.DataFrame = chosen.pivot(index="language", columns="layer", values="value")
    return curves


class Interval(Frozen):
    """A difference of divergence with its interval."""

    value: DivergenceDifference | None
    """The difference."""
    low: DivergenceDifference | None
    """Lower bound; null where there is nothing to resample."""
    high: DivergenceDifference | None
    """Upper bound."""


class Depth(Frozen):
    """Divergence over depth."""

    early: Divergence
    """Mean over the early zone."""
    middle: Divergence
    """Mean over the middle zone."""
    late: Divergence
    """Mean over the late zone."""
    early_minus_middle: Interval
    """Early minus middle, over sentences."""
    late_minus_middle: Interval
    """Late minus middle, over sentences."""
    shape: DepthShape
    """What the two differences make of the curve."""


class LanguageDepth(Depth):
    """Divergence of one language from the pivot over depth."""

    tokens_per_sentence: Annotated[float, Field(ge=0), Unit("tokens")] | None
    """Mean tokens of a sentence; null of pooled counts."""


class Zones(Frozen):
    """First and last layer of each zone."""

    early: LayerRange
    """First and last."""
    middle: LayerRange
    """First and last."""
    late: LayerRange
    """First and last."""


class AlignedLayer(Frozen):
    """Alignment of translations in one layer, over languages."""

    layer: Layer
    """In the model's own numbering."""
    value: Alignment
    """Mean over languages: 0 is chance, 1 the same routing."""
    low: Alignment | None
    """Lower bound of the interval over languages."""
    high: Alignment | None
    """Upper bound."""
    p: Chance | None
    """That signs of languages were drawn by chance; null with too few languages."""
    q: Chance | None
    """p adjusted for the layers."""


class OverFamilies(Frozen):
    """The same means with the family as the unit: each is left out in turn."""

    families: Annotated[int, Field(ge=0), Unit("families")]
    """How many."""
    early_minus_middle: Interval
    """Mean over languages, interval over families; bounds null with fewer than 3 families or 5 languages."""
    late_minus_middle: Interval
    """The same."""
    shape: DepthShape | None
    """What the two differences make of the curve; null where they have no bounds."""
    agrees: bool | None
    """Whether it is the shape over languages; null where either is."""


class MeanOverLanguages(Frozen):
    """Mean divergence over languages."""

    value: Divergence
    """The mean."""
    low: DivergenceDifference | None
    """Lower bound over languages; null with fewer than 5."""
    high: DivergenceDifference | None
    """Upper bound."""
    family_low: DivergenceDifference | None
    """Lower bound over families, each left out in turn; null with fewer than 3."""
    family_high: DivergenceDifference | None
    """Upper bound."""


class LayerOverLanguages(MeanOverLanguages):
    """The same of one layer."""

    layer: Layer
    """In the model's own numbering."""


class MeanDivergence(Frozen):
    """Divergence from the pivot over languages, the unit of its intervals."""

    zones: dict[Zone, MeanOverLanguages]
    """Mean over a zone's layers."""
    layers: list[LayerOverLanguages]
    """A record a layer."""


class OverLanguages(Frozen):
    """What holds over languages, which are the unit of intervals and tests."""

    languages: Languages
    """How many, the pivot apart."""
    early_minus_middle: Interval
    """Mean over languages with its t interval; bounds null with fewer than 5 languages."""
    late_minus_middle: Interval
    """The same."""
    shape: DepthShape | None
    """What the two differences make of the curve; null with fewer than 5 languages."""
    by_family: OverFamilies
    """Since related languages are not independent."""
    alignment: list[AlignedLayer] | None = None
    """A record a layer; absent where there are no sentences."""
    aligned_layers: list[Layer] | None = None
    """Layers whose q is below 0.05; null with too few languages to test."""
    peak_layer: Layer | None = None
    """The most aligned layer."""
    divergence: MeanDivergence | None = None
    """By zone and layer; absent in results older than it."""

    @property
    def peak(self) -> AlignedLayer:
        """The most aligned layer's record.

        Raises:
            StopIteration: there are no sentences.
        """
        return next(row for row in self.alignment or () if row.layer == self.peak_layer)


class OfHalves(Frozen):
    """A difference of zones between two halves of the pivot's sentences."""

    mean: DivergenceDifference
    """Over random splits."""
    high: DivergenceDifference
    """Their 97.5% point: what a language must exceed for its own difference to be one of languages."""


class SplitHalves(Frozen):
    """The pivot against itself: mean divergence of sentences of two random halves."""

    splits: Count
    """Random splits."""
    divergence: list[Divergence]
    """By layer, mean over splits."""
    high: list[Divergence]
    """By layer, the 97.5% point over splits."""
    early_minus_middle: OfHalves
    """Of the zones."""
    late_minus_middle: OfHalves
    """Of the zones."""


class FirstTokensDepth(Depth):
    """Divergence of one language over depth, over the first tokens of sentences."""

    sentences: Items
    """That have as many tokens in the language and in the pivot; the others are left out."""


class FirstTokens(Frozen):
    """Languages compared over as many tokens at the same positions: the first ones of each sentence."""

    tokens: Annotated[int, Field(ge=1), Unit("tokens")]
    """How many of each sentence."""
    languages: dict[Language, FirstTokensDepth]
    """Every language but the pivot and those left out."""
    left_out: list[Language]
    """Languages without two sentences that are as long in both languages."""
    over_languages: OverLanguages
    """The same with languages as the unit, and alignment at equal positions."""


Lacking = Literal["soft_mass", "sentences", "token_pairs"]
"""What counts of a whole corpus do not hold: the softmax of the router's logits, single sentences (alignment, intervals
over sentences, two halves of the pivot), pairs of tokens (consistency)."""


class CorpusAlignment(Frozen):
    """One model on one parallel corpus."""

    sentences: Count | None
    """How many, of each language; null of counts recorded elsewhere."""
    reading: Reading
    """The reading that summaries show."""
    zones: Zones
    """Layers of the zones."""
    languages: dict[Language, LanguageDepth]
    """Every language but the pivot."""
    mean: Depth
    """Mean over these languages; intervals over sentences."""
    over_languages: OverLanguages
    """The same with languages as the unit, and where translations meet."""
    split_half: SplitHalves | None
    """The floor under every curve of divergence; null of pooled counts, and in results older than it."""
    first_tokens: FirstTokens | None = None
    """The same over the first tokens of each sentence; null of pooled counts, where no two sentences are as long, and
    in results older than it."""
    lacking: list[Lacking] = Field(default=[])
    """What the traces do not hold; empty but of counts recorded elsewhere."""


class TracedModel(Frozen):
    """The model that was traced."""

    name: Model
    """Name in params.yaml."""
    engine: str
    """What ran it: `transformers`, or `recorded` for counts made elsewhere."""
    revision: str | None
    """Commit on the hub; null of a folder."""
    digest: str
    """Commit, or a digest of the checkpoint's files."""
    dtype: str
    """Of its weights."""
    layers: Count
    """Router layers."""
    experts: Experts
    """Of a layer."""
    top_k: Experts
    """That a token is sent to."""
    versions: dict[Annotated[str, Unit("library")], str]
    """Libraries that computed the numbers."""


class AlignmentSummary(
    Document,
    Frozen,
    file="align.json",
    stage="align",
    readers=(
        "stage claims",
        "stage multiverse",
        "stage experts",
        "stage correlate",
        "every figure over layers",
        "polyroute results",
        "MLflow",
    ),
):
    """The shape of divergence over depth, and the layers in which translations meet."""

    model: TracedModel
    """The model."""
    pivot: Language
    """FLORES code of the language that divergence is measured from."""
    corpora: dict[Corpus, CorpusAlignment]
    """Every parallel corpus."""


class CurvePoint(Frozen):
    """Divergence of one language in one layer."""

    corpus: Corpus
    """The parallel text."""
    language: Language
    """FLORES code."""
    layer: Layer
    """In the model's own numbering."""
    divergence: Divergence | None
    """As summaries show it."""


class DivergenceCurves(
    Document, RootModel[list[CurvePoint]], file="curves.json", stage="align", readers=("dvc plots show",)
):
    """Divergence from the pivot by layer, for DVC."""


class ShortAlignment(Frozen):
    """One corpus in a handful of numbers, means over languages."""

    early: Divergence
    """Mean over the early zone."""
    middle: Divergence
    """Mean over the middle zone."""
    late: Divergence
    """Mean over the late zone."""
    early_minus_middle: DivergenceDifference | None
    """Early minus middle."""
    late_minus_middle: DivergenceDifference | None
    """Late minus middle."""
    languages: Languages
    """How many, the pivot apart."""
    languages_with_u: Languages
    """How many of them have a U over depth."""
    alignment_peak: Alignment | None = None
    """Alignment of translations where it is largest; absent where there are no sentences."""
    alignment_peak_layer: Layer | None = None
    """The layer in which it is."""


class AlignmentMetrics(
    Document,
    RootModel[dict[Corpus, ShortAlignment]],
    file="summary/align.json",
    stage="align",
    readers=("dvc metrics show",),
):
    """Alignment in a handful of numbers a corpus, for DVC."""
