"""What the report is made of: every result of every model of the study, and the claims that they are held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from polyroute.claims.claim import Claims, read_claims
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.params.settings import ReportedModel, ReportSettings
from polyroute.report import distances
from polyroute.results.alignment import AlignmentSummary
from polyroute.results.claims import ClaimsSummary
from polyroute.results.distances import RecordedDistances
from polyroute.results.model import ModelResults
from polyroute.results.multiverse import MultiverseRow, MultiverseSummary
from polyroute.results.table import written


class ReportError(PolyrouteError):
    """There is nothing to report."""


@dataclass(frozen=True)
class Study:
    """All that the page shows."""

    settings: ReportSettings
    paths: Paths
    claims: Claims
    models: Mapping[str, ModelResults]
    """Those that have been measured, in the order of the settings."""
    verdicts: Mapping[str, ClaimsSummary]
    """Those that claims were asked of, distances alone among them."""
    multiverses: Mapping[str, MultiverseSummary]
    cells: Mapping[str, pd.DataFrame]
    """`MultiverseRow`s of each model that has a multiverse."""
    distances: Mapping[str, RecordedDistances]
    absent: Sequence[str]
    """Models of the study that have not been measured."""

    def about(self, model: str) -> ReportedModel:
        """What the settings say of a model; one of recorded distances is real."""
        if model in self.settings.models:
            return self.settings.models[model]
        held = self.distances[model]
        return ReportedModel(title=held.model.rpartition("/")[2], kind="real", source=held.source)

    def title(self, model: str) -> str:
        """What a model is called."""
        return self.about(model).title

    @property
    def languages(self) -> list[str]:
        """FLORES codes that anything was measured in, the pivot first, then by how many models have them."""
        counts: dict[str, int] = {}
        for found in self.models.values():
            for code in found.languages:
                counts[code] = counts.get(code, 0) + 1
        for held in self.distances.values():
            for code in held.languages:
                counts.setdefault(code, 0)
        return sorted(counts, key=lambda code: (code != self.settings.pivot, -counts[code], code))


def read(paths: Paths, settings: ReportSettings) -> Study:
    """Read every result that is there.

    Raises:
        ReportError: no model of the study has been measured.
        ResultsError: a file of results is not as declared.
    """
    folders = {model: paths.metrics(model) for model in settings.models}
    measured = [model for model, folder in folders.items() if written(folder, AlignmentSummary)]
    if not measured:
        raise ReportError("no model of the study has been measured: run `polyroute study`")
    every = {**folders, **{name: paths.metrics(name) for name in settings.distances}}
    return Study(
        settings, paths, read_claims(paths.claims),
        {model: ModelResults.read(folders[model]) for model in measured},
        {model: ClaimsSummary.read(folder) for model, folder in every.items() if written(folder, ClaimsSummary)},
        {model: MultiverseSummary.read(of) for model, of in every.items() if written(of, MultiverseSummary)},
        {model: MultiverseRow.read(of) for model, of in every.items() if written(of, MultiverseSummary, MultiverseRow)},
        distances.gather(paths, settings.distances), [model for model in settings.models if model not in measured],
    )  # fmt: skip
