"""Results to report, and figures in the one format that tests read."""

from pathlib import Path
from typing import Any

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import findings
from polyroute.results.model import ModelResults
from report import plausible, plausible_languages


@pytest.fixture
def measured(tmp_path: Path) -> list[ModelResults]:
    """A model without tasks of 13 languages, one whose counts hold no sentences, and one not compared."""
    paths = Paths(tmp_path)
    for model, count in (("tiny", 12), ("counts", 1), ("alone", 2)):
        codes = plausible.write(paths, model, count, 8, measures=("divergence",), readings=("soft_mass",))
        if model != "alone":
            plausible_languages.write(paths, model, ["eng_Latn", *codes], 8, pooled=model == "counts")
    return findings.gather(paths, ["tiny", "counts", "alone"])


@pytest.fixture
def every_format() -> None:
    """Figures as PNG too, where their bytes are compared."""


@pytest.fixture(autouse=True)
def _svg_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file as PNG: a page is drawn once and rendered twice, and what is on it is read in its SVG."""
    if "every_format" in request.fixturenames:
        return
    from matplotlib.figure import Figure

    render = Figure.savefig

    def savefig(figure: Figure, path: Path, **how: Any) -> None:
        if path.suffix == ".png":
            path.touch()
        else:
            render(figure, path, **how)

    monkeypatch.setattr(Figure, "savefig", savefig)
