"""An engine of vLLM in an environment of its own, started and asked from any other.

    with VllmProcess(engine, plans) as running:
        texts = running.ask([{"ids": [1, 2], "plan": "a", "most": 8, ...}])

The environment is that of `POLYROUTE_VLLM_PYTHON`, else `.venv-vllm` in the folder where the study runs, else this one.
`POLYROUTE_VLLM_ARGUMENTS` are more arguments of vLLM's `LLM`, as JSON: `{"tensor_parallel_size": 2}`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from polyroute.engines.vllm.given import PLAN, PLANS, RULES_TO_COME, SLOTS
from polyroute.steering.plan import Plan
from polyroute.workers.errors import EngineError

PYTHON, ARGUMENTS = "POLYROUTE_VLLM_PYTHON", "POLYROUTE_VLLM_ARGUMENTS"
OWN = Path(".venv-vllm/bin/python")
_TAIL = 2000
"""Letters of what vLLM printed that an error shows."""


def more_arguments() -> dict[str, Any]:
    """What `POLYROUTE_VLLM_ARGUMENTS` says.

    Raises:
        EngineError: it is not an object of JSON.
    """
    try:
        told = json.loads(os.environ.get(ARGUMENTS) or "{}")
    except ValueError as error:
        raise EngineError(f"{ARGUMENTS} is not JSON: {error}") from None
    if not isinstance(told, dict):
        raise EngineError(
            f"{ARGUMENTS} is not an object of arguments, as in {ARGUMENTS}='{{\"tensor_parallel_size\": 2}}'"
        )
    return told


class VllmProcess:
    """A running engine; a context, at whose end it ends."""

    def __init__(self, engine: Mapping[str, Any], plans: Mapping[str, Plan]):
        """Say what is to run; nothing is started yet.

        Args:
            engine: arguments of vLLM's `LLM`; those of `POLYROUTE_VLLM_ARGUMENTS` are added.
            plans: name -> plan that requests can follow.
        """
        self.engine, self.plans = {**engine, **more_arguments()}, dict(plans)
        self.about: dict[str, Any] = {}
        """What the engine says of itself, see `child.about`."""
        self._running: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="polyroute-vllm-")
        folder = Path(self._folder.name)
        for name, plan in self.plans.items():
            plan.save(folder / f"{name}.json")
        given = {name: value for name, value in os.environ.items() if name not in (PLAN, PLANS, SLOTS, RULES_TO_COME)}
        if self.plans:
            given[PLANS] = ",".join(f"{name}={folder / name}.json" for name in self.plans)
            given[SLOTS] = str(len(self.plans))
        python = os.environ.get(PYTHON) or (str(OWN) if OWN.exists() else sys.executable)
        reading, writing = os.pipe()
        settings = json.dumps({"engine": self.engine, "answers": writing})
        self._printed = folder / "printed"
        try:
            with self._printed.open("w") as printed:
                self._running = subprocess.Popen(
                    [python, "-m", "polyroute.engines.vllm.child", settings], pass_fds=(writing,), env=given, text=True,
                    stdin=subprocess.PIPE, stdout=printed, stderr=subprocess.STDOUT,
                )  # fmt: skip
        except OSError as error:
            os.close(reading)
            self._folder.cleanup()
            raise EngineError(
                f"{PYTHON}: {python} cannot be run ({error}): name the python of vLLM's environment"
            ) from None
        finally:
            os.close(writing)
        self._answers = os.fdopen(reading, encoding="utf-8")
        try:
            self.about = self._told()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def ask(self, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Answers to requests that go through the engine together, in their order; see `child`.

        Raises:
            EngineError: the engine refuses one, or has ended.
        """
        if not requests:
            return []
        assert self._running is not None, "an engine runs inside its context"
        assert self._running.stdin is not None, "it is piped"
        try:
            self._running.stdin.write(json.dumps({"requests": list(requests)}) + "\n")
            self._running.stdin.flush()
        except BrokenPipeError:
            pass  # why it ended is told below
        answers: list[dict[str, Any]] = self._told()["answers"]
        return answers

    def close(self) -> None:
        """End the engine; a second call changes nothing."""
        if self._running is not None and self._running.stdin is not None:
            try:
                self._running.stdin.write('{"end": true}\n')
                self._running.stdin.close()
            except OSError:
                pass
            try:
                self._running.wait(60)
            except subprocess.TimeoutExpired:
                self._running.kill()
                self._running.wait()
            self._running = None
            self._answers.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _told(self) -> dict[str, Any]:
        line = self._answers.readline()
        told: dict[str, Any] = json.loads(line) if line else {}
        if line and "error" not in told:
            return told
        printed = self._printed.read_text(encoding="utf-8", errors="replace")
        said = [*printed.splitlines(), str(told.get("error", ""))]
        missing = [line for line in said if "No module named 'vllm'" in line or "No module named 'polyroute" in line]
        if missing:
            raise EngineError(
                f"vLLM or polyroute is not installed where it is to run: `make test-vllm` makes {OWN.parents[1]}, or "
                f"name another environment's python in {PYTHON} ({missing[-1].strip()})"
            )
        raise EngineError(f"vLLM: {told.get('error', 'it ended')}\n{printed[-_TAIL:]}".rstrip())
