"""Figures of a model's results, as PNG and SVG, drawn from `metrics/<model>/` alone.

The same results give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from polyroute.ground.paths import Paths
from polyroute.report import (
    alignment,
    correlation,
    experts_figures,
    families_figures,
    masking,
    multiverse_figures,
    steering_figures,
)
from polyroute.results.model import ModelResults

_SUBJECTS = (alignment, families_figures, experts_figures, correlation, steering_figures, masking)


@dataclass(frozen=True)
class Drawn:
    """What a call drew."""

    files: tuple[Path, ...]
    """PNG and SVG files, in the order drawn."""
    missing: tuple[str, ...]
    """Figures that the model could have and the results hold no data for, as `<figure> on <corpus or task>`; where a
    stage says why, with its reason."""


def draw(paths: Paths, results: ModelResults) -> Drawn:
    """Draw every figure of a model into `figures/<model>/`.

    Args:
        paths: where figures go.
        results: of the model; parts whose stage has not run are passed over in silence.
    """
    folder = paths.figures(results.model)
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [subject.draw(folder, results) for subject in _SUBJECTS]
    drawn.append(multiverse_figures.draw(folder, paths.metrics(results.model)))
    return Drawn(
        tuple(path for files, _ in drawn for path in files), tuple(name for _, missing in drawn for name in missing)
    )
