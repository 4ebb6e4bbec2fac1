"""Faults of a tracking server, with the patience that a user has: `python bench/mlflow_services.py [backend]`.

Runs MLflow's own server, over a SQLite file or the database at `backend`, and makes it fail after some calls. Logs
pocket-plain, which may take 40 s, then mends the server and logs again: every run must be there once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polyroute.ground.paths import Paths
from polyroute.tracking import store

MODEL = "pocket-plain"
LIMIT = 40
FAULTS = ("none", "busy", "in an hour", "drips", "hangs", "slow", "dies")
AFTER = 12
"""Calls that go well before the fault."""


class Faulty:
    """An application, behind a fault."""

    def __init__(self, app: Callable[..., Any]):
        self.app, self.fault, self.calls, self.failed = app, "none", 0, 0

    def turn(self, fault: str) -> None:
        """Fail so from now on, after `AFTER` calls."""
        self.fault, self.calls, self.failed = fault, 0, 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, or fail. What drips, hangs or dies has done what was asked."""
        self.calls += scope["type"] == "http"
        if scope["type"] != "http" or self.fault == "none" or self.calls <= AFTER:
            await self.app(scope, receive, send)
            return
        self.failed += 1
        if self.fault == "in an hour" or (self.fault == "busy" and self.failed <= 3):
            later = b"1" if self.fault == "busy" else b"3600"
            head = [(b"retry-after", later), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 429, "headers": head})
            await send({"type": "http.response.body", "body": b""})
            return
        if self.fault == "slow":
            await asyncio.sleep(3)
        if self.fault in ("busy", "slow"):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _nowhere)
        if self.fault == "dies":
            raise ConnectionResetError
        if self.fault == "hangs":
            await asyncio.sleep(600)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100000")]})
        with contextlib.suppress(OSError):
            for _ in range(600):
                await send({"type": "http.response.body", "body": b" ", "more_body": True})
                await asyncio.sleep(1)


async def _nowhere(_message: Any) -> None:
    """Lose an answer."""


def serve(backend: str, artifacts: Path) -> tuple[str, Faulty]:
    """MLflow's server in a thread of this process: its address, and the fault before it."""
    os.environ["_MLFLOW_SERVER_FILE_STORE"] = os.environ["_MLFLOW_SERVER_REGISTRY_STORE"] = backend
    os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
    os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = "mlflow-artifacts:/"
    os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = str(artifacts)
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    import uvicorn
    from mlflow.server.fastapi_app import app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    faulty = Faulty(app)
    running = uvicorn.Server(uvicorn.Config(faulty, port=port, log_level="critical"))
    threading.Thread(target=running.run, daemon=True).start()
    while not running.started:
        time.sleep(0.1)
    return f"http://127.0.0.1:{port}", faulty


def main(backend: str | None, faults: tuple[str, ...]) -> None:
    """Log behind each fault, mend, log again, and print a row."""
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        uri, faulty = serve(backend or f"sqlite:///{folder}/mlflow.db", Path(folder) / "artifacts")
        os.environ["NO_PROXY"] = "127.0.0.1"
        MlflowClient(uri).search_experiments()  # makes the tables, and names the backend in the environment
        os.environ["MLFLOW_TRACKING_URI"] = uri
        print(
            *(f"{head:>13}" for head in ("server", "seconds", "logged", "pending", "logged again", "deleted", "twice"))
        )
        for number, fault in enumerate(faults):
            faulty.turn(fault)
            begun = time.monotonic()
            first = store.log_study(Paths(), f"study {number}", [MODEL])
            seconds = time.monotonic() - begun
            faulty.turn("none")
            time.sleep(5)  # what was given up may still arrive
            again = store.log_study(Paths(), f"study {number}", [MODEL])
            keys = [run.data.tags[store._KEY] for run in store._Store(uri, f"study {number}")._all()]
            twice = len(keys) - len(set(keys))
            pending = sum(digest == store.PENDING for digest in first.runs.values())
            row = (fault, f"{seconds:.1f}", first.logged, pending, again.logged, again.deleted, twice)
            print(*(f"{cell:>13}" for cell in row), flush=True)
            if again.pending or twice or set(keys) != set(first.runs) or (first.pending and seconds > LIMIT):
                raise SystemExit(f"{fault}: {again.summary()}")


if __name__ == "__main__":
    store.set_defaults()
    named = [one for one in sys.argv[1:] if one in FAULTS]
    places = [one for one in sys.argv[1:] if one not in FAULTS]
    main(places[0] if places else None, tuple(named) or FAULTS)
