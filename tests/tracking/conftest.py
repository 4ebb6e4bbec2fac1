import os
import shutil
from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.tracking import store
from tracking.small_study import write_results


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No tracking server of the developer's, and nothing of ours left behind."""
    for name in ("MLFLOW_TRACKING_URI", *store._DEFAULTS):
        monkeypatch.setenv(name, "")  # so that the value before is restored
        monkeypatch.delenv(name)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Results of the model `tiny`."""
    paths = Paths(tmp_path)
    write_results(paths)
    return paths


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables: making them takes MLflow seconds, copying them none."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow = pytest.importorskip("mlflow")
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def database(paths: Paths, empty_database: Path) -> Paths:
    """Results beside an empty database."""
    shutil.copy(empty_database, paths.root / "mlflow.db")
    return paths
