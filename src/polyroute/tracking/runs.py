"""Which runs a study has in MLflow: one a model and, of each model, one a language.

MLflow draws the first ten runs of its list. So these are ten languages of one model, which belong to many families
where there are more; then the models, then all other languages, the pivot last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from polyroute.ground import files
from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.languages.balanced import balanced
from polyroute.report import words
from polyroute.results.claims import ClaimsMetrics, ClaimsSummary
from polyroute.results.distances import RecordedDistances
from polyroute.results.model import ModelResults
from polyroute.results.table import ResultsError, written
from polyroute.tracking import colours, page, points
from polyroute.tracking.datasets import Dataset
from polyroute.tracking.points import Point

Settings = Mapping[str, Mapping[str, Any]]
"""Stage -> its settings of one model, plain data."""
_FILES = (
    "align.json", "layers.csv", "nulls.csv", "nulls.json", "similarity.csv", "similarity.json", "utilisation.csv",
    "rise.csv", "shared.csv", "accuracy.csv", "accuracy.json", "experts.csv", "experts.json", "domains.csv",
    "correlation.csv", "correlation.json", "steer.csv", "steer.json", "mechanism.csv", "mask.csv", "mask.json",
    "turns.csv", "turns.json", "claims.json", "domain_pairs.csv", "generated.csv",
)  # fmt: skip
"""Of `metrics/<model>/`, those that a model's run shows."""
DRAWN = 10
"""Runs that MLflow draws before anybody asks for more."""


@dataclass(frozen=True)
class Run:
    """What one run shows."""

    key: str
    """What it is about: `pocket-plain/deu_Latn`, or `pocket-plain`."""
    name: str
    params: dict[str, str]
    """What the results depend on, and what can be filtered and grouped by."""
    tags: dict[str, str]
    points: list[Point]
    note: str
    """Markdown on the run's page, its links relative to the run; see `page.linked`."""
    colour: str
    """Of the run's lines in charts, `#rrggbb`. Not digested: it depends on which other models are logged."""
    artifacts: dict[str, list[Path]] = field(default_factory=dict)
    """Folder in the run -> files."""
    datasets: list[Dataset] = field(default_factory=list)
    """What was read. Not digested: where a copy has no data, only the entry in params.yaml can be."""
    headlines: tuple[str, ...] = ()
    """Names of the curves that views of the charts show."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that the run shows but its colour."""
        held = {
            folder: {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
            for folder, paths in self.artifacts.items()
        }
        return files.digest([self.key, self.name, self.params, self.tags, self.points, self.note, held])


def of_study(
    paths: Paths, models: Iterable[str], settings: Mapping[str, Settings], datasets: Mapping[str, list[Dataset]]
) -> list[Run]:
    """The runs of each model, its own and one a language, as they are to be listed.

    Args:
        paths: where `metrics/`, `figures/` and `plans/` are.
        models: whose results to show; of one with recorded distances alone there is a run of its own.
        settings: model -> its settings by stage; a model may lack them.
        datasets: model -> what it read; a model may lack them.

    Raises:
        ResultsError: a model has no results, or unreadable ones.
    """
    by_model = []
    # Models with curves first: there are but ten shades, and distances stand in no chart of languages.
    shades = sorted(models, key=lambda model: written_alone(paths.metrics(model)))
    for model in models:
        folder, set_to, read = paths.metrics(model), settings.get(model, {}), datasets.get(model, [])
        shade = shades.index(model)
        if written_alone(folder):
            by_model.append([_of_distances(paths, model, shade)])
        else:
            by_model.append(list(_of_model(paths, ModelResults.read(folder), set_to, read, shade)))
    return listed(by_model)


def with_others(paths: Paths, models: Sequence[str]) -> list[str]:
    """The models, and after them those that `metrics/` has results of though the study does not run them: seeds."""
    others = sorted(path.parent.name for path in (paths.root / "metrics").glob("*/align.json"))
    return [*models, *(model for model in others if model not in models)]


def written_alone(folder: Path) -> bool:
    """Whether a model's results are distances that others recorded, and nothing else."""
    return (folder / "distances.json").exists() and not (folder / "align.json").exists()


def listed(by_model: Sequence[Sequence[Run]]) -> list[Run]:
    """Ten languages of the first model that has so many, then all models, then all other languages.

    Args:
        by_model: of each model its own run, then its languages in their order, the pivot last.
    """
    most = max((len(runs) for runs in by_model), default=0)
    enough = min(DRAWN + 2, most)
    first = next((runs for runs in by_model if len(runs) >= enough), [])
    drawn = [run for run in first if run.tags["kind"] == "language"][:DRAWN]
    kept = {run.key for run in drawn}
    return [
        *drawn,
        *(runs[0] for runs in by_model if runs),
        *(run for runs in by_model for run in runs[1:] if run.key not in kept),
    ]


def flattened(settings: Settings) -> dict[str, str]:
    """Settings under dotted names, `steer.magnitude.k`: text as it is, all else as JSON; null and {} are left out."""

    def walk(name: str, value: Any) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for key, held in value.items():
                yield from walk(f"{name}.{key}" if name else key, held)
        elif value is not None:
            yield name, value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)

    return dict(walk("", settings))


def _of_model(paths: Paths, found: ModelResults, settings: Settings, read: list[Dataset], shade: int) -> Iterator[Run]:
    common = flattened(settings)
    yield _whole(paths, found, common, read, colours.of_model(shade))
    by_language = points.of_languages(found)
    for code in _ordered([code for code in found.languages if code != found.pivot]):
        yield _in_language(found, code, common, read, by_language[code], colours.of_language(code, shade))
    if found.pivot in by_language:
        yield _in_language(found, found.pivot, common, read, by_language[found.pivot], colours.of_pivot(shade))


def _ordered(codes: Sequence[str]) -> list[str]:
    """Ten languages of many families and resource classes, then the others; each by code."""
    first = set(balanced([languages.get(code) for code in codes], DRAWN, ""))
    return sorted(codes, key=lambda code: (code not in first, code))


def _whole(paths: Paths, found: ModelResults, settings: dict[str, str], read: list[Dataset], colour: str) -> Run:
    """The run of a model, with the files."""
    params = _of_results(found) | {"languages": str(len(found.languages))} | settings
    shapes = {f"shape.{corpus}": words.shape(held.over_languages) for corpus, held in found.alignment.corpora.items()}
    folder = paths.metrics(found.model)
    artifacts = {
        "": [folder / file for file in _FILES if (folder / file).exists()],
        "figures": sorted(path for path in paths.figures(found.model).glob("*") if path.suffix in (".png", ".svg")),
        "plans": _plans(paths, found),
        "settings": sorted((paths.settings / found.model).glob("*.json")),
        "report": [path for path in (paths.root / "report.html",) if path.exists()],
    }
    note = page.of_model(found, {f"{folder}/{path.name}" for folder, some in artifacts.items() for path in some})
    tags = {"kind": "model", "model": found.model} | shapes
    shown = points.of_model(found)
    if written(folder, ClaimsSummary, ClaimsMetrics):
        verdicts = ClaimsSummary.read(folder).claims
        tags |= {f"claim.{name}": verdict.code for name, verdict in verdicts.items()}
        note = page.with_claims(note, {name: verdict.code for name, verdict in verdicts.items()})
        shown = sorted(shown + points.of_claims(ClaimsMetrics.read(folder)))
    name = f"{found.model} · mean of {len(found.languages) - 1} languages"
    return Run(found.model, name, params, tags, shown, note, colour, artifacts, read, points.headlines(found))


def _of_distances(paths: Paths, model: str, shade: int) -> Run:
    """The run of a model of which distances between languages alone were recorded."""
    folder = paths.metrics(model)
    found = RecordedDistances.read(folder)
    params = {
        "model": model, "engine": "recorded distances", "published_as": found.model, "corpus": found.corpus,
        "pivot": found.pivot, "source": found.source, "licence": found.licence, "layers": str(len(found.layers)),
        "languages": str(len(found.languages)),
    }  # fmt: skip
    shapes = {
        f"shape.{reading}": held.from_pivot.shape or "too few languages" for reading, held in found.readings.items()
    }
    note = page.of_distances(found)
    artifacts = {"": [folder / "distances.json"]}
    tags = {"kind": "model", "model": model} | shapes
    name = f"{model} · recorded distances"
    return Run(model, name, params, tags, points.of_distances(found), note, colours.of_model(shade), artifacts)


def _plans(paths: Paths, found: ModelResults) -> list[Path]:
    """The files of the plans that were chosen.

    Raises:
        ResultsError: one is absent; names it and the stage that writes it.
    """
    chosen = [paths.plan(found.model, task) for task in (found.steering.steered if found.steering else ())]
    for path in chosen:
        if not path.exists():
            raise ResultsError(f"{path} is absent: `dvc repro choose@{found.model}` writes it")
    return chosen


def _in_language(
    found: ModelResults, code: str, settings: dict[str, str], read: list[Dataset], shown: list[Point], colour: str
) -> Run:
    language = languages.get(code)
    known = {
        "language": code, "language_name": language.name, "language_family": language.family,
        "language_branch": language.branch, "language_script": language.script, "language_region": language.region,
        "language_resources": "unknown" if language.resource is None else str(language.resource),
    }  # fmt: skip
    shapes = {
        f"shape.{corpus}": held.languages[code].shape
        for corpus, held in found.alignment.corpora.items()
        if code in held.languages
    }
    tags = {"kind": "pivot" if code == found.pivot else "language", "model": found.model, "language": code}
    return Run(
        f"{found.model}/{code}",
        f"{language.name} · {found.model}",
        _of_results(found) | known | settings,
        tags | shapes,
        shown,
        page.of_language(found, code),
        colour,
        datasets=[one for one in read if code in one.languages],
        headlines=points.headlines(found),
    )


def _of_results(found: ModelResults) -> dict[str, str]:
    """Params that the results themselves tell."""
    about = found.alignment.model
    facts = ("engine", "revision", "dtype", "layers", "experts", "top_k")
    params = {"model": found.model} | {fact: str(value) for fact in facts if (value := getattr(about, fact))}
    params |= {"corpus": ", ".join(found.alignment.corpora), "pivot": found.pivot, "model_digest": about.digest}
    return params | {f"version.{library}": version for library, version in about.versions.items()}
