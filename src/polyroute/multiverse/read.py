"""A model's traces and results, read for its multiverse."""

from __future__ import annotations

from pathlib import Path

from polyroute.artifacts.trace import Trace, TraceFiles
from polyroute.claims.asked import Asked
from polyroute.claims.claim import Claims
from polyroute.ground.paths import Paths
from polyroute.multiverse.settings import MultiverseSettings
from polyroute.multiverse.study import Study, named_middle
from polyroute.results.claims import ClaimsSummary, Code
from polyroute.results.model import ModelResults


def read_study(settings: MultiverseSettings, paths: Paths, claims: Claims) -> Study:
    """What cells are computed of; traces stay in their files.

    Raises:
        ResultsError: `align` has not run, or a file of results is not as declared.
    """
    folder = paths.metrics(settings.name)
    proved: set[Path] = set()

    def trace(corpus: str, language: str) -> Trace:
        return TraceFiles([paths.trace(settings.name, corpus, language)], proved=proved)[0]

    return Study(
        Asked(ModelResults.read(folder), settings, folder), settings, trace,
        paths.vocabulary(settings.name), named_middle(claims.by_id, settings.name),
    )  # fmt: skip


def board(folder: Path) -> dict[str, Code]:
    """Claim -> its verdict alone; empty where the stage `claims` has not run."""
    if not (folder / ClaimsSummary.file).exists():
        return {}
    return {name: one.alone for name, one in ClaimsSummary.read(folder).claims.items()}
