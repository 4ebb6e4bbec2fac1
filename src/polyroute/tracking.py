"""MLflow, and the only module that imports it: a view of `metrics/` and `figures/`, never a store of results.

One experiment a study; flat runs, one a (model, language) and one a model. A run is known by two tags: `polyroute.key`
says what it is about (`pocket-plain/deu_Latn`, or `pocket-plain`) and `polyroute.digest` digests all that it shows.
Logging finds a finished run with the right digest and leaves it, or logs a new one and then deletes every other run of
the key: outdated ones and those that a kill left half logged. Deletion is MLflow's own, which keeps runs under
"Deleted" until `mlflow gc`. So a view holds one run a key, logging twice changes nothing, and after losing `mlflow.db`
logging again makes the same runs. Provenance (commit, dvc.lock) is not digested: it says with which commit these very
results were first logged.

Where MLflow is absent or unreachable, a warning says so and the runs count as pending.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pandas as pd

from polyroute import files, languages
from polyroute.errors import PolyrouteError
from polyroute.paths import Paths
from polyroute.report import results
from polyroute.report.results import Results

PENDING = "pending"
_KEY, _DIGEST = "polyroute.key", "polyroute.digest"
_BATCH = 1000  # the most metrics that MLflow takes at once

# Set where the user has not: no telemetry, and a dead server is told within seconds, not after MLflow's four minutes.
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrackReport:
    """What `log_study` did."""

    runs: dict[str, str]
    """Key of each run -> digest of what it shows, or `pending`."""
    logged: int
    """Runs that were new or changed."""
    deleted: int
    """Outdated or half-logged runs that were deleted."""
    pending: str | None
    """Why runs are pending; None where none is."""

    def write(self, path: Path) -> None:
        """Write `runs` and `pending` as JSON: no run id, time or place."""
        files.write_json(path, {"runs": self.runs, "pending": self.pending})

    def summary(self) -> str:
        """One line."""
        if self.pending:
            waiting = sum(digest == PENDING for digest in self.runs.values())
            return f"{waiting} of {len(self.runs)} runs pending: {self.pending}"
        deleted = f", {self.deleted} outdated ones deleted" if self.deleted else ""
        return f"{len(self.runs)} runs in MLflow, {self.logged} of them new{deleted}"


@dataclass(frozen=True)
class _Run:
    """What one run shows."""

    key: str
    name: str
    tags: dict[str, str]
    metrics: list[tuple[str, float, int]]
    """Name, value, step; the step of a curve is the layer."""
    note: str = ""
    """Markdown on the run's page."""
    artifacts: dict[str, list[Path]] = field(default_factory=dict)
    """Folder in the run -> files."""

    @cached_property
    def digest(self) -> str:
        held = {
            folder: {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
            for folder, paths in self.artifacts.items()
        }
        return files.digest([self.key, self.name, self.tags, self.metrics, self.note, held])


def tracking_uri(paths: Paths) -> str:
    """`MLFLOW_TRACKING_URI`, else the SQLite file at the root of the study."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{(paths.root / 'mlflow.db').resolve()}"


def log_study(paths: Paths, study: str, models: Iterable[str]) -> TrackReport:
    """Bring the experiment of a study up to date with the results of its models.

    Runs of models that are not named are left alone.

    Args:
        paths: where `metrics/` and `figures/` are; nothing is written there.
        study: name of the experiment.
        models: whose results to log.

    Raises:
        ResultsError: a model has no results. Whatever goes wrong with MLflow is a warning instead.
    """
    models = list(models)
    # The newest run stands first in MLflow: logged last to first, models and languages are listed in order.
    runs = [run for model in reversed(models) for run in _runs(paths, results.load(paths, model))]
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    done: dict[str, str] = {}
    deleted: list[str] = []
    logged = 0
    pending = None
    try:
        store = _Store(tracking_uri(paths), study)
        current, outdated = store.compare(runs, set(models))
        done.update({run.key: run.digest for run in runs if run.key in current})
        provenance = _provenance(paths)
        for run in runs:
            if run.key not in current:
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
        _warn(pending, f"{_without_password(tracking_uri(paths))}: {type(error).__name__}: {_first_line(error)}")
    keys = {run.key: done.get(run.key, PENDING) for run in runs}
    return TrackReport(keys, logged, len(deleted), pending)


def serve(paths: Paths, port: int = 5000) -> int:
    """Show the study in MLflow's own page on this machine alone, until interrupted.

    Returns:
        The exit status of the server.

    Raises:
        PolyrouteError: `MLFLOW_TRACKING_URI` names a server, which has its own page, or mlflow is not installed.
    """
    uri = tracking_uri(paths)
    if urlsplit(uri).scheme in ("http", "https"):
        raise PolyrouteError(f"MLFLOW_TRACKING_URI is a server: open {_without_password(uri)}")
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", "1"]
    # The jobs are those of MLflow's judges of language model answers: five processes that nobody here needs.
    environment = _DEFAULTS | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"} | os.environ
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
            self._experiment = self._client.create_experiment(study, _artifacts_beside(uri), tags)
        else:
            self._experiment = experiment.experiment_id
            if experiment.lifecycle_stage != "active":
                self._client.restore_experiment(self._experiment)

    def compare(self, wanted: list[_Run], models: set[str]) -> tuple[set[str], list[str]]:
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

    def log(self, run: _Run, provenance: dict[str, str]) -> None:
        """Log a run; it counts as FINISHED only once everything is in."""
        from mlflow.entities import Metric

        tags = run.tags | provenance | {_KEY: run.key, _DIGEST: run.digest}
        if run.note:
            tags["mlflow.note.content"] = run.note
        run_id = self._client.create_run(self._experiment, run_name=run.name, tags=tags).info.run_id
        now = int(time.time() * 1000)
        points = [Metric(name, value, now, step) for name, value, step in run.metrics]
        for start in range(0, len(points), _BATCH):
            self._client.log_batch(run_id, metrics=points[start : start + _BATCH])
        for folder, paths in run.artifacts.items():
            for path in paths:
                self._client.log_artifact(run_id, str(path), folder or None)
        self._client.set_terminated(run_id)

    def delete(self, run_id: str) -> None:
        self._client.delete_run(run_id)

    def _all(self) -> Iterator[Any]:
        token = None
        while True:
            page = self._client.search_runs([self._experiment], page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def _artifacts_beside(uri: str) -> str | None:
    """The folder beside a SQLite file; None leaves it to the server.

    Not `mlruns`, MLflow's choice: a folder of that name can make `mlflow ui` overlook the SQLite file.
    """
    prefix = "sqlite:///"
    return (Path(uri.removeprefix(prefix)).resolve().parent / "mlartifacts").as_uri() if uri.startswith(prefix) else None


def _runs(paths: Paths, found: Results) -> Iterator[_Run]:
    """A run a language, from the last name to the first, then the model's own."""
    about = found.align["model"]
    tags = {"model": found.model}
    tags |= {name: str(about[name]) for name in ("engine", "revision", "dtype", "layers", "experts", "top_k") if about.get(name)}
    tags |= {"model_digest": str(about["digest"])}
    tags |= {f"version.{name}": str(version) for name, version in about.get("versions", {}).items()}
    for code in sorted(found.languages(), key=lambda code: languages.get(code).name, reverse=True):
        yield _language_run(found, code, tags)
    yield _model_run(paths, found, tags)


def _language_run(found: Results, code: str, tags: dict[str, str]) -> _Run:
    language = languages.get(code)
    resource = "unknown" if language.resource is None else str(language.resource)
    tags = tags | {
        "kind": "language", "language": code, "language_name": language.name, "family": language.family,
        "branch": language.branch, "script": language.script, "resource_class": resource,
    }  # fmt: skip
    metrics = list(_curves(found.layers[found.layers["language"] == code]))
    for corpus, held in found.align["corpora"].items():
        summary = held["languages"].get(code)
        if summary:
            metrics += _scalars(corpus, summary)
            tags[f"shape.{corpus}"] = str(summary["shape"])
    name = f"{found.model} · {language.name}" + (" (pivot)" if code == found.pivot else "")
    return _Run(f"{found.model}/{code}", name, tags, metrics)


def _model_run(paths: Paths, found: Results, tags: dict[str, str]) -> _Run:
    """Means over the languages but the pivot, and the files."""
    others = found.layers[(found.layers["language"] != found.pivot) & found.layers["value"].notna()]
    means = others.groupby(["corpus", "measure", "reading", "layer"], as_index=False)["value"].mean()
    tags = tags | {"kind": "model", "languages": str(len(found.languages()))}
    metrics = list(_curves(means))
    for corpus, held in found.align["corpora"].items():
        metrics += _scalars(corpus, held["mean"])
        tags[f"shape.{corpus}"] = str(held["mean"].get("shape"))
    folder = paths.metrics(found.model)
    artifacts = {
        "": [folder / "align.json", folder / "layers.csv"],
        "figures": sorted(path for path in paths.figures(found.model).glob("*") if path.suffix in (".png", ".svg")),
    }
    return _Run(found.model, f"{found.model} · all languages", tags, metrics, _note(found), artifacts)


def _curves(rows: pd.DataFrame) -> Iterator[tuple[str, float, int]]:
    """Points of `<corpus>/<measure>.<reading>`; those of pooled counts in a section of their own."""
    for row in rows[rows["value"].notna()].itertuples():
        measure = str(row.measure)
        section = f"{row.corpus} pooled" if measure.endswith("_pooled") else row.corpus
        yield f"{section}/{measure.removesuffix('_pooled')}.{row.reading}", float(row.value), int(row.layer)


def _scalars(corpus: str, summary: dict[str, Any]) -> Iterator[tuple[str, float, int]]:
    """Points of `<corpus> zones/<name>`, and `.low` and `.high` of those with an interval."""
    for name, value in summary.items():
        parts = {f".{part}": held for part, held in value.items()} if isinstance(value, dict) else {"": value}
        for part, held in parts.items():
            if isinstance(held, int | float):
                yield f"{corpus} zones/{name}{part.removeprefix('.value')}", float(held), 0


def _note(found: Results) -> str:
    """A table of the verdicts."""
    lines: list[str] = []
    for corpus, held in found.align["corpora"].items():
        sentences = f"{held['sentences']} sentences" if held.get("sentences") else "pooled counts"
        lines += [f"**{corpus}**: divergence from {languages.get(found.pivot).name} ({held['reading']}, {sentences})", ""]
        lines += ["| language | early | middle | late | shape |", "|---|---|---|---|---|"]
        for code, summary in held["languages"].items():
            values = " | ".join(f"{summary[zone]:.3f}" for zone in ("early", "middle", "late"))
            lines.append(f"| {languages.get(code).name} | {values} | {summary['shape']} |")
        lines.append("")
    return "\n".join(lines)


def _provenance(paths: Paths) -> dict[str, str]:
    """Commit, whether anything but the stages' own outputs differs from it, and the digest of dvc.lock."""
    commit = _git(paths, "rev-parse", "HEAD")
    outputs = (":(exclude)metrics", ":(exclude)figures", ":(exclude)dvc.lock")
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


def _warn(what: str, detail: str) -> None:
    _log.warning(
        "%s (%s). The results are complete in metrics/ and figures/; `polyroute track` logs them once it works", what, detail
    )


def _without_password(uri: str) -> str:
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")
