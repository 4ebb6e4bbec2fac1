"""All results of one model, as its folder in `metrics/` holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from polyroute.results.accuracy import AccuracyRow, AccuracySummary, TaskAccuracy
from polyroute.results.alignment import AlignmentSummary, LayerRow
from polyroute.results.correlation import CorrelationRow, CorrelationSummary, TaskCorrelation
from polyroute.results.experts import DomainRow, ExpertRow, ExpertsSummary, MemberRow
from polyroute.results.generated import GeneratedRow
from polyroute.results.masking import MaskedTask, MaskingSummary, MaskRow
from polyroute.results.nulls import NullRow, NullsSummary
from polyroute.results.similarity import (
    CorpusSimilarity,
    DistanceRow,
    RiseRow,
    SharedRow,
    SimilaritySummary,
    UtilisationRow,
)
from polyroute.results.steering import MechanismRow, NotSteered, Steered, SteeringSummary, SteerRow
from polyroute.results.table import written
from polyroute.results.turns import TurnsSummary


@dataclass(frozen=True)
class Similarity:
    """What `similarity` found."""

    corpora: dict[str, CorpusSimilarity]
    distances: pd.DataFrame
    """`DistanceRow`s."""
    utilisation: pd.DataFrame
    """`UtilisationRow`s."""
    rise: pd.DataFrame
    """`RiseRow`s."""
    shared: pd.DataFrame
    """`SharedRow`s."""


@dataclass(frozen=True)
class Nulls:
    """What `nulls` found."""

    summary: NullsSummary
    table: pd.DataFrame
    """`NullRow`s."""


@dataclass(frozen=True)
class Accuracy:
    """What `evaluate` found."""

    tasks: dict[str, TaskAccuracy]
    table: pd.DataFrame
    """`AccuracyRow`s."""


@dataclass(frozen=True)
class Experts:
    """What `experts` found."""

    summary: ExpertsSummary
    domains: pd.DataFrame
    """`DomainRow`s."""


@dataclass(frozen=True)
class Correlations:
    """What `correlate` found."""

    corpus: str
    """Text whose divergence is set against accuracy."""
    tasks: dict[str, TaskCorrelation]
    table: pd.DataFrame
    """`CorrelationRow`s."""


@dataclass(frozen=True)
class Steering:
    """What `steer` found."""

    tasks: dict[str, Steered | NotSteered]
    table: pd.DataFrame
    """`SteerRow`s."""
    mechanism: pd.DataFrame
    """`MechanismRow`s."""

    @property
    def steered(self) -> dict[str, Steered]:
        """Tasks that were steered toward their experts."""
        return {task: found for task, found in self.tasks.items() if isinstance(found, Steered)}


@dataclass(frozen=True)
class Masking:
    """What `mask` found."""

    tasks: dict[str, MaskedTask]
    table: pd.DataFrame
    """`MaskRow`s."""


@dataclass(frozen=True)
class ModelResults:
    """What is known of one model; what a stage finds is None where it has not run."""

    model: str
    """Name in params.yaml."""
    alignment: AlignmentSummary
    layers: pd.DataFrame
    """`LayerRow`s."""
    similarity: Similarity | None = None
    accuracy: Accuracy | None = None
    experts: Experts | None = None
    correlations: Correlations | None = None
    steering: Steering | None = None
    masking: Masking | None = None
    nulls: Nulls | None = None
    generated: pd.DataFrame | None = None
    """`GeneratedRow`s of `score`; None in results older than they are."""
    turns: TurnsSummary | None = None

    @property
    def pivot(self) -> str:
        """FLORES code of the language that divergence is measured from."""
        return self.alignment.pivot

    def null(self, corpus: str) -> NullsSummary | None:
        """Where the model stands among random initialisations on a corpus; None where it was not asked there."""
        return self.nulls.summary if self.nulls and self.nulls.summary.corpus == corpus else None

    @property
    def languages(self) -> list[str]:
        """FLORES codes that anything was measured in, the pivot first."""
        codes = sorted(set(self.layers["language"]))
        return sorted(codes, key=lambda code: code != self.pivot)

    @property
    def tasks(self) -> list[str]:
        """Every task that a stage says something of, in order of name."""
        parts = (self.accuracy, self.correlations, self.steering, self.masking)
        named = [part.tasks for part in parts if part is not None]
        return sorted({*(self.experts.summary.tasks if self.experts else ()), *(task for one in named for task in one)})

    @classmethod
    def read(cls, folder: Path) -> ModelResults:
        """Read `metrics/<model>/`.

        Raises:
            ResultsError: `align` has not run, or a file is not as declared, or absent beside another of its stage.
        """
        return cls(
            folder.name, AlignmentSummary.read(folder), LayerRow.read(folder), _similarity(folder), _accuracy(folder),
            _experts(folder), _correlations(folder), _steering(folder), _masking(folder),
            _nulls(folder), GeneratedRow.read(folder) if written(folder, GeneratedRow) else None, _turns(folder),
        )  # fmt: skip


def _similarity(folder: Path) -> Similarity | None:
    if not written(folder, DistanceRow, SimilaritySummary, UtilisationRow, RiseRow, SharedRow):
        return None
    tables = (one.read(folder) for one in (DistanceRow, UtilisationRow, RiseRow, SharedRow))
    return Similarity(SimilaritySummary.read(folder).corpora, *tables)


def _accuracy(folder: Path) -> Accuracy | None:
    if not written(folder, AccuracyRow, AccuracySummary):
        return None
    return Accuracy(AccuracySummary.read(folder).tasks, AccuracyRow.read(folder))


def _experts(folder: Path) -> Experts | None:
    if not written(folder, ExpertRow, MemberRow, DomainRow, ExpertsSummary):
        return None
    return Experts(ExpertsSummary.read(folder), DomainRow.read(folder))


def _correlations(folder: Path) -> Correlations | None:
    if not written(folder, CorrelationRow, CorrelationSummary):
        return None
    summary = CorrelationSummary.read(folder)
    return Correlations(summary.corpus, summary.tasks, CorrelationRow.read(folder))


def _steering(folder: Path) -> Steering | None:
    if not written(folder, SteerRow, MechanismRow, SteeringSummary):
        return None
    return Steering(SteeringSummary.read(folder).tasks, SteerRow.read(folder), MechanismRow.read(folder))


def _masking(folder: Path) -> Masking | None:
    if not written(folder, MaskRow, MaskingSummary):
        return None
    return Masking(MaskingSummary.read(folder).tasks, MaskRow.read(folder))


def _nulls(folder: Path) -> Nulls | None:
    if not written(folder, NullRow, NullsSummary):
        return None
    return Nulls(NullsSummary.read(folder), NullRow.read(folder))


def _turns(folder: Path) -> TurnsSummary | None:
    return TurnsSummary.read(folder) if written(folder, TurnsSummary) else None
