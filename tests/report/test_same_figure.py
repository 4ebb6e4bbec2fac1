"""Two drawings of nearly the same numbers show the same; other words or other lines do not."""

import pytest

from polyroute.report.drawing import page, save
from polyroute.report.same_figure import POINTS, compare

pytestmark = pytest.mark.usefixtures("every_format")


@pytest.fixture
def drawn(tmp_path):
    def draw(values: list[float], title: str = "share of 0.71") -> bytes:
        with page() as axes:
            axes.plot(range(len(values)), values)
            axes.set_xlim(0, 4)
            axes.set_ylim(0, 1)
            axes.set_title(title)
            return save(axes, tmp_path / "line")[1].read_bytes()

    return draw


def test_the_same_and_almost_the_same(drawn) -> None:
    assert compare("a.svg", drawn([0.1, 0.9, 0.5]), drawn([0.1, 0.9, 0.5])) == []
    (found,) = compare("a.svg", drawn([0.1, 0.9, 0.5]), drawn([0.1, 0.9, 0.501]))
    # A thousandth of axes 0.69 * 5 inches high.
    assert found.within
    assert float(found.worst.split()[0]) == pytest.approx(0.69 * 5 * 72 / 1000, abs=0.001)


def test_a_line_elsewhere(drawn) -> None:
    (found,) = compare("a.svg", drawn([0.1, 0.9, 0.5]), drawn([0.1, 0.9, 0.6]))
    assert (found.within, found.tolerance) == (False, f"{POINTS:g} points")


def test_other_words_and_one_point_less(drawn) -> None:
    (found,) = compare("a.svg", drawn([0.1, 0.9, 0.5]), drawn([0.1, 0.9, 0.5], "shares of 0.71"))
    assert (found.column, found.worst, found.within) == ("words", "'share of 0', now 'shares of 0'", False)
    (found,) = compare("a.svg", drawn([0.1, 0.9, 0.5]), drawn([0.1, 0.9]))
    assert (found.column, found.within) == ("drawing", False)


def test_numbers_in_words_are_those_of_tables(drawn) -> None:
    found = compare("a.svg", drawn([0.1, 0.9, 0.5]), drawn([0.1, 0.9, 0.5], "share of 0.72"))
    assert all(one.column == "drawing" and one.within for one in found)
