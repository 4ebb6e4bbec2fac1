"""MLflow's page over the study's runs, on this machine alone, in this process alone.

`mlflow server` starts processes of its own, which keep the port when whoever started it is ended; here the application
runs in the process that was called, so that nothing is left whichever way it ends. And MLflow opens on the page for
chat applications unless the browser remembers the other one: ours is told so before the page starts.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.tracking import store

_HOST, _SECONDS_TO_END = "127.0.0.1", 5
_log = logging.getLogger(__name__)

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]

# Names as MLflow's page has them; one that does not know them passes over them. Only what nobody has chosen is set.
_FOR_MODELS = b"""<script>
for (const [name, value] of Object.entries({
  "mlflow.workflowType_v1": "machine_learning",
  "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": true,
  "mlflow.settings.telemetry.enabled_v1": false,
  "mlflow.telemetry.info.alert.dismissed_v1": true,
})) if (localStorage.getItem(name) === null) localStorage.setItem(name, JSON.stringify(value));
</script>"""


def serve(paths: Paths, port: int = 5000, study: str | None = None) -> int:
    """Show the runs until interrupted or terminated.

    Args:
        paths: where the SQLite file is.
        port: of the page, on 127.0.0.1.
        study: whose charts the address told in the log leads to; to the list of experiments where None.

    Returns:
        0 once it was ended.

    Raises:
        PolyrouteError: `MLFLOW_TRACKING_URI` names a server, which has its own page; mlflow is not installed; another
            MLflow wrote the database; or the port is taken.
    """
    uri = store.tracking_uri(paths)
    if urlsplit(uri).scheme in ("http", "https"):
        raise PolyrouteError(f"MLFLOW_TRACKING_URI is a server already: open {store.without_password(uri)}")
    store.set_defaults()
    if find_spec("mlflow") is None:
        raise PolyrouteError("mlflow is not installed: `pip install polyroute[study]` brings it")
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            free.bind((_HOST, port))
        except OSError:
            raise PolyrouteError(
                f"port {port} is taken: name another, as in `polyroute ui --port {port + 1}`"
            ) from None
    route = "/experiments" if study is None else store.charts_of(store.experiment_of(uri, study))
    _log.info("In some seconds: http://%s:%d/#%s", _HOST, port, route)
    run(uri, port)
    return 0


def run(uri: str, port: int) -> None:
    """Run MLflow's application until a signal ends it."""
    # What `mlflow server` hands to its processes. Jobs are for judging answers of chat applications.
    os.environ["_MLFLOW_SERVER_FILE_STORE"] = os.environ["_MLFLOW_SERVER_REGISTRY_STORE"] = uri
    os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    import uvicorn
    from mlflow.server.fastapi_app import app

    # Once ended, it waits for no request that is under way longer than this.
    uvicorn.run(for_models(app), host=_HOST, port=port, log_level="warning", timeout_graceful_shutdown=_SECONDS_TO_END)


def for_models(app: _App) -> _App:
    """The application, its page told to open on the view for models."""

    async def wrapped(scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http" or scope["path"] not in ("/", "/index.html"):
            await app(scope, receive, send)
            return
        body: list[bytes] = []
        start: _Message = {}

        async def whole(message: _Message) -> None:
            """Keep the page until it is complete: its length changes."""
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            body.append(message.get("body", b""))
            if not message.get("more_body", False):
                page = b"".join(body).replace(b"<head>", b"<head>" + _FOR_MODELS, 1)
                kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
                await send({**start, "headers": [*kept, (b"content-length", str(len(page)).encode())]})
                await send({"type": "http.response.body", "body": page})

        # Asked for whole and as it is: a part, or a compressed page, could not be added to.
        plain = (b"accept-encoding", b"range", b"if-none-match", b"if-modified-since")
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in plain]
        await app({**scope, "headers": headers}, receive, whole)

    return wrapped
