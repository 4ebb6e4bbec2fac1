"""The older rules of multilingual experts, by hand."""

import statistics

import numpy as np
import pytest

from experts.made import make_trace
from polyroute.experts.multilingual import beside, older_experts, standardised
from polyroute.experts.specialised import ExpertsError
from polyroute.measures.specialisation import SpecialisationError

E = 16
EVEN = np.full(E, 1 / E)


def moved(by: dict[int, float]) -> np.ndarray:
    """Even soft mass with some experts moved; what they gain the others lose alike."""
    mass_E = EVEN.copy()
    others = [expert for expert in range(E) if expert not in by]
    mass_E[others] -= sum(by.values()) / len(others)
    for expert, more in by.items():
        mass_E[expert] += more
    return mass_E


def traced(layers_LE, language="eng_Latn", **options):
    """Two sentences of the same soft mass, layers numbered 3 and on."""
    mass_NLE = np.stack([layers_LE, layers_LE]).astype(np.float32)
    counts_NLE = np.zeros(mass_NLE.shape, dtype=np.int64)
    counts_NLE[..., :2] = 1
    numbers = tuple(range(3, 3 + len(layers_LE)))
    return make_trace(counts_NLE, [1, 1], layers=numbers, language=language, soft_mass=mass_NLE, **options)


ENGLISH = traced([EVEN, EVEN])


def test_one_expert_that_alone_moves_stands_out_and_two_do_not_by_much() -> None:
    # d is .15 at one of 16 experts and -.01 at the others: SD = sqrt((.15^2 + 15 * .01^2) / 15) = .04, and .15 / .04 is
    # (E - 1) / sqrt(E) = 3.75, the most that is possible.
    alone = moved({5: 0.15}) - EVEN
    assert standardised(alone[None])[0, 5] == pytest.approx(15 / 4, abs=1e-4)
    assert statistics.stdev(alone) == pytest.approx(0.04)
    # Two of .07 and 14 of -.01: SD = sqrt((2 * .0049 + 14 * .0001) / 15) = .0273, and .07 / .0273 = 2.56.
    two = moved({5: 0.07, 6: 0.07}) - EVEN
    assert standardised(two[None])[0, 5] == pytest.approx(2.5617, abs=1e-3)
    swahili = traced([moved({5: 0.15}), moved({5: 0.07, 6: 0.07})], "swh_Latn")
    found = older_experts(ENGLISH, [swahili], ["three_sd", "weighted_mean"], weights={})
    assert found == {"three_sd": {3: (5,)}, "weighted_mean": {3: (5,)}}


def test_any_language_is_enough_for_one_rule_and_their_mean_for_the_other() -> None:
    # Layer 3: expert 5 in Swahili alone, 6 in Thai alone; their mean moves both by half as much, which is 2.56 SD.
    # Layer 4: expert 1 in both, so in the mean too.
    swahili = traced([moved({5: 0.15}), moved({1: 0.15})], "swh_Latn")
    thai = traced([moved({6: 0.15}), moved({1: 0.15})], "tha_Thai")
    found = older_experts(ENGLISH, iter([swahili, thai]), ["three_sd", "weighted_mean"], weights={})
    assert found == {"three_sd": {3: (5, 6), 4: (1,)}, "weighted_mean": {4: (1,)}}
    # With a weight of 0 for one the mean is the other.
    one = older_experts(ENGLISH, [swahili, thai], ["weighted_mean"], weights={"tha_Thai": 0})
    assert one == {"weighted_mean": {3: (5,), 4: (1,)}}


def test_weights_of_one_half_count_half() -> None:
    # d of expert 5: (1 * .15 + .5 * (-.01)) / 1.5 = .09667; of 6: (1 * (-.01) + .5 * .15) / 1.5 = .04333; others -.01.
    # SD = sqrt((.09667^2 + .04333^2 + 14 * .01^2) / 15) = .02899; 5 lies .09667 / .02899 = 3.33 above.
    swahili = traced([moved({5: 0.15}), EVEN], "swh_Latn")
    bambara = traced([moved({6: 0.15}), EVEN], "bam_Latn")
    found = older_experts(ENGLISH, [swahili, bambara], ["weighted_mean"], weights={"bam_Latn": 0.5})
    assert found == {"weighted_mean": {3: (5,)}}


def test_layers_outside_the_range_and_layers_that_do_not_move_hold_none() -> None:
    swahili = traced([moved({5: 0.15}), moved({1: 0.15})], "swh_Latn")
    assert older_experts(ENGLISH, [swahili], ["three_sd"], weights={}, layers=(4, 9)) == {"three_sd": {4: (1,)}}
    assert older_experts(ENGLISH, [traced([EVEN, EVEN], "swh_Latn")], ["three_sd"], weights={}) == {"three_sd": {}}


def test_few_experts_never_have_one() -> None:
    # (E - 1) / sqrt(E) is 2.85 for E = 10 and 3.02 for E = 11.
    def largest(experts: int) -> float:
        d_E = np.full(experts, -1.0)
        d_E[0] = experts - 1
        return float(standardised(d_E[None]).max())

    assert largest(10) < 3 < largest(11)


def test_overlap_with_a_tasks_experts_by_hand() -> None:
    sets = {"three_sd": {3: (5, 6), 4: (1,)}, "weighted_mean": {}}
    assert beside({3: (5, 7, 8, 9), 5: (1,)}, sets, 16) == [
        {"rule": "three_sd", "multilingual": 3, "both": 1, "expected": 0.5},
        {"rule": "weighted_mean", "multilingual": 0, "both": 0, "expected": 0},
    ]


def test_what_cannot_be_told_is_an_error() -> None:
    with pytest.raises(ExpertsError, match="at least one language besides the pivot"):
        older_experts(ENGLISH, [], ["three_sd"], weights={})
    swahili = traced([EVEN, EVEN], "swh_Latn")
    with pytest.raises(ExpertsError, match="of a weight above 0"):
        older_experts(ENGLISH, [swahili], ["weighted_mean"], weights={"swh_Latn": 0})
    counts = make_trace(ENGLISH.topk_count, [1, 1], layers=(3, 4), language="swh_Latn")
    with pytest.raises(ExpertsError, match="holds counts alone, and the older rules need soft mass"):
        older_experts(ENGLISH, [counts], ["three_sd"], weights={})
    with pytest.raises(SpecialisationError, match="has model other"):
        older_experts(ENGLISH, [traced([EVEN, EVEN], "swh_Latn", model="other")], ["three_sd"], weights={})
