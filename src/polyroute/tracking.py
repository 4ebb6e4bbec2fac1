"""MLflow, and the only module that imports it: a view of `metrics/` and `figures/`, never a store of results.

One experiment a study; flat runs, one a (model, language) and one a model. A run is known by two tags: `polyroute.key`
says what it is about (`pocket-plain/deu_Latn`, or `pocket-plain`) and `polyroute.digest` digests all that it shows.
Logging finds a finished run with the right digest and leaves it, or logs a new one and then deletes every other run of
the key: outdated ones and those that a kill left half logged. Deletion is MLflow's own, which keeps runs under
"Deleted" until `mlflow gc`. So a view holds one run a key, and logging twice changes nothing. `mlflow.db` and
`mlartifacts/` may be deleted whenever no one uses them (and must be where the study has moved: MLflow keeps absolute
paths): logging again makes the same runs. Provenance (commit, dvc.lock) is not digested: it says with which commit
these very results were first logged.

Where MLflow is absent or unreachable, a warning says so and the runs count as pending.
"""

from __future__ import annotations

import colorsys
import hashlib
import logging
import math
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from polyroute.ground import files
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.report import correlations, exclusive, results, steering, task_results
from polyroute.report.drawing import COLOURS
from polyroute.report.results import Results
from polyroute.report.task_results import TaskResults

PENDING = "pending"
_KEY, _DIGEST = "polyroute.key", "polyroute.digest"
_BATCH = 1000  # the most metrics that MLflow takes at once

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


@dataclass(frozen=True)
class _Run:
    """What one run shows."""

    key: str
    name: str
    tags: dict[str, str]
    metrics: list[tuple[str, float, int]]
    """Name, value, step; the step of a curve is the layer."""
    note: str
    """Markdown on the run's page."""
    colour: str
    """Of the run's lines in charts, `#rrggbb`. Not digested: it depends on which other models are logged."""
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
        ResultsError: a model has no results, or unreadable ones. Whatever goes wrong with MLflow is a warning instead.
    """
    models = list(models)
    runs = [
        run
        for shade, model in enumerate(models)
        for run in _runs(paths, results.load(paths, model), task_results.load(paths, model), shade)
    ]
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
    page = f"http://127.0.0.1:{port}/#/experiments"
    if find_spec("mlflow") is None:
        raise PolyrouteError("mlflow is not installed: `pip install polyroute[study]` brings it")
    if study is not None:
        # Without the workflow the page opens among the traces of chat applications.
        page += f"/{_Store(uri, study).experiment}/runs?workflowType=machine_learning&compareRunsMode=CHART"
    _log.info("In some seconds: %s", page)
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

        shown = {"mlflow.note.content": run.note, "mlflow.runColor": run.colour}
        tags = run.tags | provenance | {_KEY: run.key, _DIGEST: run.digest} | shown
        run_id = self._client.create_run(self.experiment, run_name=run.name, tags=tags).info.run_id
        now = int(time.time() * 1000)
        points = [Metric(name, value, now, step) for name, value, step in run.metrics]
        for start in range(0, len(points), _BATCH):
            self._client.log_batch(run_id, metrics=points[start : start + _BATCH])
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


def _artifacts_beside(uri: str) -> str | None:
    """The folder beside a SQLite file; None leaves it to the server.

    Not `mlruns`, MLflow's choice: a folder of that name can make `mlflow ui` overlook the SQLite file.
    """
    prefix = "sqlite:///"
    if not uri.startswith(prefix):
        return None
    return (Path(uri.removeprefix(prefix)).resolve().parent / "mlartifacts").as_uri()


def _runs(paths: Paths, found: Results, tasks: TaskResults, shade: int) -> Iterator[_Run]:
    """The model's own run, then one a language in order of name."""
    about = found.align["model"]
    facts = ("engine", "revision", "dtype", "layers", "experts", "top_k")
    tags = {"model": found.model} | {name: str(about[name]) for name in facts if about.get(name)}
    tags["model_digest"] = str(about["digest"])
    tags |= {f"version.{name}": str(version) for name, version in about.get("versions", {}).items()}
    codes = sorted(found.languages(), key=lambda code: languages.get(code).name)
    colours = _colours([code for code in sorted(codes) if code != found.pivot], shade)
    yield _model_run(paths, found, tasks, tags, _shaded((0.0, 0.0, 0.0), shade))
    for code in codes:
        yield _language_run(found, tasks, code, tags, colours.get(code, _shaded((0.35, 0.35, 0.35), shade)))


def _model_run(paths: Paths, found: Results, tasks: TaskResults, tags: dict[str, str], colour: str) -> _Run:
    """Means over the languages but the pivot, what only holds of a whole model, and the files."""
    others = found.layers[found.layers["language"] != found.pivot]
    means = others.groupby(["corpus", "measure", "reading", "layer"])["value"].mean().reset_index()
    means["value"] = means["value"].map(lambda mean: float(f"{mean:.6g}"))
    count = others["language"].nunique()
    metrics = list(_curves(means))
    tags = tags | {"kind": "model", "languages": str(count + 1)}
    for corpus, held in found.align["corpora"].items():
        metrics += _scalars(corpus, held["mean"])
        tags[f"shape.{corpus}"] = str(held["mean"]["shape"])
    metrics += _of_model(tasks)
    metrics += _use_of_experts(tasks, found.align["model"]["experts"], "")
    metrics += _between_languages(tasks)
    folder = paths.metrics(found.model)
    plans = task_results.plans(paths, tasks)
    artifacts = {
        "": [folder / "align.json", folder / "layers.csv", *task_results.written(paths, found.model)],
        "figures": sorted(path for path in paths.figures(found.model).glob("*") if path.suffix in (".png", ".svg")),
    }
    if plans:
        artifacts["plans"] = plans
    name = f"mean of {count} {'language' if count == 1 else 'languages'} · {found.model}"
    return _Run(found.model, name, tags, metrics, _note(found, found.languages()), colour, artifacts)


def _language_run(found: Results, tasks: TaskResults, code: str, tags: dict[str, str], colour: str) -> _Run:
    language = languages.get(code)
    tags = tags | {
        "kind": "language", "language": code, "language_name": language.name, "family": language.family,
        "branch": language.branch, "script": language.script,
        "resource_class": "unknown" if language.resource is None else str(language.resource),
    }  # fmt: skip
    metrics = list(_curves(found.layers[found.layers["language"] == code]))
    for corpus, held in found.align["corpora"].items():
        if summary := held["languages"].get(code):
            metrics += _scalars(corpus, summary)
            tags[f"shape.{corpus}"] = str(summary["shape"])
    metrics += _of_language(tasks, code)
    metrics += _use_of_experts(tasks, found.align["model"]["experts"], code)
    # The language first: MLflow's charts cut names after some twenty characters.
    name = language.name + (" (pivot)" if code == found.pivot else "") + f" · {found.model}"
    return _Run(f"{found.model}/{code}", name, tags, metrics, _note(found, [code]), colour)


def _curves(rows: pd.DataFrame) -> Iterator[tuple[str, float, int]]:
    """Points of `<measure>/<reading>.<corpus>`.

    MLflow's page makes a section of what stands before the slash and cuts long names at the end: named so, sections
    are measures, and what is cut is the corpus, which most often is the same in all of them.
    """
    columns = [rows[name] for name in ("corpus", "measure", "reading", "value", "layer")]
    for corpus, measure, reading, value, layer in zip(*columns, strict=True):
        if math.isfinite(value):
            yield f"{measure.replace('_', ' ')}/{reading}.{corpus}", float(value), int(layer)


def _of_language(tasks: TaskResults, code: str) -> Iterator[tuple[str, float, int]]:
    """Points of `accuracy/<task>`, and of `steering/<task>.difference`: what the chosen plan changes."""
    if tasks.accuracy is not None:
        rows = tasks.accuracy.table[tasks.accuracy.table["language"] == code]
        for task, value in zip(rows["task"], rows["accuracy"], strict=True):
            yield f"accuracy/{task}", float(value), 0
    if tasks.steering is not None:
        for task in steering.ran(tasks.steering):
            chosen = steering.row(steering.of_language(tasks.steering, task, code), "chosen")
            if chosen is not None:
                yield f"steering/{task}.difference", float(chosen["difference"]), 0


_USED = ("evenness", "dead", "hot", "max_violation", "specificity", "overlap", "information", "information_null")


def _use_of_experts(tasks: TaskResults, experts: int | None, code: str) -> Iterator[tuple[str, float, int]]:
    """Points of `use of experts/<measure>.<corpus>` by layer, shared and exclusive ones among them.

    Args:
        tasks: of the model.
        experts: of a layer, which says what k of shared and exclusive experts is shown.
        code: of a language; empty for all of them together.
    """
    for corpus in tasks.similarity.corpora if tasks.similarity is not None else ():
        assert tasks.similarity is not None, "it has corpora"
        shared = exclusive.setting(tasks.similarity.shared, corpus, experts)
        used = tasks.similarity.utilisation
        for table, names in ((used[used["corpus"] == corpus], _USED), (shared, ("shared", "exclusive"))):
            rows = table[table["language"] == code]
            for name in names:
                for layer, value in zip(rows["layer"], rows[name], strict=True):
                    if math.isfinite(value):
                        yield f"use of experts/{name.replace('_', ' ')}.{corpus}", float(value), int(layer)


def _between_languages(tasks: TaskResults) -> Iterator[tuple[str, float, int]]:
    """Points of `families/<label>.<zone>.<corpus>` (Rand index; `.p`), `rivals/<rival>.<zone>.<corpus>` (Mantel's r;
    `.given others`), and of `routing distance/<measure>.<reading>.<corpus>`: mean of all pairs by layer.
    """
    if tasks.similarity is None:
        return
    for corpus, held in tasks.similarity.corpora.items():
        for zone, found in held["zones"].items():
            for label, agreed in found["labels"].items():
                for part in ("rand", "p"):
                    if agreed[part] is not None:
                        name = f"families/{label}.{zone}.{corpus}"
                        yield name + ("" if part == "rand" else ".p"), float(agreed[part]), 0
            for rival, related in found["rivals"].items():
                for part in ("mantel", "partial"):
                    if related[part] is not None:
                        name = f"rivals/{rival}.{zone}.{corpus}"
                        yield name + ("" if part == "mantel" else ".given others"), float(related[part]), 0
    table = tasks.similarity.distances
    means = table[table["layer"].notna()].groupby(["corpus", "measure", "reading", "layer"])["distance"].mean()
    for corpus, measure, reading, layer, value in means.reset_index().itertuples(index=False, name=None):
        yield f"routing distance/{measure}.{reading}.{corpus}", float(f"{value:.6g}"), int(layer)


def _of_model(tasks: TaskResults) -> Iterator[tuple[str, float, int]]:
    """Points of `accuracy/<task>` (mean of the languages but the pivot), of `correlation/<task>.pearson` and
    `domain divergence/<task>` by layer, of `steering/<task>/<condition>`: pooled differences, and of
    `masking/<task>.<score>.<range>.<what>`: headlines.
    """
    if tasks.accuracy is not None:
        for task, held in tasks.accuracy.tasks.items():
            yield f"accuracy/{task}", float(held["others"]), 0
    if tasks.correlations is not None:
        for task in tasks.correlations.tasks:
            pearson = correlations.curve(tasks.correlations, task)["r"]
            yield from ((f"correlation/{task}.pearson", float(r), int(str(layer))) for layer, r in pearson.items())
    if tasks.experts is not None:
        domains = tasks.experts.domains[tasks.experts.domains["value"].notna()]
        for task, layer, value in zip(domains["task"], domains["layer"], domains["value"], strict=True):
            yield f"domain divergence/{task}", float(value), int(layer)
    if tasks.steering is not None:
        for task in tasks.steering.tasks:
            for condition, difference in steering.pooled(tasks.steering, task)["difference"].items():
                yield f"steering/{task}/{condition}", float(difference), 0
    if tasks.masking is not None:
        for task, held in tasks.masking.tasks.items():
            for score, by_range in held["headline"].items():
                for where, means in by_range.items():
                    for what, mean in means.items():
                        if mean["value"] is not None:
                            name = f"masking/{task}.{score}.{where}.{what.replace('_', ' ')}"
                            yield name, float(mean["value"]), 0


def _scalars(corpus: str, summary: dict[str, Any]) -> Iterator[tuple[str, float, int]]:
    """Points of `zones/<name>.<corpus>`, and `.low` and `.high` of those with an interval."""
    for name, value in summary.items():
        for part, held in (value if isinstance(value, dict) else {"value": value}).items():
            if isinstance(held, int | float):
                yield f"zones/{name}.{corpus}" + (f".{part}" if part != "value" else ""), float(held), 0


def _note(found: Results, codes: list[str]) -> str:
    """Tables of the verdicts on languages, a corpus each."""
    pivot = languages.get(found.pivot).name
    lines: list[str] = []
    for corpus, held in found.align["corpora"].items():
        sentences = f"{held['sentences']} sentences" if held["sentences"] else "pooled counts"
        lines += [f"Divergence from {pivot} on **{corpus}** ({held['reading']}, {sentences})", ""]
        lines += ["| language | early | middle | late | shape |", "|---|---|---|---|---|"]
        for code in codes:
            if summary := held["languages"].get(code):
                zones = " | ".join(f"{summary[zone]:.3f}" for zone in ("early", "middle", "late"))
                lines.append(f"| {languages.get(code).name} | {zones} | {summary['shape']} |")
        lines.append("")
    return "\n".join(lines)


def _colours(codes: list[str], shade: int) -> dict[str, str]:
    """The colours of the figures; beyond those, hues evenly round the circle. Each model has a shade of its own."""
    if len(codes) <= len(COLOURS):
        plain = [tuple(bytes.fromhex(colour[1:])) for colour in COLOURS]
        tones = [(red / 255, green / 255, blue / 255) for red, green, blue in plain]
    else:
        tones = [colorsys.hls_to_rgb(i / len(codes), 0.42, 0.75) for i in range(len(codes))]
    return {code: _shaded(tone, shade) for code, tone in zip(codes, tones, strict=False)}


def _shaded(tone: tuple[float, float, float], shade: int) -> str:
    """The tone itself, lighter, darker, and round again."""
    towards, share = ((0.0, 0.0), (1.0, 0.5), (0.0, 0.45))[shade % 3]
    return "#" + "".join(f"{round(255 * ((1 - share) * channel + share * towards)):02x}" for channel in tone)


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
