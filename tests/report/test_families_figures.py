from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import families_figures, words
from polyroute.results.model import ModelResults
from report.shown import language_figures, told


def drawn(root: Path, count: int = 5, layers: int = 8, **arguments) -> tuple[list[Path], list[str]]:
    """Files, and what is missing."""
    return language_figures(families_figures, root, count, layers, **arguments)


@pytest.mark.parametrize(("count", "layers"), [(4, 8), (47, 48)])
def test_every_language_is_named_in_every_zone(tmp_path: Path, count: int, layers: int) -> None:
    files, missing = drawn(tmp_path, count, layers)
    assert {path.stem for path in files} == {"tree-text", "rivals-text"}
    assert missing == []
    tree = told(tmp_path, "tree-text")
    for code in ModelResults.read(Paths(tmp_path).metrics("tiny")).similarity.corpora["text"].languages:
        assert tree.count(f"<!-- {words.named(code)} -->") == 3


def test_two_languages_have_a_tree_and_no_test(tmp_path: Path) -> None:
    _, missing = drawn(tmp_path, 1)
    assert missing == ["rivals on text (a permutation test needs at least 5 languages; there are 2)"]
    text = told(tmp_path, "tree-text")
    assert "in all zones: not tested: every language is a group of its own" in text
    assert "<!-- family not tested -->" in text


def test_the_tree_tells_measure_agreement_and_verdict(tmp_path: Path) -> None:
    drawn(tmp_path, 17)
    text = told(tmp_path, "tree-text")
    assert "Jensen-Shannon divergence of soft_mass  ·  average linkage" in text
    assert "early: follows family" in text
    assert "middle: not distinguishable from chance" in text
    assert "<!-- family 1.00, p 0.005 -->" in text
    drawn(tmp_path / "none", 17, related=0.0)
    assert "follows" not in told(tmp_path / "none", "tree-text")


def test_languages_of_one_family_share_a_mark_and_the_others_have_none() -> None:
    codes = ["eng_Latn", "deu_Latn", "spa_Latn", "fra_Latn", "arb_Arab", "heb_Hebr", "jpn_Jpan", "rus_Cyrl"]
    styles = families_figures._styles(codes)
    marks = {code: mark for code, (_, mark) in styles.items()}
    assert marks["eng_Latn"] == marks["fra_Latn"] == marks["rus_Cyrl"] != marks["arb_Arab"] == marks["heb_Hebr"]
    assert marks["jpn_Jpan"] == "."
    colours = {code: colour for code, (colour, _) in styles.items()}
    assert colours["eng_Latn"] == colours["deu_Latn"] != colours["spa_Latn"] == colours["fra_Latn"]
    assert colours["rus_Cyrl"] == colours["jpn_Jpan"], "alone of its branch, alone of its family: grey"


def test_a_tree_is_drawn_with_the_first_language_at_the_top_and_no_line_crossing() -> None:
    # c joins a at 1, b and d join at 2, all at 3.
    order, joins = families_figures.placed([[0, 2, 1.0, 2], [1, 3, 2.0, 2], [4, 5, 3.0, 4]], 4)
    assert order == [0, 2, 1, 3]
    assert joins[-1] == ([0.5, 0.5, 2.5, 2.5], [1.0, 3.0, 3.0, 2.0])


def test_what_is_not_known_is_said_beside_the_rivals(tmp_path: Path) -> None:
    drawn(tmp_path, 9)
    text = told(tmp_path, "rivals-text")
    assert "shared tokens: not known: the text of the corpus is not at hand" in text
    assert text.count("<!-- tokens a sentence -->") == 1, "rivals are named once, at the left"


@pytest.mark.usefixtures("every_format")
def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = drawn(tmp_path / "one"), drawn(tmp_path / "two")
    for one, two in zip(first[0], second[0], strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name
