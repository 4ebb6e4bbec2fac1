"""Finished batches and finished traces on disk, so that a killed run goes on where it stopped.

They lie outside DVC's outputs, which DVC deletes before it runs a stage, under a key that digests everything that
determines their numbers. A part is there whole or not at all.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from polyroute.artifacts.trace import Trace, TraceError, read_header
from polyroute.ground.files import digest, write_atomically
from polyroute.tracing.statistics import BatchStatistics


class BatchStore(Protocol):
    """Where finished batches go and come back from."""

    def get(self, item_ids: Sequence[str]) -> BatchStatistics | None:
        """The batch of exactly these items, if finished before."""

    def put(self, item_ids: Sequence[str], statistics: BatchStatistics) -> None:
        """Keep a finished batch."""


class NoBatches:
    """Keeps nothing: for runs in memory."""

    def get(self, item_ids: Sequence[str]) -> BatchStatistics | None:  # noqa: ARG002
        """Nothing is ever there."""
        return None

    def put(self, item_ids: Sequence[str], statistics: BatchStatistics) -> None:
        """Nothing is kept."""


class TraceParts:
    """Parts of one trace: of one model, corpus, language and settings."""

    def __init__(self, parts: Path, key: object):
        """Name the parts by what they are of.

        Args:
            parts: folder of all parts of the study.
            key: plain data: everything that determines the numbers, the code among it.
        """
        self._folder = parts / "traces" / digest(key)
        self._whole = self._folder.with_suffix(".safetensors")

    def get(self, item_ids: Sequence[str]) -> BatchStatistics | None:
        """The batch of exactly these items, if finished before."""
        path = self._batch(item_ids)
        try:
            statistics: BatchStatistics = load_file(path)
        except FileNotFoundError:
            return None
        except SafetensorError:  # a damaged disk: computing again is always right
            path.unlink()
            return None
        return statistics

    def put(self, item_ids: Sequence[str], statistics: BatchStatistics) -> None:
        """Keep a finished batch."""
        arrays = {name: np.ascontiguousarray(array) for name, array in statistics.items()}
        write_atomically(self._batch(item_ids), to_bytes(arrays))

    def whole(self) -> Path | None:
        """The finished trace, if all of it was computed before and can still be read."""
        if not self._whole.exists():
            return None
        try:
            read_header(self._whole)
        except TraceError:  # a damaged disk: computing again is always right
            self._whole.unlink()
            return None
        shutil.rmtree(self._folder, ignore_errors=True)  # left by a kill just before the end
        return self._whole

    def finish(self, trace: Trace) -> Path:
        """Keep the whole trace and drop its batches."""
        trace.save(self._whole)
        shutil.rmtree(self._folder, ignore_errors=True)
        return self._whole

    def _batch(self, item_ids: Sequence[str]) -> Path:
        return self._folder / f"{digest(list(item_ids))}.safetensors"


def place(part: Path, output: Path) -> None:
    """Put a finished part where DVC expects the output, without a second copy on disk where that is possible.

    Raises:
        TraceError: neither a link nor a copy could be made; says why.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    try:
        try:
            os.link(part, output)
        except OSError:  # another file system, or one without hard links
            shutil.copyfile(part, output)
    except OSError as error:
        output.unlink(missing_ok=True)
        raise TraceError(f"{output} cannot be written: {error.strerror}") from None


def prune(folder: Path, wanted: set[Path]) -> None:
    """Remove traces below a folder that are none of the wanted ones, and folders that this leaves empty."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif path.suffix == ".safetensors" and path not in wanted:
            path.unlink()
