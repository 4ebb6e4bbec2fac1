import numpy as np
import pytest

from polyroute.measures.middle import MiddleError, choose_middle
from polyroute.results.quantities import MiddleCurve

U = np.array([0.8, 0.5, 0.3, 0.2, 0.3, 0.45, 0.6, 0.6])


def test_the_trough_is_the_run_below_halfway() -> None:
    # Ends 0.7, smallest 0.2: the line is 0.45, and what lies on it is not below.
    middle = choose_middle(U[None], range(10, 18))
    assert middle.layers == (12, 14)
    assert middle.has_trough
    assert middle.rule == "trough"
    assert middle.curve == MiddleCurve(
        languages=1, smallest=0.2, smallest_layer=13, ends=0.7, threshold=0.45, layers_below=(12, 14),
        languages_agreeing=1,
    )  # fmt: skip


def test_the_curve_is_the_mean_over_languages() -> None:
    others = np.stack([U + 0.1, U - 0.1, U[::-1], np.full(8, 0.4)])
    middle = choose_middle(others, range(8))
    assert middle.layers == choose_middle(others.mean(axis=0)[None], range(8)).layers
    assert (middle.curve.languages_agreeing, middle.curve.languages) == (3, 4)


def test_the_last_layer_of_the_run_belongs_to_it() -> None:
    # Without it the second language's run would lie at .4, above its first layer.
    middle = choose_middle(np.array([[1, 0, 0, 0, 1], [0.3, 0.4, 0.4, 0, 1]]), range(5))
    assert middle.layers == (1, 3)
    assert middle.curve.languages_agreeing == 2


def test_a_trough_of_the_mean_alone_is_none() -> None:
    middle = choose_middle(np.stack([U, U, np.full(8, 0.4)]), range(8))
    assert not middle.has_trough
    assert middle.rule == "few_languages"
    assert (middle.curve.layers_below, middle.curve.languages_agreeing) == ((2, 4), 2)


def test_a_second_trough_apart_from_the_smallest_is_left_out() -> None:
    curve = np.array([0.8, 0.3, 0.9, 0.2, 0.3, 0.8])
    assert choose_middle(curve[None], range(6)).layers == (3, 4)


@pytest.mark.parametrize(
    ("curve", "rule"),
    [
        (np.linspace(0.8, 0.1, 8), "at_last_layer"),
        (np.linspace(0.1, 0.8, 8), "at_first_layer"),
        (np.array([0.2, 0.5, 0.6, 0.6, 0.6, 0.6, 0.5, 0.3]), "at_first_layer"),
        (np.full(8, 0.4), "shallow"),
        (np.array([0.4, 0.39, 0.37, 0.37, 0.37, 0.38, 0.39, 0.4]), "shallow"),
        (np.zeros(8), "shallow"),
    ],
)
def test_no_trough_takes_the_default_and_says_so(curve, rule) -> None:
    middle = choose_middle(curve[None], range(10, 18))
    assert not middle.has_trough
    assert middle.layers == (12, 15), "the default zone of eight layers, in the model's numbers"
    assert middle.rule == rule
    assert choose_middle(curve[None], range(10, 18), default=(13, 14)).layers == (13, 14)


def test_a_model_of_one_or_two_layers_has_no_trough() -> None:
    for count in (1, 2):
        middle = choose_middle(np.full((3, count), 0.5), range(count))
        assert not middle.has_trough
        assert 0 <= middle.layers[0] <= middle.layers[1] < count


def test_curves_that_cannot_be_are_refused() -> None:
    with pytest.raises(MiddleError, match="layer 12"):
        choose_middle(np.where(np.arange(8) == 2, np.nan, U)[None], range(10, 18))
    with pytest.raises(MiddleError, match="shape"):
        choose_middle(U[None], range(7))
    with pytest.raises(MiddleError, match="shape"):
        choose_middle(np.empty((0, 8)), range(8))
