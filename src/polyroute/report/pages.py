"""Pages that show tables of results, as docs/results.md does, and how the tables get there.

A table stands between two marks, and everything between them is written anew:

    <!-- table: Accuracy -->
    ...
    <!-- end -->

README.md shows the board as a picture, `docs/images/board.svg`, of the models that `make study` runs.

Tables are of every model that has been measured, in the order of params.yaml, so that a page does not depend on which
models the study names at the moment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from polyroute.claims.claim import read_claims
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically
from polyroute.ground.paths import Paths
from polyroute.params.file import ParamsFile
from polyroute.params.models import TransformersModel
from polyroute.report import calibration, correlation, decisions, distances, findings, settings, steering, words
from polyroute.report.board_picture import picture
from polyroute.report.words import NONE
from polyroute.results.alignment import OverLanguages
from polyroute.results.claims import ClaimsSummary
from polyroute.results.model import ModelResults
from polyroute.results.nulls import NullsSummary
from polyroute.results.table import written

PAGES = (
    "docs/results.md", "docs/languages.md", "docs/pocket-models.md", "docs/published.md", "docs/decisions.md",
    "docs/turns.md",
)  # fmt: skip
"""Those of this repository."""
BOARD = "docs/images/board.svg"
_PLACE = re.compile(r"<!-- table: (.+?) -->\n(.*?)<!-- end -->", re.DOTALL)
_OPEN = re.compile("<!-- table: (.+?) -->")


class PageError(PolyrouteError):
    """A page that cannot be filled."""


def tables(file: ParamsFile, paths: Paths) -> dict[str, str]:
    """Title -> table, of all that a page may show; of those without a row the head alone.

    Raises:
        PolyrouteError: nothing has been measured, or no pocket model.
        ResultsError: a file is not as declared.
    """
    measured = findings.gather(paths, list(file.models))
    readings = calibration.calibrate(file, paths)
    multiverses = decisions.gather(paths, list(file.models))
    return {
        "In short": headline_table(measured),
        **findings.every_table(measured),
        "Recorded distances": distances.distances_table(distances.gather(paths, list(file.distances))),
        "Calibration": calibration.verdicts(readings),
        "Calibration by layer": calibration.by_layer(readings),
        "Calibration on tasks": calibration.task_table(calibration.on_tasks(file, paths)),
        "Published settings": settings.example(file),
        "Headlines over open choices": decisions.headlines(read_claims(paths.claims), multiverses),
        "Open choices": decisions.choices_table(file, multiverses, measured),
        "Verdicts over open choices": decisions.moves_table(multiverses),
    }


def headline_table(measured: Sequence[ModelResults]) -> str:
    """A row a model: shape of divergence, most aligned layer, and of its first task accuracy, correlation, steering."""
    columns = ["model", "divergence", "alignment", "task", "accuracy", "correlation", "steering"]
    rows = []
    for one in measured:
        corpus, held = next(iter(one.alignment.corpora.items()))
        peak = _peak(held.over_languages, one.null(corpus))
        rows.append([one.model, words.shape(held.over_languages), peak, *_first_task(one)])
    return words.markdown(columns, rows)


def _peak(found: OverLanguages, null: NullsSummary | None) -> str:
    """The most aligned layer, and whether alignment lies beyond random initialisations."""
    if found.aligned_layers is None:
        return NONE
    verdict = words.NULLS["not_run" if null is None else null.verdict]
    return f"{found.peak.value:.2f} in layer {found.peak.layer}, {verdict}"


def _first_task(one: ModelResults) -> list[str]:
    """The first task of a model, and what was found on it; dashes where nothing was."""
    tasks = {} if one.accuracy is None else one.accuracy.tasks
    if not tasks:
        return [NONE] * 4
    task, held = next(iter(tasks.items()))
    cells = [task, f"{words.percent(held.pivot)} / {words.percent(held.others)}", NONE, NONE]
    if (zone := correlation.middle(one.correlations, task)) is not None and zone.r is not None:
        cells[2] = f"{words.coefficient(zone.r)} in the middle zone"
    if one.steering is not None and task in steering.ran(one.steering):
        chosen = steering.row(steering.pooled(one.steering, task), "chosen")
        cells[3] = NONE if chosen is None else words.points_with_interval(chosen)
    return cells


def fill(page: str, found: Mapping[str, str], name: str = "the page") -> str:
    """A page with its tables as they are now.

    Args:
        page: its text.
        found: title -> table.
        name: of the page, for messages.

    Raises:
        PageError: a title is unknown, or a mark is not closed.
    """
    for title, between in _PLACE.findall(page):
        if title not in found:
            raise PageError(f"{name}: there is no table `{title}`; there are {', '.join(found)}")
        if _OPEN.search(between):
            raise PageError(f"{name}: table `{title}` has no end; write <!-- end --> below it")
    if left := _OPEN.search(_PLACE.sub("", page)):
        raise PageError(f"{name}: table `{left[1]}` has no end; write <!-- end --> below it")
    return _PLACE.sub(lambda place: f"<!-- table: {place[1]} -->\n\n{found[place[1]]}\n\n<!-- end -->", page)


def board(file: ParamsFile, paths: Paths) -> str:
    """The board of the models that `make study` runs and whose claims have verdicts, those that it only reads first.

    Raises:
        ResultsError: a file is not as declared.
    """
    models = [model for model in file.study.models if model not in file.study.extra]
    read = [model for model in models if not isinstance(file.models[model], TransformersModel)]
    order = dict.fromkeys([*read, *file.study.distances, *models])
    there = [model for model in order if written(paths.metrics(model), ClaimsSummary)]
    verdicts = {model: ClaimsSummary.read(paths.metrics(model)) for model in there}
    return picture(read_claims(paths.claims), verdicts)


def write(file: ParamsFile, paths: Paths) -> list[str]:
    """Bring the tables of all pages and the picture of the board up to date.

    Returns:
        Names of the files that changed.

    Raises:
        PageError: a page is missing, or cannot be filled.
        PolyrouteError: as `tables`.
    """
    found = tables(file, paths)
    changed = []
    image, drawn = paths.root / BOARD, board(file, paths)
    if not image.is_file() or image.read_text(encoding="utf-8") != drawn:
        image.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(image, drawn.encode())
        changed.append(BOARD)
    for name in PAGES:
        path = paths.root / name
        if not path.is_file():
            raise PageError(f"{name} is missing: run this in the root of the repository")
        before = path.read_text(encoding="utf-8")
        after = fill(before, found, name)
        if after != before:
            write_atomically(path, after.encode())
            changed.append(name)
    return changed
