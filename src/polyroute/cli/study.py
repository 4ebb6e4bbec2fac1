"""`polyroute study`: the stages of several models at once, where `dvc repro` runs one stage after another.

The settings of all models first, once; then each model up to where it is asked under many conditions; these sittings,
which take longest, as they come free; at last what is judged and drawn of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from polyroute.ground.errors import PolyrouteError

ASKING = ("steer", "mask")
"""Stages that ask under many conditions, and need one another not."""
AFTER = ("judge", "figures")
"""Stages that come after these."""


class StudyError(PolyrouteError):
    """Stages that failed; the message names them."""


def run(models: Sequence[str], jobs: int) -> None:
    """Bring the results of some models up to date; only what changed is computed.

    Args:
        models: of the study.
        jobs: how many to run at once, each on one thread unless OMP_NUM_THREADS says otherwise.

    Raises:
        StudyError: a stage failed; the others were run as far as they do not need it.
    """
    failed = _repro(["resolve"])
    stages = {} if failed else _stages()
    for phase in _phases({model: stages.get(model, []) for model in models}):
        with ThreadPoolExecutor(jobs) as pool:
            failed += [name for names in pool.map(_repro, phase) for name in names]
        if failed:
            break
    failed += [] if failed else _repro(["track"])
    if failed:
        raise StudyError(
            f"failed: {', '.join(failed)}; what is wrong stands above. What was finished is kept: run it again"
        )


def _phases(stages: dict[str, list[str]]) -> list[list[list[str]]]:
    """Groups of stages that run one after another; of each, lists that may run at once."""

    def of(model: str, names: tuple[str, ...], inside: bool) -> list[str]:
        return [stage for stage in stages[model] if (stage.partition("@")[0] in names) == inside]

    return [
        [of(model, ASKING + AFTER, False) for model in stages],
        [[stage] for model in stages for stage in of(model, ASKING, True)],
        [of(model, AFTER, True) for model in stages],
    ]


def _stages() -> dict[str, list[str]]:
    """Model -> its stages in the order of dvc.yaml, training apart."""
    told = subprocess.run([_dvc(), "stage", "list", "--name-only"], capture_output=True, text=True, check=False)
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
    command = [_dvc(), "--wait-for-lock", "repro", "--single-item", *stages]
    running = {"OMP_NUM_THREADS": "1"} | os.environ
    # Through a pipe: bars of several at once would overwrite one another.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=running) as process:
        assert process.stdout is not None, "it is a pipe"
        for line in process.stdout:
            click.echo(line, nl=False)
    return stages if process.returncode else []


def _dvc() -> str:
    """The command beside this Python, so that it need not be on the PATH."""
    beside = Path(sys.executable).with_name("dvc")
    return str(beside) if beside.exists() else "dvc"
