import numpy as np
import pytest
from scipy import stats

from polyroute.stats.over_items import changes_by_item, mean_over_items
from polyroute.stats.paired_interval import paired_interval

NAN = np.nan


def test_what_items_add() -> None:
    assert changes_by_item(np.array([[1.0, 1], [1, -1], [0, 0], [-1, 0]])).tolist() == [1, 0, 0, -0.5]
    # b has two items of four: each counts twice, so that the mean stays that of the two languages' means.
    found = changes_by_item(np.array([[1, 1], [0, 1], [0, NAN], [0, NAN], [NAN, NAN]]))
    assert found.tolist() == [1.5, 1, 0, 0]
    assert found.mean() == pytest.approx((1 / 4 + 1) / 2)
    assert changes_by_item(np.array([[1.0, -1], [1, 0]]), np.array([1.0, -1])).tolist() == [2, 1]
    with pytest.raises(ValueError, match="each language"):
        changes_by_item(np.array([[1, NAN]]))


def test_by_hand() -> None:
    # Sum 1/2 of 4 items; squares 1/4 + 1/4 + 1/4. With one that moves whole 7/4 of four, so the added item has 7/16.
    found = mean_over_items(np.array([0.5, 0.5, -0.5, 0.0]), 0.95)
    error = np.sqrt(0.75 + 7 / 16 - 0.25 / 6)
    assert found.value == 0.125
    assert found.high == pytest.approx((0.5 + stats.t.ppf(0.975, 3) * error) / 6)
    assert found.low == pytest.approx((0.5 - stats.t.ppf(0.975, 3) * error) / 6)
    assert found.p == pytest.approx(2 * stats.t.sf(0.5 / error, 3))


def test_of_one_language_it_is_agresti_and_mins_with_student_for_normal() -> None:
    change_N = np.array([1.0] * 30 + [-1.0] * 10 + [0.0] * 960)
    low, high = paired_interval(30, 10, 1000, 0.95)
    found = mean_over_items(change_N, 0.95)
    assert (found.low, found.high) == (pytest.approx(low, rel=0.01), pytest.approx(high, rel=0.01))


def test_of_many_items_it_is_students() -> None:
    change_N = np.random.default_rng(0).choice([0.3, -0.1, 0.0], size=2000)
    found, student = mean_over_items(change_N, 0.9), stats.ttest_1samp(change_N, 0)
    bounds = student.confidence_interval(0.9)
    assert (found.low, found.high) == (pytest.approx(bounds.low, abs=1e-3), pytest.approx(bounds.high, abs=1e-3))
    assert found.p == pytest.approx(student.pvalue, rel=0.2)


def test_one_item_that_moves_a_little_does_not_make_sure() -> None:
    # One answer of 340 changed, 20 items in 17 languages: Student's interval would end within a point of 0.
    change_N = np.zeros(20)
    change_N[0] = -1 / 17
    found = mean_over_items(change_N, 0.9)
    assert found.low < -0.05
    assert found.high > 0.05


@pytest.mark.parametrize("items", [1, 13, 250])
def test_nothing_changed_gives_a_bound(items: int) -> None:
    bound = 1 - 0.05 ** (1 / items)
    found = mean_over_items(np.zeros(items), 0.95)
    assert (found.value, found.p, found.low, found.high) == (0, 1, pytest.approx(-bound), pytest.approx(bound))


def test_bounds_hold_the_mean_and_have_a_width() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        change_N = rng.choice([-1, 0, 0.5, 1], p=rng.dirichlet(np.full(4, 0.3)), size=rng.integers(1, 30))
        for confidence in (0.9, 0.95):
            found = mean_over_items(change_N, confidence)
            assert -1 <= found.low <= found.value <= found.high <= 1
            assert found.low < found.high
            assert (found.low <= 0 <= found.high) == (found.p > 1 - confidence)


@pytest.mark.parametrize(("items", "languages", "psi"), [(13, 5, 0.1), (20, 17, 0.1), (50, 10, 0.05), (250, 10, 0.1)])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_it_covers_as_often_as_it_says(items: int, languages: int, psi: float, share: float) -> None:
    rng = np.random.default_rng(2)
    hits = []
    for _ in range(500):
        alike = rng.random((items, 1)) < 0.1
        chance_NV = np.where(alike, rng.random((items, 1)), rng.random((items, languages)))
        change_NV = (chance_NV < psi * (1 + share) / 2) * 1.0 - (chance_NV > 1 - psi * (1 - share) / 2)
        found = mean_over_items(change_NV.mean(axis=1), 0.95)
        hits.append(found.low <= share * psi <= found.high)
    assert np.mean(hits) > 0.925


@pytest.mark.parametrize(("change", "confidence"), [([], 0.95), ([0.1, NAN], 0.95), ([0.1, 0.2], 1.0)])
def test_what_has_no_mean_is_refused(change: list[float], confidence: float) -> None:
    with pytest.raises(ValueError, match=r"at least one|must lie"):
        mean_over_items(np.array(change), confidence)
