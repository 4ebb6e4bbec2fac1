"""Work divided among the cores. numpy lets go of the interpreter while it computes, so threads are enough."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """Cores to use: those that this process may, or fewer where OMP_NUM_THREADS says so, as libraries read it."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed, int(told)) if told.isdigit() and int(told) > 0 else allowed


def on_all_cores(work: Callable[[T], None], parts: Iterable[T]) -> None:
    """Do work that writes its part of a result, for every part.

    What is computed must not depend on how many cores there are: parts are the same whatever their number.
    """
    for _ in each_on_a_core(work, parts):
        pass


def each_on_a_core(work: Callable[[T], R], parts: Iterable[T]) -> Iterator[R]:
    """What work makes of every part, in their order, as many parts at a time as there are cores."""
    if cores() == 1:  # threads would only take turns
        yield from map(work, parts)
        return
    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(work, parts)


def slices(items: int, step: int) -> list[slice]:
    """Items in steps, the last one shorter."""
    return [slice(start, min(start + step, items)) for start in range(0, items, step)]
