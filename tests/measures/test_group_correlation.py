"""Correlations over named groups, with and without the languages that are answered by guessing."""

import numpy as np
import pytest
from scipy import stats

from polyroute.ground.layers import Zones
from polyroute.measures.group_correlation import correlate_groups
from polyroute.measures.zone_correlation import correlate_zones
from polyroute.results.correlation import GroupCorrelation

CODES = ["bam_Latn", "fra_Latn", "tha_Thai", "arb_Latn", "hin_Deva", "zho_Hans", "lit_Latn", "ben_Beng"]
ZONES = Zones(early=(0, 0), middle=(1, 2), late=(3, 3))
# Six languages without any trend, and two at chance that are also the most divergent.
ACCURACY = np.array([0.25, 0.88, 0.83, 0.26, 0.76, 0.87, 0.86, 0.80])
MIDDLE = np.array([0.60, 0.22, 0.20, 0.55, 0.21, 0.19, 0.22, 0.20])
DIVERGENCE = np.stack([MIDDLE + 0.3, MIDDLE - 0.01, MIDDLE + 0.01, MIDDLE + 0.5], axis=1)


def found(groups, near_chance=("bam_Latn", "arb_Latn"), codes=CODES, at=slice(None)):
    records = correlate_groups(
        DIVERGENCE[at], ACCURACY[at], languages=codes, layers=range(4), zones=ZONES, groups=groups,
        near_chance=near_chance, confidence=0.95, seed=3,
    )  # fmt: skip
    return {name: GroupCorrelation.model_validate(record) for name, record in records.items()}


def test_two_languages_at_chance_make_a_correlation_that_the_others_have_not() -> None:
    one = found({"all": CODES})["all"]
    assert one.whole.r == pytest.approx(stats.pearsonr(MIDDLE, ACCURACY).statistic, abs=1e-4)
    assert one.whole.r < -0.95
    others = [place for place, code in enumerate(CODES) if code not in ("bam_Latn", "arb_Latn")]
    assert one.without.r == pytest.approx(stats.pearsonr(MIDDLE[others], ACCURACY[others]).statistic, abs=1e-4)
    assert abs(one.without.r) < 0.4
    assert (one.whole.languages, one.without.languages) == (8, 6)
    assert one.near_chance == ["bam_Latn", "arb_Latn"]
    assert (one.whole.verdict, one.without.verdict) == ("negative", "cannot_be_seen")


def test_a_group_is_what_it_would_be_had_the_others_not_been_measured() -> None:
    five = ["fra_Latn", "tha_Thai", "hin_Deva", "zho_Hans", "bam_Latn"]
    one = found({"five": five}, near_chance=())["five"]
    places = [place for place, code in enumerate(CODES) if code in five]
    alone = correlate_zones(
        DIVERGENCE[places], ACCURACY[places], languages=[CODES[place] for place in places], layers=range(4),
        zones=ZONES, confidence=0.95, seed=3,
    ).record()  # fmt: skip
    middle = alone["zones"]["middle"]
    assert (one.whole.r, one.whole.low, one.whole.high, one.whole.p) == tuple(
        middle[k] for k in ("r", "low", "high", "p")
    )
    assert (one.without, one.near_chance) == (None, [])


def test_what_the_task_lacks_is_told_and_too_few_have_no_number() -> None:
    few = ["fra_Latn", "tha_Thai", "ory_Orya", "bam_Latn", "asm_Beng"]
    one = found({"few": few})["few"]
    assert one.lacking == ["ory_Orya", "asm_Beng"]
    assert (one.whole.languages, one.whole.r, one.whole.p, one.whole.verdict) == (3, None, None, None)
    assert one.without.languages == 2
    assert one.without.r is None


def test_a_group_that_the_task_lacks_altogether() -> None:
    one = found({"other": ["ory_Orya"], "guessed": ["bam_Latn"]})
    assert (one["other"].whole.languages, one["other"].whole.r) == (0, None)
    assert (one["guessed"].whole.languages, one["guessed"].without.languages) == (1, 0)


def test_no_group_is_no_record() -> None:
    assert found({}) == {}
