"""`polyroute study`: the stages of several models at once, where `dvc repro` runs one stage after another.

The settings of all models first, once. Models that are read and not run come first, since their results are there in
a minute; then each of the others up to where it is run many times, these stages side by side, and what is judged and
drawn of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from polyroute.cli.events import Event
from polyroute.ground import repository
from polyroute.ground.errors import PolyrouteError

LONG = ("draw", "steer", "mask")
"""Stages that run a model many times, and need one another not; the longest first."""
AFTER = ("nulls", "judge", "claims", "multiverse", "figures")
"""Stages that come after these."""
LAST = ("report", "track")
"""Stages of the whole study."""
SECONDS = {
    "trace": 35,
    "draw": 70,
    "evaluate": 20,
    "tune": 40,
    "steer": 140,
    "mask": 30,
    "judge": 15,
    "multiverse": 20,
    "figures": 12,
}
"""What a stage takes of one processor for a pocket model; only the proportions count once some are done."""
LIGHT = 3
"""What any other takes, with what DVC does about it."""

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    # Let glibc keep what a batch frees: asking the kernel for zeroed pages at each takes a fifth of a trace's time.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 31),
    "MALLOC_TOP_PAD_": str(1 << 26),
}
"""What stages run with, unless the user's own environment says otherwise."""


class StudyError(PolyrouteError):
    """Stages that failed; the message names them."""


class Batch(NamedTuple):
    """Stages of a model that one process brings up to date, in this order."""

    model: str
    stages: tuple[str, ...]


def run(
    models: Sequence[str], jobs: int, *, read: Collection[str] = (), first: Callable[[], None] = lambda: None
) -> None:
    """Bring the results of some models up to date; only what changed is computed.

    Args:
        models: of the study.
        jobs: how many batches of stages to run at once, each on one thread unless OMP_NUM_THREADS says otherwise.
        read: those of `models` that no stage runs, recorded elsewhere.
        first: called once these are done, if there are any and others are still to be run.

    Raises:
        RepositoryError: the study is in no git repository.
        StudyError: a stage failed; the others were run as far as they do not need it.
    """
    repository.check()
    failed, changes = _resolve_and_look(models)
    if not failed:
        changed = {name for name, is_changed in changes.items() if is_changed}
        stages: dict[str, list[str]] = {model: [] for model in models}
        for name in changes:
            stages.setdefault(name.partition("@")[2], []).append(name)
        whole = stages.get("", [])
        # No model reads what is of another: one of which nothing has changed is up to date.
        parts = {
            model: _parts(model, stages[model], model in read)
            for model in sorted(models, key=lambda model: model not in read)
            if changed.intersection(stages[model])
        }
        every = [stage for batches in parts.values() for part in batches for batch in part for stage in batch.stages]
        if every or changed:
            with _display([*every, *whole], read, jobs) as display:
                tell_first = first if set(models).intersection(read) else lambda: None
                running = _Running(parts, jobs, display.tell, set(parts).intersection(read), tell_first)
                failed = running.run() or _bring(whole, display.tell)
    if failed:
        raise StudyError(
            f"failed: {', '.join(failed)}; what is wrong stands above. What was finished is kept: run it again"
        )


def _parts(model: str, stages: Sequence[str], is_read: bool) -> list[list[Batch]]:
    """The parts of a model that follow one another; of each, the batches that may run at once."""

    def of(names: tuple[str, ...], inside: bool) -> tuple[str, ...]:
        return tuple(stage for stage in stages if (stage.partition("@")[0] in names) == inside)

    if is_read:
        parts = [[tuple(stages)]]
    else:
        parts = [[of(LONG + AFTER, False)], [(stage,) for stage in of(LONG, True)], [of(AFTER, True)]]
    batches = [[Batch(model, names) for names in part if names] for part in parts]
    return [part for part in batches if part]


@dataclass
class _Running:
    """Batches that run, those that may, and those that wait for them."""

    parts: dict[str, list[list[Batch]]]
    jobs: int
    tell: Callable[[Event], None]
    awaited: set[str]
    """Models whose end is the time for `first`."""
    first: Callable[[], None]
    ready: list[Batch] = field(default_factory=list)
    running: dict[Future[list[str]], Batch] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Run all; the stages that failed."""
        for model in self.parts:
            self._next(model)
        if not self.awaited and self.ready:
            self.first()
        with ThreadPoolExecutor(self.jobs) as pool:
            while self.ready or self.running:
                while len(self.running) < self.jobs and (batch := self._pick()) is not None:
                    self.ready.remove(batch)
                    self.running[pool.submit(_bring, batch.stages, self.tell)] = batch
                done, _ = wait(self.running, return_when=FIRST_COMPLETED)
                for future in done:
                    self._finish(self.running.pop(future), future.result())
        return self.failed

    def _pick(self) -> Batch | None:
        """What to begin: of the first model that has anything, so that its results come soon.

        Of the last models, as many as run at once, what takes longest with all that follows it, so that they end
        together. Not the random initialisations of two models at once: most often these are the same.
        """
        busy = any(stage.startswith("draw@") for batch in self.running.values() for stage in batch.stages)
        order = list(self.parts)
        waiting = {one.model for one in self.ready} | {model for model, parts in self.parts.items() if parts}
        if len(waiting) > self.jobs:
            ready = sorted(self.ready, key=lambda one: order.index(one.model))
        else:
            ready = sorted(self.ready, key=self._seconds_to_end, reverse=True)
        return next((one for one in ready if not (busy and one.stages[0].startswith("draw@"))), None)

    def _seconds_to_end(self, batch: Batch) -> float:
        """What a batch takes, and of what follows it in its model the longest of each part."""

        def seconds(one: Batch) -> float:
            return sum(_seconds(stage) for stage in one.stages)

        return seconds(batch) + sum(max(map(seconds, part)) for part in self.parts[batch.model])

    def _next(self, model: str) -> None:
        if self.parts[model]:
            self.ready += self.parts[model].pop(0)

    def _finish(self, batch: Batch, failed: list[str]) -> None:
        self.failed += failed
        if failed:
            self.parts[batch.model] = []
        if any(other.model == batch.model for other in [*self.running.values(), *self.ready]):
            return
        self._next(batch.model)
        if batch.model in self.awaited and not any(one.model == batch.model for one in self.ready):
            self.awaited.remove(batch.model)
            if not self.awaited and not self.failed and (self.ready or self.running):
                self.first()


def _resolve_and_look(models: Sequence[str]) -> tuple[list[str], dict[str, bool]]:
    """Settings brought up to date, and what then has to run, in one process: loading DVC takes it seconds.

    Returns:
        `resolve`, if it failed; and stage -> whether it has to run, in the order of dvc.yaml: of the models, and those
        of the whole study.
    """
    changes: dict[str, bool] = {}

    def take(event: Event) -> None:
        if event.fate in ("changed", "unchanged") and event.stage != "resolve":
            changes[event.stage] = event.fate == "changed"

    return _bring(("resolve",), take, look=("", *models)), changes


def _bring(stages: Sequence[str], tell: Callable[[Event], None], look: Sequence[str] = ()) -> list[str]:
    """Bring stages up to date, in one process; those that failed or could not begin.

    Args:
        stages: in their order.
        tell: called with what becomes of each, and with what is looked at.
        look: models to look at afterwards; an empty name stands for the whole study.
    """
    if not stages:
        return []
    beside = Path(sys.executable).parent
    environment = ENVIRONMENT | os.environ | {"PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', '')}"}
    failed: list[str] = []
    command = [*_bringing(), *(f"--look={model}" for model in look), *stages]
    # Through a pipe: bars of several at once would overwrite one another.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as process:
        assert process.stdout is not None, "it is a pipe"
        for line in process.stdout:
            if (event := Event.read(line)) is None:
                click.echo(line, nl=False)
                continue
            tell(event)
            failed += [event.stage] if event.fate == "failed" else []
    return failed or (list(stages) if process.returncode else [])


@dataclass
class _Display:
    """One bar for the whole study: what is under way, how many stages are done, and the time left."""

    bar: Progress
    task: TaskID
    weights: Mapping[str, float]
    under_way: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def tell(self, event: Event) -> None:
        """Take note of what became of a stage; called from several threads."""
        with self.lock:
            if event.fate == "begun":
                self.under_way.append(event.stage)
            else:
                self.under_way.remove(event.stage)
                self.bar.advance(self.task, self.weights.get(event.stage, LIGHT))
                self.bar.update(self.task, done=self.bar.tasks[self.task].fields["done"] + 1)
            self.bar.update(self.task, description=", ".join(self.under_way))


@contextmanager
def _display(stages: Sequence[str], read: Collection[str], jobs: int) -> Iterator[_Display]:
    weights = {stage: _seconds(stage, read) for stage in stages}
    minutes = max(1, round(sum(weights.values()) / jobs / 60))
    click.echo(
        f"{len(stages)} stages, {jobs} at once: about {minutes} min on a laptop's processor if all must run; what is "
        "up to date is skipped"
    )
    columns = (
        TextColumn("{task.fields[done]} of {task.fields[all]} stages"), BarColumn(), TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )  # fmt: skip
    # The time left is told by the mean speed so far: stages are of very unlike lengths.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, speed_estimate_period=3600)
    bar.disable = not bar.console.is_terminal
    with bar:
        task = bar.add_task("", total=sum(weights.values()), done=0, all=len(stages))
        yield _Display(bar, task, weights)


def _seconds(stage: str, read: Collection[str] = ()) -> float:
    kind, _, model = stage.partition("@")
    return LIGHT if model in read else SECONDS.get(kind, LIGHT)


def _bringing() -> list[str]:
    return [sys.executable, "-W", "ignore", "-m", "polyroute.cli.stages"]
