"""How experts of tasks and languages are told, and how languages are compared by them."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from polyroute.ground.frozen import Frozen, check_unique
from polyroute.ground.layers import LayerRange, Zones, check_range
from polyroute.languages.own import StudySettings
from polyroute.stats.settings import Intervals

OlderRule = Literal["three_sd", "weighted_mean"]
DomainText = Literal["pooled", "pairs"]


class Multilingual(Frozen):
    """By which rule an expert is multilingual (`experts.multilingual`)."""

    rule: Literal["any"] = "any"
    """Of the sets that are tested and steered: Delta above tau in any language but the pivot, as paper 1 states."""
    beside: list[OlderRule] = Field(default=[])
    """Older rules of its authors' code, whose sets are shown beside these."""
    halved: list[str] = Field(default=[])
    """FLORES codes that count half in `weighted_mean`."""
    layers: LayerRange | None = None
    """Layers that the older rules look at; `null` takes all."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        check_unique("beside", list(self.beside))
        check_unique("halved", self.halved)
        if self.layers is not None:
            check_range("layers", self.layers)
        return self


class Experts(Frozen):
    """How task experts and multilingual experts are told."""

    taus: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=1)
    """Thresholds on Delta for which sets and their overlap are shown."""
    multilingual: Multilingual = Field(default=Multilingual())
    domain_divergence: list[DomainText] = Field(default=["pooled", "pairs"], min_length=1)
    """How divergence between domains is taken: over pooled texts (`domains.csv`, shape and depth in `experts.json`),
    over arbitrary pairs of sequences with English-English pairs as their floor (`domain_pairs.csv`), or both."""

    @model_validator(mode="after")
    def _ways_once(self) -> Self:
        check_unique("domain_divergence", list(self.domain_divergence))
        return self


class SharedExperts(Frozen):
    """Which settings shared and exclusive experts are told under: every k with every thr."""

    k: list[Annotated[int, Field(ge=1, le=128)]] = Field(min_length=1)
    """Experts kept for each language in a layer of 128, paper 2's; a layer of E keeps the same share of them."""
    thr: list[Annotated[float, Field(ge=0, lt=1)]] = Field(min_length=1)
    """Share of an expert above which a language has it to itself."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        check_unique("k", [str(k) for k in self.k])
        check_unique("thr", [f"{thr:g}" for thr in self.thr])
        return self


class Similarity(Intervals):
    """How languages are compared with one another."""

    shuffles: int = Field(ge=100)
    """Shuffles of labels, and of languages, in each permutation test."""
    shared: SharedExperts
    """Settings of shared and exclusive experts."""


class TaskText(Frozen):
    """Text by which the experts of a task are told."""

    text: str | None
    """The corpus; None where the task has none, and so no experts."""
    languages: list[str]
    """FLORES codes in which there are experts, English first."""


class ExpertsSettings(StudySettings):
    """What the stage `experts` reads."""

    languages: list[str]
    """FLORES codes, the pivot first."""
    generic: str
    """The corpus that experts are told against."""
    taus: list[float]
    multilingual: Multilingual = Field(default=Multilingual())
    domain_divergence: list[DomainText] = Field(default=["pooled", "pairs"])
    middle: LayerRange | None
    """Layers of the middle where params.yaml says so."""
    tasks: dict[str, TaskText]
    intervals: Intervals
    seed: int


class SimilaritySettings(Similarity, StudySettings):
    """What the stage `similarity` reads."""

    languages: list[str]
    """FLORES codes, the pivot first."""
    corpora: list[str]
    zones: Zones | None
    seed: int
