"""Runs of a chart are told apart: languages of a model, and models of a language, by the colour-blind too."""

from itertools import combinations

import numpy as np
import pytest

from polyroute.tracking import colours
from polyroute.tracking.runs import DRAWN

SEEN = {  # Machado, Oliveira and Fernandes 2009, of linear RGB.
    "normal": np.eye(3),
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
LANGUAGES = ("deu_Latn", "swh_Latn", "hin_Deva", "fra_Latn", "zho_Hans", "rus_Cyrl", "tur_Latn", "jpn_Jpan", "ben_Beng")


def lab(colour: str, seen) -> np.ndarray:
    """CIELAB of `#rrggbb`."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(np.asarray(seen) @ linear, 0, 1) / (0.9505, 1, 1.089)
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(shown: list[str], seen) -> float:
    return min(float(np.linalg.norm(lab(a, seen) - lab(b, seen))) for a, b in combinations(shown, 2))


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
@pytest.mark.parametrize("code", LANGUAGES)
def test_models_in_one_language_are_told_apart(code: str, seen) -> None:
    shades = [colours.of_language(code, shade) for shade in range(DRAWN)]
    assert nearest(shades[:2], seen) > 35
    assert nearest(shades[:4], seen) > 15
    assert nearest(shades, seen) > 6.5


@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN)
def test_models_are_told_apart(seen) -> None:
    assert nearest([colours.of_model(shade) for shade in range(6)], seen) > 12


def test_languages_of_a_model_are_told_apart_in_every_model() -> None:
    for shade in range(DRAWN):
        assert len({colours.of_language(code, shade) for code in LANGUAGES}) == len(LANGUAGES)
