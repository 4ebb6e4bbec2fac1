import itertools

import numpy as np
import pytest

from experts.made import make_trace, random_trace
from polyroute.experts.exclusivity import (
    LEFT_OUT_COLUMNS,
    balanced,
    confound,
    left_out,
    left_out_table,
    relation,
    shared_table,
)
from polyroute.experts.shared import activation_shares
from polyroute.experts.specialised import ExpertsError, size
from polyroute.results.similarity import SharedRow
from recorded import recorded_counts

CODES = ("eng_Latn", "deu_Latn", "fra_Latn", "jpn_Jpan", "swh_Latn")
TRACES = [random_trace(number, 12, language=code) for number, code in enumerate(CODES)]
# One token a sentence, top-2: English and German share expert 0, Japanese and Swahili share none.
FOUR = [
    make_trace([[[1, 1, 0, 0, 0, 0, 0, 0]]] * 4, [1] * 4),
    make_trace([[[1, 0, 1, 0, 0, 0, 0, 0]]] * 4, [1] * 4, language="deu_Latn"),
    make_trace([[[0, 0, 0, 1, 1, 0, 0, 0]]] * 4, [1] * 4, language="jpn_Jpan"),
    make_trace([[[0, 0, 0, 0, 0, 1, 1, 0]]] * 4, [1] * 4, language="swh_Latn"),
]


def test_relations_of_the_language_table() -> None:
    assert relation("eng_Latn", "deu_Latn") == "branch"
    assert relation("eng_Latn", "fra_Latn") == "family"
    assert relation("eng_Latn", "jpn_Jpan") == "none"


def test_table_by_hand() -> None:
    table = shared_table(FOUR, k=2, thr=0.6, seed=0)
    assert {*table.columns, "k", "thr"} == set(SharedRow.columns())
    whole = table[table["language"] == ""].iloc[0]
    assert (whole["shared"], whole["exclusive"]) == (1, 6)
    english = table[table["language"] == "eng_Latn"].iloc[0]
    assert (english["resource"], english["family"]) == (5, "Indo-European")
    assert (english["shared"], english["exclusive"]) == (1, 1)
    assert (english["shared_use"], english["exclusive_use"]) == (0.5, 0.5)
    assert (english["left_out"], english["left_out_relation"], english["left_out_exclusive"]) == (
        "deu_Latn", "branch", 2,
    )  # fmt: skip
    # Without German in the set both its experts are its own; of the other sets of three, two of three hold German.
    assert english.filter(like="exclusive_balanced").tolist() == [2, 2, 2]
    assert english["exclusive_same_size"] == pytest.approx((2 + 1 + 1) / 3, abs=1e-4)
    assert (table["layer"] == 0).all()
    assert len(table) == 5


def test_what_relatives_hold_back_by_hand() -> None:
    table = left_out_table(FOUR, k=2, thr=0.6)
    assert tuple(table.columns) == LEFT_OUT_COLUMNS
    added = table.set_index(["language", "left_out"])["added"]
    assert (added["eng_Latn", "deu_Latn"], added["deu_Latn", "eng_Latn"]) == (1, 1)
    assert added.sum() == 2
    found = confound(table)
    assert found["added"] == {"branch": 1, "family": None, "none": 0}
    assert found["branch"] == {"languages": 2, "relative_adds_most": 2, "expected": pytest.approx(2 / 3, abs=1e-4)}


def test_where_relatives_are_no_nearer_the_expected_share_comes_out() -> None:
    """All omissions add the same: each counts as the largest in equal parts."""
    alike = [make_trace([[[1, 1, 0, 0]]] * 4, [1] * 4, language=code) for code in CODES]
    found = confound(left_out_table(alike, k=2, thr=0.4))
    assert found["added"] == {"branch": 0, "family": 0, "none": 0}
    for kind in ("branch", "family"):
        assert found[kind]["relative_adds_most"] == found[kind]["expected"]


def test_left_out_is_measuring_without_the_language() -> None:
    shares = activation_shares(TRACES, 3)
    found_VVL = left_out(shares, 0.5)
    for x, one in enumerate(CODES):
        for y, other in enumerate(CODES):
            rest = [t for t in TRACES if t.header.language != other or one == other]
            experts = activation_shares(rest, 3).exclusive([one], 0.5)
            assert found_VVL[x, y].tolist() == [len(experts.get(layer, ())) for layer in range(3)]


def test_balanced_sets_are_all_there_are_where_these_are_few() -> None:
    shares = activation_shares(TRACES, 3)
    for language, partners in (("eng_Latn", [()]), ("swh_Latn", [("eng_Latn",), ("deu_Latn",), ("fra_Latn",)])):
        balanced_DL, same_DL = balanced(shares, language, 0.5, seed=0)
        rest = [code for code in ("jpn_Jpan", "swh_Latn") if code != language]
        expected = [size(shares.among([language, *rest, *some]).exclusive([language], 0.5)) for some in partners]
        assert balanced_DL.sum(axis=1).tolist() == expected
        others = itertools.combinations([code for code in CODES if code != language], 2)
        expected = [size(shares.among([language, *some]).exclusive([language], 0.5)) for some in others]
        assert sorted(same_DL.sum(axis=1)) == sorted(expected)


def test_a_balanced_set_may_hold_several_of_a_family() -> None:
    shares = activation_shares(TRACES, 3)
    two_DL, _ = balanced(shares, "eng_Latn", 0.5, seed=0, at_most=2)
    partners = [("deu_Latn", "jpn_Jpan", "swh_Latn"), ("fra_Latn", "jpn_Jpan", "swh_Latn")]
    expected = [size(shares.among(["eng_Latn", *some]).exclusive(["eng_Latn"], 0.5)) for some in partners]
    assert sorted(two_DL.sum(axis=1)) == sorted(expected)
    whole_DL, same_DL = balanced(shares, "eng_Latn", 0.5, seed=0, at_most=3)
    counted = size(shares.exclusive(["eng_Latn"], 0.5))
    assert whole_DL.sum(axis=1).tolist() == same_DL.sum(axis=1).tolist() == [counted]


def test_random_sets_depend_on_seed_and_language_alone() -> None:
    shares = activation_shares(TRACES, 3)
    draws = [balanced(shares, "eng_Latn", 0.5, seed=seed, draws=4)[1] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert len(draws[0]) == 4, "of the six there are"
    assert not np.array_equal(draws[0], draws[2])


def test_few_languages_leave_cells_empty() -> None:
    pair = shared_table(TRACES[:2], k=3, thr=0.5, seed=0)
    assert pair[["left_out", "left_out_exclusive", "exclusive_balanced", "exclusive_same_size"]].isna().all(axis=None)
    assert left_out_table(TRACES[:2], k=3, thr=0.5).empty
    assert confound(left_out_table(TRACES[:2], k=3, thr=0.5)) == {}


def test_settings_out_of_range_are_refused() -> None:
    shares = activation_shares(TRACES, 3)
    with pytest.raises(ExpertsError, match="both must be at least 1"):
        balanced(shares, "eng_Latn", 0.5, seed=0, at_most=0)
    with pytest.raises(ExpertsError, match=r"thr = 1\.5"):
        left_out(shares, 1.5)
    with pytest.raises(ExpertsError, match="fra_Latn is not among"):
        balanced(shares.among(["eng_Latn"]), "fra_Latn", 0.5, seed=0)


def test_on_real_counts_low_resource_swahili_keeps_most_to_itself_and_relatives_matter() -> None:
    """Paper 2's claim holds in the set of the release, and shrinks with one language a family."""
    traces = recorded_counts()
    rows = shared_table(traces, k=15, thr=0.4, seed=0)
    total = rows[rows["language"] != ""].groupby("language")[["shared", "exclusive", "exclusive_balanced"]].sum()
    assert total["exclusive"].astype(int).to_dict() == {
        "eng_Latn": 232, "deu_Latn": 80, "spa_Latn": 92, "jpn_Jpan": 180, "swh_Latn": 371, "zho_Hans": 249,
    }  # fmt: skip
    assert total["shared"].idxmin() == total["exclusive"].idxmax() == "swh_Latn"
    gain = total["exclusive_balanced"] / total["exclusive"]
    assert gain[["deu_Latn", "spa_Latn"]].min() > 2 > 1.3 > gain[["swh_Latn", "zho_Hans", "jpn_Jpan"]].max()
    found = confound(left_out_table(traces, k=32, thr=0.5))
    assert found["family"] == {"languages": 3, "relative_adds_most": 3, "expected": 1.2}
    assert found["added"]["family"] > 2 * found["added"]["none"]
