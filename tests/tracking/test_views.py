import json

from polyroute.ground.paths import Paths
from polyroute.tracking import views
from polyroute.tracking.runs import of_study
from tracking.small_study import log, write_results, write_tasks


def named(paths: Paths, *models: str) -> dict[str, views.View]:
    return {view.name: view for view in views.of_study(of_study(paths, models, {}, {}))}


def test_there_is_a_view_of_languages_of_a_model_of_steering_of_two_models_and_of_all(paths: Paths) -> None:
    write_tasks(paths)
    write_results(paths, "other")
    assert list(named(paths, "tiny", "other")) == [
        "Languages of tiny", "Baseline against steered, tiny", "Models in German", "All models", "Languages of other",
        "Models in Swahili",
    ]  # fmt: skip


def test_a_view_draws_the_headline_in_one_large_chart(paths: Paths) -> None:
    value = json.loads(named(paths, "tiny")["Languages of tiny"].value)
    state = json.loads(value["state"])
    assert state["searchFilter"] == "tags.kind = 'language' and tags.model = 'tiny'"
    (chart,), (section,) = state["compareRunCharts"], state["compareRunSections"]
    assert chart["type"] == "LINE"
    assert chart["selectedMetricKeys"] == ["1 divergence by layer - last listed/soft_mass.text"]
    assert chart["displayName"] == "Divergence by layer, text (soft_mass)"
    assert chart["metricSectionId"] == section["uuid"]
    assert section["columns"] == 1


def test_baseline_and_steered_are_bars_side_by_side(paths: Paths) -> None:
    write_tasks(paths)
    state = json.loads(json.loads(named(paths, "tiny")["Baseline against steered, tiny"].value)["state"])
    chart = state["compareRunCharts"][0]
    assert chart["type"] == "BAR"
    prefix = "4 steering/arithmetic/accuracy "
    assert chart["selectedMetricKeys"] == [prefix + "1 baseline", prefix + "2 steered"]


def test_the_menu_keeps_their_order_and_no_tag_is_longer_than_mlflow_takes(paths: Paths) -> None:
    found = list(named(paths, "tiny").values())
    made = [json.loads(view.value)["createdAt"] for view in found]
    assert made == sorted(made, reverse=True)
    assert max(len(view.value) for view in found) < 20_000


def test_views_are_kept_with_the_experiment_once(database: Paths, monkeypatch) -> None:
    from mlflow import MlflowClient

    log(database)
    set_tag, calls = MlflowClient.set_experiment_tag, []
    monkeypatch.setattr(MlflowClient, "set_experiment_tag", lambda *one: (calls.append(one), set_tag(*one)))
    log(database)
    assert not calls
