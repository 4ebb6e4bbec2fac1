from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import words
from polyroute.report.overview import overview
from polyroute.results.model import ModelResults
from report import plausible, plausible_languages, plausible_masks, plausible_tasks


def told(root: Path, count: int, measures=("divergence",)) -> str:
    plausible.write(Paths(root), "tiny", count, 6, measures=measures, readings=("soft_mass",))
    return overview(ModelResults.read(Paths(root).metrics("tiny")))


def test_shapes_zones_and_aligned_layers_are_told(tmp_path: Path) -> None:
    text = told(tmp_path, 6)
    assert "U in 6 of 6 languages" in text
    assert "early (layers 0-0) 0.400" in text
    assert "alignment of translations: not compared with random initialisations" in text
    assert "closer than other sentences, over languages: layers 1-4 (most in layer 2: 0.192" in text
    assert "no evidence against random weights" in text


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ({}, "beyond random initialisations (middle zone 0.19, largest of 19 random 0.18; rank p 0.050)"),
        ({"beyond": False}, "not distinguishable from random initialisations (middle zone 0.01, largest of 19 random"),
        ({"not_run": "recorded"}, "not compared with random initialisations (its counts were recorded elsewhere"),
    ],
)
def test_alignment_rests_on_random_initialisations(tmp_path: Path, how, verdict) -> None:
    told(tmp_path, 6)
    plausible.write_nulls(Paths(tmp_path), "tiny", 6, **how)
    text = overview(ModelResults.read(Paths(tmp_path).metrics("tiny")))
    assert f"    alignment of translations: {verdict}" in text
    assert ("no evidence against random weights" in text) == ("not_run" in how)
    assert ("    early - middle " in text) == ("not_run" not in how)


@pytest.mark.parametrize("measures", [("divergence",), ("divergence_pooled",)])
def test_what_could_not_be_tested_is_not_told(tmp_path: Path, measures) -> None:
    assert "of translations" not in told(tmp_path, 3, measures)


def on_tasks(root: Path, **arguments) -> list[str]:
    """The lines on tasks alone."""
    codes = plausible.write(Paths(root), "tiny", 6, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(Paths(root), "tiny", codes, 8, **arguments)
    plausible_masks.write(Paths(root), "tiny", codes, tasks=("arithmetic",), scores=("accuracy",))
    lines = overview(ModelResults.read(Paths(root).metrics("tiny"))).splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("  accuracy in percent, "))
    return lines[first:]


def test_two_tasks_are_told_in_a_few_lines(tmp_path: Path) -> None:
    assert on_tasks(tmp_path) == [
        "  accuracy in percent, English / others / chance: arithmetic 100.0 / 55.0 / 10.0;",
        "    knowledge 98.0 / 50.0 / 25.0",
        "  least accurate: arithmetic Afrikaans (20.0%); knowledge Afrikaans (20.0%)",
        "  correlation with accuracy: arithmetic -0.86 (middle zone, p 0.002);",
        "    knowledge -0.77 (middle zone, p 0.002)",
        "  experts: arithmetic 40 above 0.1; knowledge 40 above 0.1; middle layers 1-6",
        "  does steering help, in points: arithmetic yes, +2.1 [0.9, 3.3], 100 items;",
        "    knowledge not distinguishable, +0.8 [-0.4, 2.0], 100 items",
        "  toward shared experts:",
        "    arithmetic not distinguishable, +0.8 [-0.4, 2.0], 100 items, reroutes 90.0% of tokens;",
        "    knowledge not distinguishable, +0.3 [-0.9, 1.5], 100 items, reroutes 90.0% of tokens",
        "  masking exclusive experts, own language / others / own language under random masks, in points:",
        "    arithmetic accuracy early -12.0 / -0.1 / -0.4; arithmetic accuracy middle +0.0 / -0.1 / -0.4;",
        "    arithmetic accuracy late -6.0 / -0.1 / -0.4",
    ]


def test_many_tasks_are_told_in_lines_of_a_hundred_columns(tmp_path: Path) -> None:
    lines = on_tasks(tmp_path, tasks=("mgsm", "global-mmlu-medical", "belebele-reading"))
    assert max(map(len, lines)) <= 100
    assert "    global-mmlu-medical" in "\n".join(lines)
    assert sum(not line.startswith("    ") for line in lines) == 7


def test_what_was_not_run_is_said_in_a_word(tmp_path: Path) -> None:
    lines = on_tasks(tmp_path, notes=("too few languages",), not_run="no expert above any tau")
    assert lines[3] == "  correlation with accuracy: arithmetic not computed; knowledge not computed"
    assert lines[5] == "  does steering help, in points: arithmetic not run; knowledge not run"
    assert lines[6] == "  toward shared experts: arithmetic not run; knowledge not run"


def test_what_the_tree_of_languages_follows_is_told_of_its_corpus(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    codes = plausible.write(paths, "tiny", 12, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_languages.write(paths, "tiny", ["eng_Latn", *codes], 8)
    text = overview(ModelResults.read(paths.metrics("tiny")))
    assert "    tree of languages: early follows family" in text
    assert "; middle not distinguishable from chance; late follows family" in text
    assert "language explains 15.0% of the entropy of expert choice in layer 0, 5.2% in layer 3" in text
    plausible_languages.write(paths, "tiny", ["eng_Latn", *codes], 8, related=0.0)
    text = overview(ModelResults.read(paths.metrics("tiny")))
    assert "    tree of languages: not distinguishable from chance\n" in text, "said once where all zones agree"


def test_a_model_without_tasks_is_silent_about_them(tmp_path: Path) -> None:
    before = told(tmp_path, 3)
    plausible_tasks.write_nothing(Paths(tmp_path), "tiny")
    assert overview(ModelResults.read(Paths(tmp_path).metrics("tiny"))) == before
    assert "accuracy" not in before


def test_spans() -> None:
    assert words.spans([]) == ""
    assert words.spans([0, 2, 3, 4, 7]) == "0, 2-4, 7"
