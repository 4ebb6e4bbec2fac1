"""A real PostgreSQL takes what we log: its columns have lengths, which SQLite's have not."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.languages import table as languages
from tracking.small_study import SETTINGS, client, log, logged, write_results

pytest.importorskip("mlflow")
_BIN = "/usr/lib/postgresql/15/bin"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an empty database of a server of its own."""
    pytest.importorskip("psycopg2", reason="psycopg2-binary is not installed")
    initdb, server = (shutil.which(name, path=f"{os.environ['PATH']}:{_BIN}") for name in ("initdb", "postgres"))
    if initdb is None or server is None:
        pytest.skip("PostgreSQL is not installed")
    # PostgreSQL refuses to run as root.
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    with contextlib.ExitStack() as ended:
        folder = Path("/tmp") / f"polyroute-postgres-{os.getpid()}"
        ended.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.mkdir()
        if user:
            shutil.chown(folder, "nobody", "nogroup")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        made = subprocess.run(
            [initdb, "-D", folder / "data", "-U", "study", "--auth=trust", "--encoding=UTF8", "--locale=C"],
            **user, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"initdb failed: {made.stderr[-200:]}")
        running = subprocess.Popen(
            [server, "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"],
            **user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ended.callback(running.wait, 60)
        # At SIGTERM it would wait until MLflow lets go of its connections.
        ended.callback(running.send_signal, signal.SIGINT)
        address = f"study@127.0.0.1:{port}/postgres"
        _until_it_answers(f"postgresql://{address}")
        yield f"postgresql+psycopg2://{address}"


def _until_it_answers(uri: str) -> None:
    import psycopg2

    for _ in range(240):
        try:
            psycopg2.connect(uri).close()
            return
        except psycopg2.OperationalError:
            time.sleep(0.25)
    pytest.skip("PostgreSQL does not answer")


def test_notes_and_params_of_any_length_fit_and_nothing_is_logged_twice(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgres)
    paths = Paths(tmp_path)
    write_results(paths, languages=("eng_Latn", *languages.codes()[:30]))
    settings = SETTINGS | {"mask": {"languages": languages.codes(), "note": "ß" * 9000}}
    report = log(paths, settings=settings)
    assert (report.pending, report.logged) == (None, 32)
    found = logged(paths)["tiny"]
    assert found.data.params["mask.languages"].endswith(" characters)")
    assert len(found.data.params["mask.note"]) == 500
    again = log(paths, settings=settings)
    assert (again.pending, again.logged, again.deleted) == (None, 0, 0)
    assert client(paths).get_metric_history(found.info.run_id, "0 in short/divergence early zone.text")[0].value == 0.4
