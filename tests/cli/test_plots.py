"""DVC's page of plots with its drawing library inside."""

import stat
from pathlib import Path

import pytest
from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer

from polyroute.cli import plots
from polyroute.cli.plots import PlotsError


def page(folder: Path) -> str:
    drawn = VegaRenderer([{"x": 1, "y": 2, "rev": "a"}], "curves", template="linear", x="x", y="y", title="curves")
    return Path(render_html([drawn], str(folder / "index.html"))).read_text()


def test_no_request_leaves_the_page(tmp_path) -> None:
    html = page(tmp_path)
    assert 'src="https://' in html
    inside = plots.inlined(html)
    assert 'src="https://' not in inside
    assert len(inside) > 500_000
    assert inside.count("vegaEmbed(") >= html.count("vegaEmbed(")
    assert inside.endswith(html.partition("</head>")[2])


def test_what_dvc_refuses_is_told(tmp_path, monkeypatch) -> None:
    dvc = tmp_path / "dvc"
    dvc.write_text("#!/bin/sh\necho 'ERROR: no such file' >&2\nexit 1\n")
    dvc.chmod(dvc.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(plots, "_dvc", lambda: str(dvc))
    with pytest.raises(PlotsError, match=r"`dvc plots show` failed: ERROR: no such file"):
        plots.draw(["metrics/one/curves.json"], tmp_path / "out")
