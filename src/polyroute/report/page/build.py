"""The page as a whole: one file of HTML that asks the network for nothing, and the same bytes from the same results."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from functools import cache
from importlib.resources import files
from pathlib import Path

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.files import write_atomically
from polyroute.ground.paths import Paths
from polyroute.params.settings import ReportSettings
from polyroute.report.page import answer, board, colours
from polyroute.report.page.figure import clean
from polyroute.report.page.html import Markup, tag
from polyroute.report.page.sections import Pages
from polyroute.report.page.study import Study, read
from polyroute.report.topics import by_topic

LARGEST = 5_000_000
"""Bytes that the page of the default study stays below."""
_NOTHING_ELSE = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:"
)
"""The browser itself refuses every request; Vega compiles expressions of figures, hence `unsafe-eval`."""


class LibraryError(PolyrouteError):
    """The plotting library is not installed."""


def write(paths: Paths, settings: ReportSettings, out: Path | None = None, commit: str | None = None) -> Path:
    """Write the report.

    Args:
        paths: of the study.
        settings: what the report is of.
        out: file to write, if not that of the study.
        commit: that the page says it was made at.

    Returns:
        The file.

    Raises:
        ReportError: nothing has been measured.
        LibraryError: vl-convert is not installed.
    """
    path = out or paths.report
    write_atomically(path, page(read(paths, settings), commit).encode())
    return path


def page(study: Study, commit: str | None = None) -> str:
    """The report as HTML."""
    pages = Pages(study, commit)
    sections = pages.sections()
    content = {
        **colours.payload(study.languages, study.settings.pivot),
        "figures": {anchor: one.payload() for anchor, one in pages.figures.items()},
    }
    head = tag(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_ELSE}">'),
        Markup('<meta name="color-scheme" content="light dark"><link rel="icon" href="data:,">'),
        tag("title", f"{study.settings.name}: report"), tag("style", Markup(_asset("page.css"))),
    )  # fmt: skip
    body = tag(
        "body",
        tag("header", tag("p", study.settings.name, class_="name"), tag("h1", answer.QUESTION),
            *(tag("p", sentence, class_="answer") for sentence in answer.answer(study)), class_="top"),
        tag("main", board.board(study), answer.numbers(study), _controls(study), sections),
        tag("noscript", "Figures need JavaScript; everything else is here."),
        tag("script", Markup(packed(content)), type="application/gzip", id="content"),
        tag("script", Markup(library())), tag("script", Markup(_asset("page.js"))),
    )  # fmt: skip
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


@cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, as vl-convert carries them; the same bytes from the same version.

    Raises:
        LibraryError: it is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise LibraryError("the report needs vl-convert-python: pip install 'polyroute[study]'") from None
    # Without a snippet it is all three libraries, though its types do not say that one may be left out.
    bundle = str(vl_convert.javascript_bundle())  # type: ignore[call-arg]
    return bundle.replace("</script", "<\\/script")


def _asset(name: str) -> str:
    return files("polyroute.report.page").joinpath(name).read_text(encoding="utf-8")


def as_json(content: object) -> str:
    """What the page's script reads, without a blank."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=clean)


def packed(content: object) -> str:
    """JSON gzipped and in base64, a seventh of its size: 200 languages in 48 layers would take tens of MB."""
    return b64encode(gzip.compress(as_json(content).encode(), mtime=0)).decode()


def _controls(study: Study) -> Markup:
    """What is chosen once for all figures, and the way to every section."""
    models = [tag("option", study.title(model), value=model) for model in study.models]
    schemes = (("family", "language family"), ("branch", "branch of the family"), ("resource", "resource class"))
    links = [
        tag("a", topic.name.capitalize(), href=f"#{topic.name}", title=topic.question)
        for topic in by_topic(study.claims.by_id)
    ]
    links += [tag("a", name.capitalize(), href=f"#{name}") for name in ("choices", "method", "provenance")]
    return tag(
        "nav",
        tag("div",
            tag("label", "Model ", tag("select", *models, id="model")),
            tag("label", "Colour languages by ",
                tag("select", *(tag("option", said, value=name) for name, said in schemes), id="by")),
            tag("span", id="legend", class_="legend"),
            class_="choose"),
        tag("div", *links, class_="links"),
        id="controls", aria_label="Model, colours and sections",
    )  # fmt: skip
