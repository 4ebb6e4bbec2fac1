"""How alignment is measured and correlated with accuracy."""

from typing import Literal

from pydantic import Field

from polyroute.ground.frozen import Frozen
from polyroute.ground.layers import Zones
from polyroute.languages.own import StudySettings
from polyroute.stats.settings import Intervals


class Align(Frozen):
    """How alignment is measured."""

    nearest: int = Field(ge=1)
    """Other sentences, those of the most similar length, that each sentence is compared with, to know how near its
    translation would be by chance."""


Importance = Literal["soft_mass", "topk_mass", "topk_count", "softmax_of_weights"]
"""Readings of the router that summaries may rest on."""


class AlignSettings(StudySettings):
    """What the stage `align` reads."""

    revision: str | None
    """Commit of the model; None for a folder."""
    languages: list[str]
    """FLORES codes, the pivot first."""
    corpora: list[str]
    zones: Zones | None
    intervals: Intervals
    nearest: int
    importance: Importance = "soft_mass"
    """The reading that summaries, the middle and correlations rest on."""
    seed: int


class Published(Frozen):
    """Accuracies that others published."""

    file: str
    """`recorded/published_accuracies.csv`."""
    model: str
    """What that file calls the model."""


class CorrelateSettings(StudySettings):
    """What the stage `correlate` reads."""

    languages: list[str]
    """FLORES codes, the pivot first."""
    generic: str
    """The corpus whose divergence is correlated."""
    confidence: float
    """Coverage of intervals."""
    text_shares: dict[str, float] | None
    """Language -> its share of the documents that the model was trained on, where that is known."""
    published: Published | None = None
    """Whose accuracies are correlated too; None for none but the model's own answers."""
    seed: int
    groups: dict[str, list[str]] = Field(default={})
    """Name -> FLORES codes that divergence and accuracy are correlated over too, the pivot apart."""
    near_chance: list[str] = Field(default=[])
    """FLORES codes answered about as well as by guessing, without which each group is correlated once more."""


class DistancesSettings(StudySettings):
    """What the stage `distances` reads."""

    file: str
    """The recording."""
    pivot: str
    """FLORES code; left out of families."""
    shuffles: int
    """Permutations of languages."""
    confidence: float
    """Coverage of intervals."""
    seed: int
