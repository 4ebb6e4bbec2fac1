"""Results to report, and figures in the one format that tests read."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import findings
from polyroute.results.model import ModelResults
from report import plausible, plausible_languages
from report.shown import svg_alone


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
    """Figures whole, measured and as PNG too, where files are compared."""


@pytest.fixture(autouse=True)
def _formats(request: pytest.FixtureRequest) -> Iterator[None]:
    with nullcontext() if "every_format" in request.fixturenames else svg_alone():
        yield
