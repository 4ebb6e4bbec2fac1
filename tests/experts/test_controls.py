import itertools
from collections import Counter

import numpy as np
import pytest

from polyroute.experts.controls import CALIPER, Controls
from polyroute.experts.specialised import ExpertsError

# Expert e of layer 4 is chosen by e of 10 tokens; in layer 5 all alike.
FREQUENCY = np.array([np.arange(10) / 10, np.full(10, 0.5)])
LAYERS = (4, 5)


def controls(experts, frequency_LE=FREQUENCY, seed=0) -> Controls:
    return Controls(experts, frequency_LE, LAYERS[: len(frequency_LE)], seed=seed)


def test_all_sets_within_the_caliper_are_drawn_alike() -> None:
    frequency_E = np.round(np.random.default_rng(1).dirichlet(np.ones(12)), 3)
    experts = {4: (0, 3, 7)}
    tolerance = CALIPER * frequency_E.std()
    others = [e for e in range(12) if e not in experts[4]]
    within = {
        one for one in itertools.combinations(others, 3)
        if abs(frequency_E[list(one)].mean() - frequency_E[[0, 3, 7]].mean()) <= tolerance
    }  # fmt: skip
    made = controls(experts, frequency_E[None])
    seen = Counter(made.draw(number)[4] for number in range(60 * len(within)))
    assert set(seen) == within
    assert len(within) > 5
    assert min(seen.values()) > 25, "60 expected of each: 25 is more than four standard deviations below"


def test_as_many_a_layer_and_never_from_the_set() -> None:
    experts = {4: (3, 5), 5: (0, 1)}
    made = controls(experts)
    for number in range(50):
        drawn = made.draw(number)
        assert {layer: len(set(chosen)) for layer, chosen in drawn.items()} == {4: 2, 5: 2}
        for layer, chosen in drawn.items():
            assert not set(chosen) & set(experts[layer])
            assert list(chosen) == sorted(chosen)
        assert sum(drawn[4]) in (7, 8, 9), "a mean of 4 tenths, within .2 of .287"


def test_a_draw_depends_on_seed_and_number_only() -> None:
    experts = {4: (5, 4), 5: (0, 1)}
    made = controls(experts, seed=3)
    first = [made.draw(number) for number in range(5)]
    assert first[4] == controls({5: (0, 1), 4: (5, 4)}, seed=3).draw(4)
    assert [controls(experts, seed=4).draw(number) for number in range(5)] != first
    assert len({tuple(made.draw(number).items()) for number in range(20)}) > 10


def test_an_expert_without_its_like_cannot_be_matched_and_gets_the_nearest() -> None:
    frequency_LE = np.array([[0.9, 0.1, 0.1, 0.1, 0.3, 0.1], np.full(6, 0.5)])
    made = controls({4: (0,), 5: (2,)}, frequency_LE)
    assert made.unmatched == [4]
    assert {made.draw(number)[4] for number in range(30)} == {(4,)}
    far, alike = made.balance([made.draw(0)])
    assert (far.frequency, far.controls, far.matched) == (0.9, pytest.approx(0.3), False)
    assert far.after == pytest.approx(0.6 / frequency_LE[0].std(), abs=1e-4)
    assert far.before == pytest.approx((0.9 - 0.7 / 5) / frequency_LE[0].std(), abs=1e-4)
    assert (alike.before, alike.after, alike.matched) == (0, 0, True)


def test_balance_is_of_all_draws() -> None:
    made = controls({4: (5,)})
    (row,) = made.balance([{4: (4,)}, {4: (7,)}])
    assert row.controls == pytest.approx(0.55)
    assert row.after == pytest.approx(-0.05 / FREQUENCY[0].std(), abs=1e-4)
    assert row.others == pytest.approx(4 / 9, abs=1e-4)
    assert row.experts == 1


def test_balance_is_better_after_matching() -> None:
    rng = np.random.default_rng(5)
    frequency_E = rng.beta(1, 6, size=64)
    often = tuple(int(e) for e in np.argsort(frequency_E)[-6:-2])
    made = controls({4: often}, frequency_E[None])
    (row,) = made.balance([made.draw(number) for number in range(40)])
    assert row.before > 1.5
    assert abs(row.after) <= CALIPER or not row.matched


def test_half_a_layer_leaves_one_control_and_more_none() -> None:
    made = controls({4: (0, 1, 2, 3, 4)})
    assert made.draw(0) == {4: (5, 6, 7, 8, 9)}
    assert made.unmatched == [4]
    with pytest.raises(ExpertsError, match="layer 4: the set holds 6 of 10 experts, and the other 4"):
        controls({4: (0, 1, 2, 3, 4, 5)})


@pytest.mark.parametrize(
    ("experts", "told"),
    [
        ({}, "the set holds no expert"),
        ({4: ()}, "the set holds no expert"),
        ({3: (0,)}, r"layer 3 is not among the traced layers \[4, 5\]"),
        ({4: (0, 0)}, r"layer 4: \(0, 0\) are not different experts from 0 to 9"),
        ({5: (10,)}, r"layer 5: \(10,\) are not different experts"),
    ],
)
def test_sets_that_the_model_lacks_are_refused(experts, told: str) -> None:
    with pytest.raises(ExpertsError, match=told):
        controls(experts)
