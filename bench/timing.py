"""What the benches share: turns taken in one process, ratios within a turn, and what they were measured on."""

import os
import platform
import statistics
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import transformers
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def in_turn(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """CPU seconds of each way, `rounds` times, forwards and backwards in turn, after one round to warm up.

    CPU seconds, not those on the wall: other work on the machine then counts for less.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in list(ways) if number % 2 else reversed(list(ways)):
            start = time.process_time()
            ways[name]()
            if number:
                seconds[name].append(time.process_time() - start)
    return seconds


def ratio(seconds: Mapping[str, list[float]], above: str, below: str) -> str:
    """One way beside another, by rounds."""
    return spread([a / b for a, b in zip(seconds[above], seconds[below], strict=True)])


def spread(values: list[float]) -> str:
    """Median (least to most)."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def measured_on(device: torch.device) -> str:
    """Device and versions in one line."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{_processor()}, {torch.get_num_threads()} of {os.cpu_count()} threads"
    return f"{name}; torch {torch.__version__}, transformers {transformers.__version__}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    told = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(": ", 1)[1] for line in told if line.startswith("model name")), platform.processor())


class LivePeak(TorchDispatchMode):
    """Most bytes of tensors that were alive at once among those made inside: the peak of memory on any device."""

    def __init__(self) -> None:
        super().__init__()
        self._holders: dict[int, int] = {}
        self._live = 0
        self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        given = {
            leaf.untyped_storage()._cdata for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)
        }
        for made in tree_leaves(result):
            if isinstance(made, torch.Tensor):
                self._hold(made, given)
        return result

    def _hold(self, tensor: torch.Tensor, given: set[int]) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key not in self._holders:
            if key in given:  # a view of what was there before
                return
            self._holders[key] = 0
            self._live += size
            self.peak = max(self.peak, self._live)
        self._holders[key] += 1
        weakref.finalize(tensor, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._holders[key] -= 1
        if not self._holders[key]:
            del self._holders[key]
            self._live -= size
