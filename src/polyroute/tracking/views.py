"""Views of the charts that a new user looks for, in the menu `Views` of the experiment's page.

MLflow keeps a view that somebody saves as a tag of the experiment: name, and the state of the page as JSON. Ours say
which runs are drawn, in one large chart each, so that they are two clicks away.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from polyroute.tracking import points
from polyroute.tracking.runs import DRAWN, Run

_PREFIX = "mlflow.sharedViewState."
_MOST = 20
"""Views of a kind at most, so that the menu can be read."""
_HEIGHT = 560
"""Pixels of a large chart; MLflow's own are 360, three in a row."""


@dataclass(frozen=True)
class View:
    """A view, as MLflow keeps it."""

    name: str
    search: str
    """MLflow's filter of runs."""
    charts: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Kind (`LINE` or `BAR`), title and metrics of each chart."""
    place: int
    """In the menu, the first 0."""

    @property
    def key(self) -> str:
        """What an address calls it by (`viewStateShareKey`)."""
        return hashlib.sha256(f"polyroute {self.name}".encode()).hexdigest()[:16]

    @property
    def tag(self) -> str:
        """Name of the experiment's tag."""
        return _PREFIX + self.key

    @property
    def value(self) -> str:
        """Of the tag. The menu shows the newest view first: dates, made up, keep our order."""
        made = 1_700_000_000_000 - self.place
        return json.dumps({"name": self.name, "createdAt": made, "updatedAt": made, "state": json.dumps(self._state())})

    def _state(self) -> dict[str, Any]:
        sections = [self._id(f"section {title}") for _, title, _ in self.charts]
        cards = []
        for section, (kind, title, metrics) in zip(sections, self.charts, strict=True):
            card = {
                "uuid": self._id(f"chart {title}"), "type": kind, "metricSectionId": section, "deleted": False,
                "isGenerated": False, "displayName": title, "metricKey": metrics[0],
                "selectedMetricKeys": list(metrics), "runsCountToCompare": DRAWN,
            }  # fmt: skip
            if kind == "LINE":
                card |= {
                    "xAxisKey": "step", "xAxisScaleType": "linear", "scaleType": "linear", "lineSmoothness": 0,
                    "selectedXAxisMetricKey": "", "yAxisKey": "metric", "yAxisExpressions": [], "range": {},
                    "useGlobalXaxisKey": False, "useGlobalLineSmoothing": False, "displayPoints": True,
                }  # fmt: skip
            cards.append(card)
        return {
            "searchFilter": self.search,
            "compareRunCharts": cards,
            "compareRunSections": [
                {
                    "uuid": section, "name": title, "display": True, "isReordered": True, "deleted": False,
                    "isGenerated": False, "columns": 1, "cardHeight": _HEIGHT,
                }
                for section, (_, title, _) in zip(sections, self.charts, strict=True)
            ],
            "isAccordionReordered": True, "autoRefreshEnabled": False, "hideEmptyCharts": True,
        }  # fmt: skip

    def _id(self, what: str) -> str:
        return str(uuid.UUID(hashlib.sha256(f"{self.name} {what}".encode()).hexdigest()[:32]))


def of_study(runs: Sequence[Run]) -> list[View]:
    """Views of a study: ten languages of each model, baseline against steered, two models in one language, all models.

    Args:
        runs: as they are listed.
    """
    kinds = [list(made(runs)) for made in (_of_models, _steered, _in_one_language, _all_models)]
    # The first of each kind, then the rest: the menu shows nine before it is scrolled.
    found = [some[0] for some in kinds if some] + [one for some in kinds for one in some[1:]]
    return [View(name, search, charts, place) for place, (name, search, charts) in enumerate(found)]


_Made = tuple[str, str, tuple[tuple[str, str, tuple[str, ...]], ...]]


def _of_models(runs: Sequence[Run]) -> Iterator[_Made]:
    """`Languages of <model>`."""
    for model in _models(runs)[:_MOST]:
        curves = _curves([run for run in runs if run.tags["model"] == model and run.tags["kind"] == "language"])
        if curves:
            yield f"Languages of {model}", f"tags.kind = 'language' and tags.model = '{model}'", curves


def _steered(runs: Sequence[Run]) -> Iterator[_Made]:
    """`Baseline against steered, <model>`, a chart a task."""
    for model in _models(runs)[:_MOST]:
        names = {name for run in runs if run.tags["model"] == model for name, _, _ in run.points}
        pairs = sorted(name for name in names if name.startswith(f"{points.name('steering')}/") and " 1 " in name)
        charts = tuple(
            ("BAR", f"Accuracy in {one.split('/')[-2]}", (one, one.replace("1 baseline", "2 steered"))) for one in pairs
        )
        if charts:
            yield f"Baseline against steered, {model}", f"tags.kind != 'model' and tags.model = '{model}'", charts


def _in_one_language(runs: Sequence[Run]) -> Iterator[_Made]:
    """`Models in <language>`, of languages that two models have."""
    by_code: dict[str, list[Run]] = {}
    for run in runs:
        if run.tags["kind"] == "language":
            by_code.setdefault(run.tags["language"], []).append(run)
    several = [(code, some) for code, some in by_code.items() if len(some) > 1]
    for code, some in several[:_MOST]:
        if curves := _curves(some):
            language = some[0].params["language_name"]
            yield f"Models in {language}", f"tags.kind = 'language' and tags.language = '{code}'", curves


def _all_models(runs: Sequence[Run]) -> Iterator[_Made]:
    """`All models`."""
    if curves := _curves([run for run in runs if run.tags["kind"] == "model"]):
        yield "All models", "tags.kind = 'model'", curves


def _models(runs: Sequence[Run]) -> list[str]:
    return list(dict.fromkeys(run.tags["model"] for run in runs))


def _curves(runs: Sequence[Run]) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """A large chart of divergence and one of alignment for each corpus."""
    shown = {name for run in runs for name in run.headlines}
    held = {name for run in runs for name, _, _ in run.points}
    titles = {name: name.split("/")[-1].partition(".") for name in sorted(shown & held)}
    return tuple(
        ("LINE", f"{'Alignment' if 'alignment' in name else 'Divergence'} by layer, {corpus} ({reading})", (name,))
        for name, (reading, _, corpus) in titles.items()
    )
