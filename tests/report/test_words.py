import pandas as pd
import pytest

from polyroute.report import words


def test_accuracy_is_in_percent_and_differences_are_in_points() -> None:
    row = pd.Series({"difference": 0.0161, "low": -0.0031, "high": 0.029})
    assert words.percent(0.764) == "76.4"
    assert words.points_with_interval(row) == "+1.6 [-0.3, 2.9]"


def test_nothing_has_no_minus_and_no_number_is_a_dash() -> None:
    assert words.points(-0.0004) == "+0.0"
    assert words.coefficient(-0.001) == "0.00"
    assert words.points(float("nan")) == "–"


@pytest.mark.parametrize(("q", "text"), [(0.0004, "<0.001"), (0.001, "0.001"), (0.04321, "0.043"), (1.0, "1.000")])
def test_small_chances_are_bounded(q: float, text: str) -> None:
    assert words.chance(q) == text


def test_a_table_without_rows_is_its_head() -> None:
    assert words.markdown(["a", "b"], []) == "| a | b |\n|---|---|"
    assert words.markdown(["a"], [["1"], ["2"]]).splitlines()[2:] == ["| 1 |", "| 2 |"]
