import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from polyroute.stats.over_items import mean_over_items
from polyroute.stats.paired import COLUMNS, PairedError, PairedScores, compare, exchange_p, mcnemar, mean_change
from polyroute.stats.paired_interval import paired_interval

DRAWING = {"confidence": 0.95, "seed": 0}
NAN = np.nan


def scores(base, edited, languages=None) -> PairedScores:
    base, edited = np.asarray(base, dtype=float), np.asarray(edited, dtype=float)
    names = languages or tuple("abcdefghij"[: base.shape[1]])
    return PairedScores(tuple(f"q{i}" for i in range(len(base))), names, base, edited)


def random_scores(seed: int, items: int, languages: int, effect: float = 0.0, together: float = 0.0) -> PairedScores:
    """Conditions differ by `effect` on average; a share `together` of items changes alike in all languages."""
    rng = np.random.default_rng(seed)
    base = rng.random((items, languages)) < 0.5
    chance = np.where(rng.random((items, 1)) < together, rng.random((items, 1)), rng.random((items, languages)))
    gain, lose = chance < 0.1 + effect / 2, chance > 0.9 + effect / 2
    edited = np.where(gain, True, np.where(lose, False, base))
    base = np.where(gain, False, np.where(lose, True, base))
    return scores(base, edited)


def test_by_hand() -> None:
    table = compare(scores([[0, 1], [0, 1], [1, 0], [0, 1]], [[1, 1], [1, 0], [1, 1], [0, 1]]), **DRAWING)
    assert tuple(table.columns) == COLUMNS
    rows = table.set_index("group")
    assert rows.loc["a", ["items", "base", "edited", "difference", "gained", "lost"]].tolist() == [
        4,
        0.25,
        0.75,
        0.5,
        2,
        0,
    ]
    assert rows.loc["b", ["base", "edited", "difference", "gained", "lost"]].tolist() == [0.75, 0.75, 0, 1, 1]
    assert rows.loc["all", ["languages", "items", "difference", "gained", "lost"]].tolist() == [2, 4, 0.25, 3, 1]
    assert rows.loc["a", "p"] == pytest.approx(0.5)
    assert rows.loc["b", "p"] == 1
    assert rows.loc[["a", "b"], "q"].tolist() == pytest.approx([1, 1])
    assert np.isnan(rows.loc["all", "q"])
    assert rows["test"].tolist() == ["McNemar", "McNemar", "exchange"]
    # Items add 1/8, 0, 1/8, 0 to the pooled difference: four patterns of signs, two as far from 0.
    assert rows.loc["all", "p"] == pytest.approx(0.5)


def test_scores_between_right_and_wrong_are_exchanged_in_each_language() -> None:
    base = [[0.5, 0], [0.25, 1], [1, 0.5], [0, 0]]
    edited = [[0.75, 0], [0.75, 1], [0.75, 0.5], [0.5, 0]]
    rows = compare(scores(base, edited), **DRAWING).set_index("group")
    assert rows.loc["a", ["base", "edited", "difference", "gained", "lost"]].tolist() == [0.4375, 0.6875, 0.25, 3, 1]
    assert rows["test"].tolist() == ["exchange"] * 3
    # Differences 1/4, 1/2, -1/4, 1/2: of 16 patterns of signs those whose sum is at least 1: all positive (3/2), one of
    # the quarters turned (1, twice); and the same below.
    assert rows.loc["a", "p"] == pytest.approx(6 / 16)
    assert rows.loc["b", "p"] == 1


def test_languages_count_alike_however_many_items_they_have() -> None:
    found = scores([[0, 0], [0, 0], [0, NAN], [1, NAN]], [[1, 1], [0, 1], [0, NAN], [1, NAN]])
    rows = compare(found, **DRAWING).set_index("group")
    assert rows["items"].tolist() == [4, 2, 4]
    assert rows["difference"].tolist() == pytest.approx([0.25, 1.0, 0.625])


def test_groups() -> None:
    found = random_scores(0, 40, 3)
    table = compare(found, groups={"others": ["b", "c"], "both": ["a", "b"]}, **DRAWING).set_index("group")
    assert table.index.tolist() == ["a", "b", "c", "others", "both"]
    assert table.loc["others", "difference"] == pytest.approx(table.loc[["b", "c"], "difference"].mean())
    alone = compare(scores(found.base_NV[:, 1:], found.edited_NV[:, 1:], ("b", "c")), **DRAWING).set_index("group")
    compared = ["difference", "low", "high", "gained", "lost", "p"]
    assert alone.loc["all", compared].tolist() == table.loc["others", compared].tolist()


def test_a_language_has_the_interval_of_its_table() -> None:
    found = random_scores(1, 20, 2, effect=0.1)
    for _, row in compare(found, groups={}, **DRAWING).iterrows():
        expected = paired_interval(int(row["gained"]), int(row["lost"]), 20, 0.95)
        assert (row["low"], row["high"]) == expected
    alone = compare(scores(found.base_NV[:, :1], found.edited_NV[:, :1]), **DRAWING)
    compared = ["low", "high", "test", "p"]
    assert alone.loc[0, compared].tolist() == alone.loc[1, compared].tolist(), (
        "a group of one language is that language"
    )


def test_items_count_once_however_many_languages_they_are_in() -> None:
    one = random_scores(2, 100, 1, effect=0.05)
    several = compare(scores(np.repeat(one.base_NV, 2, axis=1), np.repeat(one.edited_NV, 2, axis=1)), **DRAWING)
    copies = compare(scores(np.repeat(one.base_NV, 5, axis=1), np.repeat(one.edited_NV, 5, axis=1)), **DRAWING)
    # Copies of a language are no news: counting (item, language) pairs would narrow this by sqrt(5 / 2).
    compared = ["low", "high", "p"]
    assert copies.iloc[-1][compared].tolist() == pytest.approx(several.iloc[-1][compared].tolist())
    assert copies.iloc[-1]["p"] == pytest.approx(exchange_p(one.difference_NV, 0), abs=0.02)


@pytest.mark.parametrize("together", [0.0, 0.6])
def test_an_interval_never_contradicts_its_test(together: float) -> None:
    rng = np.random.default_rng(5)
    seen = set()
    for seed in range(150):
        found = random_scores(seed, int(rng.integers(2, 40)), int(rng.integers(2, 6)), rng.random() / 5, together)
        for _, row in compare(found, **DRAWING).iterrows():
            assert (row["low"] <= 0 <= row["high"]) == (row["p"] > 0.05), row
            assert row["low"] < row["high"]
            seen.add((row["test"], row["p"] > 0.05))
    assert len(seen) == 4


def test_the_exchange_draws_an_interval_out_to_0() -> None:
    # Five changes, all one way, among 20 items: Student's interval leaves out 0, but 2 of 2^5 patterns are as far.
    change_N = np.array([1.0] * 5 + [0.0] * 15)
    assert mean_over_items(change_N, 0.95).low > 0
    found = mean_change(change_N, 0.95, 0)
    assert (found.low, found.p) == (0, pytest.approx(2 / 2**5))
    assert mean_change(np.array([1.0] * 6 + [0.0] * 14), 0.95, 0).low > 0


def test_pooled_test_finds_chance_as_often_as_the_level_says() -> None:
    p = [exchange_p(random_scores(seed, 40, 6, together=0.7).difference_NV, seed, 499) for seed in range(400)]
    assert 0.06 < np.mean(np.array(p) <= 0.1) < 0.14
    naive = [
        stats.ttest_1samp(random_scores(s, 40, 6, together=0.7).difference_NV.ravel(), 0).pvalue for s in range(400)
    ]
    assert np.mean(np.array(naive) <= 0.1) > 0.25, "as if languages of an item were independent"


def test_mcnemar_by_hand() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 2**5)
    assert mcnemar(1, 6) == pytest.approx(2 * (math.comb(7, 0) + math.comb(7, 1)) / 2**7)
    assert mcnemar(3, 9) == mcnemar(9, 3)


def test_exchange_of_one_language_is_mcnemar() -> None:
    for gained, lost in ((5, 1), (4, 4), (9, 2), (2, 0)):
        difference = np.array([1.0] * gained + [-1.0] * lost + [0.0] * 20)[:, None]
        assert exchange_p(difference, 0) == pytest.approx(mcnemar(gained, lost))


def test_exchange_agrees_with_every_pattern() -> None:
    difference = random_scores(3, 9, 3, effect=0.2).difference_NV
    difference[2, 1] = NAN
    means = []
    for signs in itertools.product([1, -1], repeat=9):
        means.append(np.nanmean(difference * np.array(signs)[:, None], axis=0).mean())
    # A NaN leaves the number of items of its language as it is, so the mean of means is linear in the signs.
    seen = np.nanmean(difference, axis=0).mean()
    assert exchange_p(difference, 0) == pytest.approx((np.abs(means) >= abs(seen) - 1e-12).mean())


def test_nothing_changed_or_one_item_did() -> None:
    assert exchange_p(np.zeros((5, 2)), 0) == 1
    assert exchange_p(np.array([[1.0], [0.0]]), 0) == 1
    table = compare(scores(np.ones((5, 2)), np.ones((5, 2))), **DRAWING)
    assert (table["p"] == 1).all()
    bound = 1 - 0.05 ** (1 / 5)
    assert table["high"].tolist() == pytest.approx([bound] * 3), "fewer than 3 of 5 items change, in a group too"
    assert table["low"].tolist() == pytest.approx([-bound] * 3)


def test_a_single_item_says_next_to_nothing() -> None:
    table = compare(scores([[0, 0]], [[1, 0]]), **DRAWING)
    assert (table["p"] == 1).all()
    assert table.loc[2, ["low", "high"]].tolist() == [-1, 1]


def answers(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item_id", "language", "correct"])


def test_tables_are_paired_by_item_and_language() -> None:
    base = answers([("q2", "b", True), ("q1", "a", False), ("q2", "a", True)])
    edited = answers([("q1", "a", True), ("q2", "a", True), ("q2", "b", False)])
    found = PairedScores.from_tables(base, edited)
    assert (found.item_ids, found.languages) == (("q1", "q2"), ("a", "b"))
    np.testing.assert_array_equal(found.difference_NV, [[1, NAN], [0, -1]])


@pytest.mark.parametrize(
    ("base", "edited", "message"),
    [
        ([("q1", "a", True)], [("q1", "b", True)], "item q1 in a was answered under one condition only"),
        ([("q1", "a", True)] * 2, [("q1", "a", True)], "the base answers hold item q1 in a twice"),
        ([("q1", "a", True)], [("q1", "a", None)], "the edited answers do not say whether item q1 in a"),
        ([("q1", "a", 1.5)], [("q1", "a", 1.0)], "item q1 in a: `base_NV` is 1.5, not between 0"),
    ],
)
def test_answers_that_do_not_pair_are_named(base, edited, message) -> None:
    with pytest.raises(PairedError, match=message):
        PairedScores.from_tables(answers(base), answers(edited))


def test_scores_that_cannot_be_are_refused() -> None:
    with pytest.raises(PairedError, match="lack the columns correct"):
        PairedScores.from_tables(answers([("q1", "a", True)])[["item_id", "language"]], answers([("q1", "a", True)]))
    with pytest.raises(PairedError, match="no item is answered in b"):
        scores([[1, NAN]], [[1, NAN]])
    with pytest.raises(PairedError, match="shape"):
        PairedScores(("q1",), ("a",), np.zeros((2, 1)), np.zeros((2, 1)))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"a": ["a"]}, "has the name of a language"),
        ({"x": []}, "names no language"),
        ({"x": ["a", "a"]}, "twice"),
        ({"x": ["z"]}, "names z, not among the scored a, b"),
    ],
)
def test_groups_that_cannot_be_are_refused(groups, message) -> None:
    with pytest.raises(PairedError, match=message):
        compare(random_scores(0, 5, 2), groups=groups, **DRAWING)
