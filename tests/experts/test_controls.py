import itertools
from collections import Counter

import numpy as np
import pytest

from experts.made import make_trace, random_trace
from polyroute.experts.controls import Controls, rank_among_controls
from polyroute.experts.specialised import ExpertsError, size

# Expert e of layer 4 is chosen by e of 10 tokens; in layer 5 all alike.
GENERIC = make_trace([[list(range(10)), [5] * 10]], [10], layers=(4, 5))


def test_candidates_are_the_nearest_in_frequency() -> None:
    controls = Controls({4: (5,)}, GENERIC, seed=0, nearest=3)
    seen = Counter(controls.draw(number)[4][0] for number in range(300))
    assert set(seen) == {3, 4, 6}, "4 and 6 are one away; 3 and 7 two away, of which the lower number comes first"
    assert min(seen.values()) > 70


def test_drawn_without_replacement_never_from_the_set_and_as_many_a_layer() -> None:
    experts = {4: (7, 8, 9), 5: (0, 1)}
    for drawn in Controls(experts, GENERIC, seed=0, nearest=4).draws(100):
        assert {layer: len(chosen) for layer, chosen in drawn.items()} == {4: 3, 5: 2}
        for layer, chosen in drawn.items():
            assert len(set(chosen)) == len(chosen)
            assert not set(chosen) & set(experts[layer])
        assert list(drawn[4]) == sorted(drawn[4])
        assert min(drawn[4]) >= 1, "the nearest four of 7 are 3 to 6; each one drawn adds one lower"


def test_a_draw_depends_on_seed_and_number_only() -> None:
    controls = Controls({4: (5,), 5: (0, 1)}, GENERIC, seed=3)
    assert controls.draws(5)[4] == controls.draw(4) == Controls({5: (0, 1), 4: (5,)}, GENERIC, seed=3).draw(4)
    assert len({tuple(one.items()) for one in controls.draws(20)}) > 10
    assert Controls({4: (5,), 5: (0, 1)}, GENERIC, seed=4).draws(5) != controls.draws(5)


def test_one_candidate_gives_the_nearest_itself() -> None:
    (only,) = {tuple(one[4]) for one in Controls({4: (0,)}, GENERIC, seed=0, nearest=1).draws(20)}
    assert only == (1,)


def test_half_a_layer_leaves_one_control_and_more_none() -> None:
    controls = Controls({4: (0, 1, 2, 3, 4)}, GENERIC, seed=0, nearest=2)
    assert controls.draw(0) == {4: (5, 6, 7, 8, 9)}
    assert controls.match(controls.draws(3))["repeats"].tolist() == [0, 0, 0]
    with pytest.raises(ExpertsError, match="layer 4: the set holds 6 of 10 experts, and the other 4"):
        Controls({4: (0, 1, 2, 3, 4, 5)}, GENERIC, seed=0)


def test_match_shows_frequencies() -> None:
    controls = Controls({4: (5,), 5: (0,)}, GENERIC, seed=0, nearest=2)
    drawn = [{4: (4,), 5: (1,)}, {4: (6,), 5: (2,)}, {4: (4,), 5: (1,)}]
    table = controls.match(drawn)
    assert table["frequency"].tolist() == pytest.approx([0.45, 0.55, 0.45])
    assert table["of_set"].tolist() == pytest.approx([0.5] * 3)
    assert table["repeats"].tolist() == [0, 1, 0]


def test_matching_beats_drawing_from_the_whole_layer() -> None:
    generic = random_trace(0, 60, 2, 32, shift_LE=np.linspace(0, 3, 32))
    experts = {0: (28, 31), 1: (30,)}
    near, far = (Controls(experts, generic, seed=0, nearest=m) for m in (5, 32))
    means = [one.match(one.draws(50)) for one in (near, far)]
    close, wide = ((table["frequency"] - table["of_set"]).abs().mean() for table in means)
    assert close < wide / 2
    assert all(size(one) == 3 for one in near.draws(5))


def test_rule_agrees_with_the_plain_reference() -> None:
    """Which sets can be drawn at all, by walking every order and every choice."""
    frequency = np.arange(10) / 10
    possible = set()
    for order in itertools.permutations((2, 3)):
        paths = [()]
        for expert in order:
            longer = []
            for path in paths:
                left = [e for e in range(10) if e not in (2, 3) and e not in path]
                ranked = sorted(left, key=lambda e: (round(abs(frequency[e] - frequency[expert]), 9), e))
                longer += [(*path, candidate) for candidate in ranked[:2]]
            paths = longer
        possible |= {tuple(sorted(path)) for path in paths}
    drawn = {one[4] for one in Controls({4: (2, 3)}, GENERIC, seed=0, nearest=2).draws(300)}
    assert drawn == possible


@pytest.mark.parametrize(
    ("experts", "message"),
    [
        ({}, "no expert"),
        ({4: ()}, "no expert"),
        ({7: (1,)}, r"layer 7 is not among the traced layers \(4, 5\)"),
        ({4: (10,)}, "layer 4"),
        ({4: (1, 1)}, "layer 4"),
    ],
)
def test_sets_that_cannot_be_are_refused(experts, message) -> None:
    with pytest.raises(ExpertsError, match=message):
        Controls(experts, GENERIC, seed=0)


def test_rank_among_controls() -> None:
    assert rank_among_controls(0.5, [0.1, 0.2, 0.5, 0.4]) == pytest.approx(2 / 5)
    assert rank_among_controls(1.0, [0.0] * 19) == pytest.approx(0.05)
    with pytest.raises(ExpertsError, match="at least one control"):
        rank_among_controls(1.0, [])
    rng = np.random.default_rng(1)
    p = [rank_among_controls(scores[0], list(scores[1:])) for scores in rng.normal(size=(2000, 20))]
    assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.015)
