import numpy as np
import pytest

from polyroute.report import drawing


@pytest.mark.parametrize("seed", range(20))
def test_spread_keeps_order_and_distance_and_stays_inside(seed: int) -> None:
    generator = np.random.default_rng(seed)
    wanted = np.sort(generator.uniform(0, 1, generator.integers(1, 20)))
    places = drawing.spread(list(wanted), 0.05, 0.0, 1.0)
    assert (np.diff(places) > 0.05 - 1e-9).all()
    assert places.min() >= -1e-9
    assert places.max() <= 1 + 1e-9


def test_spread_moves_nothing_that_has_room() -> None:
    np.testing.assert_allclose(drawing.spread([0.1, 0.5, 0.9], 0.2, 0, 1), [0.1, 0.5, 0.9])


def test_spread_moves_a_crowd_about_its_middle() -> None:
    np.testing.assert_allclose(drawing.spread([0.5, 0.5, 0.5], 0.1, 0, 1), [0.4, 0.5, 0.6])


def test_spread_shares_room_that_is_too_small() -> None:
    np.testing.assert_allclose(drawing.spread([0.5] * 5, 0.5, 0, 1), [0, 0.25, 0.5, 0.75, 1])


def test_limits_show_every_value_and_no_nan() -> None:
    values = [np.array([0.2, np.nan]), np.array([0.5])]
    assert drawing.limits(values, from_zero=True) == pytest.approx((0, 0.53))
    assert drawing.limits(values, from_zero=False) == pytest.approx((0.182, 0.51908))


def test_limits_of_a_constant_are_no_empty_axis() -> None:
    bottom, top = drawing.limits([np.zeros(3)], from_zero=True)
    assert bottom < top
