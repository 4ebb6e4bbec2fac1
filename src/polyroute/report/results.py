"""What the stage `align` found as plain data, which `tracking` reads; everything else reads `results.model`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyroute.ground.paths import Paths
from polyroute.results.model import ModelResults


@dataclass(frozen=True)
class Results:
    """What `align` found."""

    model: str
    align: dict[str, Any]
    """align.json."""
    layers: pd.DataFrame
    """layers.csv."""

    @property
    def pivot(self) -> str:
        """FLORES code of the language that divergence is measured from."""
        return str(self.align["pivot"])

    def languages(self) -> list[str]:
        """FLORES codes that anything was measured in, the pivot first."""
        codes = sorted(set(self.layers["language"]))
        return sorted(codes, key=lambda code: code != self.pivot)


def load(paths: Paths, model: str) -> Results:
    """Read them.

    Raises:
        ResultsError: as `ModelResults.read`.
    """
    found = ModelResults.read(paths.metrics(model))
    return Results(model, found.alignment.model_dump(mode="json", exclude_unset=True), found.layers)
