import pytest

from polyroute.multiverse.grid import Choice, MultiverseError, base, cells, in_one_unit, main_effects, neighbours

A, B = Choice("a", ("x", "y")), Choice("b", ("1", "2", "3"))


def test_cells_are_every_combination_and_the_studys_own_comes_first() -> None:
    found = list(cells([A, B]))
    assert len(found) == 6
    assert found[0] == base([A, B]) == {"a": "x", "b": "1"}
    assert len({tuple(cell.items()) for cell in found}) == 6


def test_a_choice_needs_levels_that_differ() -> None:
    for levels in ((), ("x", "x")):
        with pytest.raises(MultiverseError, match="choice a: give at least one level, and each once"):
            Choice("a", levels)


def test_shares_of_variance_of_a_sum() -> None:
    # value by cell   b 1   2   3     mean       over all cells: mean 3, variance (4 + 1 + 0 + 0 + 1 + 4) / 6 = 10 / 6
    #   a x           1    2   3      2          a: means 2 and 4, variance 1          1 / (10 / 6) = .6
    #   a y           3    4   5      4          b: means 2, 3, 4, variance 2 / 3      (2 / 3) / (10 / 6) = .4
    shares = main_effects([A, B], list(cells([A, B])), [1, 2, 3, 3, 4, 5])
    assert shares == {"a": pytest.approx(0.6), "b": pytest.approx(0.4)}


def test_what_two_choices_do_only_together_is_no_choices_own() -> None:
    # a x: 1 -1;  a y: -1 1. Every level has mean 0.
    of_two = Choice("b", ("1", "2"))
    shares = main_effects([A, of_two], list(cells([A, of_two])), [1, -1, -1, 1])
    assert shares == {"a": 0, "b": 0}


def test_cells_without_a_value_are_left_out_and_levels_weigh_by_their_cells() -> None:
    # left: a x: 0 0 0;  a y: 4. mean 1, variance (3 + 9) / 4 = 3; of a: 3/4 x 1 + 1/4 x 9 = 3, all of it
    shares = main_effects([A, B], list(cells([A, B])), [0, 0, 0, 4, None, None])
    assert shares["a"] == pytest.approx(1)


def test_there_is_no_share_of_nothing() -> None:
    found = list(cells([A, B]))
    assert main_effects([A, B], found, [0.1] * 6) == {"a": None, "b": None}
    assert main_effects([A, B], found, [None] * 5 + [1.0]) == {"a": None, "b": None}
    one = Choice("a", ("x",))
    assert main_effects([one, B], list(cells([one, B])), [1, 2, 3]) == {"b": pytest.approx(1)}


def test_effects_of_another_unit_are_scaled_apart() -> None:
    # x: the root mean square of 3, 4, 5 is sqrt(50 / 3); y is a hundred times as much, and the same once scaled
    scaled = in_one_unit(list(cells([A, B])), [3, 4, 5, 300, 400, 500], "a")
    assert scaled[:3] == pytest.approx(scaled[3:])
    assert scaled[0] == pytest.approx(3 / (50 / 3) ** 0.5)
    assert in_one_unit(list(cells([B])), [1, None, 3], None) == [1, None, 3]


def test_neighbours_differ_in_one_choice() -> None:
    found = list(neighbours([A, B]))
    assert [(name, level) for name, level, _ in found] == [("a", "y"), ("b", "2"), ("b", "3")]
    assert found[0][2] == {"a": "y", "b": "1"}
