import numpy as np
import pytest

from polyroute.measures.across_languages import over_languages

DRAWING = {"resamples": 400, "confidence": 0.95, "seed": 0}
CAP = np.array([[0.2, 0.4, 0.1]]) + np.linspace(0, 0.05, 8)[:, None]


def test_aligned_layers_and_their_peak_are_found() -> None:
    rng = np.random.default_rng(0)
    alignment = rng.normal(0, 0.02, size=(8, 4))
    alignment[:, 1] += 0.1
    alignment[:, 2] += 0.3
    found = over_languages(alignment, CAP, [4, 5, 6, 7], **DRAWING)
    assert found["aligned_layers"] == [5, 6]
    assert found["peak_layer"] == 6
    assert [row["layer"] for row in found["alignment"]] == [4, 5, 6, 7]
    row = found["alignment"][2]
    assert row["value"] == pytest.approx(alignment[:, 2].mean(), abs=1e-4)
    assert row["low"] < row["value"] < row["high"]
    assert row["p"] == pytest.approx(1 / 2**8, abs=1e-4)
    assert found["shape"] == "cap"


def test_languages_that_disagree_make_no_claim() -> None:
    alignment = np.tile([[0.3], [-0.3]], (4, 2)) + np.linspace(-0.01, 0.01, 8)[:, None]
    found = over_languages(alignment, CAP[:, [0, 0, 0]], [0, 1], **DRAWING)
    assert found["aligned_layers"] == []
    assert found["shape"] == "flat"


def test_few_languages_are_not_tested_and_one_has_no_interval() -> None:
    few = over_languages(np.full((4, 2), 0.3), CAP[:4], [0, 1], **DRAWING)
    assert few["aligned_layers"] is None
    assert few["alignment"][0]["q"] is None
    one = over_languages(np.full((1, 2), 0.3), CAP[:1], [0, 1], **DRAWING)
    assert one["early_minus_middle"]["low"] is None
    assert one["shape"] == "unclear"


def test_counts_have_no_sentences_to_align() -> None:
    found = over_languages(None, CAP, [0, 1], **DRAWING)
    assert "alignment" not in found
    assert found["languages"] == 8
