"""A quick part of the calibration of verdicts on paired answers."""

import importlib

import numpy as np
import pytest

from polyroute.stats.paired import mcnemar, mean_change
from polyroute.stats.paired_interval import paired_interval
from tiny import ROOT


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(ROOT))
        yield lambda name: importlib.import_module(f"bench.calibration.{name}")


@pytest.mark.parametrize("kind", ["threshold", "whole"])
def test_simulated_changes_are_what_they_are_called(bench, kind: str) -> None:
    change_SNV = bench("answers").changes(np.random.default_rng(0), (400, 50, 4), 0.2, 0.05, 0.3, kind)
    assert (change_SNV != 0).mean() == pytest.approx(0.2, abs=0.01)
    assert change_SNV.mean() == pytest.approx(0.05, abs=0.01)
    together = np.corrcoef(change_SNV[:, :, 0].ravel(), change_SNV[:, :, 1].ravel())[0, 1]
    assert together == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(("items", "psi"), [(8, 0.0), (10, 0.3), (60, 0.3)])
def test_many_studies_at_once_are_judged_as_one_is(bench, items: int, psi: float) -> None:
    change_SNV = bench("answers").changes(
        np.random.default_rng(3), (40, items, 4), psi or 0.1, psi / 2, 0.3, "threshold"
    )
    change_SN = change_SNV.mean(axis=2) if psi else np.zeros((2, items))
    low_S, high_S, p_S = bench("rule").of_a_group(change_SN, 0.95)
    for change_N, low, high, p in zip(change_SN, low_S, high_S, p_S, strict=True):
        expected = mean_change(change_N, 0.95, 0)
        if not 0.04 < expected.p < 0.06:  # where random patterns of exchange may differ
            assert (low, high) == pytest.approx((expected.low, expected.high))
            assert (p <= 0.05) == (expected.p <= 0.05)
            assert p == pytest.approx(expected.p, abs=0.01) or p > 0.05
    low_S, high_S, p_S = bench("rule").of_one_language(np.sign(change_SN), 0.95)
    gained, lost = int((change_SN[0] > 0).sum()), int((change_SN[0] < 0).sum())
    assert (low_S[0], high_S[0]) == paired_interval(gained, lost, items, 0.95)
    assert p_S[0] == mcnemar(gained, lost)


def test_intervals_cover_and_tests_keep_their_size(bench, monkeypatch) -> None:
    paired = bench("paired")
    for name, value in (("ITEMS", (13, 40)), ("LANGUAGES", (1, 5)), ("PSI", (0.1,)), ("SHARES", (0.0, 0.3))):
        monkeypatch.setattr(paired, name, value)
    rows = list(paired.simulate(60))
    assert len(rows) == 2 * (3 + 3 * 3)
    assert min(row.found for row in rows if row.quantity == "coverage") > 0.85
    assert np.mean([row.found for row in rows if row.quantity == "coverage"]) > 0.95
    assert np.mean([row.found for row in rows if row.quantity == "size"]) <= 0.05


def test_studies_find_what_is_said(bench, monkeypatch) -> None:
    power = bench("power")
    monkeypatch.setattr(power, "POPULATIONS", ((120, 1, 0.2, 0.0, "whole"),))
    (alone, beside_others) = power.simulate(25)
    assert alone.studies == 25
    assert alone.population.endswith("0 other plans")
    assert 0.7 < alone.found < 0.9
    assert 0.65 < beside_others.found < 0.9


def test_a_rank_keeps_its_size(bench) -> None:
    for row in bench("sequential").simulate(500):
        assert row.found <= row.nominal + 3 * np.sqrt(row.nominal * (1 - row.nominal) / row.studies), row
