from pathlib import Path

import pandas as pd
import pytest

from polyroute.ground.paths import Paths
from polyroute.report import experts, findings, words
from polyroute.results.model import ModelResults
from polyroute.results.quantities import Middle
from report import plausible, plausible_languages
from report.shown import cells, measure, rows


def test_use_of_experts_is_told_by_zone(measured) -> None:
    with_sentences, pooled = rows(experts.use_table(measured))
    assert with_sentences["evenness"].count("/") == 2
    assert with_sentences["chance"] == "0.002 / 0.002 / 0.002"
    assert pooled["chance"] == "–"
    assert pooled["specificity"] == "1.50 / 1.50 / 1.50"


def test_exclusive_experts_are_told_by_resource_class_and_with_what_relatives_take(measured) -> None:
    shared = rows(experts.shared_table(measured))
    assert shared[0]["k, thr"] == "4, 0.4"
    assert shared[0]["shared"] == "9.0"
    assert shared[0]["choices of exclusive experts, by class"].startswith("5: ")
    (relatives,) = rows(experts.relatives_table(measured))
    assert relatives["most held back by a relative"] == "2.5 of 3 (chance 1.2)"
    assert relatives["without one of its branch"] == "+0.90"
    assert float(relatives["balanced"]) == pytest.approx(float(relatives["exclusive"]) + 0.5)


@pytest.mark.parametrize(("of_layer", "k"), [(32, 4.0), (128, 15.0), (256, 20.0), (None, 4.0)])
def test_the_setting_nearest_the_papers_is_shown(of_layer: int | None, k: float) -> None:
    assert experts.shown([20, 4, 15], [0.7, 0.4], of_layer) == (k, 0.4)


def test_languages_stand_by_class_and_then_in_the_order_of_the_study(tmp_path: Path) -> None:
    codes = ["eng_Latn", "swh_Latn", "arz_Arab", "deu_Latn", "bam_Latn"]
    plausible.write(Paths(tmp_path), "tiny", 3, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_languages.write(Paths(tmp_path), "tiny", codes, 8)
    classes = experts.by_resource(ModelResults.read(Paths(tmp_path).metrics("tiny")).similarity.shared)
    assert list(classes.index[:2]) == ["eng_Latn", "deu_Latn"]
    assert classes.dropna().is_monotonic_decreasing


def test_experts_are_told_at_the_smallest_tau_and_where_the_papers_sets_never_meet(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    row = cells(experts.task_table(findings.gather(Paths(tmp_path), ["tiny"])), "tiny", "arithmetic")
    assert row["task experts"] == "40 above 0.1, 13 above 0.3"
    assert row["in both"] == "9 above 0.1 (chance 9.4), 0 above 0.3 (chance 0.3)"
    assert (row["domain divergence"], row["middle"]) == ("cap", "layers 1-6")
    middle = Middle(layers=(3, 3), has_trough=False, rule="params", curve=None)
    assert experts.middle(middle) == "layer 3, set in params.yaml"


def test_a_domain_without_a_shape_says_why(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    held = findings.gather(Paths(tmp_path), ["tiny"])[0].experts.summary.tasks["arithmetic"]
    assert (
        words.domain_shape(held.model_copy(update={"domain_shape": None, "domain_depth": None})) == "no sentences known"
    )
    few = held.domain_depth.model_copy(update={"sentences": 12})
    said = words.domain_shape(held.model_copy(update={"domain_shape": None, "domain_depth": few}))
    assert said == "too few sentences (12)"


@pytest.mark.parametrize(
    ("k", "exclusive", "said"),
    [
        (4, [1, 2, 0, 3], "25.0%"),
        (4, [0, 0, 0, 3], "75.0%: too few to compare languages"),
        (1, [1, 1, 0, 0], "50.0%: one expert a language cannot show how many are shared"),
        (4, [], "–"),
    ],
)
def test_what_few_experts_can_show_is_said(k, exclusive, said) -> None:
    assert experts._without_exclusive(k, pd.Series(exclusive, dtype=float)) == said
