"""A quick part of the calibration of the gap between relatives and others."""

import importlib

import pytest

from tiny import ROOT


def test_leaving_out_families_covers_where_leaving_out_languages_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    bench = importlib.import_module("bench.calibration.relatedness")
    shared = "sums, shared by families"
    monkeypatch.setattr(bench, "POPULATIONS", {shared: bench.POPULATIONS[shared]})
    found = {row.quantity: row.found for row in bench.simulate(100, sizes=(17,))}
    assert found["coverage, by family"] >= 0.9
    assert found["coverage, other scripts, by family"] >= 0.9
    assert found["coverage, by language"] < 0.8
