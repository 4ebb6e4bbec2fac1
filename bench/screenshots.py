"""The pictures of docs/mlflow.md: `polyroute track`, then `python bench/screenshots.py`, in the folder of the study.

Runs `polyroute ui` and looks at it in headless Chromium, clicking as docs/mlflow.md says; fails where a click finds
nothing, so that the page is held against the MLflow that is installed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

PORT = 5099
WIDTH, HEIGHT, SCALE = 1400, 900, 0.6
SECONDS = 120
PICTURES = {
    "Languages of pocket-plain": "languages", "Baseline against steered, pocket-plain": "steered",
    "Models in German": "models",
}  # fmt: skip
"""View -> name of its picture."""
CHART = "document.querySelectorAll('.js-plotly-plot').length"
_AT = """(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) if (texts.currentNode.data.trim() === %s) {
    const box = texts.currentNode.parentElement.getBoundingClientRect();
    if (box.width) return [box.x + box.width / 2, box.y + box.height / 2];
  }
})()"""

_OF = """(() => {
  const box = document.querySelector(%s)?.closest("label, button")?.getBoundingClientRect();
  return box && box.width ? [box.x + box.width / 2, box.y + box.height / 2] : null;
})()"""
CHARTS = '[value="CHART"]'


class Page:
    """A page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse):
        self.socket, self.number = socket, 0

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call the browser and wait for its answer; what it tells meanwhile is passed over."""
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        async for message in self.socket:
            told = json.loads(message.data)
            if told.get("id") == self.number:
                return told["result"]
        raise SystemExit("the browser has gone")

    async def value(self, expression: str) -> Any:
        """What an expression comes to in the page."""
        return (await self.call("Runtime.evaluate", expression=expression, returnByValue=True))["result"].get("value")

    async def until(self, expression: str) -> Any:
        """Wait until it comes to something."""
        for _ in range(SECONDS):
            if found := await self.value(expression):
                return found
            await asyncio.sleep(1)
        raise SystemExit(f"not on the page: {expression[-200:]}")

    async def click(self, text: str) -> None:
        """Click on a text."""
        await self._press(_AT % json.dumps(text))

    async def click_on(self, selector: str) -> None:
        """Click on an element of a CSS selector."""
        await self._press(_OF % json.dumps(selector))

    async def _press(self, place: str) -> None:
        x, y = await self.until(place)
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        await asyncio.sleep(3)

    async def view(self, title: str) -> None:
        """Three clicks: the menu, a view in it, the button of charts."""
        await self.click("Views")
        await self.click(title)
        await self.until("location.href.includes('viewStateShareKey')")
        await self.click_on(CHARTS)
        await self.until(CHART)

    async def picture(self, path: Path) -> None:
        """Write what is seen."""
        await asyncio.sleep(5)
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT, "scale": SCALE}
        taken = await self.call("Page.captureScreenshot", format="png", clip=clip)
        path.write_bytes(base64.b64decode(taken["data"]))
        print(path, path.stat().st_size)


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Page]:
    """A headless Chromium with one page."""
    command = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if command is None:
        raise SystemExit("Chromium is not installed")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        options += [f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", "about:blank"]
        running = subprocess.Popen([command, *options], stderr=subprocess.PIPE, text=True)
        assert running.stderr is not None
        try:
            address = next(line.split()[-1] for line in running.stderr if "DevTools listening on" in line)
            port = address.split(":")[2].split("/")[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json") as told:
                    page = next(one for one in await told.json() if one["type"] == "page")
                async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    yield Page(socket)
        finally:
            running.terminate()
            running.wait()


async def main(folder: Path) -> None:
    """Look at the runs as a new user would."""
    async with browser() as page:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        await page.call("Emulation.setDeviceMetricsOverride", **size)
        for _ in range(SECONDS):
            await page.call("Page.navigate", url=f"http://127.0.0.1:{PORT}/#/experiments")
            await asyncio.sleep(3)
            if await page.value("document.title === 'MLflow'"):
                break
        for number, (title, name) in enumerate(PICTURES.items()):
            await page.call("Page.navigate", url="about:blank")
            await page.call("Page.navigate", url=f"http://127.0.0.1:{PORT}/#/experiments")
            await page.click("multilingual-routing")
            await page.until("document.body.innerText.includes('Swahili')")
            if number == 0:
                await page.picture(folder / "mlflow-runs.png")
            await page.view(title)
            await page.picture(folder / f"mlflow-{name}.png")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    target.mkdir(parents=True, exist_ok=True)
    served = subprocess.Popen(
        [sys.executable, "-c", "from polyroute.cli.verbs import main; main()", "ui", "--port", str(PORT)]
    )
    try:
        asyncio.run(main(target))
    finally:
        served.terminate()
        served.wait()
