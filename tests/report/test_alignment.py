from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.report import figures, words
from polyroute.report.alignment import EXTREMES, LABELLED
from polyroute.results.model import ModelResults
from report import plausible

ALL = ("divergence", "alignment", "entropy", "consistency")


def drawn(root: Path, count: int = 3, layers: int = 6, measures=ALL, readings=("soft_mass",)) -> figures.Drawn:
    paths = Paths(root)
    plausible.write(paths, "tiny", count, layers, measures=measures, readings=readings)
    return figures.draw(paths, ModelResults.read(paths.metrics("tiny")))


def told(svg: Path) -> str:
    """Letters are outlines in the file; matplotlib keeps the text as comments."""
    return svg.read_text(encoding="utf-8")


@pytest.mark.parametrize(("count", "layers"), [(1, 2), (5, 8), (16, 24), (60, 96)])
def test_each_measure_is_drawn_and_every_language_named_or_of_many_the_extremes(
    tmp_path: Path, count: int, layers: int
) -> None:
    done = drawn(tmp_path, count, layers)
    names = [f"{measure}-text.{ending}" for measure in ALL for ending in ("png", "svg")]
    assert [path.relative_to(tmp_path / "figures" / "tiny").as_posix() for path in done.files] == names
    assert done.missing == ()
    text = told(tmp_path / "figures" / "tiny" / "divergence-text.svg")
    codes = [code for code in languages.codes() if code != "eng_Latn"][:count]
    named = [code for code in codes if f"<!-- {languages.get(code).name} -->" in text]
    if count < LABELLED:
        assert named == codes
    else:
        assert len(named) == 2 * EXTREMES, "the highest and the lowest"
        assert f"median of {count}" in text
        assert "band: all languages" in text
    assert f"U-shape in {count} of {count} language" in text
    verdict = told(tmp_path / "figures" / "tiny" / "alignment-text.svg")
    if count < 5:
        assert "closer than other sentences" not in verdict, "too few languages to test"
    else:
        assert f"closer than other sentences over languages in layers 1-{layers - 2}" in verdict
        assert "evidence" in verdict
    assert "tiny on text" in text
    assert "soft_mass, 50 sentences a language" in text


@pytest.mark.usefixtures("every_format")
def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    first = drawn(tmp_path / "one")
    second = drawn(tmp_path / "two")
    for one, two in zip(first.files, second.files, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_a_measure_without_data_is_said_not_drawn(tmp_path: Path) -> None:
    done = drawn(tmp_path, measures=("divergence",))
    assert done.missing == ("alignment on text", "entropy on text", "consistency on text")
    assert {path.stem for path in done.files} == {"divergence-text"}


def test_pooled_counts_are_drawn_without_bands_and_said_so(tmp_path: Path) -> None:
    done = drawn(tmp_path, measures=("divergence_pooled", "entropy_pooled"), readings=("topk_count",))
    text = told(done.files[1])
    assert "topk_count, counts pooled a language" in text
    assert "bands" not in text
    assert done.missing == ("alignment on text", "consistency on text")


def test_the_reading_of_the_verdicts_is_drawn(tmp_path: Path) -> None:
    done = drawn(tmp_path, readings=("topk_mass", "soft_mass"))
    assert "topk_mass, 50 sentences" in told(done.files[1])


@pytest.mark.parametrize(
    ("beyond", "code", "rank"), [(True, "beyond_random_init", "0.050"), (False, "not_distinguishable", "0.950")]
)
def test_random_initialisations_lie_behind_the_curves_and_decide(tmp_path: Path, beyond, code, rank) -> None:
    without = told(drawn(tmp_path, 6).files[1])
    paths = Paths(tmp_path)
    plausible.write_nulls(paths, "tiny", 6, beyond=beyond)
    figures.draw(paths, ModelResults.read(paths.metrics("tiny")))
    alignment, divergence, entropy = (
        told(tmp_path / "figures" / "tiny" / f"{name}-text.svg") for name in ("alignment", "divergence", "entropy")
    )
    assert words.NULLS[code] in alignment
    assert "closer than other sentences" not in alignment
    for text in (alignment, divergence):
        assert "grey:" in text
    assert "random" not in without + entropy
    assert words.NULLS[code] in divergence
    assert f"(p {rank})" in divergence


def test_what_was_not_held_against_random_initialisations_is_not_drawn_with_them(tmp_path: Path) -> None:
    drawn(tmp_path, 6)
    paths = Paths(tmp_path)
    plausible.write_nulls(paths, "tiny", 6, not_run="too_large")
    figures.draw(paths, ModelResults.read(paths.metrics("tiny")))
    alignment = told(tmp_path / "figures" / "tiny" / "alignment-text.svg")
    assert "grey" not in alignment
    assert "evidence" in alignment
