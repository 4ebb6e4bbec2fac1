"""Figures and tables of models that never were, and readers of what they show."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from polyroute.ground.paths import Paths
from polyroute.report import figures
from polyroute.results.model import ModelResults
from report import plausible, plausible_languages, plausible_tasks


def task_figures(
    root: Path, count: int = 6, layers: int = 8, *, of: ModuleType | None = None, **arguments
) -> figures.Drawn:
    """Draw everything of a model with two tasks, or one subject alone."""
    paths = Paths(root)
    measures = ("divergence", "alignment", "entropy", "consistency")
    codes = plausible.write(paths, "tiny", count, layers, measures=measures, readings=("soft_mass",))
    plausible_tasks.write(paths, "tiny", codes, layers, **arguments)
    results = ModelResults.read(paths.metrics("tiny"))
    if of is None:
        return figures.draw(paths, results)
    paths.figures("tiny").mkdir(parents=True)
    files, missing = of.draw(paths.figures("tiny"), results)
    return figures.Drawn(tuple(files), tuple(missing))


def language_figures(of: ModuleType, root: Path, count: int, layers: int, **arguments) -> tuple[list[Path], list[str]]:
    """Draw one subject of a model whose languages are compared: its files, and what is missing."""
    paths = Paths(root)
    codes = plausible.write(paths, "tiny", count, layers, measures=("divergence",), readings=("soft_mass",))
    plausible_languages.write(paths, "tiny", ["eng_Latn", *codes], layers, **arguments)
    folder = paths.figures("tiny")
    folder.mkdir(parents=True)
    return of.draw(folder, ModelResults.read(paths.metrics("tiny")))


def told(root: Path, stem: str) -> str:
    """A figure's text. Letters are outlines in the file; matplotlib keeps the text as comments."""
    return (root / "figures" / "tiny" / f"{stem}.svg").read_text(encoding="utf-8")


def measure(paths: Paths, model: str, count: int = 6, **arguments) -> None:
    """Results of a model with two tasks."""
    codes = plausible.write(paths, model, count, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(paths, model, codes, 8, **arguments)


def cells(table: str, model: str, task: str) -> dict[str, str]:
    """A row by column."""
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return next(dict(zip(head, row, strict=True)) for row in rows if row[:2] == [model, task])


def rows(table: str) -> list[dict[str, str]]:
    """Every row by column."""
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


@contextmanager
def svg_alone() -> Iterator[None]:
    """An empty file as PNG, and the page not measured: what is on it is read in its SVG, which so is drawn once."""
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

    render = Figure.savefig

    def savefig(figure: Figure, path: Path, **how: Any) -> None:
        if path.suffix == ".png":
            path.touch()
        else:
            render(figure, path, **how)

    with (
        patch.object(Figure, "savefig", savefig),
        patch.object(Figure, "draw_without_rendering"),
        patch.object(Figure, "get_tightbbox", lambda figure: Bbox.from_bounds(0, 0, *figure.get_size_inches())),
    ):
        yield
