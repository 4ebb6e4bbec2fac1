"""A quick part of the calibration of domain divergence over pairs."""

import importlib

import pytest

from tiny import ROOT


def test_intervals_over_pairs_cover_and_nothing_is_not_told_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    bench = importlib.import_module("bench.calibration.domain_pairs")
    monkeypatch.setattr(bench, "NOISES", ("normal",))
    monkeypatch.setattr(bench, "_LARGE", 20_000)
    found = {(row.quantity, row.population): row.found for row in bench.simulate(60, sequences=(100,))}
    assert found["size, above", "no difference, normal"] <= 0.1
    for name in ("value", "floor", "above"):
        assert found[f"coverage, {name}", "a domain, normal"] >= 0.85
