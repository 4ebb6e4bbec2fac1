"""The cluster that workers are had from: one of this machine alone, or one that is there already."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from polyroute.workers.errors import EngineError
from polyroute.workers.settings import Engine

JOINING = 60.0
"""Seconds that nodes of a cluster are waited for that is still being started."""
STORE = 200 * 2**20
"""Bytes of Ray's object store on this machine: what goes through it are questions and tables."""
PASSED = ("HF_", "POLYROUTE_", "MALLOC_", "TRANSFORMERS_", "CUBLAS_", "PYTHONPATH")
"""How names of environment variables begin that workers get from this process."""


@dataclass(frozen=True)
class Share:
    """What one worker takes of a node."""

    cpus: int
    gpus: float
    threads: int
    """Of torch in it: as many as this process has, so that sums are added up in the same order."""

    def room(self, nodes: list[dict[str, Any]]) -> int:
        """How many workers nodes have room for, as `ray.nodes()` lists them."""
        found = 0
        for node in nodes:
            if node["Alive"]:
                held = node["Resources"]
                rooms = [held.get("CPU", 0) // self.cpus]
                rooms += [held.get("GPU", 0) / self.gpus + 1e-6] if self.gpus else []
                found += int(min(rooms))
        return found


@contextmanager
def connected(engine: Engine) -> Iterator[tuple[Any, Share]]:
    """Ray, connected, and what each worker takes; whatever was started here is gone on leaving.

    Raises:
        EngineError: Ray is not installed, the cluster cannot be reached, or it has no room for the workers.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
    except ImportError:
        raise EngineError(
            "engine.workers and engine.ray.address need Ray, which is not installed: `pip install 'polyroute[ray]'`, "
            "or set workers to 1 and leave the address out"
        ) from None
    _connect(ray, engine)
    try:
        yield ray, _share(ray, engine)
    finally:
        ray.shutdown()


def _connect(ray: Any, engine: Engine) -> None:
    address = engine.ray.address
    if address == "auto":  # a job says in its environment where its own cluster is
        address = os.environ.get("RAY_ADDRESS") or address
    # What Ray says of itself belongs neither to a stage's results nor above its progress bar.
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    if address is None:
        _start(ray, options)
        return
    if address != "auto":
        _reach(address, min(JOINING, engine.ray.patience))
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:  # no cluster; or other versions of Ray or Python
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineError(
            f"engine.ray.address: the cluster at {address} cannot be used ({lines[0][:300]}): start it with "
            "`ray start` and the same versions of Ray and Python"
        ) from None


def _start(ray: Any, options: dict[str, Any]) -> None:
    """A cluster of this machine alone. Ray gives a node 30 s to start, which a busy machine may need twice."""
    for again in (True, False):
        try:
            ray.init(address="local", include_dashboard=False, object_store_memory=STORE, **options)
            return
        except Exception as error:  # noqa: BLE001  Ray raises no narrower one
            ray.shutdown()
            if not again:
                raise EngineError(
                    f"engine.workers: Ray cannot be started on this machine ({str(error).strip()[:300]}): set it to 1, "
                    "or run it when the machine is less busy"
                ) from None


def _reach(address: str, seconds: float) -> None:
    """Wait a while for a head that is still being started; Ray itself tries for many minutes where nobody listens."""
    host, _, port = address.rpartition(":")
    until = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=seconds).close()
            return
        except (OSError, ValueError, OverflowError) as error:
            if time.monotonic() >= until or not isinstance(error, OSError):
                raise EngineError(
                    f"engine.ray.address: nothing answers at {address} ({error}): start the cluster's head with "
                    "`ray start --head`, or correct the address"
                ) from None
        time.sleep(1)


def _share(ray: Any, engine: Engine) -> Share:
    """What a worker takes, once the cluster has room for all of them."""
    import torch

    until = time.monotonic() + (0 if engine.ray.address is None else min(JOINING, engine.ray.patience))
    threads = torch.get_num_threads()
    while True:
        nodes = ray.nodes()
        gpus = engine.gpus_per_worker
        if gpus is None:
            gpus = float(any(node["Alive"] and node["Resources"].get("GPU") for node in nodes))
        share = Share(1 if gpus else threads, gpus, threads)
        room = share.room(nodes)
        if room >= engine.workers:
            return share
        if time.monotonic() >= until:
            where = "this machine" if engine.ray.address is None else f"the cluster at {engine.ray.address}"
            why = "" if gpus else " (one for each of its threads: OMP_NUM_THREADS)"
            raise EngineError(
                f"engine.workers: {engine.workers} workers of {share.cpus} CPUs{why} and {gpus:g} GPUs each do not "
                f"fit: {where} has room for {room}; lower it, or give workers less or the cluster more"
            )
        time.sleep(1)


def environment(threads: int) -> dict[str, str]:
    """Variables that workers begin with."""
    passed = {name: value for name, value in os.environ.items() if name.startswith(PASSED)}
    return passed | {"OMP_NUM_THREADS": str(threads)}
