from pathlib import Path

import plausible
import pytest

from polyroute.paths import Paths
from polyroute.report import results
from polyroute.report.overview import overview


def told(root: Path, count: int, measures=("divergence",)) -> str:
    plausible.write(Paths(root), "tiny", count, 6, measures=measures, readings=("soft_mass",))
    return overview(results.load(Paths(root), "tiny"))


def test_shapes_zones_and_aligned_layers_are_told(tmp_path: Path) -> None:
    text = told(tmp_path, 6)
    assert "U in 6 of 6 languages" in text
    assert "early (layers 0-0) 0.400" in text
    assert "translations nearer than chance over languages: layers 1-4 (most in layer 2: 0.192" in text


@pytest.mark.parametrize("measures", [("divergence",), ("divergence_pooled",)])
def test_what_could_not_be_tested_is_not_told(tmp_path: Path, measures) -> None:
    assert "nearer than chance" not in told(tmp_path, 3, measures)


def test_spans() -> None:
    assert results.spans([]) == ""
    assert results.spans([0, 2, 3, 4, 7]) == "0, 2-4, 7"
