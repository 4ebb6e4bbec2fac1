import numpy as np
import pytest

from polyroute.measures.divergence_over_languages import mean_divergence

CODES = ["deu_Latn", "fra_Latn", "zho_Hans", "jpn_Jpan", "swh_Latn"]


def test_by_hand() -> None:
    # Values 1 to 5: mean 3, standard error sqrt(2.5 / 5), t(4) = 2.7764.
    # Families: 1 and 2 together, 3, 4, 5. Without one the mean is 4, 3, 2.75 and 2.5; t(3) = 3.1824.
    values = np.arange(1.0, 6.0)[:, None] / 10
    found = mean_divergence(values, np.repeat(values, 3, axis=1), [7], CODES, 0.95)
    error = np.sqrt(3 / 4 * np.sum((np.array([4, 3, 2.75, 2.5]) - 3) ** 2)) / 10
    expected = {
        "value": 0.3, "low": 0.3 - 2.7764 * np.sqrt(0.5) / 10, "high": 0.3 + 2.7764 * np.sqrt(0.5) / 10,
        "family_low": 0.3 - 3.1824 * error, "family_high": 0.3 + 3.1824 * error,
    }  # fmt: skip
    assert found["layers"] == [pytest.approx({"layer": 7} | expected, abs=1e-4)]
    assert found["zones"]["late"] == pytest.approx(expected, abs=1e-4)


def test_few_languages_have_no_bounds_and_undefined_divergence_no_mean() -> None:
    values = np.full((4, 2), 0.1)
    found = mean_divergence(values, np.full((4, 3), 0.1), [0, 1], CODES[:4], 0.95)
    assert found["layers"][1] == {
        "layer": 1, "value": 0.1, "low": None, "high": None, "family_low": None, "family_high": None,
    }  # fmt: skip
    values[0, 0] = np.nan
    assert mean_divergence(values, np.full((4, 3), 0.1), [0, 1], CODES[:4], 0.95) is None
