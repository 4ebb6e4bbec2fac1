"""A quick part of the calibration of turn share and Delta by task."""

import importlib

import pytest

from tiny import ROOT


def test_intervals_cover_and_the_rival_is_not_decided_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    bench = importlib.import_module("bench.calibration.turns")
    monkeypatch.setattr(bench, "POPULATIONS", {"turn about tau": bench.POPULATIONS["turn about tau"]})
    found = {row.quantity: row.found for row in bench.simulate(25, sequences=(50,), resamples=99)}
    assert found["coverage, turn share"] >= 0.9
    assert found["coverage, r task"] >= 0.8
    assert found["size, rejected"] <= 0.05
