import pandas as pd
import pytest

from polyroute.ground.paths import Paths
from polyroute.tracking import points
from report import plausible_languages, plausible_masks
from tracking.small_study import LANGUAGES, LAYERS, read, write_tasks


def of_model(paths: Paths) -> dict[str, list[tuple[int, float]]]:
    return by_name(points.of_model(read(paths)))


def of_language(paths: Paths, code: str) -> dict[str, list[tuple[int, float]]]:
    return by_name(points.of_language(read(paths), code))


def by_name(found: list[points.Point]) -> dict[str, list[tuple[int, float]]]:
    curves: dict[str, list[tuple[int, float]]] = {}
    for name, step, value in found:
        curves.setdefault(name, []).append((step, value))
    return curves


def test_curves_of_a_language_have_the_layer_as_step(paths: Paths) -> None:
    german = of_language(paths, "deu_Latn")
    assert german["1 divergence/soft_mass.text"] == list(enumerate(LAYERS))
    assert german["divergence pooled/topk_count.text"] == list(enumerate(LAYERS))


def test_zones_are_points_with_their_intervals_where_they_have_one(paths: Paths) -> None:
    german = of_language(paths, "deu_Latn")
    assert german["9 zones/early_minus_middle.text"] == [(0, 0.3)]
    assert german["9 zones/early_minus_middle.text.high"] == [(0, 0.4)]
    assert german["9 zones/late_minus_middle.text"] == [(0, 0.2)]
    assert "9 zones/late_minus_middle.text.low" not in german


def test_the_pivot_has_no_divergence_from_itself(paths: Paths) -> None:
    assert set(of_language(paths, "eng_Latn")) == {"entropy/soft_mass.text"}


def test_curves_of_a_model_are_means_of_the_languages_but_the_pivot(paths: Paths) -> None:
    table = paths.metrics("tiny") / "layers.csv"
    rows = pd.read_csv(table)
    # divergence in layer 0: German 0.4, Swahili 0.6; mean 0.5. Entropy of English does not count.
    rows.loc[(rows["language"] == "swh_Latn") & (rows["layer"] == 0), "value"] = 0.6
    rows.loc[rows["language"] == "eng_Latn", "value"] = 100.0
    rows.to_csv(table, index=False)
    whole = of_model(paths)
    assert whole["1 divergence/soft_mass.text"] == [(0, pytest.approx(0.5)), *list(enumerate(LAYERS))[1:]]
    assert whole["entropy/soft_mass.text"] == [(0, pytest.approx(0.5)), *list(enumerate(LAYERS))[1:]]


def test_tasks_are_points_of_languages_and_of_the_model(paths: Paths) -> None:
    write_tasks(paths)
    german = of_language(paths, "deu_Latn")
    assert german["3 accuracy/arithmetic"] == [(0, pytest.approx(0.9))]
    assert german["5 steering/arithmetic/chosen"] == [(0, pytest.approx(0.021 * 0.6))]
    assert of_language(paths, "eng_Latn")["5 steering/knowledge/chosen"] == [(0, pytest.approx(-0.01))]
    whole = of_model(paths)
    assert whole["3 accuracy/arithmetic"] == [(0, pytest.approx(0.55))]
    correlation = pd.read_csv(paths.metrics("tiny") / "correlation.csv")
    plain = correlation[(correlation["method"] == "pearson") & correlation["controlled_for"].isna()]
    expected = plain[plain["task"] == "knowledge"]["r"]
    assert whole["4 correlation/knowledge.pearson"] == [(layer, pytest.approx(r)) for layer, r in enumerate(expected)]
    assert [layer for layer, _ in whole["domain divergence/arithmetic"]] == [0, 1, 2]
    steered = {name for name in whole if name.startswith("5 steering/arithmetic/")}
    conditions = ("chosen", "dose0.25", "dose-0.5", "random0", "early")
    assert {f"5 steering/arithmetic/{name}" for name in conditions} <= steered
    assert whole["5 steering/arithmetic/chosen"] == [(0, pytest.approx(0.021))]


def test_languages_compared_and_masks_are_points(paths: Paths) -> None:
    plausible_languages.write(paths, "tiny", list(LANGUAGES), len(LAYERS))
    plausible_masks.write(paths, "tiny", list(LANGUAGES))
    whole, german = of_model(paths), of_language(paths, "deu_Latn")
    assert whole["6 masking/arithmetic/early.diagonal.accuracy"] == [(0, pytest.approx(-0.12))]
    assert whole["groupings/family.early.text"] == [(0, pytest.approx(1.0))], "English and German first"
    assert [layer for layer, _ in whole["7 routing distance/jsd.soft_mass.text"]] == [0, 1, 2]
    assert whole["8 use of experts/shared.text"] == [(layer, 9) for layer in range(3)]
    assert german["8 use of experts/exclusive.text"] == [(0, 1), (1, 2), (2, 3)]
    assert "8 use of experts/overlap.text" not in german, "overlap is of all languages together"
    assert not [name for name in whole if name.startswith("covariates")], "three languages are too few"


def test_what_could_not_be_computed_is_no_point(paths: Paths) -> None:
    write_tasks(paths, notes=("too few languages",), not_run="no expert above any tau")
    names = {name for code in LANGUAGES for name in of_language(paths, code)} | set(of_model(paths))
    assert not [name for name in names if "correlation" in name or "steering" in name]
    assert "3 accuracy/arithmetic" in names


def test_the_page_begins_with_divergence_and_ends_with_what_answers_no_question(paths: Paths) -> None:
    write_tasks(paths)
    plausible_languages.write(paths, "tiny", list(LANGUAGES), len(LAYERS))
    plausible_masks.write(paths, "tiny", list(LANGUAGES))
    found = points.of_model(read(paths))
    assert found == sorted(found), "MLflow's list of metrics keeps the order in which they are logged"
    sections = list(dict.fromkeys(name.split("/")[0] for name, _, _ in found))
    assert sections == [
        "1 divergence", "3 accuracy", "4 correlation", "5 steering", "6 masking", "7 routing distance",
        "8 use of experts", "9 zones", "divergence pooled", "domain divergence", "entropy", "groupings",
    ]  # fmt: skip


def test_a_measure_that_no_one_numbered_comes_after_those_that_are() -> None:
    assert points.name("sparsity", "soft_mass.text") == "sparsity/soft_mass.text"
    assert sorted([points.name("accuracy", "a"), points.name("divergence", "b"), points.name("a new one", "c")]) == [
        "1 divergence/b", "3 accuracy/a", "a new one/c",
    ]  # fmt: skip
