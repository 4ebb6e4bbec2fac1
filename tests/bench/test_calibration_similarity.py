"""A quick part of the calibration of distances that follow families."""

import importlib

import pytest

from tiny import ROOT


def test_permuting_relatives_alone_keeps_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    bench = importlib.import_module("bench.calibration.similarity")
    found = {row.quantity: row.found for row in bench.simulate(150, sizes=(11,))}
    assert found["size, all languages permuted"] > 0.3
    assert found["size, permuted within families"] <= 0.1
    assert found["size of the group test"] <= 0.1
