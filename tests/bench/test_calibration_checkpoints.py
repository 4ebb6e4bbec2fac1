"""A quick part of the calibration of changes between two checkpoints."""

import importlib

import pytest

from tiny import ROOT


def test_intervals_cover_and_nothing_is_seen_where_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    bench = importlib.import_module("bench.calibration.checkpoints")
    monkeypatch.setattr(bench, "POPULATIONS", {"nothing changed": bench.POPULATIONS["nothing changed"]})
    monkeypatch.setattr(bench, "_MANY", 1000)
    found = {row.quantity: row.found for row in bench.simulate(150, sentences=(20,))}
    assert found["coverage, change of D"] == pytest.approx(0.95, abs=0.03)
    assert found["size, mean over languages"] <= 0.09
