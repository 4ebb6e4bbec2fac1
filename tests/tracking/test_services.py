"""Servers that are busy, slow, dripping or gone: no result is lost, and none is logged twice."""

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from polyroute.tracking import page, server, store
from polyroute.tracking.patience import OutOfPatienceError, Patience, knock
from tracking.small_study import log, logged, read, write_results

pytest.importorskip("mlflow")
Answer = Callable[[int, str, dict[str, Any]], tuple[int | str, dict[str, str]] | None]
_RUN = {
    "info": {
        "run_id": "r", "run_uuid": "r", "experiment_id": "1", "status": "RUNNING", "lifecycle_stage": "active",
        "artifact_uri": "mlflow-artifacts:/1/r/artifacts",
    },
    "data": {},
}  # fmt: skip
_REPLIES: dict[str, Any] = {
    "experiments/get-by-name": {
        "experiment": {"experiment_id": "1", "name": "x", "artifact_location": "file:/x", "lifecycle_stage": "active"}
    },
    "runs/search": {"runs": []}, "runs/create": {"run": _RUN}, "runs/get": {"run": _RUN},
    "runs/update": {"run_info": _RUN["info"]},
}  # fmt: skip


@contextlib.contextmanager
def service(answer: Answer) -> Iterator[tuple[str, list[tuple[str, dict[str, Any]]]]]:
    """A stand-in for a tracking server: address and calls. `answer` gives status and headers; None: as MLflow."""
    calls: list[tuple[str, dict[str, Any]]] = []
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            held = json.loads(body) if body.startswith(b"{") else {}
            calls.append((path, held))
            status, headers = answer(len(calls), path, held) or (200, {})
            value: dict[str, Any] = next((value for key, value in _REPLIES.items() if path.endswith(key)), {})
            with contextlib.suppress(OSError):
                if status == "drip":
                    self.send_response(200)
                    self.send_header("Content-Length", "100000")
                    self.end_headers()
                    while not ended.wait(0.2):
                        self.wfile.write(b" ")
                        self.wfile.flush()
                    return
                if status != 200:
                    value = {"error_code": "BAD_REQUEST", "message": headers.pop("message", "later")}
                content = json.dumps(value).encode()
                self.send_response(int(status))
                always = {"Content-Type": "application/json", "Content-Length": str(len(content))}
                for name, one in (always | headers).items():
                    self.send_header(name, one)
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = reply

        def log_message(self, *_: Any) -> None:
            pass

    held = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.daemon_threads = True
    threading.Thread(target=held.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{held.server_port}", calls
    finally:
        ended.set()
        held.shutdown()
        held.server_close()


@pytest.fixture
def small(tmp_path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """Two runs, and less patience than a user has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(store, "Patience", partial(Patience, budget=5.0, ordinary=1.0))
    write_results(Paths(tmp_path), languages=("eng_Latn", "deu_Latn"))
    return Paths(tmp_path)


def logged_to(small: Paths, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> tuple[str, float, list[Any]]:
    """What is said, the seconds that it took, and the calls."""
    with service(answer) as (uri, calls):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        begun = time.monotonic()
        monkeypatch.setattr("mlflow.MlflowClient.log_artifact", lambda *_: None)
        return log(small).summary(), time.monotonic() - begun, calls


def test_a_server_that_asks_for_a_second_gets_it(small: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    busy: Answer = lambda number, *_: (429, {"Retry-After": "1"}) if number <= 3 else None  # noqa: E731
    said, seconds, _ = logged_to(small, monkeypatch, busy)
    assert said.startswith("3 runs in MLflow, 3 of them new")
    assert seconds >= 3


@pytest.mark.parametrize(
    "answer",
    [lambda *_: (429, {"Retry-After": "3600"}), lambda *_: ("drip", {}), lambda *_: (503, {"Retry-After": "60"})],
    ids=["in an hour", "dripping", "in a minute"],
)
def test_a_server_that_takes_too_long_is_given_up_within_our_patience(
    small: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    monkeypatch.setattr(store, "Patience", partial(Patience, budget=1.0, ordinary=1.0))
    said, seconds, _ = logged_to(small, monkeypatch, answer)
    assert said == "3 of 3 runs pending: MLflow could not be reached or written"
    assert seconds < 11
    assert "no answer within 1 s" in caplog.text


def test_many_slow_calls_cost_no_more_than_one_that_never_ends() -> None:
    patience = Patience(budget=0.3, ordinary=0.1)
    made: list[int] = []
    with contextlib.suppress(OutOfPatienceError):
        for call in range(10):
            patience(time.sleep, 0.2)
            made.append(call)
    assert len(made) <= 1


def test_a_call_that_carries_much_may_take_longer() -> None:
    patience = Patience(budget=0.0, ordinary=0.0)
    patience(time.sleep, 0.01, carried=500 * 60)
    with pytest.raises(OutOfPatienceError, match="no answer within 0 s"):
        patience(time.sleep, 1.0)


def test_what_a_call_raises_or_returns_is_handed_on() -> None:
    patience = Patience()
    assert patience(int, "7", base=8) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        patience(int, "x")


def test_nobody_at_a_port_is_told_at_once() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as free:
        port = free.server_port
    with pytest.raises(OSError):
        knock(f"http://127.0.0.1:{port}")
    knock("sqlite:///nowhere.db")


def test_a_note_on_all_languages_fits_the_strictest_server(small: Paths) -> None:
    write_results(small, languages=("eng_Latn", *(code for code in languages.codes() if code != "eng_Latn")))
    found = read(small)
    note = page.with_claims(page.of_model(found, []), {f"claim.{i}": "replicated" for i in range(60)})
    assert len(page.linked(note, "1" * 18, "f" * 32)) <= 5000
    assert "Shortened; the rest is in" in note


def test_a_damaged_database_may_be_deleted(small: Paths, caplog: pytest.LogCaptureFixture) -> None:
    (small.root / "mlflow.db").write_bytes(b"not a database " * 1000)
    assert set(log(small).runs.values()) == {"pending"}
    assert f"{small.root}/mlflow.db is damaged: delete the file, which is made again" in caplog.text


def test_a_run_that_a_repeated_request_made_twice_is_deleted(database: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow import MlflowClient

    once = MlflowClient.create_run

    def twice(self: Any, *arguments: Any, **keywords: Any) -> Any:
        once(self, *arguments, **keywords)
        return once(self, *arguments, **keywords)

    monkeypatch.setattr(MlflowClient, "create_run", twice)
    report = log(database)
    assert (report.logged, report.deleted) == (4, 4)
    assert len(logged(database)) == 4


def test_a_database_of_an_older_mlflow_gets_the_command_that_upgrades_it(
    database: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    place = database.root / "mlflow.db"
    with contextlib.closing(sqlite3.connect(place)) as held:
        held.execute("update alembic_version set version_num = 'cc1f77228345'")
        held.commit()
    report = log(database)
    assert set(report.runs.values()) == {"pending"}
    assert f"run `mlflow db upgrade sqlite:///{place}`, or delete the file" in caplog.text
    with pytest.raises(store.PolyrouteError, match="mlflow db upgrade"):
        server.serve(database, 5999, "a study")
