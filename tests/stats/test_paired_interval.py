import numpy as np
import pytest
from scipy import stats

from polyroute.stats.paired import mcnemar
from polyroute.stats.paired_interval import paired_interval


def coverage(items: int, discordance: float, difference: float, confidence: float = 0.95) -> float:
    """Exact: summed over every table that has a chance to occur."""
    gain, lose = (discordance + difference) / 2, (discordance - difference) / 2
    most = int(stats.binom.ppf(1 - 1e-9, items, discordance))
    found = 0.0
    for gained in range(most + 1):
        for lost in range(most + 1 - gained):
            low, high = paired_interval(gained, lost, items, confidence)
            if low <= difference <= high:
                counts = [gained, lost, items - gained - lost]
                found += float(stats.multinomial.pmf(counts, items, [gain, lose, 1 - gain - lose]))
    return found


def test_by_hand() -> None:
    # 7 answers changed among 98: net 5, spread 1.96 sqrt(8 - 25 / 100).
    low, high = paired_interval(6, 1, 98, 0.95)
    assert high == pytest.approx((5 + 1.959964 * np.sqrt(7.75)) / 100)
    assert low == pytest.approx(min((5 - 1.959964 * np.sqrt(7.75)) / 100, 0))


@pytest.mark.parametrize("items", [1, 13, 40, 250])
def test_no_change_gives_a_bound(items: int) -> None:
    low, high = paired_interval(0, 0, items, 0.95)
    assert high == -low == pytest.approx(1 - 0.05 ** (1 / items))
    assert high <= 3 / items


@pytest.mark.parametrize("items", [1, 5, 13, 20, 40, 100])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_it_never_contradicts_the_exact_test(items: int, confidence: float) -> None:
    for gained in range(min(items, 40) + 1):
        for lost in range(min(items, 40) + 1 - gained):
            low, high = paired_interval(gained, lost, items, confidence)
            assert low < high
            assert (low <= 0 <= high) == (mcnemar(gained, lost) > 1 - confidence), (gained, lost)


@pytest.mark.parametrize(("items", "discordance"), [(13, 0.3), (20, 0.3), (40, 0.1), (40, 0.3), (100, 0.1)])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6])
def test_it_covers_at_least_as_often_as_it_says(items: int, discordance: float, share: float) -> None:
    assert coverage(items, discordance, share * discordance) >= 0.93


@pytest.mark.parametrize(
    ("counts", "confidence"), [((0, 0, 0), 0.95), ((3, 2, 4), 0.95), ((-1, 2, 4), 0.95), ((1, 2, 4), 1.0)]
)
def test_tables_that_cannot_be_are_refused(counts: tuple[int, int, int], confidence: float) -> None:
    with pytest.raises(ValueError, match=r"cannot be among|must lie"):
        paired_interval(*counts, confidence)
