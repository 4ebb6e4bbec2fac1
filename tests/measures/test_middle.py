import numpy as np
import pytest

from polyroute.measures.middle import MiddleError, choose_middle

U = np.array([0.8, 0.5, 0.3, 0.2, 0.3, 0.45, 0.6, 0.6])


def test_the_trough_is_the_run_below_halfway() -> None:
    # Ends 0.7, smallest 0.2: the line is 0.45, and what lies on it is not below.
    middle = choose_middle(U[None], range(10, 18))
    assert middle.layers == (12, 14)
    assert middle.found
    assert "lies below 0.450 in layers 12 to 14" in middle.reason
    assert "in 1 of 1 languages" in middle.reason


def test_the_curve_is_the_mean_over_languages() -> None:
    others = np.stack([U + 0.1, U - 0.1, U[::-1], np.full(8, 0.4)])
    middle = choose_middle(others, range(8))
    assert middle.layers == choose_middle(others.mean(axis=0)[None], range(8)).layers
    assert "in 3 of 4 languages" in middle.reason


def test_a_trough_of_the_mean_alone_is_none() -> None:
    middle = choose_middle(np.stack([U, U, np.full(8, 0.4)]), range(8))
    assert not middle.found
    assert "smallest in layers 2 to 4, but only in 2 of 3 languages" in middle.reason


def test_a_second_trough_apart_from_the_smallest_is_left_out() -> None:
    curve = np.array([0.8, 0.3, 0.9, 0.2, 0.3, 0.8])
    assert choose_middle(curve[None], range(6)).layers == (3, 4)


@pytest.mark.parametrize(
    ("curve", "reason"),
    [
        (np.linspace(0.8, 0.1, 8), "in the last layer"),
        (np.linspace(0.1, 0.8, 8), "in the first layer"),
        (np.array([0.2, 0.5, 0.6, 0.6, 0.6, 0.6, 0.5, 0.3]), "in the first layer"),
        (np.full(8, 0.4), "takes only 0% off"),
        (np.array([0.4, 0.39, 0.37, 0.37, 0.37, 0.38, 0.39, 0.4]), "takes only 8% off"),
        (np.zeros(8), "takes only 0% off"),
    ],
)
def test_no_trough_takes_the_default_and_says_so(curve, reason) -> None:
    middle = choose_middle(curve[None], range(10, 18))
    assert not middle.found
    assert middle.layers == (12, 15), "the default zone of eight layers, in the model's numbers"
    assert reason in middle.reason
    assert choose_middle(curve[None], range(10, 18), default=(13, 14)).layers == (13, 14)


def test_a_model_of_one_or_two_layers_has_no_trough() -> None:
    for count in (1, 2):
        middle = choose_middle(np.full((3, count), 0.5), range(count))
        assert not middle.found
        assert 0 <= middle.layers[0] <= middle.layers[1] < count


def test_curves_that_cannot_be_are_refused() -> None:
    with pytest.raises(MiddleError, match="layer 12"):
        choose_middle(np.where(np.arange(8) == 2, np.nan, U)[None], range(10, 18))
    with pytest.raises(MiddleError, match="shape"):
        choose_middle(U[None], range(7))
    with pytest.raises(MiddleError, match="shape"):
        choose_middle(np.empty((0, 8)), range(8))
