"""The pictures of docs/mlflow.md: `polyroute track`, then `python -m bench.mlflow_pictures`, at the root of the study.

Runs `polyroute ui` and looks at it in headless Chromium, clicking as docs/mlflow.md says; fails where a click finds
nothing, so that the page is held against the MLflow that is installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from bench.chromium import Chromium

PORT = 5099
WIDTH, HEIGHT, SCALE = 1400, 900, 0.6
ADDRESS = f"http://127.0.0.1:{PORT}/#/experiments"
PICTURES = {
    "Languages of pocket-plain": "languages", "Baseline against steered, pocket-plain": "steered",
    "Models in German": "models",
}  # fmt: skip
"""View -> name of its picture."""
CHART = "document.querySelectorAll('.js-plotly-plot').length"
_AT = """(() => {
  const texts = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
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


def click(page: Chromium, place: str) -> None:
    """Click where an expression says, once it says it."""
    page.wait_for(place)
    x, y = page.evaluate(place)
    page.click(x, y)
    time.sleep(3)


def view(page: Chromium, title: str) -> None:
    """Three clicks: the menu, a view in it, the button of charts."""
    click(page, _AT % json.dumps("Views"))
    click(page, _AT % json.dumps(title))
    page.wait_for("location.href.includes('viewStateShareKey')")
    click(page, _OF % json.dumps(CHARTS))
    page.wait_for(CHART)


def picture(page: Chromium, path: Path) -> None:
    """Save what is seen, once it has settled."""
    time.sleep(5)
    page.picture(path, {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT, "scale": SCALE})
    print(path, path.stat().st_size)


def main(folder: Path) -> None:
    """Look at the runs as a new user would.

    Raises:
        TimeoutError: something is not on the page.
    """
    with Chromium(WIDTH, HEIGHT) as page:
        for _ in range(120):
            page.call("Page.navigate", url=ADDRESS)
            time.sleep(3)
            if page.evaluate("document.title.endsWith('MLflow')"):
                break
        for number, (title, name) in enumerate(PICTURES.items()):
            page.call("Page.navigate", url="about:blank")
            page.call("Page.navigate", url=ADDRESS)
            click(page, _AT % json.dumps("multilingual-routing"))
            page.wait_for("document.body?.innerText.includes('Swahili')")
            if number == 0:
                picture(page, folder / "mlflow-runs.png")
            view(page, title)
            picture(page, folder / f"mlflow-{name}.png")


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    target.mkdir(parents=True, exist_ok=True)
    served = subprocess.Popen(
        [sys.executable, "-c", "from polyroute.cli.verbs import main; main()", "ui", "--port", str(PORT)]
    )
    try:
        main(target)
    finally:
        served.terminate()
        served.wait()
