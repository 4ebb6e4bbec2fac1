"""`polyroute plan`: a steering plan for a model, a task and a language, made and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from polyroute.cli.look import checkpoint, span
from polyroute.ground import console
from polyroute.ground.files import write_atomically
from polyroute.ground.frozen import suggest
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.models import TransformersModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from polyroute.ground.hub import HubSource
    from polyroute.params.file import ParamsFile
    from polyroute.planning.given import Given
    from polyroute.readers.spec import TaskSpec

_BESIDE = 5
"""Languages, the pivot first, in which it is measured what a plan costs, unless others are named."""
_MIDDLE = 12
"""Of the model's languages, in whose divergence from the pivot the middle is looked for."""
_SENTENCES = 400
"""Of generic text that are read."""


@click.command(cls=console.Command)
@click.option("--model", required=True, help="An entry of params.yaml, or the folder of a checkpoint.")
@click.option("--task", required=True, help="An entry of `tasks` in params.yaml.")
@click.option(
    "--for", "targets", multiple=True, required=True, metavar="CODE", help="Language to help; may be given again."
)
@click.option("--beside", multiple=True, metavar="CODE",
              help="Language in which the cost is measured; by default the pivot and four of the model's.")  # fmt: skip
@click.option("--text", help="English in-task text: an entry of `corpora`, or a file with a text a line.")
@click.option("--generic", help="Generic text: an entry of `corpora`; by default the model's own.")
@click.option("--layers", metavar="FIRST-LAST", help="Layers to steer; by default the middle, from divergence.")
@click.option("--items", type=click.IntRange(1), help="Items of each half; by default all.")
@click.option("--draws", type=click.IntRange(19), help="Random plans at most; by default those of the section `steer`.")
@click.option("--time/--no-time", "timed", default=True, show_default=True, help="Measure the time of a token too.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File of the plan; the report goes beside it."
)
def plan(model: str, task: str, targets: tuple[str, ...], out: Path | None, timed: bool, **more: Any) -> None:
    """Make a steering plan for a model, a task and any language it exists in, and check whether it helps.

    Plans are chosen on one half of the items and reported on the other, beside random plans. The plan's file carries
    what was found: what it gains and costs, or that it does not help, or that these items cannot tell.
    docs/steering.md says how to read it.
    """
    from polyroute.planning.make import make
    from polyroute.planning.report import report

    given = _given(params.read(Paths().params), model, task, targets, **more)
    made = make(given, timed=timed)
    out = out or Path("own-plans") / given.name / f"{task}-{'-'.join(targets)}.json"
    made.plan.save(out)
    write_atomically(out.with_suffix(".md"), report(made, out).encode())
    click.echo(str(made.plan))
    click.echo(f"written: {out} and {out.with_suffix('.md')}")


def _given(
    file: ParamsFile, model: str, task: str, targets: Sequence[str], *, beside: Sequence[str], text: str | None,
    generic: str | None, layers: str | None, items: int | None, draws: int | None,
) -> Given:  # fmt: skip
    from polyroute.ground.hub import HubSource, mirror_folder
    from polyroute.languages.table import ENGLISH
    from polyroute.models.load import load
    from polyroute.models.source import locate
    from polyroute.planning.given import Given
    from polyroute.readers.fetch import fetch_task

    if task not in file.tasks:
        raise click.BadParameter(
            f"params.yaml has no task `{task}`; {suggest(task, list(file.tasks))} (docs/your-own.md: how to add one)",
            param_hint="--task",
        )
    name, spec = checkpoint(model)
    entry, run = file.tasks[task], spec if isinstance(spec, TransformersModel) else None
    source, pivot = HubSource(mirror_folder()), file.study.pivot
    others = _others(file, run, entry, pivot, targets, beside)
    corpus = generic or (run.generic if run is not None else None)
    if corpus is None:
        raise click.UsageError(
            f"{name} is no entry of params.yaml, so its generic text is not known: name it with --generic"
        )
    in_task = text or entry.text
    if in_task is None:
        raise click.UsageError(f"tasks.{task}.text names no in-task text: name a corpus or a file with --text")
    own = [] if run is None else file.languages[run.languages][:_MIDDLE]
    read = _generic(file, corpus, list(dict.fromkeys([pivot, ENGLISH, *targets, *others, *own])), source)
    words = _text(file, in_task, source)
    questions, key = fetch_task(task, entry, [*targets, *others], source)
    steer = (run.steer if run is not None else None) or file.steer
    zones = run.zones if run is not None else None
    return Given(
        name=name, loaded=load(name, spec, locate(name, spec)), spec=spec, task=task, questions=questions, key=key,
        score=entry.own_score() or file.score.of(entry.kind), targets=tuple(targets), others=tuple(others),
        generic=read, text=words,
        grid=steer if draws is None else steer.model_copy(update={"draws": draws}),
        asking=(run.evaluate if run is not None else None) or file.evaluate, own=entry.own_asking(),
        middle=span(layers) if layers else (run.middle if run is not None else None),
        default_middle=None if zones is None else zones.middle, items=items, confidence=file.intervals.confidence,
        studies=file.intervals.resamples, seed=file.study.seed, parts=Paths().parts,
    )  # fmt: skip


def _others(
    file: ParamsFile, run: TransformersModel | None, entry: TaskSpec, pivot: str, targets: Sequence[str],
    beside: Sequence[str],
) -> list[str]:  # fmt: skip
    """Languages in which the cost is measured; those that nobody named only as far as the task exists in them."""
    if beside:
        return [code for code in dict.fromkeys(beside) if code not in targets]
    own = [] if run is None else file.languages[run.languages]
    held, _lacking = entry.languages_of(list(dict.fromkeys([pivot, *own])))
    return [code for code in held if code not in targets][:_BESIDE]


def _generic(
    file: ParamsFile, corpus: str, languages: Sequence[str], source: HubSource
) -> Mapping[str, Mapping[str, Any]]:
    """Language -> item id -> text, of those that the corpus has."""
    if corpus not in file.corpora:
        known = suggest(corpus, list(file.corpora))
        raise click.BadParameter(f"params.yaml has no corpus `{corpus}`; {known}", param_hint="--generic")
    covered = file.corpora[corpus].covered()
    return _read(file, corpus, [code for code in languages if covered is None or code in covered], source)


def _text(file: ParamsFile, text: str, source: HubSource) -> Mapping[str, Any]:
    from polyroute.languages.table import ENGLISH
    from polyroute.readers import tables

    if text in file.corpora:
        return _read(file, text, [ENGLISH], source)[ENGLISH]
    path = Path(text)
    if not path.is_file():
        known = suggest(text, list(file.corpora))
        raise click.BadParameter(f"`{text}` is neither a file nor a corpus; {known}", param_hint="--text")
    lines = [line.strip() for line in tables.lines(path)]
    return {f"line {number}": line for number, line in enumerate(lines, start=1) if line}


def _read(file: ParamsFile, corpus: str, languages: Sequence[str], source: HubSource) -> dict[str, dict[str, Any]]:
    from polyroute.artifacts.corpus import TURNS
    from polyroute.readers.fetch import fetch_corpus

    frame = fetch_corpus(corpus, file.corpora[corpus], languages, source)
    kept = set(sorted(frame["item_id"].unique())[:_SENTENCES])
    found: dict[str, dict[str, Any]] = {code: {} for code in languages}
    for row in frame.to_dict("records"):
        if row["item_id"] in kept:
            found[row["language"]][row["item_id"]] = row.get(TURNS) or row["text"]
    return found
