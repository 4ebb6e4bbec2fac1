"""A quick part of the calibration of domain divergence over depth."""

import importlib

import pytest

from tiny import ROOT


def test_a_cap_is_not_read_off_nothing_and_its_interval_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    bench = importlib.import_module("bench.calibration.domain")
    monkeypatch.setattr(bench, "NOISES", ("normal",))
    monkeypatch.setattr(bench, "_LARGE", 20_000)
    found = {(row.quantity, row.population): row.found for row in bench.simulate(40, sentences=(30,))}
    assert found["size of a U or a cap", "no difference, normal"] <= 0.05
    assert found["coverage, early - middle", "a cap, normal"] >= 0.85
