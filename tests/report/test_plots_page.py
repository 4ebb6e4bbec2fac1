"""The page of `dvc plots show` in a headless Chromium: it draws without a network where Vega lies beside it."""

import configparser
import importlib
import re
import sys
from pathlib import Path

import pytest
import vl_convert
from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer

from tiny import ROOT

sys.path.insert(0, str(ROOT))
chromium = importlib.import_module("bench.chromium")
sys.path.remove(str(ROOT))
CONFIG = configparser.ConfigParser()
CONFIG.read_string(re.sub(r"^\s+", "", (ROOT / ".dvc" / "config").read_text(), flags=re.MULTILINE))
PAGE = ROOT / ".dvc" / CONFIG["plots"]["html_template"]
LIBRARY = re.findall(r'<script src="\.\./([^"]+)"', PAGE.read_text())
needs_chromium = pytest.mark.skipif(chromium.find() is None, reason="no Chromium is installed")


def drawn(folder: Path, rows: list[dict[str, str]], template: str, x: str, y: str) -> Path:
    renderer = VegaRenderer(
        [row | {"rev": "workspace"} for row in rows],
        "metrics",
        template=template,
        template_dir=str(ROOT / ".dvc" / "plots"),
        x=x,
        y=y,
        title="metrics",
    )
    return Path(render_html([renderer], str(folder / "dvc_plots" / "index.html"), str(PAGE)))


def opened(page, path: Path) -> list[str]:
    """Addresses beyond this machine that a page asks for, none of which answers."""
    page.call("Network.setBlockedURLs", urls=["http://*", "https://*"])
    page.open(path)
    return [url for url in page.requests if url.startswith("http")]


@pytest.fixture
def folder(tmp_path):
    for name in ("dvc_plots", ".polyroute"):
        (tmp_path / name).mkdir()
    return tmp_path


@needs_chromium
def test_the_page_draws_without_a_network(folder) -> None:
    (folder / LIBRARY[0]).write_text(vl_convert.javascript_bundle(), encoding="utf-8")
    rows = [{"corpus": "own", "language": "swh_Latn", "layer": str(one), "divergence": "0.1"} for one in range(4)]
    path = drawn(folder, rows, "layer_curves", "layer", "divergence")
    with chromium.Chromium(patience=30) as page:
        assert opened(page, path) == []
        page.wait_for("document.querySelectorAll('.vega-embed .mark-line path, .vega-embed canvas').length > 0")


@needs_chromium
def test_without_the_library_it_is_asked_for_where_dvc_has_it(folder) -> None:
    path = drawn(folder, [], "layer_curves", "layer", "divergence")
    linked = set(re.findall(r'src="(https://[^"]+)"', path.read_text()))
    with chromium.Chromium(patience=30) as page:
        assert set(opened(page, path)) == linked != set()


@needs_chromium
def test_a_correlation_that_cannot_be_tested_takes_no_room_beyond_its_axes(folder) -> None:
    (folder / LIBRARY[0]).write_text(vl_convert.javascript_bundle(), encoding="utf-8")
    columns = {"task": "own", "method": "pearson", "controlled_for": "", "r": "", "q": ""}
    path = drawn(folder, [columns | {"layer": str(one)} for one in range(4)], "correlation", "layer", "r")
    with chromium.Chromium(patience=30) as page:
        opened(page, path)
        page.wait_for("document.querySelector('.vega-embed canvas, .vega-embed svg') !== null")
        assert 0 < page.evaluate("document.documentElement.scrollWidth") <= 1400


def test_make_install_writes_the_library_that_the_page_loads() -> None:
    rules = re.findall(r"^([^\s:]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    (installed,) = re.findall(r"^install: (.*?)\s+##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(LIBRARY) == 1
    assert set(LIBRARY) <= set(rules) & set(installed.split())
