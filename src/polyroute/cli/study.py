"""`polyroute study`: the stages of several models at once, where `dvc repro` runs one stage after another.

The settings of all models first, once; then each model up to where it is run many times, these stages side by side, and
what is judged and drawn of them. A model's next part begins as soon as there is room.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

import click

from polyroute.ground import repository
from polyroute.ground.errors import PolyrouteError

LONG = ("draw", "steer", "mask")
"""Stages that run a model many times, and need one another not."""
AFTER = ("nulls", "judge", "claims", "multiverse", "figures")
"""Stages that come after these."""


class StudyError(PolyrouteError):
    """Stages that failed; the message names them."""


def run(models: Sequence[str], jobs: int) -> None:
    """Bring the results of some models up to date; only what changed is computed.

    Args:
        models: of the study.
        jobs: how many to run at once, each on one thread unless OMP_NUM_THREADS says otherwise.

    Raises:
        RepositoryError: the study is in no git repository.
        StudyError: a stage failed; the others were run as far as they do not need it.
    """
    repository.check()
    failed = _repro(["resolve"])
    if not failed:
        stages = _stages()
        failed = _run({model: _parts(stages.get(model, [])) for model in models}, jobs)
    failed += [] if failed else _repro(["track"])
    if failed:
        raise StudyError(
            f"failed: {', '.join(failed)}; what is wrong stands above. What was finished is kept: run it again"
        )


def _parts(stages: list[str]) -> list[list[list[str]]]:
    """The parts of a model that follow one another; of each, lists of stages that may run at once."""

    def of(names: tuple[str, ...], inside: bool) -> list[str]:
        return [stage for stage in stages if (stage.partition("@")[0] in names) == inside]

    parts = [[of(LONG + AFTER, False)], [[stage] for stage in of(LONG, True)], [of(AFTER, True)]]
    return [[names for names in part if names] for part in parts]


def _run(parts: dict[str, list[list[list[str]]]], jobs: int) -> list[str]:
    """Run every model's parts, so many lists at once; the stages of lists that failed."""
    failed: list[str] = []
    with ThreadPoolExecutor(jobs) as pool:
        running: dict[Future[list[str]], str] = {}

        def begin(model: str) -> None:
            """The next part of a model, unless one of its lists is still running or has failed."""
            while parts[model] and model not in running.values():
                running.update({pool.submit(_repro, names): model for names in parts[model].pop(0)})

        for model in parts:
            begin(model)
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                model = running.pop(future)
                if future.result():
                    failed += future.result()
                    parts[model] = []
                begin(model)
    return failed


def _stages() -> dict[str, list[str]]:
    """Model -> its stages in the order of dvc.yaml, training apart."""
    told = subprocess.run([dvc(), "stage", "list", "--name-only"], capture_output=True, text=True, check=False)
    if told.returncode:
        raise StudyError(f"`dvc stage list` failed: {told.stderr.strip() or told.stdout.strip()}")
    found: dict[str, list[str]] = {}
    for name in told.stdout.split():
        stage, _, model = name.partition("@")
        if model and stage != "train-pocket":
            found.setdefault(model, []).append(name)
    return found


def _repro(stages: list[str]) -> list[str]:
    """Run stages; the list again if one fails."""
    if not stages:
        return []
    command = [dvc(), "--wait-for-lock", "repro", "--single-item", *stages]
    running = {"OMP_NUM_THREADS": "1"} | os.environ
    # Through a pipe: bars of several at once would overwrite one another.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=running) as process:
        assert process.stdout is not None, "it is a pipe"
        for line in process.stdout:
            click.echo(line, nl=False)
    return stages if process.returncode else []


def dvc() -> str:
    """The command beside this Python, so that it need not be on the PATH."""
    beside = Path(sys.executable).with_name("dvc")
    return str(beside) if beside.exists() else "dvc"
