import json
import logging
import os
import shutil
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import urllib3

from polyroute import tracking
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_json
from polyroute.ground.paths import Paths
from polyroute.report.results import COLUMNS, ResultsError
from report import plausible_languages, plausible_masks, plausible_tasks

STUDY = "a study"
LAYERS = (0.4, 0.1, 0.3)
LANGUAGES = ("eng_Latn", "deu_Latn", "swh_Latn")
needs_mlflow = pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow is not installed")


def write_results(paths: Paths, model: str = "tiny", languages: tuple[str, ...] = LANGUAGES, add: float = 0.0) -> None:
    """Results of three layers on one corpus; `add` is added to German."""
    rows = []
    for code in languages:
        for layer, value in enumerate(LAYERS):
            value += add * (code == "deu_Latn")
            rows.append((model, "text", code, layer, "entropy", "soft_mass", value, value - 0.1, value + 0.1))
            if code != "eng_Latn":
                rows.append((model, "text", code, layer, "divergence", "soft_mass", value, value - 0.1, value + 0.1))
                rows.append((model, "text", code, layer, "divergence_pooled", "topk_count", value, None, None))
    folder = paths.metrics(model)
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(folder / "layers.csv", index=False)
    summary: dict[str, Any] = {
        "early": 0.4, "middle": 0.1, "late": 0.3, "shape": "U",
        "early_minus_middle": {"value": 0.3, "low": 0.2, "high": 0.4},
        "late_minus_middle": {"value": 0.2, "low": None, "high": None},
    }  # fmt: skip
    write_json(
        folder / "align.json",
        {
            "model": {
                "name": model, "engine": "transformers", "dtype": "float32", "layers": 3, "experts": 8, "top_k": 2,
                "digest": "0" * 64, "versions": {"torch": "2.13.0"},
            },
            "pivot": "eng_Latn",
            "corpora": {
                "text": {
                    "sentences": 5, "reading": "soft_mass", "mean": summary,
                    "zones": {"early": [0, 0], "middle": [1, 1], "late": [2, 2]},
                    "languages": {code: summary | {"tokens_per_sentence": 9.0} for code in languages[1:]},
                }
            },
        },
    )  # fmt: skip
    paths.figures(model).mkdir(parents=True, exist_ok=True)
    (paths.figures(model) / "divergence-text.svg").write_text("<svg/>")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tracking server of the developer's, and nothing of ours left behind."""
    for name in ("MLFLOW_TRACKING_URI", *tracking._DEFAULTS):
        monkeypatch.setenv(name, "")  # so that the value before is restored
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables: making them takes MLflow seconds, copying them none."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def paths(tmp_path: Path, empty_database: Path) -> Paths:
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    paths = Paths(tmp_path)
    write_results(paths)
    return paths


def client(paths: Paths) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking.tracking_uri(paths))


def runs_of(paths: Paths, study: str = STUDY) -> dict[str, Any]:
    """Active runs of an experiment by key; no key twice."""
    mlflow = client(paths)
    found = mlflow.search_runs([mlflow.get_experiment_by_name(study).experiment_id])
    by_key = {run.data.tags["polyroute.key"]: run for run in found}
    assert len(by_key) == len(found)
    return by_key


def points(paths: Paths, run: Any, metric: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in client(paths).get_metric_history(run.info.run_id, metric)]


@needs_mlflow
def test_a_run_a_language_holds_its_curves_with_the_layer_as_step(paths: Paths) -> None:
    report = tracking.log_study(paths, STUDY, ["tiny"])
    runs = runs_of(paths)
    assert set(runs) == set(report.runs) == {"tiny", "tiny/eng_Latn", "tiny/deu_Latn", "tiny/swh_Latn"}
    assert (report.logged, report.deleted, report.pending) == (4, 0, None)
    german = runs["tiny/deu_Latn"]
    assert german.info.run_name == "German · tiny"
    assert german.info.status == "FINISHED"
    assert points(paths, german, "divergence/soft_mass.text") == list(enumerate(LAYERS))
    assert points(paths, german, "divergence pooled/topk_count.text") == list(enumerate(LAYERS))
    assert points(paths, german, "zones/early_minus_middle.text") == [(0, 0.3)]
    assert points(paths, german, "zones/early_minus_middle.text.high") == [(0, 0.4)]
    assert "zones/late_minus_middle.text.low" not in german.data.metrics
    expected = {
        "model": "tiny", "kind": "language", "language": "deu_Latn", "family": "Indo-European", "script": "Latn",
        "resource_class": "5", "engine": "transformers", "dtype": "float32", "version.torch": "2.13.0",
        "shape.text": "U",
    }  # fmt: skip
    assert expected.items() <= german.data.tags.items()
    assert not [name for name in runs["tiny/eng_Latn"].data.metrics if name.startswith(("divergence", "zones"))]


@needs_mlflow
def test_the_run_of_a_model_holds_means_and_files(paths: Paths) -> None:
    tracking.log_study(paths, STUDY, ["tiny"])
    run = runs_of(paths)["tiny"]
    assert run.info.run_name == "mean of 2 languages · tiny"
    assert points(paths, run, "divergence/soft_mass.text") == list(enumerate(LAYERS))
    mlflow = client(paths)
    listed = [file.path for folder in ("", "figures") for file in mlflow.list_artifacts(run.info.run_id, folder)]
    assert sorted(listed) == ["align.json", "figures", "figures/divergence-text.svg", "layers.csv"]
    assert run.info.artifact_uri.startswith((paths.root / "mlartifacts").as_uri())
    copy = Path(mlflow.download_artifacts(run.info.run_id, "layers.csv", str(paths.root)))
    assert copy.read_bytes() == (paths.metrics("tiny") / "layers.csv").read_bytes()


def write_tasks(paths: Paths, **arguments: Any) -> None:
    plausible_tasks.write(paths, "tiny", ["deu_Latn", "swh_Latn"], len(LAYERS), **arguments)


@needs_mlflow
def test_tasks_are_points_of_languages_and_of_the_model(paths: Paths) -> None:
    write_tasks(paths)
    tracking.log_study(paths, STUDY, ["tiny"])
    runs = runs_of(paths)
    german = runs["tiny/deu_Latn"].data.metrics
    assert german["accuracy/arithmetic"] == pytest.approx(0.9)
    assert german["steering/arithmetic.difference"] == pytest.approx(0.021 * 0.6)
    assert runs["tiny/eng_Latn"].data.metrics["steering/knowledge.difference"] == pytest.approx(-0.01)
    whole = runs["tiny"]
    assert whole.data.metrics["accuracy/arithmetic"] == pytest.approx(0.55)
    correlation = pd.read_csv(paths.metrics("tiny") / "correlation.csv")
    plain = correlation[(correlation["method"] == "pearson") & correlation["given"].isna()]
    expected = plain[plain["task"] == "knowledge"]["r"]
    assert points(paths, whole, "correlation/knowledge.pearson") == [
        (layer, pytest.approx(r)) for layer, r in enumerate(expected)
    ]
    assert [layer for layer, _ in points(paths, whole, "domain divergence/arithmetic")] == [0, 1, 2]
    steered = {name for name in whole.data.metrics if name.startswith("steering/arithmetic/")}
    assert {f"steering/arithmetic/{name}" for name in ("chosen", "dose0.25", "dose-0.5", "random0", "early")} <= steered
    assert whole.data.metrics["steering/arithmetic/chosen"] == pytest.approx(0.021)


@needs_mlflow
def test_languages_compared_and_masks_are_points_logged_once(paths: Paths) -> None:
    plausible_languages.write(paths, "tiny", list(LANGUAGES), len(LAYERS))
    plausible_masks.write(paths, "tiny", list(LANGUAGES))
    tracking.log_study(paths, STUDY, ["tiny"])
    runs = runs_of(paths)
    whole, german = runs["tiny"], runs["tiny/deu_Latn"]
    assert whole.data.metrics["masking/arithmetic.accuracy.early.diagonal"] == pytest.approx(-0.12)
    assert whole.data.metrics["families/family.early.text"] == pytest.approx(1.0), "English and German first"
    assert [layer for layer, _ in points(paths, whole, "routing distance/jsd.soft_mass.text")] == [0, 1, 2]
    assert points(paths, whole, "use of experts/shared.text") == [(layer, 9) for layer in range(3)]
    assert points(paths, german, "use of experts/exclusive.text") == [(0, 1), (1, 2), (2, 3)]
    assert "use of experts/overlap.text" not in german.data.metrics, "overlap is of all languages together"
    assert not [name for name in whole.data.metrics if name.startswith("rivals")], "three languages are too few"
    again = tracking.log_study(paths, STUDY, ["tiny"])
    assert (again.logged, again.deleted) == (0, 0)


@needs_mlflow
def test_tables_and_plans_of_tasks_are_artifacts(paths: Paths) -> None:
    write_tasks(paths)
    tracking.log_study(paths, STUDY, ["tiny"])
    mlflow, run = client(paths), runs_of(paths)["tiny"]
    listed = {file.path for folder in ("", "plans") for file in mlflow.list_artifacts(run.info.run_id, folder)}
    stages = {"accuracy.csv", "evaluate.json", "experts.csv", "experts.json", "domains.csv", "correlation.csv"}
    stages |= {"correlation.json", "steer.csv", "steer.json", "mechanism.csv"}
    assert listed == stages | {"align.json", "layers.csv", "figures"} | {
        "plans", "plans/arithmetic.json", "plans/knowledge.json",
    }  # fmt: skip


@needs_mlflow
def test_what_could_not_be_computed_is_no_point(paths: Paths) -> None:
    write_tasks(paths, notes=("too few languages",), not_run="no expert above any tau")
    tracking.log_study(paths, STUDY, ["tiny"])
    runs = runs_of(paths)
    names = {name for run in runs.values() for name in run.data.metrics}
    assert not [name for name in names if name.startswith(("correlation", "steering"))]
    assert "accuracy/arithmetic" in names


@needs_mlflow
def test_tasks_logged_twice_change_nothing_and_a_new_plan_changes_the_models_run(paths: Paths) -> None:
    tracking.log_study(paths, STUDY, ["tiny"])
    before = runs_of(paths)
    write_tasks(paths)
    added = tracking.log_study(paths, STUDY, ["tiny"])
    assert (added.logged, added.deleted) == (4, 4), "every language was asked"
    again = tracking.log_study(paths, STUDY, ["tiny"])
    assert (again.logged, again.deleted) == (0, 0)
    assert before["tiny"].info.run_id != runs_of(paths)["tiny"].info.run_id
    plan = paths.plan("tiny", "knowledge")
    plan.write_text(plan.read_text().replace('"seed": 0', '"seed": 1'))
    changed = tracking.log_study(paths, STUDY, ["tiny"])
    assert (changed.logged, changed.deleted) == (1, 1)


@needs_mlflow
def test_logging_twice_changes_nothing(paths: Paths) -> None:
    first = tracking.log_study(paths, STUDY, ["tiny"])
    before = runs_of(paths)
    second = tracking.log_study(paths, STUDY, ["tiny"])
    after = runs_of(paths)
    assert (second.logged, second.deleted, second.runs) == (0, 0, first.runs)
    assert {key: run.info.run_id for key, run in before.items()} == {key: run.info.run_id for key, run in after.items()}
    assert len(points(paths, after["tiny/deu_Latn"], "divergence/soft_mass.text")) == len(LAYERS)


@needs_mlflow
def test_runs_are_rebuilt_after_the_database_is_lost(paths: Paths, empty_database: Path) -> None:
    first = tracking.log_study(paths, STUDY, ["tiny"])
    shutil.copy(empty_database, paths.root / "mlflow.db")
    second = tracking.log_study(paths, STUDY, ["tiny"])
    assert second == first
    assert {run.data.tags["polyroute.digest"] for run in runs_of(paths).values()} == set(first.runs.values())


@needs_mlflow
def test_changed_results_replace_the_runs_that_show_them_and_no_other(paths: Paths) -> None:
    tracking.log_study(paths, STUDY, ["tiny"])
    before = runs_of(paths)
    write_results(paths, add=0.05)
    report = tracking.log_study(paths, STUDY, ["tiny"])
    after = runs_of(paths)
    changed = {key for key in before if before[key].info.run_id != after[key].info.run_id}
    assert changed == {"tiny", "tiny/deu_Latn"}
    assert (report.logged, report.deleted) == (2, 2)
    values = [value for _, value in points(paths, after["tiny/deu_Latn"], "divergence/soft_mass.text")]
    assert values == pytest.approx([value + 0.05 for value in LAYERS])


@needs_mlflow
def test_a_language_that_was_dropped_leaves_and_another_model_stays(paths: Paths) -> None:
    write_results(paths, "other")
    tracking.log_study(paths, STUDY, ["tiny", "other"])
    write_results(paths, languages=LANGUAGES[:2])
    tracking.log_study(paths, STUDY, ["tiny"])
    assert {key for key in runs_of(paths) if key.startswith("tiny")} == {"tiny", "tiny/eng_Latn", "tiny/deu_Latn"}
    assert {key for key in runs_of(paths) if key.startswith("other")} >= {"other", "other/swh_Latn"}


@needs_mlflow
@pytest.mark.parametrize("dies_in", ["log_batch", "set_terminated", "delete_run"])
def test_a_run_killed_in_the_middle_is_redone(paths: Paths, monkeypatch: pytest.MonkeyPatch, dies_in: str) -> None:
    from mlflow import MlflowClient

    tracking.log_study(paths, STUDY, ["tiny"])
    write_results(paths, add=0.05)
    with monkeypatch.context() as killed:
        killed.setattr(MlflowClient, dies_in, _raise(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            tracking.log_study(paths, STUDY, ["tiny"])
    tracking.log_study(paths, STUDY, ["tiny"])
    runs = runs_of(paths)
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert len(runs) == 4
    assert len(points(paths, runs["tiny/deu_Latn"], "divergence/soft_mass.text")) == len(LAYERS)


@needs_mlflow
def test_a_deleted_experiment_comes_back(paths: Paths) -> None:
    tracking.log_study(paths, STUDY, ["tiny"])
    mlflow = client(paths)
    mlflow.delete_experiment(mlflow.get_experiment_by_name(STUDY).experiment_id)
    tracking.log_study(paths, STUDY, ["tiny"])
    assert len(runs_of(paths)) == 4


@needs_mlflow
def test_a_server_that_fails_half_way_leaves_the_rest_pending(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from mlflow import MlflowClient

    whole, calls = MlflowClient.log_batch, iter(range(100))

    def twice(self: Any, *arguments: Any, **keywords: Any) -> None:
        if next(calls) == 2:
            raise OSError("gone")
        whole(self, *arguments, **keywords)

    monkeypatch.setattr(MlflowClient, "log_batch", twice)
    report = tracking.log_study(paths, STUDY, ["tiny"])
    assert sorted(report.runs.values())[2:] == ["pending", "pending"]
    assert report.pending is not None
    assert "gone" in caplog.text


@needs_mlflow
def test_a_server_that_is_not_there_is_a_warning_after_two_attempts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://someone:secret@127.0.0.1:{port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    write_results(Paths(tmp_path))
    attempts: list[object] = []
    connect = urllib3.connection.HTTPConnection.connect
    monkeypatch.setattr(
        urllib3.connection.HTTPConnection, "connect", lambda self: (attempts.append(self), connect(self))
    )
    with caplog.at_level(logging.WARNING):
        report = tracking.log_study(Paths(tmp_path), STUDY, ["tiny"])
    assert 1 <= len(attempts) <= 2  # MLflow's own choice is eight, with waits that double
    assert set(report.runs.values()) == {"pending"}
    assert "complete in metrics/" in caplog.text
    assert "polyroute track" in caplog.text
    assert "secret" not in " ".join(record.message for record in caplog.records if record.name == "polyroute.tracking")
    report.write(tmp_path / "tracked.json")
    written = json.loads((tmp_path / "tracked.json").read_text())
    assert written == report.shown
    assert report.pending == "MLflow could not be reached or written"


def test_without_mlflow_there_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    write_results(Paths(tmp_path))
    report = tracking.log_study(Paths(tmp_path), STUDY, ["tiny"])
    assert report.pending == "mlflow is not installed"
    assert set(report.runs.values()) == {"pending"}
    assert "pip install" in caplog.text
    assert report.summary() == "4 of 4 runs pending: mlflow is not installed"


def test_results_that_are_absent_are_an_error_whatever_mlflow_does(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="dvc repro align@tiny"):
        tracking.log_study(Paths(tmp_path), STUDY, ["tiny"])


def test_a_server_of_the_users_is_not_served_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://someone:secret@example.org")
    with pytest.raises(PolyrouteError, match=r"open http://example\.org$"):
        tracking.serve(Paths(tmp_path))


def _raise(error: BaseException) -> Callable[..., None]:
    def raising(*_arguments: Any, **_keywords: Any) -> None:
        raise error

    return raising
