"""One process that brings stages up to date in order, each as `dvc repro --single-item` does; for `polyroute study`.

`dvc repro` reads dvc.lock and writes it anew after every stage, which takes seconds where there are a hundred; here it
is written at the end, and in between at most every `BETWEEN` seconds. What a kill can lose is the note that a stage was
run: that stage is run again. Everything else is DVC's own: what has changed, its cache and its locks.

What becomes of each stage is a line on standard output, an `Event`; other lines are the stages' own.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, Sequence

import click
from dvc.exceptions import DvcException
from dvc.repo import Repo, lock_repo
from dvc.stage import Stage

from polyroute.cli.events import Event

BETWEEN = 30.0


@click.command()
@click.option("--look", multiple=True, metavar="MODEL", help="Then look at a model's stages; '' those of the study.")
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...], look: tuple[str, ...]) -> None:
    """Bring stages up to date in this order; the first that fails ends it.

    Of stages that are looked at it is said whether they have to run as things stand then; none of them is run.
    """
    logging.getLogger("dvc").setLevel(logging.ERROR)
    repo = Repo(_wait_for_lock=True)
    with lock_repo(repo), repo.scm_context():
        stages = {stage.addressing: stage for stage in repo.index.stages if not stage.frozen}
        if code := _bring(stages, names):
            sys.exit(code)
        for name, stage in stages.items():
            if name not in names and name.partition("@")[2] in look:
                click.echo(Event("changed" if stage.changed() else "unchanged", name))


def _bring(stages: Mapping[str, Stage], names: Sequence[str]) -> int:
    ran: list[Stage] = []
    written = time.monotonic()
    try:
        for name in names:
            click.echo(Event("begun", name))
            try:
                done = stages[name].reproduce() is not None
            except DvcException as error:
                click.echo(f"{name}: {error}")
                click.echo(Event("failed", name))
                return 1
            click.echo(Event("done" if done else "unchanged", name))
            ran += [stages[name]] if done else []
            if time.monotonic() - written > BETWEEN:
                _write(ran)
                written = time.monotonic()
    finally:
        _write(ran)
    return 0


def _write(ran: list[Stage]) -> None:
    """Note in dvc.lock what was run, once."""
    if ran:
        ran[0].dvcfile.dump_stages(ran, update_pipeline=False)
    ran.clear()


if __name__ == "__main__":
    main()
