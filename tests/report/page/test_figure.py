"""Axes fit their data, and names keep apart."""

import numpy as np
import pandas as pd
import pytest

from polyroute.report.page import figure


def test_axes_hold_every_value_with_air() -> None:
    low, high = figure.limits([0.2, 0.4, None, float("nan")], zero=False)
    assert low == pytest.approx(0.188)
    assert high == pytest.approx(0.412)
    assert figure.limits([0.2, 0.4], zero=True) == [0.0, pytest.approx(0.424)]
    assert figure.limits([-0.4, 0.0], zero=True) == [pytest.approx(-0.424), 0.0]
    low, high = figure.limits([0.0, 0.0], zero=False)
    assert low < 0 < high


def test_values_are_as_json_has_them() -> None:
    row = [np.int64(3), np.float64("nan"), pd.NA, "x", np.float64(0.5), None]
    assert [figure.clean(value) for value in row] == [3, None, None, "x", 0.5, None]


def test_few_languages_are_all_shown_and_of_many_the_extremes() -> None:
    assert figure.extremes({"b": 2.0, "a": 1.0}) == ["a", "b"]
    many = {f"l{place:02}": float(place) for place in range(12)}
    assert figure.extremes(many) == ["l00", "l01", "l10", "l11"]


def test_names_stand_where_there_is_room() -> None:
    alone = figure.beside([("German", 0.5, 0.5)], [0, 1], [0, 1])
    assert alone == ["right"]
    assert figure.beside([("German", 0.97, 0.5)], [0, 1], [0, 1]) == ["left"]
    # Two at one height, near one another: the first gives way to the left.
    assert figure.beside([("German", 0.5, 0.5), ("French", 0.52, 0.5)], [0, 1], [0, 1]) == ["left", "right"]
    crowd = figure.beside([("a long name", 0.5, 0.5)] * 6, [0, 1], [0, 1])
    assert crowd == ["right", "left", "above", "below", "", ""]
