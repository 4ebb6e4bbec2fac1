import numpy as np
import pytest

from polyroute.stats.paired import PairedScores, mcnemar, mean_change
from polyroute.stats.simulated_power import StudiedItems, _mcnemar_finds, _mean_finds, detectable, power

DRAWING = {"limit": 0.05, "confidence": 0.95, "studies": 400, "seed": 0}
RNG = np.random.default_rng(0)


def changes(shape: tuple[int, ...], psi: float, difference: float = 0.0, alike: float = 0.0) -> np.ndarray:
    """Changes of S studies of N items in V languages; a share of items changes alike in all languages."""
    luck = np.where(RNG.random((*shape[:-1], 1)) < alike, RNG.random((*shape[:-1], 1)), RNG.random(shape))
    return (luck < (psi + difference) / 2) * 1.0 - (luck > 1 - (psi - difference) / 2)


def scores(difference: np.ndarray, right: float = 0.5) -> PairedScores:
    other = RNG.random(difference.shape) < right
    base = np.where(difference > 0, 0.0, np.where(difference < 0, 1.0, other))
    items, languages = difference.shape
    return PairedScores(
        tuple(f"i{n}" for n in range(items)), tuple(f"l{v}" for v in range(languages)), base, base + difference
    )


def test_items_by_hand() -> None:
    #       base          edited
    # i0    0 1           1 1
    # i1    0 1           0 0
    found = PairedScores(("i0", "i1"), ("a", "b"), np.array([[0.0, 1], [0, 1]]), np.array([[1.0, 1], [0, 0]]))
    gains, losses = StudiedItems.of(found), StudiedItems.of(found, losses=True)
    assert gains.difference_NV.tolist() == [[1, 0], [0, -1]]
    assert gains.gainable_NV.tolist() == [[False, False], [True, False]]
    assert losses.difference_NV.tolist() == [[-1, 0], [0, 1]]
    assert losses.gainable_NV.tolist() == [[False, True], [False, False]]
    assert gains.room == losses.room == 0.5


def test_the_rule_is_that_of_the_verdict() -> None:
    signs_RN = np.random.default_rng(1).choice([-1.0, 1.0], size=(9999, 30))
    change_SN = changes((60, 30, 4), 0.15, 0.05).mean(axis=2)
    expected = [mean_change(change_N, 0.95, 0) for change_N in change_SN]
    found_S = _mean_finds(change_SN, signs_RN, 0.05)
    clear = [not 0.04 < one.p < 0.06 for one in expected]
    assert found_S[clear].tolist() == [one.low > 0 for one, is_clear in zip(expected, clear, strict=True) if is_clear]
    assert 0 < found_S.mean() < 1
    alone_SN = changes((60, 30, 1), 0.3, 0.2)[:, :, 0]
    p = [mcnemar(int((one > 0).sum()), int((one < 0).sum())) for one in alone_SN]
    finds = [bool(one.sum() > 0 and value <= 0.05) for one, value in zip(alone_SN, p, strict=True)]
    assert _mcnemar_finds(alone_SN, 0.05).tolist() == finds


@pytest.mark.parametrize(("languages", "alike"), [(1, 0.0), (6, 0.0), (6, 0.3)])
def test_where_it_says_80_percent_a_study_finds_about_as_many(languages: int, alike: float) -> None:
    found = []
    for _ in range(8):
        studied = StudiedItems.of(scores(changes((100, languages), 0.2, alike=alike)))
        least = detectable(studied, **DRAWING)
        assert power(studied, least, **DRAWING) == pytest.approx(0.8, abs=0.02)
        change_SNV = changes((200, 100, languages), 0.2, least, alike)
        signs_RN = RNG.choice([-1.0, 1.0], size=(999, 100))
        finds = _mcnemar_finds(change_SNV[:, :, 0], 0.05) if languages == 1 else None
        found.append((_mean_finds(change_SNV.mean(axis=2), signs_RN, 0.05) if finds is None else finds).mean())
    assert 0.7 < np.mean(found) < 0.9


def test_without_a_difference_it_finds_as_often_as_the_level_says() -> None:
    studied = StudiedItems.of(scores(changes((60, 5), 0.2)))
    assert power(studied, 0.0, **DRAWING | {"studies": 2000}) < 0.035, "one side of a two-sided test at 5%"


def test_a_stricter_limit_finds_less() -> None:
    studied = StudiedItems.of(scores(changes((60, 5), 0.2)))
    assert power(studied, 0.05, **DRAWING | {"limit": 0.005}) < power(studied, 0.05, **DRAWING)


def test_where_nothing_changed_answers_that_were_wrong_become_right() -> None:
    studied = StudiedItems.of(scores(np.zeros((40, 5))))
    least = detectable(studied, **DRAWING)
    assert 6 / 200 < least < 20 / 200, "six items that change are the fewest that exchange tells"


def test_without_room_nothing_is_found() -> None:
    assert detectable(StudiedItems.of(scores(np.zeros((40, 2)), right=2.0)), **DRAWING) is None
    few = StudiedItems.of(scores(np.array([[0.0]] * 5), right=-1.0))
    assert few.room == 1
    assert detectable(few, **DRAWING) is None, "2 of 2^5 is more than .05"


def test_scores_between_right_and_wrong_are_moved() -> None:
    base = RNG.random((50, 3)) / 2
    studied = StudiedItems.of(
        PairedScores(tuple(map(str, range(50))), ("a", "b", "c"), base, base + RNG.normal(0, 0.05, base.shape).clip(0))
    )
    assert studied.graded
    assert power(studied, 0.2, **DRAWING) == 1
    assert 0 < detectable(studied, **DRAWING) < 0.1
