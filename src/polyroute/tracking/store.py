"""The runs in MLflow; the only module that imports it.

A run is known by two tags: `polyroute.key` says what it is about (`pocket-plain/deu_Latn`, or `pocket-plain`) and
`polyroute.digest` digests all that it shows. Logging finds a finished run with the right digest and leaves it, or logs
a new one and then deletes every other run of the key: outdated ones, those that an earlier version shaped otherwise,
and those that a kill left half logged. Deletion is MLflow's own, which keeps runs under "Deleted" until `mlflow gc`. So
a view holds one run a key, and logging twice changes nothing. `mlflow.db` and `mlartifacts/` may be deleted whenever no
one uses them (and must be where the study has moved: MLflow keeps absolute paths): logging again makes the same runs.
Provenance (commit, dvc.lock) is not digested: it says with which commit these very results were first logged.

Where MLflow is absent or unreachable, a warning says so and the runs count as pending.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from polyroute.ground import files
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.tracking import page
from polyroute.tracking.runs import Run, Settings, of_study

PENDING = "pending"
_KEY, _DIGEST = "polyroute.key", "polyroute.digest"
_METRICS_AT_ONCE, _PARAMS_AT_ONCE = 1000, 100  # the most that MLflow takes
_NAME, _VALUE = 250, 6000  # characters of a metric's or param's name, and of a param's value

# Set where the user has not: no telemetry, a dead server is told within seconds and not after four minutes, and MLflow
# leaves the telling to us.
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrackReport:
    """What `log_study` did."""

    runs: dict[str, str]
    """Key of each run -> digest of what it shows, or `pending`."""
    shown: dict[str, str]
    """Key of each run -> digest of what it shows or is to show."""
    logged: int
    """Runs that were new or changed."""
    deleted: int
    """Outdated or half-logged runs that were deleted."""
    pending: str | None
    """Why runs are pending; None where none is."""

    def write(self, path: Path) -> None:
        """Write what the runs show, logged or not: results must not depend on whether MLflow answered."""
        files.write_json(path, self.shown)

    def summary(self) -> str:
        """One line."""
        if self.pending:
            waiting = sum(digest == PENDING for digest in self.runs.values())
            return f"{waiting} of {len(self.runs)} runs pending: {self.pending}"
        deleted = f", {self.deleted} outdated deleted" if self.deleted else ""
        return f"{len(self.runs)} runs in MLflow, {self.logged} of them new{deleted}"


def tracking_uri(paths: Paths) -> str:
    """`MLFLOW_TRACKING_URI`, else the SQLite file at the root of the study."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(paths.root / 'mlflow.db').resolve()}"


def log_study(paths: Paths, study: str, models: Iterable[str], settings: Mapping[str, Settings]) -> TrackReport:
    """Bring the experiment of a study up to date with the results of its models.

    Runs of models that are not named are left alone.

    Args:
        paths: where `metrics/`, `figures/` and `plans/` are; nothing is written there.
        study: name of the experiment.
        models: whose results to log.
        settings: model -> its settings by stage, which become params.

    Raises:
        ResultsError: a model has no results, or unreadable ones. Whatever goes wrong with MLflow is a warning instead.
    """
    models = list(models)
    runs = of_study(paths, models, settings)
    _set_defaults()
    done: dict[str, str] = {}
    deleted: list[str] = []
    logged = 0
    pending = None
    try:
        store = _Store(tracking_uri(paths), study)
        current, outdated = store.compare(runs, set(models))
        done.update({run.key: run.digest for run in runs if run.key in current})
        # The newest run stands first in MLflow: logged last to first, models and languages are listed in order.
        new = [run for run in reversed(runs) if run.key not in current]
        provenance = _provenance(paths) if new else {}
        for run in new:
            store.log(run, provenance)
            done[run.key] = run.digest
            logged += 1
        for run_id in outdated:
            store.delete(run_id)
            deleted.append(run_id)
    except ImportError as error:
        pending = "mlflow is not installed"
        _warn(pending, f"{error}; `pip install polyroute[study]` brings it")
    except Exception as error:  # noqa: BLE001 - whatever MLflow, its server or its database raises, results are complete
        pending = "MLflow could not be reached or written"
        _warn(pending, f"{tracking_uri(paths)}: {type(error).__name__}: {next(iter(str(error).splitlines()), '')}")
    keys = {run.key: done.get(run.key, PENDING) for run in runs}
    return TrackReport(keys, {run.key: run.digest for run in runs}, logged, len(deleted), pending)


def serve(paths: Paths, port: int = 5000, study: str | None = None) -> int:
    """Show the runs in MLflow's own page, on this machine alone, until interrupted.

    Args:
        paths: where the SQLite file is.
        port: of the page, on 127.0.0.1.
        study: whose charts the address told in the log leads to; to the list of experiments where None.

    Returns:
        The exit status of the server.

    Raises:
        PolyrouteError: `MLFLOW_TRACKING_URI` names a server, which has its own page, or mlflow is not installed.
    """
    uri = tracking_uri(paths)
    if urlsplit(uri).scheme in ("http", "https"):
        raise PolyrouteError(f"MLFLOW_TRACKING_URI is a server already: open {_without_password(uri)}")
    _set_defaults()
    address = f"http://127.0.0.1:{port}/#/experiments"
    if find_spec("mlflow") is None:
        raise PolyrouteError("mlflow is not installed: `pip install polyroute[study]` brings it")
    if study is not None:
        # Without the workflow the page opens among the traces of chat applications.
        address += f"/{_Store(uri, study).experiment}/runs?workflowType=machine_learning&compareRunsMode=CHART"
    _log.info("In some seconds: %s", address)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    # Jobs are for judging answers of chat applications: processes that nobody here needs.
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | os.environ
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    except KeyboardInterrupt:
        return 0


class _Store:
    """One experiment in MLflow."""

    def __init__(self, uri: str, study: str):
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment = self._client.get_experiment_by_name(study)
        if experiment is None:
            # Without the kind the page asks for it, and opens on a tab of traces of chat applications.
            tags = {"mlflow.experimentKind": "custom_model_development"}
            self.experiment = self._client.create_experiment(study, _artifacts_beside(uri), tags)
        else:
            self.experiment = experiment.experiment_id
            if experiment.lifecycle_stage != "active":
                self._client.restore_experiment(self.experiment)

    def compare(self, wanted: list[Run], models: set[str]) -> tuple[set[str], list[str]]:
        """Keys that a finished run shows as wanted, and ids of the models' other runs."""
        digests = {run.key: run.digest for run in wanted}
        current: set[str] = set()
        outdated: list[str] = []
        for run in self._all():
            key = run.data.tags.get(_KEY)
            if key is None or key.partition("/")[0] not in models:
                continue
            as_wanted = run.info.status == "FINISHED" and run.data.tags.get(_DIGEST) == digests.get(key)
            if as_wanted and key not in current:
                current.add(key)
            else:
                outdated.append(run.info.run_id)
        return current, outdated

    def log(self, run: Run, provenance: dict[str, str]) -> None:
        """Log a run; it counts as FINISHED only once everything is in."""
        from mlflow.entities import Metric, Param

        tags = run.tags | provenance | {_KEY: run.key, _DIGEST: run.digest, "mlflow.runColor": run.colour}
        run_id = self._client.create_run(self.experiment, run_name=run.name, tags=tags).info.run_id
        self._client.set_tag(run_id, "mlflow.note.content", page.linked(run.note, self.experiment, run_id))
        params = [Param(fitted_name(name), fitted_value(value)) for name, value in run.params.items()]
        for some in _divided(params, _PARAMS_AT_ONCE):
            self._client.log_batch(run_id, params=some)
        now = int(time.time() * 1000)
        metrics = [Metric(fitted_name(name), value, now, step) for name, step, value in run.points]
        for some in _divided(metrics, _METRICS_AT_ONCE):
            self._client.log_batch(run_id, metrics=some)
        for folder, paths in run.artifacts.items():
            for path in paths:
                self._client.log_artifact(run_id, str(path), folder or None)
        self._client.set_terminated(run_id)

    def delete(self, run_id: str) -> None:
        """Move a run to MLflow's deleted runs."""
        self._client.delete_run(run_id)

    def _all(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs([self.experiment], page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def fitted_name(name: str) -> str:
    """A name that MLflow takes: a longer one is cut and ends in a digest of the whole, so that no two become one."""
    name = re.sub(r"[^\w\-./: ]", "_", name)
    return name if len(name) <= _NAME else f"{name[: _NAME - 9]}.{files.digest(name)[:8]}"


def fitted_value(value: str) -> str:
    """A param's value as long as MLflow takes it; a longer one is cut and says so. The run's digest is of the whole."""
    return value if len(value) <= _VALUE else f"{value[: _VALUE - 1]}…"


_T = TypeVar("_T")


def _divided(whole: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def _artifacts_beside(uri: str) -> str | None:
    """The folder beside a SQLite file; None leaves it to the server.

    Not `mlruns`, MLflow's choice: a folder of that name can make `mlflow ui` overlook the SQLite file.
    """
    prefix = "sqlite:///"
    if not uri.startswith(prefix):
        return None
    return (Path(uri.removeprefix(prefix)).resolve().parent / "mlartifacts").as_uri()


def _provenance(paths: Paths) -> dict[str, str]:
    """Commit, whether anything but the stages' own outputs differs from it, and the digest of dvc.lock."""
    commit = _git(paths, "rev-parse", "HEAD")
    outputs = (":(exclude)metrics", ":(exclude)figures", ":(exclude)plans", ":(exclude)dvc.lock")
    changed = _git(paths, "status", "--porcelain", "--", ".", *outputs)
    tags = {"mlflow.source.name": "polyroute track", "mlflow.source.type": "LOCAL"}
    if commit is not None and changed is not None:
        tags |= {"commit": commit, "mlflow.source.git.commit": commit, "dirty": "yes" if changed else "no"}
    if paths.dvc_lock.exists():
        tags["dvc_lock"] = hashlib.sha256(paths.dvc_lock.read_bytes()).hexdigest()
    return tags


def _git(paths: Paths, *arguments: str) -> str | None:
    """What git prints; None outside a repository or without git."""
    try:
        done = subprocess.run(["git", "-C", str(paths.root), *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _set_defaults() -> None:
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # a dead server is told once, by us


def _warn(what: str, detail: str) -> None:
    complete = "The results are complete in metrics/ and figures/; `polyroute track` logs them once it works"
    _log.warning("%s (%s). %s", what, textwrap.shorten(_without_password(detail), 160), complete)


def _without_password(text: str) -> str:
    """The text without the user and password of any address in it."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)
