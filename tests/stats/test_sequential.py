from collections.abc import Sequence

import numpy as np
import pytest

from polyroute.stats.sequential import finished, sequential_p, stopped_at


def plain(score: float, drawn: Sequence[float], h: int, most: int) -> tuple[float, int]:
    """p and how many draws it took, as Besag and Clifford state it."""
    as_good = 0
    for made, one in enumerate(drawn[:most], start=1):
        as_good += one >= score
        if as_good == h:
            return h / made, made
    made = min(len(drawn), most)
    return (as_good + 1) / (made + 1), made


def test_by_hand() -> None:
    # score .5; draws as good: the 2nd, 3rd and 6th
    drawn = [0.1, 0.5, 0.9, 0.2, 0.3, 0.6, 0.0]
    assert sequential_p(0.5, drawn, h=3, most=9) == pytest.approx(3 / 6)
    assert sequential_p(0.5, drawn, h=2, most=9) == pytest.approx(2 / 3)
    assert sequential_p(0.5, drawn, h=4, most=9) == pytest.approx((1 + 3) / (1 + 7)), "not stopped: all draws count"
    assert sequential_p(1.0, [0.0] * 99) == pytest.approx(0.01), "the smallest that can be reached"
    assert sequential_p(0.0, [0.0] * 5) == 1.0, "ties count as good"
    assert stopped_at(0.5, drawn, 3) == 6
    assert stopped_at(0.5, drawn, 4) is None


def test_it_says_when_to_stop() -> None:
    assert not finished(0.5, [], h=1, most=3)
    assert finished(0.5, [0.4, 0.6], h=1, most=3)
    assert not finished(0.5, [0.4, 0.6], h=2, most=3)
    assert finished(0.5, [0.4, 0.4, 0.4], h=2, most=3), "all are made"


def test_draws_of_a_round_beyond_the_last_that_counts_change_nothing() -> None:
    drawn = [0.6, 0.4, 0.6]
    assert sequential_p(0.5, drawn, h=2) == sequential_p(0.5, [*drawn, 0.1, 0.9, 0.1], h=2) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("h", "most"), [(1, 19), (5, 19), (5, 99), (200, 99)])
def test_it_agrees_with_the_plain_rule(h: int, most: int) -> None:
    rng = np.random.default_rng(3)
    for effect in (-1.0, 0.0, 1.0, 3.0):
        for _ in range(50):
            score, drawn = effect + rng.normal(), rng.normal(size=most).round(1).tolist()
            p, made = plain(score, drawn, h, most)
            assert sequential_p(score, drawn, h, most) == pytest.approx(p)
            assert sequential_p(score, drawn[:made], h, most) == pytest.approx(p), "what it would have stopped at"
            assert finished(score, drawn[:made], h, most)
            assert not finished(score, drawn[: made - 1], h, most)


@pytest.mark.parametrize("ties", [False, True])
def test_under_the_null_p_is_valid(ties: bool) -> None:
    rng = np.random.default_rng(4)
    p, made = [], []
    for scores in rng.normal(size=(8000, 100)):
        score, *drawn = (scores.round(0) if ties else scores).tolist()
        p.append(sequential_p(score, drawn))
        made.append(plain(score, drawn, 5, 99)[1])
    for level in (0.01, 0.05, 0.1, 0.2, 0.5):
        assert np.mean(np.array(p) <= level) <= level + 3 * np.sqrt(level * (1 - level) / 8000)
    if not ties:
        assert np.mean(np.array(p) <= 0.05) == pytest.approx(0.05, abs=0.008)
        assert np.mean(made) < 25, "nulls are cheap"


@pytest.mark.parametrize(
    ("drawn", "h", "most"), [([], 5, 99), ([0.1, np.nan], 5, 99), ([0.1] * 4, 5, 3), ([0.1], 0, 99)]
)
def test_what_has_no_rank_is_refused(drawn: list[float], h: int, most: int) -> None:
    with pytest.raises(ValueError, match=r"at least one|NaN|more than"):
        sequential_p(0.5, drawn, h, most)
