import json
import logging
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.results.table import ResultsError
from polyroute.tracking import server
from report import plausible_languages, plausible_masks
from tracking import small_study
from tracking.small_study import LANGUAGES, LAYERS, SETTINGS, STUDY, client, log, logged, write_results, write_tasks

DIVERGENCE = "1 divergence by layer - last listed/soft_mass.text"


def test_a_run_holds_points_params_and_tags(database: Paths) -> None:
    report = log(database)
    runs = logged(database)
    assert set(runs) == set(report.runs) == {"tiny", "tiny/eng_Latn", "tiny/deu_Latn", "tiny/swh_Latn"}
    assert (report.logged, report.deleted, report.pending) == (4, 0, None)
    german = runs["tiny/deu_Latn"]
    assert german.info.run_name == "German · tiny"
    assert german.info.status == "FINISHED"
    assert small_study.history(database, german, DIVERGENCE) == list(enumerate(LAYERS))
    expected = {"model": "tiny", "language_family": "Indo-European", "dtype": "float32", "steer.taus": "[0.1, 0.2]"}
    assert expected.items() <= german.data.params.items()
    assert {"kind": "language", "language": "deu_Latn", "shape.text": "U"}.items() <= german.data.tags.items()
    assert "mlflow.note.content" in german.data.tags


def test_runs_can_be_filtered_by_params(database: Paths) -> None:
    log(database)
    mlflow = client(database)
    experiment = mlflow.get_experiment_by_name(STUDY).experiment_id
    found = mlflow.search_runs([experiment], "params.language_family = 'Indo-European' and params.`trace.pairs` = '64'")
    assert {run.info.run_name for run in found} == {"English · tiny", "German · tiny"}


def test_ten_languages_are_listed_before_models_and_pivots(database: Paths) -> None:
    write_results(database, "other", languages=LANGUAGES[:2])
    log(database, "tiny", "other")
    mlflow = client(database)
    newest_first = mlflow.search_runs([mlflow.get_experiment_by_name(STUDY).experiment_id])
    assert [run.info.run_name for run in newest_first] == [
        "German · tiny", "Swahili · tiny", "tiny · mean of 2 languages", "other · mean of 1 languages",
        "English · tiny", "German · other", "English · other",
    ]  # fmt: skip


def test_the_run_of_a_model_holds_its_files_and_its_page_leads_to_them(database: Paths) -> None:
    log(database)
    run = logged(database)["tiny"]
    mlflow = client(database)
    listed = [file.path for folder in ("", "figures") for file in mlflow.list_artifacts(run.info.run_id, folder)]
    assert sorted(listed) == ["align.json", "figures", "figures/divergence-text.svg", "layers.csv"]
    assert run.info.artifact_uri.startswith((database.root / "mlartifacts").as_uri())
    copy = Path(mlflow.download_artifacts(run.info.run_id, "layers.csv", str(database.root)))
    assert copy.read_bytes() == (database.metrics("tiny") / "layers.csv").read_bytes()
    note = run.data.tags["mlflow.note.content"]
    assert f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/model-metrics" in note
    assert f"get-artifact?path=figures%2Fdivergence-text.svg&run_uuid={run.info.run_id}" in note


def test_long_names_and_values_are_cut_to_what_mlflow_takes(database: Paths) -> None:
    codes = [f"code {i}" for i in range(1000)]
    settings = {"mask": {"languages": codes, "k" * 300: 1, "k" * 300 + "l": 2, "a{b}": 3}}
    log(database, settings=settings)
    found = logged(database)["tiny"].data.params
    assert len(found["mask.languages"]) == 500
    assert found["mask.languages"].endswith("… (cut from 11,890 characters)")
    assert found["mask.a_b_"] == "3"
    assert sorted(value for name, value in found.items() if name.startswith("mask.kk")) == ["1", "2"]
    settings["mask"]["languages"] = [*codes, "one more"]
    assert log(database, settings=settings).logged == 4, "a change beyond the cut is a change"


def test_more_params_than_mlflow_takes_at_once_are_all_there(database: Paths) -> None:
    log(database, settings={"trace": {f"key{i}": i for i in range(250)}})
    assert sum(name.startswith("trace.") for name in logged(database)["tiny"].data.params) == 250


def test_tasks_logged_twice_change_nothing_and_a_new_plan_changes_the_models_run(database: Paths) -> None:
    log(database)
    before = logged(database)
    write_tasks(database)
    added = log(database)
    assert (added.logged, added.deleted) == (4, 4), "every language was asked"
    again = log(database)
    assert (again.logged, again.deleted) == (0, 0)
    assert before["tiny"].info.run_id != logged(database)["tiny"].info.run_id
    plan = database.plan("tiny", "knowledge")
    plan.write_text(plan.read_text().replace('"seed": 0', '"seed": 1'))
    changed = log(database)
    assert (changed.logged, changed.deleted) == (1, 1)


def test_logging_twice_changes_nothing(database: Paths) -> None:
    write_tasks(database)
    plausible_languages.write(database, "tiny", list(LANGUAGES), len(LAYERS))
    plausible_masks.write(database, "tiny", list(LANGUAGES))
    first = log(database)
    before, files = small_study.everything(database), small_study.files_below(database.root / "mlartifacts")
    second = log(database)
    assert (second.logged, second.deleted, second.runs) == (0, 0, first.runs)
    assert small_study.everything(database) == before
    assert small_study.files_below(database.root / "mlartifacts") == files


def test_logging_leaves_the_results_alone(database: Paths) -> None:
    write_tasks(database)
    before = small_study.files_below(database.root / "metrics")
    log(database)
    assert small_study.files_below(database.root / "metrics") == before


def test_other_settings_replace_every_run_and_the_former_ones_come_again(database: Paths) -> None:
    first = log(database)
    other = log(database, settings=SETTINGS | {"trace": {"pairs": 65}})
    assert (other.logged, other.deleted) == (4, 4)
    assert {run.data.params["trace.pairs"] for run in logged(database).values()} == {"65"}
    again = log(database)
    assert again.runs == first.runs
    assert len(logged(database)) == 4


def test_runs_as_an_earlier_version_shaped_them_are_replaced(database: Paths) -> None:
    mlflow = client(database)
    experiment = mlflow.create_experiment(STUDY)
    for key, name in (("tiny", "mean of 2 languages · tiny"), ("tiny/deu_Latn", "German · tiny")):
        tags = {"model": "tiny", "polyroute.key": key, "polyroute.digest": "1" * 64}
        run_id = mlflow.create_run(experiment, run_name=name, tags=tags).info.run_id
        mlflow.log_metric(run_id, "divergence/soft_mass.text", 0.4)
        mlflow.set_terminated(run_id)
    own = mlflow.create_run(experiment, run_name="of the user's").info.run_id
    report = log(database)
    assert (report.logged, report.deleted) == (4, 2)
    found = mlflow.search_runs([experiment])
    expected = ["English · tiny", "German · tiny", "Swahili · tiny", "of the user's", "tiny · mean of 2 languages"]
    assert sorted(run.info.run_name for run in found) == expected
    assert not any("divergence/soft_mass.text" in run.data.metrics for run in found)
    assert mlflow.get_run(own).info.lifecycle_stage == "active"
    assert (log(database).logged, log(database).deleted) == (0, 0)


def test_runs_are_rebuilt_after_the_database_is_lost(database: Paths, empty_database: Path) -> None:
    first = log(database)
    shutil.copy(empty_database, database.root / "mlflow.db")
    second = log(database)
    assert second == first
    assert {run.data.tags["polyroute.digest"] for run in logged(database).values()} == set(first.runs.values())


def test_changed_results_replace_the_runs_that_show_them_and_no_other(database: Paths) -> None:
    log(database)
    before = logged(database)
    write_results(database, add=0.05)
    report = log(database)
    after = logged(database)
    changed = {key for key in before if before[key].info.run_id != after[key].info.run_id}
    assert changed == {"tiny", "tiny/deu_Latn"}
    assert (report.logged, report.deleted) == (2, 2)
    values = [value for _, value in small_study.history(database, after["tiny/deu_Latn"], DIVERGENCE)]
    assert values == pytest.approx([value + 0.05 for value in LAYERS])


def test_a_language_that_was_dropped_leaves_and_another_model_stays(database: Paths) -> None:
    write_results(database, "other")
    log(database, "tiny", "other")
    write_results(database, languages=LANGUAGES[:2])
    log(database)
    assert {key for key in logged(database) if key.startswith("tiny")} == {"tiny", "tiny/eng_Latn", "tiny/deu_Latn"}
    assert {key for key in logged(database) if key.startswith("other")} >= {"other", "other/swh_Latn"}


@pytest.mark.parametrize("dies_in", ["create_run", "log_batch", "set_terminated", "delete_run"])
def test_a_run_killed_in_the_middle_is_redone(database: Paths, monkeypatch: pytest.MonkeyPatch, dies_in: str) -> None:
    from mlflow import MlflowClient

    log(database)
    write_results(database, add=0.05)
    with monkeypatch.context() as killed:
        killed.setattr(MlflowClient, dies_in, _raise(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            log(database)
    log(database)
    runs = logged(database)
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert len(runs) == 4
    assert len(small_study.history(database, runs["tiny/deu_Latn"], DIVERGENCE)) == len(LAYERS)


def test_a_deleted_experiment_comes_back(database: Paths) -> None:
    log(database)
    mlflow = client(database)
    mlflow.delete_experiment(mlflow.get_experiment_by_name(STUDY).experiment_id)
    log(database)
    assert len(logged(database)) == 4


def test_a_server_that_fails_half_way_leaves_the_rest_pending(
    database: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mlflow import MlflowClient

    whole, calls = MlflowClient.set_terminated, iter(range(100))

    def twice(self: Any, *arguments: Any, **keywords: Any) -> None:
        if next(calls) == 2:
            raise OSError("gone")
        whole(self, *arguments, **keywords)

    monkeypatch.setattr(MlflowClient, "set_terminated", twice)
    report = log(database)
    assert sorted(report.runs.values())[2:] == ["pending", "pending"]
    assert report.pending is not None
    assert "gone" in caplog.text


def test_a_server_that_is_not_there_is_a_warning_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:secret@127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    write_results(Paths(tmp_path))
    with caplog.at_level(logging.WARNING):
        report = log(Paths(tmp_path))
    assert set(report.runs.values()) == {"pending"}
    assert "complete in metrics/" in caplog.text
    assert "polyroute track" in caplog.text
    told = [record.message for record in caplog.records if record.name == "polyroute.tracking.store"]
    assert told
    assert "secret" not in " ".join(told)
    report.write(tmp_path / "tracked.json")
    written = json.loads((tmp_path / "tracked.json").read_text())
    assert written == report.shown
    assert report.pending == "MLflow could not be reached or written"


def test_without_mlflow_there_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    write_results(Paths(tmp_path))
    report = log(Paths(tmp_path))
    assert report.pending == "mlflow is not installed"
    assert set(report.runs.values()) == {"pending"}
    assert "pip install" in caplog.text
    assert report.summary() == "4 of 4 runs pending: mlflow is not installed"


def test_results_that_are_absent_are_an_error_whatever_mlflow_does(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="dvc repro align@tiny"):
        log(Paths(tmp_path))


def test_a_server_of_the_users_is_not_served_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://someone:secret@example.org")
    with pytest.raises(PolyrouteError, match=r"open http://example\.org$"):
        server.serve(Paths(tmp_path))


def _raise(error: BaseException) -> Callable[..., None]:
    def raising(*_arguments: Any, **_keywords: Any) -> None:
        raise error

    return raising
