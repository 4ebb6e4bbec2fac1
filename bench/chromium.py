"""A headless Chromium for screenshots and tests, driven through a pipe: nothing to install but the browser."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Path of a Chromium; None where none is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _pipe() -> tuple[int, int]:
    """Descriptors of a pipe to read from and to write to, both above those that the browser uses."""
    low = os.pipe()
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in low]
    for one in low:
        os.close(one)
    return high[0], high[1]


class Chromium:
    """A browser with one page; `with Chromium() as page`.

    `console` holds what scripts wrote or threw, `requests` every address that was asked for.
    """

    def __init__(self, width: int = 1400, height: int = 900, *, dark: bool = False, patience: float = 120) -> None:
        self.console: list[str] = []
        self.requests: list[str] = []
        self._size, self._dark, self._patience = (width, height), dark, patience
        self._folder = tempfile.mkdtemp(prefix="chromium-")
        self._number, self._rest, self._session = 0, b"", ""

    def __enter__(self) -> Chromium:
        path = find()
        assert path is not None, "no Chromium is installed"
        (theirs, self._write), (self._read, answers) = _pipe(), _pipe()
        flags = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
            "--no-first-run", "--disable-background-networking", "--disable-extensions", "--disable-component-update",
            "--force-color-profile=srgb", f"--user-data-dir={self._folder}", "--remote-debugging-pipe", "about:blank",
        ]  # fmt: skip
        # The browser reads commands on descriptor 3 and answers on 4.
        self._process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3</dev/fd/{theirs} 4>/dev/fd/{answers}', "sh", path, *flags],
            pass_fds=(theirs, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        os.close(answers)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.show(*self._size, dark=self._dark)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._send("Browser.close", {}, session=False)
            self._process.wait(timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)
        shutil.rmtree(self._folder, ignore_errors=True)

    def show(self, width: int, height: int, *, dark: bool = False, media: str = "") -> None:
        """The size of the window, its colour scheme, and the medium: `print`, or empty for a screen."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, path: Path) -> None:
        """Open a file and wait until it is loaded."""
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("document.readyState === 'complete'")

    def evaluate(self, script: str) -> Any:
        """Value of a script's expression, awaited.

        Raises:
            AssertionError: the script throws.
        """
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Wait until an expression is true.

        Raises:
            TimeoutError: it stays false.
        """
        until = time.monotonic() + self._patience
        while not self.evaluate(script):
            if time.monotonic() > until:
                raise TimeoutError(script)
            time.sleep(0.1)

    def move(self, x: float, y: float) -> None:
        """Move the pointer within the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def click(self, x: float, y: float) -> None:
        """Click within the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path: Path, clip: dict[str, float] | None = None) -> None:
        """Save the window, or a part of the page (x, y, width, height), as PNG."""
        more: dict[str, Any] = {} if clip is None else {"clip": {"scale": 1, **clip}, "captureBeyondViewport": True}
        found = self.call("Page.captureScreenshot", format="png", **more)
        path.write_bytes(base64.b64decode(found["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and wait for its answer.

        Raises:
            RuntimeError: the browser refuses it.
            TimeoutError: the browser does not answer.
        """
        number = self._send(method, parameters, session=bool(self._session))
        until = time.monotonic() + self._patience
        while True:
            message = self._receive(until)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                found: dict[str, Any] = message["result"]
                return found
            self._note(message)

    def _send(self, method: str, parameters: dict[str, Any], *, session: bool) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = self._session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._write, content) :]
        return self._number

    def _receive(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError("Chromium does not answer")
            more = os.read(self._read, 1 << 20)
            if not more:
                raise RuntimeError("Chromium ended")
            self._rest += more
        first, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        about = message.get("params", {})
        match message.get("method"):
            case "Runtime.consoleAPICalled" if about["type"] in ("error", "warning", "assert"):
                self.console.append(" ".join(str(one.get("value", one.get("description"))) for one in about["args"]))
            case "Runtime.exceptionThrown":
                self.console.append(str(about["exceptionDetails"].get("exception", about["exceptionDetails"])))
            case "Log.entryAdded" if about["entry"]["level"] in ("error", "warning"):
                self.console.append(about["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(about["request"]["url"])
