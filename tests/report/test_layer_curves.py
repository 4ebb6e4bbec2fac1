"""The template of `dvc plots show` fits the DVC that is installed."""

import json
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / ".dvc" / "plots"


def test_dvc_fills_every_anchor_of_the_template() -> None:
    vega = pytest.importorskip("dvc_render.vega", reason="DVC is not installed")
    points = [
        {"corpus": "text", "language": language, "layer": layer, "divergence": 0.1 * layer, "rev": rev}
        for language in ("deu_Latn", "swh_Latn")
        for layer in range(3)
        for rev in ("workspace", "HEAD")
    ]
    renderer = vega.VegaRenderer(
        points, "metrics/tiny/curves.json", template="layer_curves", template_dir=TEMPLATES, x="layer", y="divergence"
    )
    filled = renderer.get_filled_template()
    assert "DVC_METRIC" not in json.dumps(filled)
    assert filled["data"]["values"] == points
    encoding = filled["spec"]["encoding"]
    assert (encoding["x"]["field"], encoding["y"]["field"]) == ("layer", "divergence")
    assert (encoding["color"]["field"], encoding["strokeDash"]["field"]) == ("language", "rev")
