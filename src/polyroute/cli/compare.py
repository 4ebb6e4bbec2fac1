"""`polyroute compare`: two checkpoints of one shape, from their traces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from polyroute.ground import console
from polyroute.ground.paths import Paths
from polyroute.params import file as params

if TYPE_CHECKING:
    from polyroute.comparing.compare import Answered, Comparison
    from polyroute.comparing.sides import Side
    from polyroute.ground.layers import Zones
    from polyroute.params.file import ParamsFile


@click.command(cls=console.Command)
@click.argument("one")
@click.argument("other")
@click.option("--corpus", help="Which text; by default the one that both have in most languages.")
@click.option("--pivot", help="Language that D is measured from; by default the study's, or eng_Latn.")
@click.option("--tau", type=click.FloatRange(0, 1, max_open=True), default=0.3, show_default=True,
              help="Delta above which an expert is specialised.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write comparison.json and a picture.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def compare(
    one: str, other: str, corpus: str | None, pivot: str | None, tau: float, out: Path | None, as_json: bool
) -> None:
    """Say how routing differs between two checkpoints, such as a base model ONE and its fine-tuned child OTHER.

    Each is an entry of params.yaml that was traced, or a folder of traces (<corpus>/<language>.safetensors). Both must
    be of one shape and on the same sentences. docs/models.md says how to read it.
    """
    from polyroute.comparing import compare as comparing
    from polyroute.comparing import words
    from polyroute.comparing.sides import pair

    file = params.read(Paths().params) if Paths().params.is_file() else None
    sides = _side(one, file), _side(other, file)
    pivot = pivot or (file.study.pivot if file is not None else "eng_Latn")
    found = comparing.compare(
        pair(*sides, corpus=corpus, pivot=pivot), zones=_zones(file, one, other), tau=tau,
        confidence=0.95 if file is None else file.intervals.confidence,
        seed=0 if file is None else file.study.seed, answered=_answered(file, one, other),
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(found.plain(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        click.echo(f"{words.answer(found)}\n\n{words.details(found)}")
    if out is not None:
        _write(out, found)
        click.echo(f"written: {out}", err=as_json)


def _write(out: Path, found: Comparison) -> None:
    from polyroute.comparing import words
    from polyroute.ground.files import write_json
    from polyroute.report.checkpoints_figure import draw

    write_json(out / "comparison.json", found.plain())
    draw(out / "comparison", found, words.routing(found))


def _side(name: str, file: ParamsFile | None) -> Side:
    from polyroute.comparing.sides import CompareError, Side

    folder = Path(name)
    if file is not None and name in file.models:
        return Side(name, Paths().traces(name))
    if folder.is_dir():
        return Side(folder.resolve().name, folder)
    if file is not None and len(folder.parts) == 1:
        file.model(name)  # an error that says what is close
    raise CompareError(f"{name} is neither a folder of traces nor an entry of `models` in a params.yaml here")


def _zones(file: ParamsFile | None, *names: str) -> Zones | None:
    """Those of the first entry that says them."""
    specs = [] if file is None else [file.models[name] for name in names if name in file.models]
    return next((spec.zones for spec in specs if spec.zones is not None), None)


def _answered(file: ParamsFile | None, one: str, other: str) -> Answered | None:
    from polyroute.comparing.compare import Answered
    from polyroute.params.models import TransformersModel

    if file is None or one not in file.models or other not in file.models:
        return None
    spec = file.models[one]
    scores = {}
    if isinstance(spec, TransformersModel):
        scores = {
            task: entry.own_score() or file.score.of(entry.kind)
            for task, entry in ((task, file.tasks[task]) for task in spec.tasks)
        }
    return Answered(Paths().scored(one, "baseline"), Paths().scored(other, "baseline"), scores)
