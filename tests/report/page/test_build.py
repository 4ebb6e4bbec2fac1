"""The page holds every section, asks for nothing, is small, and comes out the same again."""

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.ground.paths import Paths
from polyroute.report.page import build
from polyroute.report.page.study import ReportError
from polyroute.report.topics import TOPICS
from tiny import ROOT

LINK = re.compile(r"""(?:src|href|action|data)\s*=\s*["']?(?!#|data:)[a-z/]|@import|url\(""", re.IGNORECASE)


@pytest.fixture(scope="module")
def text(report: Path) -> str:
    return report.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def content(text: str) -> dict:
    found = re.search(r'<script type="application/gzip" id="content">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(gzip.decompress(b64decode(found[1])))


def markup(text: str) -> str:
    """The page without its scripts."""
    return re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def test_every_question_has_a_section_and_a_line_of_the_board(text: str) -> None:
    for topic in TOPICS:
        assert f'<section id="{topic.name}">' in text
        assert f'data-topic="{topic.name}"' in text
    for name in ("choices", "method", "provenance"):
        assert f'<section id="{name}">' in text


def test_the_page_asks_for_nothing_and_the_browser_would_refuse_it(text: str) -> None:
    assert not re.search(LINK, markup(text))
    assert "default-src 'none'" in text
    assert "connect-src" not in text


def test_it_is_far_below_its_limit(report: Path) -> None:
    assert report.stat().st_size < build.LARGEST / 2


def test_the_same_results_give_the_same_bytes(paths: Paths, settings, report: Path, tmp_path: Path) -> None:
    again = build.write(paths, settings, tmp_path / "again.html")
    assert again.read_bytes() == report.read_bytes()
    assert str(paths.root) not in report.read_text(encoding="utf-8")


def test_a_commit_is_told_where_it_is_given_and_nowhere_else(study, text: str) -> None:
    assert "not written" in text
    assert "abc123" in build.page(study, "abc123")


def test_every_place_of_a_figure_has_its_data(text: str, content: dict) -> None:
    places = re.findall(r'data-figure="([^"]+)"', markup(text))
    assert sorted(places) == sorted(content["figures"])
    for anchor, figure in content["figures"].items():
        assert figure["rows"], anchor
        assert {len(row) for row in figure["rows"]} == {len(figure["columns"])}, anchor


def axes(spec: object) -> Iterator[dict]:
    """Channels of numbers along the axes, wherever in a specification."""
    if isinstance(spec, list):
        for part in spec:
            yield from axes(part)
    elif isinstance(spec, dict):
        for name, part in spec.items():
            if name in ("x", "y") and isinstance(part, dict) and part.get("type") == "quantitative":
                yield part
            elif name != "values":
                yield from axes(part)


def test_every_axis_says_what_it_is_of_and_holds_its_data(content: dict) -> None:
    for anchor, figure in content["figures"].items():
        for channel in axes(figure["spec"]):
            if channel.get("scale", {}) is None or channel.get("axis", {}) is None:
                continue  # placed in pixels, or without an axis
            assert channel["title"], anchor
            low, high = sorted(channel["scale"]["domain"])
            if channel["field"] in figure["columns"]:
                place = figure["columns"].index(channel["field"])
                values = [row[place] for row in figure["rows"] if isinstance(row[place], int | float)]
                # Bounds of single draws and of wide intervals are told by the pointer.
                assert not values or (low <= min(values) and max(values) <= high), (anchor, channel["field"])


def test_every_kind_of_figure_is_there(content: dict) -> None:
    wanted = [
        "divergence-text", "heatmap-text", "alignment-text", "entropy-text", "accuracy-arithmetic",
        "correlation-arithmetic", "tree-middle-text", "rivals-text", "exclusive-text", "experts-arithmetic", "domains",
        "steering-arithmetic", "doses-arithmetic", "mechanism-arithmetic", "shared-steering-arithmetic",
        "masking-arithmetic", "choices-moved",
    ]  # fmt: skip
    assert [name for name in wanted if f"tiny--{name}" not in content["figures"]] == []


def test_a_language_has_one_colour_whatever_the_figure(content: dict) -> None:
    assert set(content["hues"]) == {"family", "branch", "resource"}
    assert all(colours["eng_Latn"] == "var(--ink)" for colours in content["hues"].values())
    for anchor, figure in content["figures"].items():
        said = json.dumps(figure["spec"])
        assert "#0072" not in said.lower(), anchor  # colours have names of the style sheet
        if "language" in figure["columns"] and '"hue"' in said:
            assert "hues[by][datum.language]" in said, anchor


def test_colours_of_figures_are_in_the_style_sheet_in_light_and_dark_and_print(text: str) -> None:
    style = text[text.index("<style>") : text.index("</style>")]
    used = set(re.findall(r"var\((--[a-z0-9]+)\)", text)) - {"--hue", "--models"}
    for part in (style[: style.index("@media")], style[style.index("dark") :], style[style.index("@media print") :]):
        assert {name for name in used if f"{name}:" not in part} == set()


def test_many_languages_are_a_band_with_the_extremes(content: dict) -> None:
    figure = content["figures"]["counts--divergence-text"]
    assert len(figure["chips"]) == 12
    assert len(figure["shown"]) == 4
    few = content["figures"]["tiny--divergence-text"]
    assert set(few["shown"]) == set(few["chips"])


def test_what_is_absent_is_said(text: str) -> None:
    assert "Not measured yet: absent." in text
    assert "No figure of Real-30B here" in text


def test_text_of_the_study_is_escaped(paths: Paths, settings) -> None:
    hostile = settings.model_copy(update={"name": "<script>alert(1)</script>"})
    page = build.page(build.read(paths, hostile))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_without_results_there_is_no_report(tmp_path: Path, settings) -> None:
    with pytest.raises(ReportError, match="run `polyroute study`"):
        build.write(Paths(tmp_path), settings)


def test_the_verb_writes_the_page_of_the_study(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("vl_convert")
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (tmp_path / "claims").symlink_to(ROOT / "claims")
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "pocket-plain").symlink_to(paths.metrics("tiny"))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["report", "--out", "out.html"])
    assert told.exit_code == 0, told.output
    assert told.output.startswith("out.html: ")
    assert "pocket-plain" in Path("out.html").read_text(encoding="utf-8")


def test_curves_of_200_languages_in_48_layers_are_packed_into_little() -> None:
    rows = [[f"lan{i}_Latn", layer, (i * 48 + layer) * 7919 % 9973 / 1e4] for i in range(200) for layer in range(48)]
    plain, packed = build.as_json(rows), build.packed(rows)
    assert len(packed) * 2.5 < len(plain)
    assert json.loads(gzip.decompress(b64decode(packed))) == rows
