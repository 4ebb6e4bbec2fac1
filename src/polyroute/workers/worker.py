"""What runs in a worker's process: the model, loaded once, and one part after another. Imports no Ray."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from polyroute.ground.errors import PolyrouteError

Act = Callable[[Any, Any, Callable[[int], None]], Any]
"""From what was loaded, a part, and a function that is told of progress, to the part's result; importable by name."""


@dataclass(frozen=True)
class Outcome:
    """What became of a call."""

    value: Any = None
    failed: str = ""
    """Why there is no value; empty where there is one."""
    vain: bool = False
    """Whether to try again is vain: the input, the data or the model is at fault."""
    told: int = 0
    """All the progress of the call."""
    warnings: list[str] = field(default_factory=list)
    """What would have been logged here."""


class Worker:
    """One process with a model; its calls come one at a time, but for `told`."""

    def __init__(self) -> None:
        """Hold nothing yet: whatever can fail is an outcome of a call."""
        self._loaded: Any = None
        self._told = 0

    def begin(self, folder: str, threads: int) -> Outcome:
        """Go where the study is and fix the number of threads; the value is what `machine` tells.

        Args:
            folder: working directory of the process that gives the work; paths of the study are relative to it.
            threads: of torch, as there.
        """
        return self._outcome(lambda: _begin(folder, threads))

    def load(self, load: Callable[[], Any]) -> Outcome:
        """Load what parts need."""

        def keep() -> None:
            self._loaded = load()

        return self._outcome(keep)

    def do(self, act: Act, part: Any) -> Outcome:
        """One part."""
        return self._outcome(lambda: act(self._loaded, part, self._advance))

    def told(self) -> int:
        """Progress of the call that is under way."""
        return self._told

    def _advance(self, done: int) -> None:
        self._told += done

    def _outcome(self, call: Callable[[], Any]) -> Outcome:
        self._told = 0
        with _Listening() as warnings:
            try:
                value = call()
            except PolyrouteError as error:
                return Outcome(failed=str(error), vain=True, told=self._told, warnings=warnings)
            # Whatever it is must not end the worker: the part is tried again, and then told by name.
            except Exception as error:  # noqa: BLE001
                lines = str(error).strip().splitlines() or [""]
                failed = f"{type(error).__name__}: {lines[0][:300]}".rstrip(": ")
                return Outcome(failed=failed, told=self._told, warnings=warnings)
        return Outcome(value, told=self._told, warnings=warnings)


def _begin(folder: str, threads: int) -> dict[str, Any]:
    try:
        os.chdir(folder)
    except OSError as error:
        raise PolyrouteError(
            f"{socket.gethostname()} does not see {folder} ({error.strerror}): keep the study in a folder that every "
            "node has under the same name"
        ) from None
    import torch

    torch.set_num_threads(threads)
    return machine()


def machine() -> dict[str, Any]:
    """What numbers depend on beside the settings, as this process has it: the same in every worker, or none begins."""
    import platform

    import numpy as np
    import tokenizers
    import torch
    import transformers

    from polyroute.ground.code import code_digest
    from polyroute.ground.device import device_name

    return {
        "device": device_name(),
        "Python": ".".join(platform.python_version_tuple()[:2]),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "tokenizers": tokenizers.__version__,
        "numpy": np.__version__,
        "code of polyroute": code_digest("polyroute.tracing.collect", "polyroute.asking.ask")[:12],
    }


class _Listening(logging.Handler):
    """Collects warnings, which nobody would read in a worker's log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())

    def __enter__(self) -> list[str]:
        logging.getLogger("polyroute").addHandler(self)
        return self._lines

    def __exit__(self, *_: object) -> None:
        logging.getLogger("polyroute").removeHandler(self)
