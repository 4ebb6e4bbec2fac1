import numpy as np
import pytest
from scipy import stats

from polyroute.ground.layers import Zones
from polyroute.measures.correlation import language_covariates
from polyroute.measures.zone_correlation import SEEN, correlate_zones, correlation_verdict, detectable_r
from polyroute.measures.zones import ZoneError
from polyroute.results.correlation import TaskCorrelation

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
        divergence, accuracy, languages=codes, layers=(4, 5, 6, 7), zones=zones, confidence=0.95, seed=0,
        **options,
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


def test_detectable_r_is_near_that_of_the_normal_approximation() -> None:
    # ((z_0.975 + z_0.8) / atanh r)^2 + 3 = V (Cohen 1988); an exact test over 5 languages sees less.
    for languages in (7, 11, 17, 50):
        assert detectable_r(languages) == pytest.approx(np.tanh(2.80159 / np.sqrt(languages - 3)), abs=0.025)
    assert 0.975 < detectable_r(5) < 1
    assert detectable_r(4) is None
    assert detectable_r(9) <= SEEN < detectable_r(8)


def test_verdict_needs_p_and_enough_languages() -> None:
    assert correlation_verdict(-0.8, 0.01, 11) == "negative"
    assert correlation_verdict(0.8, 0.01, 11) == "positive"
    assert correlation_verdict(-0.6, 0.06, 11) == "not_distinguishable"
    assert correlation_verdict(-0.6, 0.2, 7) == "cannot_be_seen"
    assert correlation_verdict(-0.99, 0.02, 5) == "negative"
    assert correlation_verdict(-1.0, 0.01, 4) is None
    assert correlation_verdict(np.nan, np.nan, 11) is None


def test_a_correlation_between_families_alone_is_not_borne_out() -> None:
    # Eight Indo-European languages on one side, three others on the other; within either nothing.
    codes = ("deu_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "ukr_Cyrl", "ben_Beng", "hin_Deva", "pol_Latn", "jpn_Jpan",
             "zho_Hans", "tha_Thai")  # fmt: skip
    rng = np.random.default_rng(1)
    side = np.array([0.0] * 8 + [0.3, 0.1, 0.3])
    found_there = found(
        (side + rng.normal(0, 0.05, 11))[:, None].repeat(4, axis=1), 0.5 - side + rng.normal(0, 0.05, 11), codes
    )
    assert found_there.verdict == "negative"
    assert found_there.by_family["families"] == 4
    assert found_there.by_family["verdict"] == "not_distinguishable"
    assert found_there.by_family["agrees"] is False


def test_two_families_have_no_interval() -> None:
    codes = ("deu_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "jpn_Jpan")
    by_family = found(DIVERGENCE[:5], ACCURACY[:5], codes).by_family
    assert by_family == {"families": 2, "low": None, "high": None, "verdict": None, "agrees": None}


def test_the_record_is_as_declared() -> None:
    record = found(covariates=language_covariates(dict(zip(CODES, RNG.random(14), strict=True)))).record()
    held = TaskCorrelation.model_validate(record)
    assert held.zones["middle"].r == -1
    assert held.zones["middle"].low is None, "no spread"
    assert set(held.zones["early"].given) == {"tokens_per_sentence", "script", "resource", "all"}
    assert held.points["deu_Latn"].divergence == pytest.approx(DIVERGENCE[0, 1:3].mean(), abs=5e-5)
    few = TaskCorrelation.model_validate(found(DIVERGENCE[:4], ACCURACY[:4], CODES[:4]).record())
    assert (few.verdict, few.detectable_r, few.zones["middle"].r) == (None, None, None)


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
    with pytest.raises(ZoneError, match=r"zone late = \[8, 9\] holds no traced layer"):
        found(zones=Zones(early=(4, 4), middle=(5, 6), late=(8, 9)))
