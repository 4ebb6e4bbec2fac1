import numpy as np
import pytest

from polyroute.measures.across_languages import over_languages
from polyroute.measures.divergence import routing_divergence
from recorded import recorded_counts

DRAWING = {"confidence": 0.95, "seed": 0}
CODES = ["deu_Latn", "fra_Latn", "rus_Cyrl", "zho_Hans", "jpn_Jpan", "swh_Latn", "tur_Latn", "ind_Latn"]
"""Six families, three of them Indo-European."""
CAP = np.array([[0.2, 0.4, 0.1]]) + np.linspace(0, 0.05, 8)[:, None]


def test_aligned_layers_and_their_peak_are_found() -> None:
    rng = np.random.default_rng(0)
    alignment = rng.normal(0, 0.02, size=(8, 4))
    alignment[:, 1] += 0.1
    alignment[:, 2] += 0.3
    found = over_languages(alignment, CAP, [4, 5, 6, 7], CODES, **DRAWING)
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
    found = over_languages(alignment, CAP[:, [0, 0, 0]], [0, 1], CODES, **DRAWING)
    assert found["aligned_layers"] == []
    assert found["shape"] == "flat"


def test_few_languages_are_not_tested_and_one_has_no_interval() -> None:
    few = over_languages(np.full((4, 2), 0.3), CAP[:4], [0, 1], CODES[:4], **DRAWING)
    assert few["aligned_layers"] is None
    assert few["alignment"][0]["q"] is None
    assert (few["shape"], few["early_minus_middle"]["low"]) == (None, None)
    assert few["by_family"]["agrees"] is None
    one = over_languages(np.full((1, 2), 0.3), CAP[:1], [0, 1], CODES[:1], **DRAWING)
    assert one["early_minus_middle"]["low"] is None
    assert one["shape"] is None


@pytest.mark.parametrize(("sentences", "shape"), [(4, None), (5, "cap"), (None, "cap")])
def test_few_sentences_make_no_claim_however_many_languages(sentences, shape) -> None:
    alignment = np.full((8, 2), 0.3) + np.linspace(0, 0.01, 8)[:, None]
    found = over_languages(alignment, CAP, [0, 1], CODES, **DRAWING, sentences=sentences)
    assert found["shape"] == found["by_family"]["shape"] == shape
    assert found["early_minus_middle"]["value"] < 0
    assert (found["alignment"][0]["low"] is None) == (found["aligned_layers"] is None) == (shape is None)


def test_counts_have_no_sentences_to_align() -> None:
    found = over_languages(None, CAP, [0, 1], CODES, **DRAWING)
    assert "alignment" not in found
    assert found["languages"] == 8


def test_related_languages_are_one_voice_by_family() -> None:
    u = np.array([[0.3, 0.1, 0.3]] * 5 + [[0.1, 0.1, 0.1]] * 2)
    noise = np.array([0.00, 0.01, -0.01, 0.02, -0.02, 0.01, -0.01])[:, None] * [[1, 0, 1]]
    codes = ["deu_Latn", "fra_Latn", "rus_Cyrl", "spa_Latn", "ita_Latn", "zho_Hans", "jpn_Jpan"]
    found = over_languages(None, u + noise, [0, 1], codes, **DRAWING)
    assert found["shape"] == "U"
    assert found["by_family"]["shape"] == "flat"
    assert (found["by_family"]["families"], found["by_family"]["agrees"]) == (3, False)


def test_early_minus_middle_of_the_recorded_model() -> None:
    pivot, *others = recorded_counts()
    counts = "topk_count"
    curves = np.stack([routing_divergence(pivot.pooled(counts), one.pooled(counts)) for one in others])
    zones = np.stack([curves[:, :5].mean(1), curves[:, 10:40].mean(1), curves[:, 43:].mean(1)], axis=1)
    codes = [one.header.language for one in others]
    found = over_languages(None, zones, [0, 1], codes, **DRAWING)["early_minus_middle"]
    assert (found["low"], found["high"]) == (pytest.approx(0.080, abs=1e-3), pytest.approx(0.185, abs=1e-3))
