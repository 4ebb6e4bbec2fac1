"""Tables of docs/ and the picture of the board: up to date with metrics/, and written between their marks."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.report import pages
from polyroute.report.pages import BOARD, PAGES, PageError, fill
from polyroute.results.model import ModelResults
from report import plausible, plausible_tasks
from report.shown import measure, rows
from tiny import ROOT

ACCURACY = {"Accuracy": "| new |"}


@pytest.fixture(scope="module")
def committed() -> dict[str, str]:
    return pages.tables(params.read(ROOT / "params.yaml"), Paths(ROOT))


@pytest.mark.parametrize("name", PAGES)
def test_pages_show_what_metrics_hold(committed, name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert fill(text, committed, name) == text, "run `polyroute findings --write`"


def test_the_board_shows_what_metrics_hold() -> None:
    drawn = pages.board(params.read(ROOT / "params.yaml"), Paths(ROOT))
    assert (ROOT / BOARD).read_text(encoding="utf-8") == drawn, "run `polyroute findings --write`"


def test_every_table_is_shown_once(committed) -> None:
    text = "".join((ROOT / name).read_text(encoding="utf-8") for name in PAGES)
    assert {title: text.count(f"<!-- table: {title} -->") for title in committed} == dict.fromkeys(committed, 1)


def test_what_stands_between_marks_is_replaced_and_nothing_else() -> None:
    page = "a\n<!-- table: Accuracy -->\nold\n<!-- end -->\nb\n"
    filled = fill(page, ACCURACY)
    assert filled == "a\n<!-- table: Accuracy -->\n\n| new |\n\n<!-- end -->\nb\n"
    assert fill(filled, ACCURACY) == filled


def test_marks_that_cannot_be_filled_are_named() -> None:
    with pytest.raises(PageError, match=r"README\.md: there is no table `Accurcy`; there are Accuracy"):
        fill("<!-- table: Accurcy -->\n<!-- end -->", ACCURACY, "README.md")
    with pytest.raises(PageError, match="the page: table `Accuracy` has no end"):
        fill("<!-- table: Accuracy -->\n<!-- table: Accuracy -->\n<!-- end -->", ACCURACY)
    with pytest.raises(PageError, match="the page: table `Accuracy` has no end"):
        fill("<!-- table: Accuracy -->\nand no more", ACCURACY)


def test_the_headline_is_of_a_models_first_task(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "tiny")
    plausible.write(paths, "counts", 3, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write_nothing(paths, "counts")
    found = [ModelResults.read(paths.metrics(name)) for name in ("tiny", "counts")]
    tiny, counts = rows(pages.headline_table(found))
    assert (tiny["task"], tiny["steering"]) == ("arithmetic", "+2.1 [0.9, 3.3]")
    assert list(counts.values())[3:] == ["–"] * 4


def test_the_verb_writes_the_pages(committed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PAGES, BOARD, "params.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("metrics", "claims"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pages, "tables", lambda *_: committed)  # of the same results, which take their time
    run = CliRunner()
    assert run.invoke(main, ["findings", "--write"]).output == "every page is up to date\n"
    stale = tmp_path / "docs" / "results.md"
    stale.write_text(stale.read_text(encoding="utf-8").replace("| pocket-plain |", "| stale |"), encoding="utf-8")
    (tmp_path / BOARD).unlink()
    assert run.invoke(main, ["findings", "--write"]).output == f"written: {BOARD}, docs/results.md\n"
    assert (tmp_path / BOARD).read_bytes() == (ROOT / BOARD).read_bytes()
    assert stale.read_text(encoding="utf-8") == (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert "leave --model out" in run.invoke(main, ["findings", "--write", "--model", "pocket-plain"]).output
    stale.unlink()
    assert "docs/results.md is missing" in run.invoke(main, ["findings", "--write"]).output
