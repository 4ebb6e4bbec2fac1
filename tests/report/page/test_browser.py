"""The page in a headless Chromium: it draws, answers to the pointer, saves, and asks the network for nothing."""

import importlib
import sys
from pathlib import Path

import pytest

from tiny import ROOT

sys.path.insert(0, str(ROOT))
chromium = importlib.import_module("bench.chromium")
sys.path.remove(str(ROOT))
pytestmark = pytest.mark.skipif(chromium.find() is None, reason="no Chromium is installed")
CURVES = "tiny--divergence-text"


@pytest.fixture(scope="module")
def page(report: Path):
    with chromium.Chromium(1200, 900) as opened:
        opened.open(report)
        opened.wait_for("window.polyroute")
        opened.evaluate("polyroute.choose('tiny')")
        opened.evaluate("polyroute.drawAll()")
        yield opened


def marks(page, anchor: str, of: str = "path") -> int:
    return page.evaluate(f"document.querySelectorAll('[data-figure=\"{anchor}\"] svg .mark-line {of}').length")


def test_every_figure_of_the_model_is_drawn_without_a_word_on_the_console(page) -> None:
    waiting = "[...document.querySelectorAll('[data-figure]')].filter((one) => one.offsetParent && !one.dataset.drawn)"
    assert page.evaluate(f"{waiting}.map((one) => one.dataset.figure)") == []
    assert page.evaluate("polyroute.views.size") > 20
    assert page.console == []


def test_no_request_leaves_the_page(page) -> None:
    assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:", "about:"))] == []


def test_every_axis_has_a_title_and_every_drawing_has_marks(page) -> None:
    empty = page.evaluate(
        "[...document.querySelectorAll('[data-drawn]')].filter((one) => one.offsetParent)"
        ".filter((one) => !one.querySelector('svg [class*=mark-] path, svg [class*=mark-] text'))"
        ".map((one) => one.dataset.figure)"
    )
    assert empty == []


def test_the_pointer_brings_out_a_language(page) -> None:
    page.evaluate(f"document.querySelector('[data-figure=\"{CURVES}\"]').scrollIntoView({{behavior: 'instant'}})")
    page.wait_for(f"document.querySelector('[data-figure=\"{CURVES}\"]').dataset.drawn === 'yes'")
    place = page.evaluate(
        f"(() => {{ const all = document.querySelectorAll('[data-figure=\"{CURVES}\"] svg .mark-symbol path');"
        "const box = all[3].getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()"
    )
    page.move(5, 5)
    page.move(*place)
    page.wait_for(f"polyroute.views.get('{CURVES}').signal('hot') !== ''")
    page.wait_for("(document.getElementById('vg-tooltip-element') || {}).textContent.includes('language')")
    page.move(5, 5)
    page.wait_for(f"polyroute.views.get('{CURVES}').signal('hot') === ''")


def test_a_language_is_hidden_and_shown_again(page) -> None:
    before = marks(page, CURVES)
    chip = f'document.querySelector(\'[data-figure="{CURVES}"] .chips [aria-pressed="true"]\')'
    code = page.evaluate(f"(() => {{ const chip = {chip}; chip.click(); return chip.dataset.language; }})()")
    assert code not in page.evaluate(f"polyroute.shown('{CURVES}')")
    page.wait_for(f"document.querySelectorAll('[data-figure=\"{CURVES}\"] svg .mark-line path').length < {before}")
    page.evaluate(f'document.querySelector(\'[data-figure="{CURVES}"] .chips [data-language="{code}"]\').click()')
    page.wait_for(f"document.querySelectorAll('[data-figure=\"{CURVES}\"] svg .mark-line path').length === {before}")


def test_colours_follow_the_choice_in_every_figure(page) -> None:
    colour = f"polyroute.views.get('{CURVES}').signal('by')"
    page.evaluate(
        "(() => { const by = document.getElementById('by'); by.value = 'resource';"
        "by.dispatchEvent(new Event('change')); })()"
    )
    page.wait_for(f"{colour} === 'resource'")
    assert "class" in page.evaluate("document.getElementById('legend').textContent")


def test_figures_are_saved_alone_and_with_their_data(page) -> None:
    svg = page.evaluate(f"polyroute.saved('{CURVES}', 'svg').then((blob) => blob.text())")
    assert svg.startswith("<svg")
    assert "var(--" not in svg
    assert "<title>" in svg
    start = page.evaluate(
        f"polyroute.saved('{CURVES}', 'png').then((blob) => blob.arrayBuffer())"
        ".then((bytes) => [...new Uint8Array(bytes).slice(0, 4)])"
    )
    assert bytes(start) == b"\x89PNG"
    csv = page.evaluate(f"polyroute.saved('{CURVES}', 'csv').then((blob) => blob.text())")
    head, first, *_ = csv.splitlines()
    assert head == "language,layer,value,low,high"
    assert len(first.split(",")) == 5


def test_another_model_is_chosen_from_the_board(page) -> None:
    page.evaluate("document.querySelector('[data-choose=\"tiny\"]').click()")
    assert page.evaluate("document.querySelector('.of-model[data-model=\"counts\"]').hidden")
    assert not page.evaluate("document.querySelector('.of-model[data-model=\"tiny\"]').hidden")


def test_a_line_of_the_board_opens(page) -> None:
    line = "document.querySelector('.board details')"
    assert not page.evaluate(f"{line}.open")
    page.evaluate(f"{line}.querySelector('summary').click()")
    assert page.evaluate(f"{line}.open")


CUT = """[...document.querySelectorAll('[data-figure]')].filter((one) => one.offsetParent).flatMap((one) => {
  const box = one.querySelector('svg').getBoundingClientRect();
  return [...one.querySelectorAll('svg text')].filter((text) => text.textContent.trim()).filter((text) => {
    const {left, right, width} = text.getBoundingClientRect();
    return width && (left < box.left - 1 || right > box.right + 1);
  }).map((text) => `${one.dataset.figure}: ${text.textContent}`);
})"""


@pytest.mark.parametrize("width", [400, 1400])
def test_no_text_of_a_figure_is_cut(report: Path, width: int) -> None:
    with chromium.Chromium(width, 900) as narrow:
        narrow.open(report)
        narrow.wait_for("window.polyroute")
        narrow.evaluate("polyroute.choose('tiny')")
        narrow.evaluate("polyroute.drawAll()")
        assert narrow.evaluate(CUT) == []


def test_on_paper_figures_are_whole(page) -> None:
    """They were drawn for a screen that is wider."""
    page.show(720, 1000, media="print")
    wider = (
        "[...document.querySelectorAll('.canvas')].filter((one) => one.offsetParent)"
        ".filter((one) => one.querySelector('svg').getBoundingClientRect().width > one.clientWidth + 1).length"
    )
    assert page.evaluate(wider) == 0
    assert page.evaluate("[...document.querySelectorAll('.tools, .chips button:not([data-language])')]"
                         ".filter((one) => one.offsetParent).length") == 0  # fmt: skip
    page.show(1200, 900)


@pytest.mark.parametrize("width", [400, 1400])
def test_nothing_is_wider_than_the_screen(page, width: int) -> None:
    page.show(width, 900, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(21, 23, 27)"
    page.show(1200, 900)
