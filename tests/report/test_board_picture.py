"""The picture of the board: sound SVG, a line a question, verdicts as on the board, told without colour too."""

from xml.etree import ElementTree

import pytest

from claims.made import asked, committed
from polyroute.claims.verdict import judge
from polyroute.report.board_picture import picture
from polyroute.report.claims import WORDS
from polyroute.results.claims import ClaimsSummary

CLAIMS = committed()
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, ClaimsSummary]:
    return {
        "tiny": judge(CLAIMS, asked(tmp_path_factory.mktemp("one"))),
        "a<b": judge(CLAIMS, asked(tmp_path_factory.mktemp("other"), tasks=False)),
    }


def test_it_has_a_line_a_question_a_column_a_model_and_a_legend(found) -> None:
    root = ElementTree.fromstring(picture(CLAIMS, found))
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts[:2] == ["tiny", "a<b"]
    assert texts[-4:] == list(WORDS.values())
    assert len(texts[2:-4]) == 10
    assert texts[2] == "Does routing diverge in the first and last layers and converge in between?"


def test_a_sign_says_model_and_verdict_and_each_verdict_has_its_own_shape(found) -> None:
    root = ElementTree.fromstring(picture(CLAIMS, found))
    shapes = {}
    for group in root.iter(f"{SVG}g"):
        (title,) = group.findall(f"{SVG}title") or [None]
        if title is not None:
            model, _, word = title.text.partition(": ")
            assert model in found
            (path,) = group.findall(f"{SVG}path")
            shapes.setdefault(word, set()).add(path.get("d"))
    assert set(shapes) <= set(WORDS.values())
    assert all(len(drawn) == 1 for drawn in shapes.values())
    depth = found["tiny"].claims["p1.u_shape"].code
    assert f"<title>tiny: {WORDS[depth]}</title>" in picture(CLAIMS, found)


def test_it_loads_nothing_and_follows_light_and_dark(found) -> None:
    text = picture(CLAIMS, found)
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "href" not in text
