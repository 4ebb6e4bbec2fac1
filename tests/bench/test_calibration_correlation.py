"""A quick part of the calibration of the verdict on correlation."""

import importlib

import pytest

from tiny import ROOT


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(ROOT))
        bench = importlib.import_module("bench.calibration.correlation")
        return {(row.quantity, row.population, row.n): row for row in bench.simulate(200, sizes=(11,))}


def test_the_verdict_keeps_its_size_and_finds_what_it_says(found) -> None:
    assert found["size of the verdict", "normal", 11].found <= 0.09
    assert found["size of the verdict", "skewed", 11].found <= 0.09
    power = next(row for row in found.values() if row.quantity == "power at the detectable r")
    assert 0.7 < power.found < 0.9


def test_intervals_cover_and_families_are_held_against_it(found) -> None:
    coverage = [row.found for row in found.values() if row.quantity.startswith("coverage")]
    assert len(coverage) == 2 * 2 * 2
    assert min(coverage) > 0.89
    agree = [row.found for row in found.values() if row.quantity == "size where families agree"]
    assert max(agree) <= 0.07
