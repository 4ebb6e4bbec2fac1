import numpy as np
import pandas as pd
import pytest
from scipy import stats

from claims.made import asked, committed
from polyroute.claims import steering
from polyroute.claims.asked import Found
from polyroute.claims.relatives import gain_of_relatives, relatives

NEAR, REST = ["deu_Latn", "fra_Latn", "spa_Latn"], ["jpn_Jpan", "swh_Latn", "ben_Beng"]


def rows(gains, half=0.0) -> pd.DataFrame:
    gains = np.asarray(gains, dtype=float)
    return pd.DataFrame({"difference": gains, "low": gains - half, "high": gains + half}, index=[*NEAR, *REST])


def test_relatives_are_of_one_family_and_script() -> None:
    assert relatives("eng_Latn", ["eng_Latn", *NEAR, *REST]) == NEAR
    assert relatives("zho_Hans", [*NEAR, *REST]) == ["jpn_Jpan"]
    assert relatives("swh_Latn", [*NEAR, *REST]) == []


def test_where_languages_vary_more_than_items_it_is_students_interval_of_two_groups() -> None:
    gains = [0.05, 0.03, 0.07, 0.0, 0.02, -0.02]
    found = gain_of_relatives(rows(gains, half=0.001), NEAR)
    # As many on either side, so that pooled and separate variances come to the same.
    expected = stats.ttest_ind(gains[:3], gains[3:]).confidence_interval(0.95)
    assert found.value == pytest.approx(0.05)
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high])


def test_gains_that_are_alike_are_as_uncertain_as_their_items_leave_them() -> None:
    found = gain_of_relatives(rows([0.02] * 3 + [0.0] * 3, half=0.04 * stats.norm.ppf(0.975)), NEAR)
    half = stats.t.ppf(0.975, 4) * np.sqrt(2 * 0.04**2 / 3)
    assert [found.low, found.high] == pytest.approx([0.02 - half, 0.02 + half])


def test_one_relative_rests_on_its_items() -> None:
    found = gain_of_relatives(rows([0.1, 0, 0, 0, 0, 0], half=0.02 * stats.norm.ppf(0.975)), NEAR[:1])
    half = stats.t.ppf(0.975, 4) * np.sqrt(0.02**2 + 0.02**2 / 5)
    assert [found.value, found.low] == pytest.approx([0.1, 0.1 - half])


def test_too_few_or_none_on_a_side() -> None:
    for kept, near in ((rows(range(6)).iloc[:4], NEAR), (rows(range(6)), []), (rows(range(6)), [*NEAR, *REST])):
        assert gain_of_relatives(kept, near).value is None


def test_both_sources_are_taken_at_the_chosen_strength(tmp_path) -> None:
    made = asked(tmp_path)
    one = Found(committed().get("p2.more_for_relatives"))
    steering.for_relatives(made, one)
    table = made.results.steering.table
    shared = made.results.steering.tasks["arithmetic"].shared
    source = shared.pair[0]
    of = table[(table["task"] == "arithmetic") & (table["condition"] == f"shared-{source}-{shared.chosen.strength:g}")]
    of = of[of["group"].isin(made.codes) & (of["group"] != source)].set_index("group")
    near = relatives(source, list(of.index))
    expected = of.loc[near, "difference"].mean() - of.drop(near)["difference"].mean()
    assert one.values["near.first.value"] == pytest.approx(expected)
