from pathlib import Path

import pytest

from polyroute.report import multiverse_figures
from polyroute.results.multiverse import MultiverseRow
from report.plausible_multiverse import write


def drawn(root: Path) -> tuple[str, list[str]]:
    """The curve as SVG, and what is missing."""
    write(root / "metrics" / "tiny")
    files, missing = multiverse_figures.draw(root, root / "metrics" / "tiny")
    assert [path.name for path in files] == ["multiverse-p1-u-shape.png", "multiverse-p1-u-shape.svg"]
    return files[1].read_text(), missing


def test_the_curve_shows_verdicts_and_the_choices_that_vary(tmp_path: Path) -> None:
    text, missing = drawn(tmp_path)
    assert missing == []
    for words in ("p1.u_shape over open choices", "layer zones 100%", "the study's", "RISE's", "replicated"):
        assert f"<!-- {words} -->" in text, words
    assert "the 2 of the study's own unit are drawn" in text
    assert "<!-- JSD -->" not in text, "cells of another unit are not drawn"


@pytest.mark.usefixtures("every_format")
def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    assert drawn(tmp_path / "one")[0] == drawn(tmp_path / "two")[0]


def test_a_claim_without_an_effect_is_told_and_not_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "metrics" / "tiny"
    write(folder)
    MultiverseRow.write(folder, MultiverseRow.read(folder).assign(effect=float("nan")))
    assert multiverse_figures.draw(tmp_path, folder) == ([], ["multiverse of p1.u_shape"])


def test_nothing_is_drawn_before_the_stage_has_run(tmp_path: Path) -> None:
    assert multiverse_figures.draw(tmp_path, tmp_path) == ([], [])
