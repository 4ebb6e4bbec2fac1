"""Which runs a study has in MLflow: one a model and, of each model, one a language."""

from __future__ import annotations

import colorsys
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from polyroute.ground import files
from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.report.drawing import COLOURS
from polyroute.results.claims import ClaimsMetrics, ClaimsSummary
from polyroute.results.model import ModelResults
from polyroute.results.table import ResultsError, written
from polyroute.tracking import page, points
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

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that the run shows but its colour."""
        held = {
            folder: {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
            for folder, paths in self.artifacts.items()
        }
        return files.digest([self.key, self.name, self.params, self.tags, self.points, self.note, held])


def of_study(paths: Paths, models: Iterable[str], settings: Mapping[str, Settings]) -> list[Run]:
    """The runs of each model: its own, then one a language in order of code.

    Args:
        paths: where `metrics/`, `figures/` and `plans/` are.
        models: whose results to show.
        settings: model -> its settings by stage; a model may lack them.

    Raises:
        ResultsError: a model has no results, or unreadable ones.
    """
    return [
        run
        for shade, model in enumerate(models)
        for run in _of_model(paths, ModelResults.read(paths.metrics(model)), settings.get(model, {}), shade)
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


def _of_model(paths: Paths, found: ModelResults, settings: Settings, shade: int) -> Iterator[Run]:
    codes = sorted(found.languages)
    colours = _colours([code for code in codes if code != found.pivot], shade)
    common = flattened(settings)
    yield _whole(paths, found, common, _shaded((0.0, 0.0, 0.0), shade))
    for code in codes:
        yield _in_language(found, code, common, colours.get(code, _shaded((0.35, 0.35, 0.35), shade)))


def _whole(paths: Paths, found: ModelResults, settings: dict[str, str], colour: str) -> Run:
    """The run of a model, with the files."""
    params = _of_results(found) | {"languages": str(len(found.languages))} | settings
    shapes = {f"shape.{corpus}": held.mean.shape for corpus, held in found.alignment.corpora.items()}
    folder = paths.metrics(found.model)
    artifacts = {
        "": [folder / file for file in _FILES if (folder / file).exists()],
        "figures": sorted(path for path in paths.figures(found.model).glob("*") if path.suffix in (".png", ".svg")),
        "plans": _plans(paths, found),
    }
    note = page.of_model(found, {f"figures/{path.name}" for path in artifacts["figures"]})
    tags = {"kind": "model", "model": found.model} | shapes
    shown = points.of_model(found)
    if written(folder, ClaimsSummary, ClaimsMetrics):
        verdicts = ClaimsSummary.read(folder).claims
        tags |= {f"claim.{name}": verdict.code for name, verdict in verdicts.items()}
        shown = sorted(shown + points.of_claims(ClaimsMetrics.read(folder)))
    return Run(found.model, found.model, params, tags, shown, note, colour, artifacts)


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


def _in_language(found: ModelResults, code: str, settings: dict[str, str], colour: str) -> Run:
    language = languages.get(code)
    known = {
        "language": code, "language_name": language.name, "family": language.family, "branch": language.branch,
        "script": language.script, "region": language.region,
        "resource_class": "unknown" if language.resource is None else str(language.resource),
    }  # fmt: skip
    shapes = {
        f"shape.{corpus}": held.languages[code].shape
        for corpus, held in found.alignment.corpora.items()
        if code in held.languages
    }
    return Run(
        f"{found.model}/{code}",
        f"{found.model} {code}",
        _of_results(found) | known | settings,
        {"kind": "language", "model": found.model, "language": code} | shapes,
        points.of_language(found, code),
        page.of_language(found, code),
        colour,
    )


def _of_results(found: ModelResults) -> dict[str, str]:
    """Params that the results themselves tell."""
    about = found.alignment.model
    facts = ("engine", "revision", "dtype", "layers", "experts", "top_k")
    params = {"model": found.model} | {fact: str(value) for fact in facts if (value := getattr(about, fact))}
    params |= {"corpus": ", ".join(found.alignment.corpora), "pivot": found.pivot, "model_digest": about.digest}
    return params | {f"version.{library}": version for library, version in about.versions.items()}


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
