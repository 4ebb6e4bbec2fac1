"""Finished batches and finished traces on disk, so that a killed run goes on where it stopped.

They lie outside DVC's outputs, which DVC deletes before it runs a stage, under a key that digests everything that
determines their numbers. A part is there whole or not at all.
"""

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load
from safetensors.numpy import save as to_bytes

from polyroute.artifacts.trace import Trace, TraceError
from polyroute.ground import checksum
from polyroute.ground.checksum import ChecksumError
from polyroute.ground.files import digest, read_checked_json, write_atomically, write_checked_json
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
        self._whole, self._beside = self._folder.with_suffix(".safetensors"), self._folder.with_suffix(".json")

    def get(self, item_ids: Sequence[str]) -> BatchStatistics | None:
        """The batch of exactly these items, if finished before."""
        path = self._batch(item_ids)
        try:
            statistics: BatchStatistics = load(checksum.read(path, of=self._of(path)))
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, ChecksumError):  # damaged, or of others: computing again is always right
            path.unlink()
            return None
        return statistics

    def put(self, item_ids: Sequence[str], statistics: BatchStatistics) -> None:
        """Keep a finished batch."""
        arrays = {name: np.ascontiguousarray(array) for name, array in statistics.items()}
        path = self._batch(item_ids)
        content = checksum.filled(to_bytes(arrays, {checksum.KEY: checksum.blank(self._of(path))}))
        write_atomically(path, content, lasting=False)

    def whole(self) -> Path | None:
        """The finished trace, if all of it was computed before and can still be read."""
        if not self._whole.exists():
            return None
        try:
            told = read_checked_json(self._beside, self._folder.name, ChecksumError)
            if told["sha256"] != _sha256(self._whole):
                raise ChecksumError(f"{self._whole} is not the trace that was finished under this key")
        except (OSError, ChecksumError):  # damaged, of others or older: computing again is always right
            self._whole.unlink()
            return None
        shutil.rmtree(self._folder, ignore_errors=True)  # left by a kill just before the end
        return self._whole

    def finish(self, trace: Trace) -> Path:
        """Keep the whole trace and drop its batches."""
        trace.save(self._whole)
        # The trace says what it is of; only this says under which settings, code and versions it was finished.
        write_checked_json(self._beside, {"sha256": _sha256(self._whole)}, self._folder.name)
        shutil.rmtree(self._folder, ignore_errors=True)
        return self._whole

    def _of(self, batch: Path) -> str:
        return f"{self._folder.name}/{batch.stem}"

    def _batch(self, item_ids: Sequence[str]) -> Path:
        return self._folder / f"{digest(list(item_ids))}.safetensors"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
