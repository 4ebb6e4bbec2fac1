"""The calibration runs, on little, and says where a promise is not kept."""

import importlib

import pytest
from click.testing import CliRunner

from tiny import ROOT


@pytest.fixture
def calibration(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("bench.calibration.__main__")


def test_a_topic_is_printed_as_a_table(calibration) -> None:
    result = CliRunner().invoke(calibration.main, ["--studies", "200", "--topic", "over_languages"])
    assert result.exit_code == 0, result.output
    assert "## Over languages" in result.output
    assert "| coverage, t over languages | normal | 5 | 0.950 | 0.9" in result.output


def test_t_over_languages_covers_as_often_as_it_says(calibration) -> None:
    rows = list(importlib.import_module("bench.calibration.over_languages").simulate(2000))
    for row in rows:
        if row.population == "normal" and row.quantity.startswith("coverage"):
            assert row.found == pytest.approx(0.95, abs=0.02), row
        if row.quantity == "size of a U":
            assert row.found <= 0.025, row
    # Related languages count for less, which the interval over languages does not know and the one by family does.
    related = {row.quantity: row for row in rows if (row.population, row.n) == ("clustered by family", 17)}
    assert related["coverage, by family"].found > 0.92
    assert calibration.missed(related["coverage, t over languages"])


@pytest.mark.parametrize(
    ("quantity", "nominal", "found", "missed"),
    [
        ("coverage", 0.95, 0.935, False), ("coverage", 0.95, 0.90, True), ("coverage", 0.95, 0.99, True),
        ("size", 0.05, 0.001, False), ("size", 0.05, 0.058, False), ("size", 0.05, 0.1, True),
        ("power", 0.8, 0.76, False), ("power", 0.8, 0.7, True), ("power", 0.8, 0.9, True),
    ],
)  # fmt: skip
def test_what_counts_as_a_broken_promise(calibration, quantity, nominal, found, missed) -> None:
    row = calibration.Row("topic", quantity, "normal", 11, nominal, found, 10_000)
    assert calibration.missed(row) == missed
    assert (" !" in calibration.table([row])) == missed


def test_what_lies_outside_the_target_is_said_above_its_table(calibration) -> None:
    row = calibration.Row("paired", "size", "normal", 11, 0.05, 0.05, 100)
    assert "## Paired\n\nOutside the target: coverage is above 97%" in calibration.table([row])
    assert "Outside" not in calibration.table([calibration.Row("sequential", "size", "normal", 11, 0.05, 0.05, 100)])


def test_what_was_not_simulated_anew_stays(calibration, monkeypatch, tmp_path) -> None:
    page = tmp_path / "CALIBRATION.md"
    page.write_text("# Calibration\n\n## Another topic\n\n| a |\n|---|\n| 1 |\n")
    monkeypatch.setattr(calibration, "RESULTS", page)
    arguments = ["--studies", "50", "--topic", "over_languages", "--write"]
    assert CliRunner().invoke(calibration.main, arguments, catch_exceptions=False).exit_code == 0
    first = page.read_text()
    assert "## Another topic\n\n| a |\n|---|\n| 1 |\n\n## Over languages" in first
    CliRunner().invoke(calibration.main, arguments, catch_exceptions=False)
    assert page.read_text() == first
