from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import experts_figures, words
from polyroute.results.model import ModelResults
from report.shown import language_figures, task_figures, told


def drawn(root: Path, count: int = 5, layers: int = 8, **arguments) -> tuple[list[Path], list[str]]:
    """Files, and what is missing."""
    return language_figures(experts_figures, root, count, layers, **arguments)


@pytest.mark.parametrize(("count", "layers"), [(4, 8), (47, 48)])
def test_every_language_is_named(tmp_path: Path, count: int, layers: int) -> None:
    files, missing = drawn(tmp_path, count, layers)
    assert {path.stem for path in files} == {"utilisation-text", "shared-text"}
    assert missing == []
    for code in ModelResults.read(Paths(tmp_path).metrics("tiny")).similarity.corpora["text"].languages:
        assert f"<!-- {words.named(code)} -->" in told(tmp_path, "shared-text")


def test_the_chance_level_of_information_is_drawn_where_there_is_one(tmp_path: Path) -> None:
    drawn(tmp_path)
    assert "<!-- by chance -->" in told(tmp_path, "utilisation-text")
    drawn(tmp_path / "pooled", pooled=True)
    text = told(tmp_path / "pooled", "utilisation-text")
    assert "<!-- by chance -->" not in text
    assert "counts of whole corpora have no sentences to permute" in text


def test_shared_experts_stand_by_resource_class_under_the_papers_share_of_experts(tmp_path: Path) -> None:
    drawn(tmp_path, 17)
    text = told(tmp_path, "shared-text")
    assert "each language's k = 4 of 64 most frequent experts" in text, "4 of 64 is nearer 15 of 128 than 20 is"
    assert "exclusive: share above 0.4" in text
    places = [text.index(f"<!-- class {resource} -->") for resource in (5, 1)]
    assert places == sorted(places)
    assert "class unknown" in text


def test_domains_stand_beside_languages(tmp_path: Path) -> None:
    task_figures(tmp_path, of=experts_figures)
    text = told(tmp_path, "domains")
    for name in ("arithmetic", "knowledge", "languages (mean of 6)"):
        assert f"<!-- {name} -->" in text
    assert "arithmetic: cap  ·  knowledge: cap  ·  languages: U" in text


@pytest.mark.usefixtures("every_format")
def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = drawn(tmp_path / "one"), drawn(tmp_path / "two")
    for one, two in zip(first[0], second[0], strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name
