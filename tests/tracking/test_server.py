"""`polyroute ui` opens on the page for models and holds its port no longer than it runs."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.tracking import server

pytest.importorskip("mlflow")
_SERVE = """
import sys, uvicorn
from polyroute.tracking import server
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"<head></head>"})
import types
sys.modules["mlflow.server.fastapi_app"] = types.SimpleNamespace(app=app)
server.run("sqlite:///nowhere.db", int(sys.argv[1]))
"""


def _free() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _open(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _within(seconds: float, true: Any) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_holds_the_port_once_it_is_ended(how: signal.Signals, tmp_path: Path) -> None:
    port = _free()
    running = subprocess.Popen([sys.executable, "-c", _SERVE, str(port)], cwd=tmp_path)
    try:
        assert _within(90, lambda: _open(port))
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        assert not children.exists() or not children.read_text().strip(), "no process but its own"
        running.send_signal(how)
        running.wait(30)
        assert _within(5, lambda: not _open(port))
    finally:
        running.kill()


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PolyrouteError, match=f"port {port} is taken: name another, as in `polyroute ui --port"):
            server.serve(Paths(tmp_path), port)
    assert "MLFLOW_TRACKING_URI" not in os.environ


async def _page(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"Content-Length", b"26"), (b"A", b"b")]})
    await send({"type": "http.response.body", "body": b"<html><head>", "more_body": True})
    await send({"type": "http.response.body", "body": b"</head></html>"})


def _got(path: str) -> tuple[dict[bytes, bytes], bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": [(b"accept-encoding", b"gzip")]}
    asyncio.run(server.for_models(_page)(scope, None, send))  # type: ignore[arg-type]
    return dict(sent[0]["headers"]), b"".join(one["body"] for one in sent[1:])


def test_the_page_is_told_to_open_on_the_view_for_models() -> None:
    headers, page = _got("/")
    assert page.startswith(b"<html><head><script>")
    assert b'"mlflow.workflowType_v1": "machine_learning"' in page
    assert headers[b"content-length"] == str(len(page)).encode()
    assert headers[b"A"] == b"b"


def test_all_else_is_handed_on() -> None:
    headers, page = _got("/api/2.0/mlflow/experiments/get")
    assert (headers[b"Content-Length"], page) == (b"26", b"<html><head></head></html>")
