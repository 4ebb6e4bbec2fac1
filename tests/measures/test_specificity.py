import math

import numpy as np
import pandas as pd
import pytest

from experts.made import make_trace, random_trace
from polyroute.measures.specificity import (
    by_zone,
    overlap,
    overlap_of_choices,
    rise_zones,
    specificity,
    specificity_of_choices,
)
from polyroute.measures.usage import usage
from polyroute.results.similarity import RiseRow

# Two languages, one layer: an expert used alike, one used by the first alone, one more by the second, one by nobody.
FREQUENCY = np.array([[[0.5, 0.4, 0.1, 0.0]], [[0.5, 0.0, 0.3, 0.0]]])


def test_by_hand() -> None:
    np.testing.assert_allclose(specificity(FREQUENCY), [[[1, 2, 0.5, np.nan]], [[1, 0, 1.5, np.nan]]])
    # Coefficients of variation: 0, .2 / .2, .1 / .2.
    np.testing.assert_allclose(overlap(FREQUENCY), [[1, 0.5, 1 / 1.5, np.nan]])


def test_limits() -> None:
    for count in (2, 5, 18):
        alone = np.zeros((count, 1, 2))
        alone[0, 0, 0], alone[:, 0, 1] = 0.3, 0.7
        assert specificity(alone)[0, 0] == pytest.approx([count, 1])
        assert overlap(alone)[0] == pytest.approx([1 / (1 + math.sqrt(count - 1)), 1])


def test_what_a_choice_meets_by_hand() -> None:
    of = usage([make_trace([[[5, 4, 1, 0]]], [10]), make_trace([[[5, 0, 5, 0]]], [10], language="deu_Latn")])
    # Specificity (1, 2, 1/3) and (1, 0, 5/3), overlap (1, 1/2, 1 / (1 + 2/3)), loads (.5, .4, .1) and (.5, 0, .5).
    assert specificity_of_choices(of)[:, 0] == pytest.approx([0.5 + 0.8 + 0.1 / 3, 0.5 + 2.5 / 3])
    assert overlap_of_choices(of) == pytest.approx([0.5 * 1 + 0.2 * 0.5 + 0.3 * 0.6])


def test_languages_that_route_alike_are_at_one_and_those_apart_at_the_limit() -> None:
    same = [make_trace([[[5, 5, 0, 0]]], [5], language=code) for code in ("eng_Latn", "deu_Latn")]
    assert specificity_of_choices(usage(same)).tolist() == [[1], [1]]
    assert overlap_of_choices(usage(same)).tolist() == [1]
    apart = [same[0], make_trace([[[0, 0, 5, 5]]], [5], language="deu_Latn")]
    assert specificity_of_choices(usage(apart)).tolist() == [[2], [2]]
    assert overlap_of_choices(usage(apart)).tolist() == [0.5]


def test_specificity_of_choices_is_one_and_the_chi_squared_divergence() -> None:
    of = usage([random_trace(n, 20, language=code) for n, code in enumerate(("eng_Latn", "deu_Latn", "swh_Latn"))])
    mean_LE = of.load_VLE.mean(axis=0)
    used = mean_LE > 0
    gap_VLE = np.divide((of.load_VLE - mean_LE) ** 2, mean_LE, out=np.zeros_like(of.load_VLE), where=used)
    assert specificity_of_choices(of) == pytest.approx(1 + gap_VLE.sum(axis=-1))


@pytest.mark.parametrize(
    ("layers", "early", "middle", "late"),
    [
        (range(48), (0, 17), (18, 29), (30, 47)),
        (range(8), (0, 2), (3, 4), (5, 7)),
        (range(10, 26), (10, 15), (16, 19), (20, 25)),
        (range(4), (0, 1), (2, 2), (3, 3)),
        (range(3), (0, 1), (1, 1), (2, 2)),
        (range(2), (0, 0), (1, 1), (1, 1)),
        (range(1), (0, 0), (0, 0), (0, 0)),
    ],
)
def test_zones_by_depth(layers, early, middle, late) -> None:
    assert tuple(rise_zones(tuple(layers))) == (("early", early), ("middle", middle), ("late", late))


def test_zones_of_a_table_by_hand() -> None:
    table = pd.DataFrame(
        {
            "corpus": "text", "layer": np.repeat(range(8), 2), "language": ["", "eng_Latn"] * 8,
            "specificity": np.arange(16.0), "overlap": [0.5, np.nan] * 8,
        }
    )  # fmt: skip
    zones = by_zone(table)
    assert list(zones.columns) == RiseRow.columns()
    english = zones[zones["language"] == "eng_Latn"]
    assert english[["zone", "first_layer", "last_layer", "specificity"]].to_numpy().tolist() == [
        ["early", 0, 2, 3], ["middle", 3, 4, 8], ["late", 5, 7, 13],
    ]  # fmt: skip
    assert english["overlap"].isna().all()
    assert (zones[zones["language"] == ""]["overlap"] == 0.5).all()
