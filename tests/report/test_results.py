from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.measures import layer_curves as alignment
from polyroute.report import results
from polyroute.report.results import ResultsError
from report import plausible


def test_results_are_read_with_the_pivot_first(tmp_path: Path) -> None:
    codes = plausible.write(Paths(tmp_path), "tiny", 2, 3, measures=("entropy",), readings=("soft_mass",))
    found = results.load(Paths(tmp_path), "tiny")
    assert found.languages() == ["eng_Latn", *codes]
    assert len(found.layers) == 9


@pytest.mark.parametrize("measures", [("divergence", "divergence_pooled"), ("divergence_pooled", "entropy_pooled")])
def test_divergence_is_that_of_sentences_or_where_there_are_none_of_counts(tmp_path: Path, measures) -> None:
    codes = plausible.write(Paths(tmp_path), "tiny", 2, 3, measures=measures, readings=("topk_count",))
    found = results.load(Paths(tmp_path), "tiny")
    found.layers.loc[found.layers["measure"] != measures[0], "value"] = 9.0
    curves = results.divergence(found, "text")
    assert curves.shape == (2, 3)
    assert list(curves.index) == sorted(codes)
    assert curves.to_numpy().max() < 9


def test_absent_results_name_the_stage(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="dvc repro align@tiny"):
        results.load(Paths(tmp_path), "tiny")


def test_a_lacking_column_is_named(tmp_path: Path) -> None:
    plausible.write(Paths(tmp_path), "tiny", 1, 2, measures=("entropy",), readings=("soft_mass",))
    (tmp_path / "metrics/tiny/layers.csv").write_text("model,corpus\n")
    with pytest.raises(ResultsError, match=r"layers.csv lacks the columns language, layer"):
        results.load(Paths(tmp_path), "tiny")


@pytest.mark.parametrize("text", ["{", "[]", '{"model": {}, "pivot": "eng_Latn"}'])
def test_a_broken_summary_is_named(tmp_path: Path, text: str) -> None:
    plausible.write(Paths(tmp_path), "tiny", 1, 2, measures=("entropy",), readings=("soft_mass",))
    (tmp_path / "metrics/tiny/align.json").write_text(text)
    with pytest.raises(ResultsError, match="metrics/tiny"):
        results.load(Paths(tmp_path), "tiny")


def test_the_columns_are_those_that_align_writes() -> None:
    assert results.COLUMNS == alignment.COLUMNS
