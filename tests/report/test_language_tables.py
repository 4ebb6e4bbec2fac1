"""Tables of how languages compare."""

from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import exclusive, findings, language_findings
from polyroute.results.model import ModelResults
from report import plausible, plausible_languages


def rows(table: str) -> list[dict[str, str]]:
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


@pytest.fixture
def measured(tmp_path: Path) -> list[ModelResults]:
    """A model without tasks of 13 languages, one whose counts hold no sentences, and one not compared."""
    paths = Paths(tmp_path)
    for model, count in (("tiny", 12), ("counts", 1), ("alone", 2)):
        codes = plausible.write(paths, model, count, 8, measures=("divergence",), readings=("soft_mass",))
        if model != "alone":
            plausible_languages.write(paths, model, ["eng_Latn", *codes], 8, pooled=model == "counts")
    return findings.gather(paths, ["tiny", "counts", "alone"])


def test_models_without_tasks_are_told_where_their_languages_are_compared(measured) -> None:
    assert [one.model for one in measured] == ["tiny", "counts"]
    titles = list(findings.tables(measured))
    assert titles == list(language_findings.tables(measured)), "and nothing of tasks"


def test_families_are_told_by_zone_with_q_and_verdict(measured) -> None:
    early, middle, late, *counts = rows(language_findings.followed(measured))
    assert [row["zone"] for row in (early, middle, late)] == ["early (0)", "middle (2-4)", "late (7)"]
    assert early["family"].startswith("1.00, q 0.0")
    assert early["the tree"].startswith("follows family")
    assert middle["the tree"] == "not told from chance"
    assert float(early["mean distance"]) > float(middle["mean distance"])
    assert counts[0]["family"] == "–"
    assert counts[0]["the tree"].startswith("not tested: ")


def test_rivals_are_told_alone_and_given_the_others(measured) -> None:
    early, *_, last = rows(language_findings.rivals(measured))
    assert early["family"] == "0.98, p 0.005; given others 1.00, p 0.005"
    assert early["shared tokens"] == last["family"] == "–"


def test_use_of_experts_is_told_by_zone(measured) -> None:
    with_sentences, pooled = rows(language_findings.used(measured))
    assert with_sentences["evenness"].count("/") == 2
    assert with_sentences["chance"] == "0.002 / 0.002 / 0.002"
    assert pooled["chance"] == "–"
    assert pooled["specificity"] == "1.50 / 1.50 / 1.50"


def test_exclusive_experts_are_told_by_resource_class_and_with_what_relatives_take(measured) -> None:
    shared = rows(language_findings.shared(measured))
    assert shared[0]["k, thr"] == "4, 0.4"
    assert shared[0]["shared"] == "9.0"
    assert shared[0]["choices of exclusive experts, by class"].startswith("5: ")
    (relatives,) = rows(language_findings.relatives(measured))
    assert relatives["most held back by a relative"] == "2.5 of 3 (chance 1.2)"
    assert relatives["without one of its branch"] == "+0.90"
    assert float(relatives["balanced"]) == pytest.approx(float(relatives["exclusive"]) + 0.5)


@pytest.mark.parametrize(("experts", "k"), [(32, 4.0), (128, 15.0), (256, 20.0), (None, 4.0)])
def test_the_setting_nearest_the_papers_is_shown(experts: int | None, k: float) -> None:
    assert exclusive.shown([20, 4, 15], [0.7, 0.4], experts) == (k, 0.4)


def test_languages_stand_by_class_and_then_in_the_order_of_the_study(tmp_path: Path) -> None:
    codes = ["eng_Latn", "swh_Latn", "arz_Arab", "deu_Latn", "bam_Latn"]
    plausible.write(Paths(tmp_path), "tiny", 3, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_languages.write(Paths(tmp_path), "tiny", codes, 8)
    classes = exclusive.by_resource(ModelResults.read(Paths(tmp_path).metrics("tiny")).similarity.shared)
    assert list(classes.index[:2]) == ["eng_Latn", "deu_Latn"]
    assert classes.dropna().is_monotonic_decreasing
