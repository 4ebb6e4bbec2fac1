import numpy as np
import pytest
from scipy import stats

from polyroute.ground.layers import Zones
from polyroute.measures.correlation import CorrelationError, language_covariates
from polyroute.measures.zone_correlation import correlate_zones, correlation_verdict, detectable_r

CODES = ("deu_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "ukr_Cyrl", "zho_Hans", "jpn_Jpan", "tha_Thai", "ben_Beng",
         "hin_Deva", "swh_Latn", "yor_Latn", "ind_Latn", "tur_Latn")  # fmt: skip
RNG = np.random.default_rng(0)
ACCURACY = RNG.uniform(0.3, 0.8, size=14)
NOISE = RNG.normal(0, 0.03, size=14)
# The two middle layers hide the trend from one another; only their mean shows it whole.
DIVERGENCE = np.column_stack(
    [RNG.random(14), 0.5 - 0.4 * ACCURACY + NOISE, 0.5 - 0.4 * ACCURACY - NOISE, RNG.random(14)]
)
ZONES = Zones(early=(4, 4), middle=(5, 6), late=(7, 7))


def found(divergence=DIVERGENCE, accuracy=ACCURACY, codes=CODES, zones=ZONES, **options):
    return correlate_zones(
        divergence, accuracy, languages=codes, layers=(4, 5, 6, 7), zones=zones, resamples=300, confidence=0.95,
        seed=0, **options,
    )  # fmt: skip


def test_the_mean_of_the_middle_zone_is_correlated() -> None:
    result = found()
    plain = result.rows[result.rows["method"] == "pearson"].set_index("zone")
    assert plain.index.tolist() == ["early", "middle", "late"]
    assert plain.loc["middle", "r"] == -1
    expected = stats.pearsonr(DIVERGENCE[:, 0], ACCURACY)
    assert plain.loc["early", "r"] == pytest.approx(expected.statistic, abs=5.1e-5)
    assert plain.loc["early", "p"] == pytest.approx(expected.pvalue, abs=0.03)
    assert result.verdict == "negative"
    assert found(-DIVERGENCE).verdict == "positive"


def test_partial_correlations_keep_both_signs() -> None:
    tokens = dict(zip(CODES, RNG.random(14), strict=True))
    covariates = language_covariates(tokens)[["tokens_per_sentence"]]
    for sign in (1, -1):
        rows = found(sign * DIVERGENCE, covariates=covariates).rows
        given = rows[rows["controlled_for"] == "tokens_per_sentence"]
        assert (np.sign(given[given["zone"] == "middle"]["r"]) == -sign).all()


def test_detectable_r_solves_the_formula_of_power() -> None:
    for languages, expected in ((5, 0.963), (7, 0.885), (11, 0.757), (17, 0.634), (50, 0.387)):
        r = detectable_r(languages)
        assert r == pytest.approx(expected, abs=1e-3)
        assert (2.80159 / np.arctanh(r)) ** 2 + 3 == pytest.approx(languages, abs=1e-3)
    assert detectable_r(4) is None


def test_verdict_needs_p_and_interval_and_enough_languages() -> None:
    assert correlation_verdict(-0.8, -0.9, -0.4, 0.01, 11) == "negative"
    assert correlation_verdict(0.8, 0.4, 0.9, 0.01, 11) == "positive"
    assert correlation_verdict(-0.6, -0.9, 0.1, 0.04, 11) == "not_distinguishable"
    assert correlation_verdict(-0.6, -0.9, -0.1, 0.06, 11) == "not_distinguishable"
    assert correlation_verdict(-0.6, -0.9, 0.1, 0.2, 7) == "cannot_be_seen"
    assert correlation_verdict(-1.0, -1.0, -1.0, 0.01, 4) is None
    assert correlation_verdict(np.nan, np.nan, np.nan, np.nan, 11) is None


def test_four_languages_and_equal_accuracies_have_a_note_and_no_verdict() -> None:
    few = found(DIVERGENCE[:4], ACCURACY[:4], CODES[:4])
    assert few.verdict is None
    assert few.detectable_r is None
    assert "at least 5 languages" in few.notes[0]
    assert found(accuracy=np.full(14, 0.5)).verdict is None


def test_independent_divergence_is_rarely_given_a_sign() -> None:
    rng = np.random.default_rng(3)
    signs = [
        found(rng.random((11, 4)), rng.random(11), CODES[:11]).verdict in ("negative", "positive") for _ in range(60)
    ]
    assert np.mean(signs) <= 0.1


def test_a_zone_without_layers_is_named() -> None:
    with pytest.raises(CorrelationError, match="zone late, layers 8 to 9"):
        found(zones=Zones(early=(4, 4), middle=(5, 6), late=(8, 9)))
