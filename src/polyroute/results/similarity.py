"""What the stage `similarity` finds: how languages compare with one another, and which experts they use.

In tables by language the language "" is all of them together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, RootModel

from polyroute.results.document import Document, Frozen
from polyroute.results.quantities import (
    Chance,
    Coefficient,
    Corpus,
    Count,
    Experts,
    K,
    Language,
    Languages,
    Layer,
    LayerRange,
    Nats,
    Rand,
    Reading,
    Share,
    Threshold,
    means,
)
from polyroute.results.table import Row, Unit

DistanceMeasure = Literal["jsd", "divergence", "cosine", "jaccard"]
"""Jensen-Shannon divergence in nats, divergence D, cosine distance, 1 - Jaccard index of the most used experts."""
Distance = Annotated[float, Field(ge=0), Unit("of the measure")]
MeanExperts = Annotated[float, Field(ge=0), Unit("experts")]
Join = tuple[int, int, Distance, Languages]
"""Of a tree: two clusters, its height, and the languages below it."""
Gap = Annotated[float, Unit("of the distance")]
Group = Annotated[str, Unit("group")]
Label = Annotated[str, Unit("label")]
Ratio = Annotated[float, Field(ge=0), Unit("ratio")]
Rival = Annotated[str, Unit("rival")]
ZoneName = Annotated[str, Unit("zone")]


class DistanceRow(
    Row,
    file="similarity.csv",
    stage="similarity",
    key=("corpus", "measure", "reading", "zone", "layer", "language_a", "language_b"),
    decimals=6,
    readers=("stage claims", "stage multiverse", "table Language families", "MLflow"),
):
    """Routing distance of two languages in a zone, or of the headline in a layer."""

    corpus: Corpus
    """The parallel text."""
    measure: DistanceMeasure
    """Of distance."""
    reading: Reading
    """What of the routers' output was read."""
    zone: Literal["early", "middle", "late", ""]
    """Mean over its layers; empty in rows of a layer."""
    layer: Layer | None
    """In the model's own numbering; missing in rows of a zone."""
    language_a: Language
    """FLORES code of the language that comes first in the study."""
    language_b: Language
    """FLORES code of the other."""
    distance: Distance
    """Of the two languages' mean distributions."""
    low: Distance | None
    """Lower bound of the interval over sentences; missing of layers and of pooled counts."""
    high: Distance | None
    """Upper bound."""


class UtilisationRow(
    Row,
    file="utilisation.csv",
    stage="similarity",
    key=("corpus", "layer", "language"),
    decimals=4,
    readers=(
        "stage claims",
        "stage multiverse",
        "figure utilisation",
        "table Use of experts",
        "polyroute results",
        "MLflow",
    ),
):
    """How evenly a language loads the experts of a layer; uniform is 1 / E."""

    corpus: Corpus
    """The parallel text."""
    layer: Layer
    """In the model's own numbering."""
    language: str
    """FLORES code; empty for all languages together, each weighing the same."""
    entropy: Nats
    """Of the load."""
    evenness: Share | None
    """Entropy by its largest value, ln E."""
    dead: Experts
    """With less than a tenth of the uniform load."""
    hot: Experts
    """With more than three times the uniform load."""
    max_violation: Annotated[float, Field(ge=0), Unit("mean loads")]
    """MaxVio: the largest load by the mean load, less 1."""
    specificity: Annotated[float, Field(ge=0), Unit("mean uses")]
    """RISE: use of the expert that a choice falls on, by its mean use over languages."""
    overlap: Share | None
    """RISE: 1 / (1 + variation over languages) of the expert that a choice falls on; of all languages together only."""
    information: Annotated[float, Field(ge=0, le=1), Unit("share of entropy")] | None
    """Of the entropy of the expert that is explained by the language; of all languages together only."""
    information_null: Annotated[float, Field(ge=0, le=1), Unit("share of entropy")] | None
    """Its mean with sentences permuted between languages; missing of pooled counts."""
    information_p: Chance | None
    """How often permuted sentences reach it; missing of pooled counts."""


class RiseRow(
    Row,
    file="rise.csv",
    stage="similarity",
    key=("corpus", "zone", "language"),
    decimals=4,
    readers=("stage claims", "stage multiverse", "table Use of experts"),
):
    """Specificity and overlap of experts in one of RISE's zones, means over its layers."""

    corpus: Corpus
    """The parallel text."""
    zone: Literal["early", "middle", "late"]
    """RISE's own zones, up to 37.5%, 62.5% and 100% of depth."""
    first_layer: Layer
    """First layer of the zone."""
    last_layer: Layer
    """Last layer of the zone."""
    language: str
    """FLORES code; empty for all languages together."""
    specificity: Annotated[float, Field(ge=0), Unit("mean uses")]
    """As in utilisation.csv."""
    overlap: Share | None
    """As in utilisation.csv."""


class SharedRow(
    Row,
    file="shared.csv",
    stage="similarity",
    key=("corpus", "k", "thr", "layer", "language"),
    decimals=4,
    readers=(
        "stage claims",
        "stage multiverse",
        "figure shared",
        "tables Shared and exclusive experts, Exclusivity and relatives",
        "MLflow",
    ),
):
    """Shared and exclusive experts of one language in one layer, and how they depend on the other languages."""

    corpus: Corpus
    """The parallel text."""
    layer: Layer
    """In the model's own numbering."""
    language: str
    """FLORES code; empty for all languages together, of which only the two counts are known."""
    resource: Annotated[int, Field(ge=0, le=5), Unit("class of Joshi et al. 2020")] | None
    """How much text of the language there is; missing where it is not known."""
    family: str
    """Of the language (Glottolog)."""
    shared: Experts
    """Of the language's k, those that all languages share."""
    exclusive: Experts
    """Of which the language alone holds more than `thr`."""
    shared_use: Share | None
    """Of the language's choices, those on shared experts."""
    exclusive_use: Share | None
    """Of the language's choices, those on exclusive experts."""
    left_out: str
    """FLORES code of the language without which most experts are exclusive; empty with fewer than 3 languages."""
    left_out_relation: Literal["branch", "family", "none", ""]
    """How that language is related."""
    left_out_exclusive: Experts | None
    """Exclusive experts without it."""
    exclusive_balanced: MeanExperts | None
    """Exclusive experts where at most one language of a family is in the set, mean over such sets."""
    exclusive_balanced_low: Experts | None
    """The fewest in such a set."""
    exclusive_balanced_high: Experts | None
    """The most in such a set."""
    exclusive_same_size: MeanExperts | None
    """Mean over sets as large, of any families."""
    k: K
    """Experts kept of each language and layer."""
    thr: Threshold
    """Share above which an expert is exclusive."""


class Headline(Frozen):
    """The distances that trees show."""

    measure: DistanceMeasure
    """Of distance."""
    reading: Reading
    """What of the routers' output was read."""


class LabelAgreement(Frozen):
    """How far the tree follows one label; null, with a note, where the label says nothing of it."""

    groups: Languages
    """Groups of languages that the label makes."""
    clusters: Languages | None
    """That the tree was cut into."""
    rand: Rand | None
    """Agreement of groups and clusters: 1 the same, 0 chance."""
    low: Rand | None
    """Lower bound of the interval over sentences."""
    high: Rand | None
    """Upper bound."""
    p: Chance | None
    """Share of shuffled labels that agree as well."""
    cophenetic: Coefficient | None
    """Of the heights of joins with whether labels differ."""
    cophenetic_p: Chance | None
    """Of that."""
    note: str | None = None
    """Why there is none, in words."""


class RivalCorrelation(Frozen):
    """How far another distance between languages explains routing distances; null, with a note, where it cannot."""

    mantel: Coefficient | None
    """Mantel's r, with nothing held fixed."""
    p: Chance | None
    """Of that, one-sided, by permutation of languages; too small where both distances follow families."""
    within_families_p: Chance | None
    """The same by permutation of relatives alone; null of `family`, and where families leave too few orders."""
    partial: Coefficient | None
    """With the other rivals held fixed."""
    partial_p: Chance | None
    """Of that."""
    controlled_for: list[str]
    """The rivals held fixed."""
    note: str | None = None
    """Why there is none, in words."""


class Sensitivity(Frozen):
    """What another measure of distance would have said."""

    measure: DistanceMeasure
    """Of distance."""
    reading: Reading
    """What of the routers' output was read."""
    correlation: Coefficient | None
    """Of its distances with the headline's."""
    rand: dict[Label, Rand | None]
    """Agreement of its tree with each label."""


class Relatedness(Frozen):
    """Distances of pairs within a family against those across families, the pivot apart."""

    groups: dict[Group, Languages]
    """Languages of each family."""
    within: Gap
    """Mean distance of relatives."""
    across: Gap
    """Mean distance of others."""
    gap: Gap
    """Across less within."""
    ratio: Ratio
    """Within by across."""
    p: Chance | None
    """Share of relabellings of languages whose gap is as large; null of fewer than 20."""
    relabellings: Count
    """Different ones; all are taken up to 5000."""
    within_script_p: Chance | None
    """The same with labels exchanged among languages of one script alone; null of fewer than 20 relabellings."""
    within_script_relabellings: Count
    """Different ones."""
    other_script_gap: Gap | None
    """Gap over pairs of different scripts; null where these are all of one kind."""
    other_script_p: Chance | None
    """Of it, by relabelling languages."""
    low: Gap | None
    """Lower bound of the gap, a language left out at a time: pairs that share one depend on one another. Too near where
    families are large; no verdict takes it."""
    high: Gap | None
    """Upper bound."""
    low_if_pairs_independent: Gap | None
    """What the bound would be if every pair were a language of its own (Welch): too near."""
    high_if_pairs_independent: Gap | None
    """The same."""
    by_family_low: Gap | None = None
    """Lower bound of the gap, a family left out at a time: relatives depend on one another too. Null where one family
    alone has several languages, and in results older than it."""
    by_family_high: Gap | None = None
    """Upper bound."""
    other_script_low: Gap | None = None
    """Lower bound of `other_script_gap`, a family left out at a time; null as `by_family_low`."""
    other_script_high: Gap | None = None
    """Upper bound."""


class ZoneSimilarity(Frozen):
    """Distances between languages in one zone."""

    layers: LayerRange
    """First and last."""
    linkage: list[Join]
    """Joins of the tree: the two clusters (languages first, in order), the height, and the languages below it."""
    cophenetic: Coefficient | None
    """Of the heights of joins with the distances: how well a tree describes them."""
    labels: dict[Label, LabelAgreement]
    """Family, branch, script and region."""
    rivals: dict[Rival, RivalCorrelation]
    """Family, script, fertility (tokens a sentence) and vocabulary."""
    sensitivity: list[Sensitivity]
    """Other measures and readings."""
    relatedness: Relatedness | None = None
    """Whether relatives are nearer; null without relatives beside the pivot, and in results older than it."""


class Added(Frozen):
    """Exclusive experts that leaving a language out adds to another, by how they are related."""

    branch: Annotated[float, Unit("experts")] | None
    """Of one branch; null where no two are."""
    family: Annotated[float, Unit("experts")] | None
    """Of one family but two branches."""
    none: Annotated[float, Unit("experts")] | None
    """Not related."""


class RelativesHoldBack(Frozen):
    """Whether it is relatives that hold exclusive experts back."""

    languages: Languages
    """With such a relative in the set."""
    relative_adds_most: Annotated[float, Field(ge=0), Unit("languages")]
    """Of these, those to which leaving out a relative adds most."""
    expected: Annotated[float, Field(ge=0), Unit("languages")]
    """Of these, had it been any other language with the same chance."""


class Confound(Frozen):
    """How exclusive experts depend on relatives in the set; k and thr alone where languages are too few."""

    k: K
    """As in shared.csv."""
    thr: Threshold
    """As in shared.csv."""
    added: Added | None = None
    """Means over pairs of languages."""
    branch: RelativesHoldBack | None = None
    """Relatives of one branch."""
    family: RelativesHoldBack | None = None
    """Relatives of one family."""


class HubDifference(Frozen):
    """A mean over the choices of the middle zone less that of others, and how it hangs on which languages there are."""

    value: float
    """The difference."""
    low: float | None
    """Lower bound of the interval over languages, each left out in turn; null with fewer than 5."""
    high: float | None
    """Upper bound."""
    balanced: float | None
    """Mean over sets of languages that hold one of each family; null with one family."""
    turns_without: list[Language]
    """Languages without any one of which the difference has another sign."""


class Hub(Frozen):
    """Overlap and specificity of experts over languages, in RISE's zones of depth."""

    languages_of_a_set: Languages
    """In a set that holds one of each family."""
    sets: Count
    """How many such sets there are, or were drawn."""
    overlap_middle_minus_early: HubDifference
    """Overlap, middle less early zone."""
    overlap_middle_minus_late: HubDifference
    """Overlap, middle less late zone."""
    specificity_middle_minus_outer: HubDifference
    """Specificity, middle less the mean of early and late zone."""


class CorpusSimilarity(Frozen):
    """One model on one parallel corpus."""

    languages: list[Language]
    """In the order of the tree's leaves."""
    top_k: Experts
    """That a token is sent to."""
    headline: Headline
    """What the trees are made of."""
    zones: dict[ZoneName, ZoneSimilarity]
    """Early, middle and late."""
    confound: list[Confound]
    """A record a k and thr."""
    hub: Hub | None = None
    """Whether middle layers are one for all languages; null with fewer than three."""


class SimilaritySummary(
    Document,
    Frozen,
    file="similarity.json",
    stage="similarity",
    readers=(
        "stage claims", "stage multiverse",
        "figures tree, rivals", "tables Language families, What goes with routing distance, Exclusivity and relatives",
        "polyroute results", "MLflow",
    ),
):  # fmt: skip
    """Trees of languages, what they follow, and what explains the distances."""

    corpora: dict[Corpus, CorpusSimilarity]
    """Every parallel corpus."""


class ShortSimilarity(Frozen):
    """One corpus in a handful of numbers."""

    rand: dict[Label, Rand | None]
    """Agreement of the middle layers' tree with each label."""
    mantel: dict[Rival, Coefficient | None]
    """Correlation of the middle layers' distances with each rival."""
    evenness: Share | None
    """Of the load of all languages together, mean over layers."""
    information: Annotated[float, Field(ge=0, le=1), Unit("share of entropy")] | None
    """Of the entropy of the expert that is explained by the language, mean over layers."""
    shared: MeanExperts
    """That all languages share, mean over layers, at the first k and thr."""
    exclusive: MeanExperts
    """Exclusive to one language, mean over layers, at the first k and thr."""


class SimilarityMetrics(
    Document,
    RootModel[dict[Corpus, ShortSimilarity]],
    file="summary/similarity.json",
    stage="similarity",
    readers=("dvc metrics show",),
):
    """Languages among themselves in a handful of numbers a corpus, for DVC."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """From the stage's other files."""
        use, kept = (table[table["language"] == ""] for table in (UtilisationRow.read(folder), SharedRow.read(folder)))
        found = {}
        for corpus, one in SimilaritySummary.read(folder).corpora.items():
            first: Any = one.confound[0]
            middle, load = one.zones["middle"], use[use["corpus"] == corpus]
            experts = kept[(kept["corpus"] == corpus) & (kept["k"] == first.k) & (kept["thr"] == first.thr)]
            found[corpus] = {
                "rand": {label: agreement.rand for label, agreement in middle.labels.items()},
                "mantel": {rival: explained.mantel for rival, explained in middle.rivals.items()},
                **means(load[["evenness", "information"]]), **means(experts[["shared", "exclusive"]]),
            }  # fmt: skip
        return cls.model_validate(found)
