"""Change of D by hand, and its intervals against scipy's."""

import numpy as np
import pytest
from scipy import stats

from checkpoints import random, trace
from polyroute.comparing.change import Divergences, changes, divergences, over_languages
from polyroute.comparing.sides import CompareError
from polyroute.ground.layers import Zones
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.zones import ZoneError

ZONES = Zones(early=(0, 0), middle=(1, 2), late=(3, 3))


def test_zones_and_layers_by_hand() -> None:
    # Two experts. Layer 0: apart under the one (D 1), alike under the other (D 0); layers 1 and 2: as before.
    apart = [[1.0, 0.0]]
    pivot = trace([apart * 4])
    one = trace([[[0.0, 1.0]] + apart * 3], language="deu_Latn")
    other = trace([apart * 4], language="deu_Latn")
    found = divergences((pivot, one), (pivot, other), ZONES, "soft_mass")
    np.testing.assert_allclose(found.one_NM, [[1, 0, 0, 1, 0, 0, 0]], atol=1e-9)
    np.testing.assert_allclose(found.other_NM, np.zeros((1, 7)), atol=1e-9)
    first = changes(found, 0.95)[0]
    assert (first.one, first.other, first.difference, first.low, first.sign) == (1, 0, -1, None, None)


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    soft = [random(seed, sentences=30, layers=4) for seed in range(4)]
    one, other = ((trace(soft[place]), trace(soft[place + 1], language="deu_Latn")) for place in (0, 2))
    found = divergences(one, other, ZONES, "soft_mass")
    rows = changes(found, 0.95)
    for place, row in enumerate(rows):
        test = stats.ttest_rel(found.other_NM[:, place], found.one_NM[:, place])
        low, high = test.confidence_interval(0.95)
        assert (row.low, row.high) == (round(low, 4), round(high, 4))
        assert (row.sign != 0) == (test.pvalue < 0.05)
    by_hand = routing_divergence(soft[0], soft[1])[:, 1:3].mean()
    assert rows[1].one == round(by_hand, 4)


def test_over_languages_a_sentence_counts_once() -> None:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(40, 1))  # what a sentence does in all languages
    found = [Divergences(np.zeros((40, 1)), shared + 0.1 * rng.normal(size=(40, 1)) + 0.5) for _ in range(6)]
    (row,) = over_languages(found, 0.95)
    # Had languages been as many observations, the interval would be narrower by the root of six.
    assert row.high - row.low == pytest.approx(2 * stats.t.ppf(0.975, 39) * shared.std(ddof=1) / 40**0.5, rel=0.1)
    means = [float((each.other_NM - each.one_NM).mean()) for each in found]
    low, high = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert (row.low_languages, row.high_languages) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))
    (few,) = over_languages(found[:3], 0.95)
    assert few.low_languages is None


def test_few_sentences_have_no_interval_and_none_is_an_error() -> None:
    (row,) = changes(Divergences(np.zeros((9, 1)), np.ones((9, 1))), 0.95)
    assert (row.difference, row.low, row.sign) == (1, None, None)
    with pytest.raises(CompareError, match="no sentence has a token"):
        changes(Divergences(np.full((3, 1), np.nan), np.ones((3, 1))), 0.95)


def test_a_zone_without_a_layer_is_named() -> None:
    one = trace(random(0)), trace(random(1), language="deu_Latn")
    with pytest.raises(ZoneError, match=r"zone late = \[7, 8\] holds no traced layer: the trace has layers 0 to 4"):
        divergences(one, one, Zones(early=(0, 0), middle=(1, 2), late=(7, 8)), "soft_mass")
