import pandas as pd
import pytest

from polyroute.ground.paths import Paths
from polyroute.tracking import points
from report import plausible_languages, plausible_masks
from tracking.small_study import LANGUAGES, LAYERS, read, write_tasks

BY_LAYER = " by layer - last listed"


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
    assert german[f"1 divergence{BY_LAYER}/soft_mass.text"] == list(enumerate(LAYERS))
    assert german[f"divergence pooled{BY_LAYER}/topk_count.text"] == list(enumerate(LAYERS))


def test_zones_are_points_with_their_intervals_where_they_have_one(paths: Paths) -> None:
    german = of_language(paths, "deu_Latn")
    assert german["0 in short/divergence early minus middle.text"] == [(0, 0.3)]
    assert german["0 in short/divergence early minus middle.text.high"] == [(0, 0.4)]
    assert german["0 in short/divergence late minus middle.text"] == [(0, 0.2)]
    assert "0 in short/divergence late minus middle.text.low" not in german


def test_the_pivot_has_no_divergence_from_itself(paths: Paths) -> None:
    assert set(of_language(paths, "eng_Latn")) == {f"entropy{BY_LAYER}/soft_mass.text"}


def test_curves_of_a_model_are_means_of_the_languages_but_the_pivot(paths: Paths) -> None:
    table = paths.metrics("tiny") / "layers.csv"
    rows = pd.read_csv(table)
    # divergence in layer 0: German 0.4, Swahili 0.6; mean 0.5. Entropy of English does not count.
    rows.loc[(rows["language"] == "swh_Latn") & (rows["layer"] == 0), "value"] = 0.6
    rows.loc[rows["language"] == "eng_Latn", "value"] = 100.0
    rows.to_csv(table, index=False)
    whole = of_model(paths)
    assert whole[f"1 divergence{BY_LAYER}/soft_mass.text"] == [
        (0, pytest.approx(0.5)),
        *list(enumerate(LAYERS))[1:],
    ]
    assert whole[f"entropy{BY_LAYER}/soft_mass.text"] == [
        (0, pytest.approx(0.5)),
        *list(enumerate(LAYERS))[1:],
    ]


def test_tasks_are_points_of_languages_and_of_the_model(paths: Paths) -> None:
    write_tasks(paths)
    german = of_language(paths, "deu_Latn")
    assert german["3 accuracy/arithmetic"] == [(0, pytest.approx(0.9))]
    assert german["4 steering/arithmetic/difference chosen plan"] == [(0, pytest.approx(0.021 * 0.6))]
    assert of_language(paths, "eng_Latn")["4 steering/knowledge/difference chosen plan"] == [(0, pytest.approx(-0.01))]
    whole = of_model(paths)
    assert whole["3 accuracy/arithmetic"] == [(0, pytest.approx(0.55))]
    correlation = pd.read_csv(paths.metrics("tiny") / "correlation.csv")
    plain = correlation[(correlation["method"] == "pearson") & correlation["controlled_for"].isna()]
    expected = plain[plain["task"] == "knowledge"]["r"]
    assert whole[f"6 correlation{BY_LAYER}/knowledge.pearson"] == [
        (layer, pytest.approx(r)) for layer, r in enumerate(expected)
    ]
    assert [layer for layer, _ in whole[f"domain divergence{BY_LAYER}/arithmetic"]] == [0, 1, 2]
    steered = {name for name in whole if name.startswith("4 steering/arithmetic/")}
    conditions = ("chosen plan", "dose0.25", "dose-0.5", "random experts by draw", "early")
    assert {f"4 steering/arithmetic/difference {name}" for name in conditions} <= steered
    assert whole["4 steering/arithmetic/difference chosen plan"] == [(0, pytest.approx(0.021))]
    with_and_without = [whole[f"4 steering/arithmetic/accuracy {one}"][0][1] for one in ("1 baseline", "2 steered")]
    assert with_and_without[1] - with_and_without[0] == pytest.approx(0.021)


def test_languages_compared_and_masks_are_points(paths: Paths) -> None:
    plausible_languages.write(paths, "tiny", list(LANGUAGES), len(LAYERS))
    plausible_masks.write(paths, "tiny", list(LANGUAGES))
    whole, german = of_model(paths), of_language(paths, "deu_Latn")
    assert whole["5 masking/arithmetic/early.own language.accuracy"] == [(0, pytest.approx(-0.12))]
    assert whole["groupings/family.early.text"] == [(0, pytest.approx(1.0))], "English and German first"
    assert [layer for layer, _ in whole[f"7 routing distance{BY_LAYER}/jsd.soft_mass.text"]] == [0, 1, 2]
    assert whole[f"8 use of experts{BY_LAYER}/shared.text"] == [(layer, 9) for layer in range(3)]
    assert german[f"8 use of experts{BY_LAYER}/exclusive.text"] == [(0, 1), (1, 2), (2, 3)]
    assert f"8 use of experts{BY_LAYER}/overlap.text" not in german, "overlap is of all languages together"
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
        "0 in short", f"1 divergence{BY_LAYER}", "3 accuracy", "4 steering", "5 masking",
        f"6 correlation{BY_LAYER}", "6 correlation", f"7 routing distance{BY_LAYER}",
        f"8 use of experts{BY_LAYER}", f"divergence pooled{BY_LAYER}",
        f"domain divergence{BY_LAYER}", f"entropy{BY_LAYER}", "groupings",
    ]  # fmt: skip


def test_a_measure_that_no_one_numbered_comes_after_those_that_are() -> None:
    assert points.name("sparsity", "soft_mass.text") == "sparsity/soft_mass.text"
    assert sorted([points.name("accuracy", "a"), points.name("divergence", "b"), points.name("a new one", "c")]) == [
        "1 divergence/b", "3 accuracy/a", "a new one/c",
    ]  # fmt: skip
