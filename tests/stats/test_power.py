import numpy as np
import pytest
from scipy import stats

from polyroute.stats.paired import exchange_p
from polyroute.stats.power import Changes, items_needed, minimal_detectable_difference, observed_changes


def test_changes_by_hand() -> None:
    found = observed_changes(np.array([[1.0, 1.0], [-1.0, -1.0], [0.0, 0.0], [0.0, 0.0]]))
    assert (found.discordance, found.correlation) == (0.5, pytest.approx(1))
    found = observed_changes(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    assert (found.discordance, found.correlation) == (1, pytest.approx(-1))
    # One language, or nothing that changes: a correlation cannot be told.
    assert observed_changes(np.array([[1.0], [0.0]])) == Changes(0.5, 0.0)
    assert observed_changes(np.zeros((4, 3))) == Changes(0.0, 0.0)
    with pytest.raises(ValueError, match="no item"):
        observed_changes(np.full((2, 2), np.nan))


def test_correlation_agrees_with_pairs_one_by_one() -> None:
    rng = np.random.default_rng(0)
    difference = rng.integers(-1, 2, size=(30, 4)).astype(float)
    difference[rng.random((30, 4)) < 0.2] = np.nan
    error = difference - np.nanmean(difference, axis=0)
    pairs = [
        error[i, v] * error[i, w] for i in range(30) for v in range(4) for w in range(4)
        if v != w and not np.isnan(error[i, v] * error[i, w])
    ]  # fmt: skip
    assert observed_changes(difference).correlation == pytest.approx(np.mean(pairs) / np.nanmean(error**2))


def test_solves_its_equation_and_nears_the_plain_formula() -> None:
    psi = 0.2
    found = minimal_detectable_difference(250, 10, Changes(psi, 0.0))
    z = stats.norm.ppf([0.975, 0.8])
    assert found == pytest.approx((z[0] * np.sqrt(psi) + z[1] * np.sqrt(psi - found**2)) / np.sqrt(2500))
    assert found == pytest.approx(z.sum() * np.sqrt(psi / 2500), rel=0.01)


def test_the_protocols_arithmetic() -> None:
    # Unpaired, 250 items in 10 languages at an accuracy of 0.76: a standard error of about 1.2 points.
    unpaired = Changes(discordance=2 * 0.76 * 0.24, correlation=0.0)
    assert minimal_detectable_difference(250, 10, unpaired) / stats.norm.ppf([0.975, 0.8]).sum() == pytest.approx(
        0.012, abs=5e-4
    )


def test_clustering_costs_items() -> None:
    alone = minimal_detectable_difference(250, 1, Changes(0.2, 0.0))
    assert minimal_detectable_difference(250, 10, Changes(0.2, 1.0)) == pytest.approx(alone), "ten copies are one"
    between = [minimal_detectable_difference(250, 10, Changes(0.2, rho)) for rho in (-0.1, 0.0, 0.3, 1.0)]
    assert between[0] == between[1] < between[2] < between[3]


def test_what_cannot_be_found_is_none() -> None:
    assert minimal_detectable_difference(250, 10, Changes(0.0, 0.0)) is None
    assert minimal_detectable_difference(3, 1, Changes(0.3, 0.0)) is None
    for wrong in ({"items": 0}, {"languages": 0}, {"level": 1.0}, {"power": 0.01}, {"changes": Changes(1.2, 0)}):
        with pytest.raises(ValueError):
            minimal_detectable_difference(**{"items": 5, "languages": 2, "changes": Changes(0.1, 0.1)} | wrong)


def test_the_paired_test_finds_it_as_often_as_promised() -> None:
    items, languages, psi = 120, 4, 0.3
    rng = np.random.default_rng(1)

    def sample(delta: float) -> np.ndarray:
        """Half of the items change in all languages alike."""
        chance = np.where(rng.random((items, 1)) < 0.5, rng.random((items, 1)), rng.random((items, languages)))
        return (chance < (psi + delta) / 2).astype(float) - (chance > 1 - (psi - delta) / 2)

    pilot = observed_changes(np.vstack([sample(0.0) for _ in range(50)]))
    assert (pilot.discordance, pilot.correlation) == (pytest.approx(psi, abs=0.01), pytest.approx(0.5, abs=0.05))
    delta = minimal_detectable_difference(items, languages, pilot)
    found = [exchange_p(sample(delta), seed, 499) <= 0.05 for seed in range(400)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(("points", "items"), [(1.6, 445), (2.6, 169), (0.6, 3160)])
def test_items_for_the_published_gains(points: float, items: int) -> None:
    # Ten languages, psi .1, rho .05: (1.960 sqrt(.1) + .842 sqrt(.1 - d^2))^2 1.45 / 10 d^2
    found = items_needed(points / 100, 10, Changes(0.1, 0.05))
    assert found == pytest.approx(items, abs=2)
    assert minimal_detectable_difference(found, 10, Changes(0.1, 0.05)) == pytest.approx(points / 100, rel=0.005)


def test_more_than_changes_cannot_be_asked_for() -> None:
    assert items_needed(0.2, 1, Changes(0.1, 0.0)) is None
    with pytest.raises(ValueError, match="must lie"):
        items_needed(0.0, 1, Changes(0.1, 0.0))
