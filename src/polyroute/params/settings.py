"""What the stages read that belong to no room: `fetch`, which reads the entries of data sets, `track` and `report`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from polyroute.ground.frozen import Frozen
from polyroute.languages.own import StudySettings
from polyroute.readers.registry import Corpus, Task
from polyroute.tracing.settings import RecordedCounts


class FetchedCorpus(Frozen):
    """A corpus, and what is wanted of it."""

    entry: Corpus
    languages: list[str]
    """FLORES codes, the pivot first."""


class FetchedTask(Frozen):
    """A task, and what is wanted of it."""

    entry: Task
    languages: list[str]
    """FLORES codes, the pivot first."""
    lacking: list[str]
    """The model's languages that it does not exist in."""


class FetchedCounts(Frozen):
    """Counts recorded elsewhere, and what is wanted of them."""

    entry: RecordedCounts
    corpus: str
    """What they were recorded on."""
    languages: list[str]
    """FLORES codes, the pivot first."""


class FetchSettings(StudySettings):
    """What the stage `fetch` reads."""

    corpora: dict[str, FetchedCorpus]
    tasks: dict[str, FetchedTask]
    counts: FetchedCounts | None
    """None where the model is run here."""


class TrackSettings(StudySettings):
    """What the stage `track` reads."""

    name: str
    """Of the MLflow experiment."""
    models: dict[str, dict[str, Any]]
    """Model -> what its stages are set to, as params.yaml has it, to be shown beside its numbers."""
    read: dict[str, FetchSettings] = Field(default={})
    """Model -> what it reads."""
    distances: list[str] = Field(default=[])
    """Models of which distances between languages alone were recorded."""


class ReportedModel(Frozen):
    """What the report says of a model beside its results."""

    title: str
    """What its authors call it; the name in params.yaml of a pocket model."""
    kind: Literal["real", "pocket", "untrained"]
    """A model that somebody uses; a small one trained here, of which it is known what it learnt; or one of these with
    random weights."""
    source: str
    """Where its weights or counts are from, with the commit."""


class ReportSettings(StudySettings):
    """What the stage `report` reads."""

    name: str
    """Of the study."""
    pivot: str
    """FLORES code of the language that divergence is measured from."""
    seed: int
    """Of everything that is drawn."""
    confidence: float
    """Coverage of intervals."""
    resamples: int
    """Of the bootstrap."""
    models: dict[str, ReportedModel]
    """Name in params.yaml -> what is said of it; real ones first."""
    distances: list[str]
    """Models of which distances between languages alone were recorded."""
