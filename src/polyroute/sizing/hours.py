"""Hours of each stage of a study on so many GPUs, from its workload and two speeds.

    seconds   tokens read / reading + tokens written / writing, and the files read once a stage

divided by the copies of the model that run beside one another. A copy's layers lie on as many GPUs as it needs and run
one after another, so that it is as fast as one of them; GPUs beyond a whole number of copies are idle. Within a stage
copies share the work only where an engine hands it out (docs/cluster.md), else one copy runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from polyroute.sizing import speed
from polyroute.sizing.memory import Disk, Memory, disk, gpus_needed, memory, share
from polyroute.sizing.shape import ModelShape, SizingError
from polyroute.sizing.speed import Device, Dtype, Step
from polyroute.sizing.weights import Weights, cache_bytes, stored_bytes, weights
from polyroute.sizing.workload import Job, Stage, Workload

LOADING = 1e9
"""Bytes a second that checkpoints are read with, of a fast disk; taken."""

Reading = Callable[[float], float]
"""Tokens a second, by the length of a text."""
Writing = Callable[[int, float], Step]
"""A step, by texts beside one another and their length."""


@dataclass(frozen=True)
class Machines:
    """What there is to run on."""

    device: Device
    gpus: int = 1
    """On each node."""
    nodes: int = 1


@dataclass(frozen=True)
class StageTime:
    """One stage: what it reads and writes, and how long it takes."""

    stage: Stage
    read: tuple[float, float]
    """Tokens, fewest and most; so the next two."""
    written: tuple[float, float]
    hours: tuple[float, float]


@dataclass(frozen=True)
class Estimate:
    """All that is said of a study of one model."""

    name: str
    shape: ModelShape
    dtype: Dtype
    machines: Machines
    work: Workload
    weights: Weights
    cache_bytes: float
    """Of one token."""
    memory: Memory
    disk: Disk
    gpus: int
    """That one copy of the model needs."""
    copies: int
    """That run beside one another; 0 where not one fits."""
    batch_tokens: int
    """Of a batch, halved as often as memory asks for."""
    reading: float
    """Tokens a second of one copy, of texts as long as the study's."""
    step: Step
    """Of the longest answers that the study writes, or of 32 texts."""
    stages: tuple[StageTime, ...] = field(default=())

    @property
    def hours(self) -> tuple[float, float]:
        """Of all stages that run the model."""
        return sum(one.hours[0] for one in self.stages), sum(one.hours[1] for one in self.stages)


def estimate(
    name: str,
    shape: ModelShape,
    work: Workload,
    machines: Machines,
    dtype: Dtype,
    *,
    reading: Reading | None = None,
    writing: Writing | None = None,
) -> Estimate:
    """What a study of a model takes.

    Args:
        name: of the model.
        shape: its shape.
        work: what the study runs.
        machines: what it runs on.
        dtype: of the weights.
        reading: speeds that were measured; None takes those of `speed`.
        writing: likewise.

    Raises:
        SizingError: no GPU, or no node.
    """
    if machines.gpus < 1 or machines.nodes < 1:
        raise SizingError("an estimate needs at least one GPU on at least one node")
    on = machines.device
    read = reading or (lambda length: speed.reading(shape, on, dtype, length))
    write = writing or (lambda rows, length: speed.writing(shape, on, dtype, rows, length))
    needed = memory(shape, dtype, work.batch_tokens)
    gpus = gpus_needed(needed, on)
    total = machines.gpus * machines.nodes
    copies = machines.nodes * (machines.gpus // gpus) if gpus <= machines.gpus else total // gpus
    counted = weights(shape)
    # GPUs that no further copy can use still hold a part of the batch.
    spread = (
        gpus if not copies else total // copies if gpus > machines.gpus else machines.gpus // (machines.gpus // gpus)
    )
    batch = int(work.batch_tokens * share(needed, on, spread))
    times = []
    for stage in dict.fromkeys(job.stage for job in work.jobs):
        jobs = [job for job in work.jobs if job.stage == stage]
        if stage == "draw" and (counted.total > work.most_weights):
            continue
        loaded = 0 if stage == "draw" else stored_bytes(shape, dtype) / LOADING
        times.append(_stage(stage, jobs, batch, read, write, loaded, max(copies, 1)))
    longest = max((job for job in work.jobs if job.written), key=lambda job: job.cut, default=None)
    lengths = [job.read for job in work.jobs if job.stage == "trace"]
    return Estimate(
        name=name, shape=shape, dtype=dtype, machines=machines, work=work, weights=counted,
        cache_bytes=cache_bytes(shape, dtype), memory=needed, disk=disk(shape, dtype, work.sentences), gpus=gpus,
        copies=copies, batch_tokens=batch, reading=read(max(lengths)),
        step=write(speed.ROWS, speed.LENGTH) if longest is None else _step(longest, batch, write),
        stages=tuple(times),
    )  # fmt: skip


def _step(job: Job, batch_tokens: int, writing: Writing) -> Step:
    rows = max(1, int(batch_tokens // (job.read + job.cut)))
    return writing(rows, job.read + job.written / 2)


def _stage(
    stage: Stage, jobs: list[Job], batch_tokens: int, reading: Reading, writing: Writing, loaded: float, copies: int
) -> StageTime:
    totals = []
    for end in (0, 1):
        read = written = seconds = 0.0
        for job in jobs:
            conditions = job.conditions[end]
            read += job.tokens_read(conditions)
            written += job.tokens_written(conditions)
            seconds += job.tokens_read(conditions) / reading(job.read)
            if job.written:
                seconds += job.tokens_written(conditions) / _step(job, batch_tokens, writing).tokens
        totals.append((read, written, (seconds / copies + loaded) / 3600))
    (few_read, few_written, few_hours), (most_read, most_written, most_hours) = totals
    return StageTime(stage, (few_read, most_read), (few_written, most_written), (few_hours, most_hours))
