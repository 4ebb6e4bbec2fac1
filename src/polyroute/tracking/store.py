"""The runs in MLflow; the only module that imports it.

A run is known by two tags: `polyroute.key` says what it is about (`pocket-plain/deu_Latn`, or `pocket-plain`) and
`polyroute.digest` digests all that it shows. Logging finds a finished run with the right digest and leaves it, or logs
a new one and then deletes every other run of the key: outdated ones, those that an earlier version shaped otherwise,
and those that a kill left half logged. Deletion is MLflow's own, which keeps runs under "Deleted" until `mlflow gc`. So
a view holds one run a key, and logging twice changes nothing. `mlflow.db` and `mlartifacts/` may be deleted whenever no
one uses them (and must be where the study has moved: MLflow keeps absolute paths): logging again makes the same runs.
Provenance (commit, dvc.lock) is not digested: it says with which commit these very results were first logged.

Where MLflow is absent or unreachable, a warning says so and the runs count as pending: `polyroute track` resumes. A
server is called within the limit of `patience`; a call that it answered after we gave up, or twice, may leave runs that
nobody asked for, which are deleted at the end or by the next call.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sqlite3
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from polyroute.ground import files
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.ground.repository import git
from polyroute.tracking import page, views
from polyroute.tracking.datasets import Dataset
from polyroute.tracking.patience import Patience, knock
from polyroute.tracking.runs import Run, Settings, of_study
from polyroute.tracking.views import View

PENDING = "pending"
_KEY, _DIGEST = "polyroute.key", "polyroute.digest"
_AT_ONCE, _PARAMS_AT_ONCE = 1000, 100  # the most that MLflow takes of all kinds together, and of params
_NAME, _VALUE = 250, 500  # characters of a metric's or param's name, and of a param's value on the strictest server
_TAG = 5000  # characters of a tag on the strictest server

# Set where the user has not: no telemetry, a busy server is asked again until our own patience ends, and MLflow leaves
# the telling to us.
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "10",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

_SQLITE, _SERVERS, _DATABASES = "sqlite:///", ("http", "https"), ("sqlite", "postgresql", "mysql", "mssql")
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
    address: str | None = None
    """Of the charts on a server; None where `polyroute ui` shows them."""

    def write(self, path: Path) -> None:
        """Write what the runs show, logged or not: results must not depend on whether MLflow answered."""
        files.write_json(path, self.shown)

    def summary(self) -> str:
        """One line."""
        if self.pending:
            waiting = sum(digest == PENDING for digest in self.runs.values())
            return f"{waiting} of {len(self.runs)} runs pending: {self.pending}"
        deleted = f", {self.deleted} outdated deleted" if self.deleted else ""
        where = f": {self.address}" if self.address else ""
        return f"{len(self.runs)} runs in MLflow, {self.logged} of them new{deleted}{where}"


def tracking_uri(paths: Paths) -> str:
    """`MLFLOW_TRACKING_URI`, else the SQLite file at the root of the study."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(paths.root / 'mlflow.db').resolve()}"


def log_study(
    paths: Paths,
    study: str,
    models: Iterable[str],
    settings: Mapping[str, Settings] | None = None,
    datasets: Mapping[str, list[Dataset]] | None = None,
) -> TrackReport:
    """Bring the experiment of a study up to date with the results of its models.

    Runs of models that are not named are left alone.

    Args:
        paths: where `metrics/`, `figures/` and `plans/` are; nothing is written there.
        study: name of the experiment.
        models: whose results to log.
        settings: model -> its settings by stage, which become params.
        datasets: model -> what it read.

    Raises:
        ResultsError: a model has no results, or unreadable ones. Whatever goes wrong with MLflow is a warning instead.
    """
    models = list(models)
    runs = of_study(paths, models, settings or {}, datasets or {})
    set_defaults()
    uri = tracking_uri(paths)
    done: dict[str, str] = {}
    deleted: list[str] = []
    logged = 0
    pending = address = None
    try:
        knock(uri)
        store = _Store(uri, study)
        current, outdated = store.compare(runs, set(models))
        done.update({run.key: run.digest for run in runs if run.key in current})
        # The newest run stands first in MLflow: logged last to first, they are listed in order.
        new = [run for run in reversed(runs) if run.key not in current]
        provenance = _provenance(paths) if new else {}
        store.show(views.of_study(runs))
        for run in new:
            current[run.key] = store.log(run, provenance)
            done[run.key] = run.digest
            logged += 1
        # A request that was answered and yet sent again has made a run twice.
        outdated |= store.others(current) if new else set()
        for run_id in sorted(outdated):
            store.delete(run_id)
            deleted.append(run_id)
        address = store.address(uri)
    except ImportError as error:
        package = (error.name or "mlflow").partition(".")[0]
        pending = f"{package} is not installed"
        brings = "polyroute[study]" if package == "mlflow" else package
        _warn(pending, f"{error}; `pip install {brings}` brings it")
    except Exception as error:  # noqa: BLE001 - whatever MLflow, its server or its database raises, results are complete
        pending = "MLflow could not be reached or written"
        _warn(pending, other_schema(error, uri) or f"{uri}: {type(error).__name__}: {_first_line(error)}")
    keys = {run.key: done.get(run.key, PENDING) for run in runs}
    return TrackReport(keys, {run.key: run.digest for run in runs}, logged, len(deleted), pending, address)


def other_schema(error: Exception, uri: str) -> str | None:
    """What to do where another MLflow wrote the database, or it is damaged; None where that is not the matter."""
    text = str(error)
    if uri.startswith(_SQLITE) and ("is not a database" in text or "is malformed" in text):
        return f"{uri} is damaged: delete the file, which is made again"
    if "out-of-date database schema" not in text and "locate revision" not in text:
        return None
    place = without_password(uri)
    if "locate revision" in text:
        said = f"{place} was written by a newer MLflow: install that"
    else:
        said = f"{place} was written by an older MLflow: run `mlflow db upgrade {place}`"
    return said + (", or delete the file, which is made again" if uri.startswith(_SQLITE) else "")


class _Store:
    """One experiment in MLflow.

    Raises:
        OutOfPatienceError: a server takes too long. Whatever MLflow raises.
    """

    def __init__(self, uri: str, study: str):
        from mlflow import MlflowClient

        if uri.startswith(_SQLITE):
            _without_waiting_for_the_disk()
        # A file is no service that one could lose patience with.
        self._call: Callable[..., Any] = _at_once if uri.startswith(_SQLITE) else Patience()
        name = study if len(study) <= _NAME else fitted_name(study)
        if urlsplit(uri).scheme.partition("+")[0] in _DATABASES:
            self._call(_read, uri)
        # Of a database this makes the tables, which takes long on a slow machine and must not be given up half way.
        self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment = self._call(self._client.get_experiment_by_name, name)
        self._tags: dict[str, str] = {} if experiment is None else dict(experiment.tags)
        if experiment is None:
            # Older pages ask for the kind where there is none, and open on traces of chat applications.
            tags = {"mlflow.experimentKind": "custom_model_development"}
            self.experiment = self._call(self._client.create_experiment, name, _artifacts_beside(uri), tags)
        else:
            self.experiment = experiment.experiment_id
            if experiment.lifecycle_stage != "active":
                self._call(self._client.restore_experiment, self.experiment)

    def compare(self, wanted: list[Run], models: set[str]) -> tuple[dict[str, str], set[str]]:
        """Key -> id of finished runs that show what is wanted, and ids of the models' other runs."""
        digests = {run.key: run.digest for run in wanted}
        current: dict[str, str] = {}
        outdated: set[str] = set()
        for run in self._all():
            key = run.data.tags.get(_KEY)
            if key is None or key.partition("/")[0] not in models:
                continue
            as_wanted = run.info.status == "FINISHED" and run.data.tags.get(_DIGEST) == digests.get(key)
            if as_wanted and key not in current:
                current[key] = run.info.run_id
            else:
                outdated.add(run.info.run_id)
        return current, outdated

    def others(self, current: Mapping[str, str]) -> set[str]:
        """Ids of runs of the same keys that are not these."""
        ids = set(current.values())
        found = ((run.data.tags.get(_KEY), run.info.run_id) for run in self._all())
        return {run_id for key, run_id in found if key in current and run_id not in ids}

    def log(self, run: Run, provenance: dict[str, str]) -> str:
        """Log a run, which counts as FINISHED only once everything is in; returns its id."""
        from mlflow.entities import Dataset as Entity
        from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag

        tags = run.tags | provenance | {_KEY: run.key, _DIGEST: run.digest, "mlflow.runColor": run.colour}
        tags = {name: _cut(value, _TAG) for name, value in tags.items()}
        made = self._call(self._client.create_run, self.experiment, run_name=run.name[:_NAME], tags=tags)
        run_id: str = made.info.run_id
        note = _cut(page.linked(run.note, self.experiment, run_id), _TAG)
        now = int(time.time() * 1000)
        batches = _batches(
            [Param(fitted_name(name), fitted_value(value)) for name, value in run.params.items()],
            [Metric(fitted_name(name), value, now, step) for name, step, value in run.points],
        )
        with_note = [RunTag("mlflow.note.content", note)]
        for params, metrics in batches:
            carried = len(metrics) + len(params)
            self._call(self._client.log_batch, run_id, metrics, params, with_note, carried=carried)
            with_note = []
        if run.datasets:
            inputs = [
                DatasetInput(
                    Entity(fitted_name(one.name), one.digest, one.kind, one.source, one.schema, one.profile),
                    [InputTag("mlflow.data.context", one.use)],
                )
                for one in run.datasets
            ]
            self._call(self._client.log_inputs, run_id, datasets=inputs)
        for folder, paths in run.artifacts.items():
            for path in paths:
                self._call(self._client.log_artifact, run_id, str(path), folder or None)
        self._call(self._client.set_terminated, run_id)
        return run_id

    def show(self, wanted: list[View]) -> None:
        """Keep views of the charts with the experiment, for the menu `Views` of its page."""
        for view in wanted:
            if self._tags.get(view.tag) != view.value:
                self._call(self._client.set_experiment_tag, self.experiment, view.tag, view.value)

    def address(self, uri: str) -> str | None:
        """Of the runs' charts on a server, in the page for models; None of a database, which `polyroute ui` shows."""
        if urlsplit(uri).scheme not in _SERVERS:
            return None
        return f"{without_password(uri).rstrip('/')}/#{charts_of(self.experiment)}"

    def delete(self, run_id: str) -> None:
        """Move a run to MLflow's deleted runs."""
        self._call(self._client.delete_run, run_id)

    def _all(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._call(self._client.search_runs, [self.experiment], page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def charts_of(experiment: str) -> str:
    """Route of an experiment's charts: without the workflow the page opens among traces of chat applications."""
    return f"/experiments/{experiment}/runs?workflowType=machine_learning&compareRunsMode=CHART"


def experiment_of(uri: str, study: str) -> str:
    """Id of a study's experiment, which is made where there is none.

    Raises:
        PolyrouteError: another MLflow wrote the database.
    """
    try:
        return str(_Store(uri, study).experiment)
    except Exception as error:
        if told := other_schema(error, uri):
            raise PolyrouteError(told) from None
        raise


def _at_once(call: Callable[..., Any], *arguments: Any, carried: int = 0, **keywords: Any) -> Any:  # noqa: ARG001
    return call(*arguments, **keywords)


def fitted_name(name: str) -> str:
    """A name that MLflow takes: a longer one is cut and ends in a digest of the whole, so that no two become one."""
    name = re.sub(r"[^\w\-./: ]", "_", name)
    return name if len(name) <= _NAME else f"{name[: _NAME - 9]}.{files.digest(name)[:8]}"


def fitted_value(value: str) -> str:
    """A param's value as long as every server takes it; a longer one is cut and says so.

    The run's digest is of the whole, and so are the files in `settings/` of a model's run.
    """
    return _cut(value, _VALUE)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    said = f"… (cut from {len(text):,} characters)"
    return text[: most - len(said)] + said


_T = TypeVar("_T")


def _batches(params: list[_T], metrics: list[Any]) -> Iterator[tuple[list[_T], list[Any]]]:
    """Params and metrics, as many at once as MLflow takes beside a tag; one empty batch where there is nothing."""
    first = True
    while first or params or metrics:
        some, params = params[:_PARAMS_AT_ONCE], params[_PARAMS_AT_ONCE:]
        room = _AT_ONCE - 1 - len(some)
        yield some, metrics[:room]
        metrics, first = metrics[room:], False


def _read(uri: str) -> None:
    """See that a database can be read: MLflow would try again for an hour where it cannot.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: it cannot, for want of a password, or because the file is no database.
    """
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri)
    try:
        sqlalchemy.inspect(engine).has_table("alembic_version")
    finally:
        engine.dispose()


@cache
def _without_waiting_for_the_disk() -> None:
    """Let SQLite return before the disk has confirmed, which takes most of the time of small writes.

    A kill costs nothing. After a power cut the file may be damaged: it is a view, and deleted it is made again.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("PRAGMA synchronous=OFF")


def _artifacts_beside(uri: str) -> str | None:
    """The folder beside a SQLite file; None leaves it to the server.

    Not `mlruns`, MLflow's choice: a folder of that name can make `mlflow ui` overlook the SQLite file.
    """
    if not uri.startswith(_SQLITE):
        return None
    return (Path(uri.removeprefix(_SQLITE)).resolve().parent / "mlartifacts").as_uri()


def _provenance(paths: Paths) -> dict[str, str]:
    """Commit, whether anything but the stages' own outputs differs from it, and the digest of dvc.lock."""
    commit = git(paths.root, "rev-parse", "HEAD")
    outputs = (":(exclude)metrics", ":(exclude)figures", ":(exclude)plans", ":(exclude)dvc.lock")
    changed = git(paths.root, "status", "--porcelain", "--", ".", *outputs)
    tags = {"mlflow.source.name": "polyroute track", "mlflow.source.type": "LOCAL"}
    if commit is not None and changed is not None:
        tags |= {"commit": commit, "mlflow.source.git.commit": commit, "dirty": "yes" if changed else "no"}
    if paths.dvc_lock.exists():
        tags["dvc_lock"] = hashlib.sha256(paths.dvc_lock.read_bytes()).hexdigest()
    return tags


def set_defaults() -> None:
    """Set what the user has not set of MLflow's environment."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # a dead server is told once, by us


def _warn(what: str, detail: str) -> None:
    complete = "The results are complete in metrics/ and figures/; `polyroute track` logs them once it works"
    _log.warning("%s (%s). %s", what, textwrap.shorten(without_password(detail), 400), complete)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def without_password(text: str) -> str:
    """The text without the user and password of any address in it."""
    return re.sub(r"(?<=://)[^/\s]*@", "", text)
