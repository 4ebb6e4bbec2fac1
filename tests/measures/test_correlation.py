import numpy as np
import pandas as pd
import pytest
from scipy import stats

from polyroute.measures.correlation import (
    METHODS,
    TOGETHER,
    CorrelationError,
    correlate,
    language_covariates,
)
from polyroute.results.correlation import CorrelationRow

CODES = ("deu_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "ukr_Cyrl", "zho_Hans", "jpn_Jpan", "tha_Thai", "ben_Beng",
         "hin_Deva", "swh_Latn", "yor_Latn", "ind_Latn", "tur_Latn")  # fmt: skip
RNG = np.random.default_rng(0)
ACCURACY = RNG.uniform(0.3, 0.8, size=14)
DIVERGENCE = np.column_stack([0.5 - 0.4 * ACCURACY + RNG.normal(0, 0.03, size=14), RNG.random(14), RNG.random(14)])
FERTILITY = dict(zip(CODES, 20 + 30 * (0.8 - ACCURACY) + RNG.normal(0, 2, size=14), strict=True))


def found(divergence=DIVERGENCE, accuracy=ACCURACY, codes=CODES, layers=(4, 5, 6), **options):
    return correlate(divergence, accuracy, languages=codes, layers=layers, confidence=0.95, seed=0, **options)


def test_r_and_rho_agree_with_scipy() -> None:
    result = found()
    assert {*result.rows.columns, "task"} == set(CorrelationRow.columns())
    assert result.notes == ()
    assert len(result.rows) == 2 * 3
    for method, reference in zip(METHODS, (stats.pearsonr, stats.spearmanr), strict=True):
        rows = result.rows[result.rows["method"] == method]
        assert rows["layer"].tolist() == [4, 5, 6]
        for place, row in enumerate(rows.itertuples()):
            expected = reference(DIVERGENCE[:, place], ACCURACY)
            assert row.r == pytest.approx(expected.statistic, abs=5.1e-5)
            assert row.p == pytest.approx(expected.pvalue, abs=0.03)
            assert row.low < row.r < row.high
        assert rows["q"].tolist() == pytest.approx(stats.false_discovery_control(rows["p"]), abs=1.1e-4)
        assert rows["q"].iloc[0] < 0.01 < rows["q"].iloc[1]


def test_perfect_order_is_one_and_has_no_interval() -> None:
    accuracy = np.array([0.1, 0.2, 0.4, 0.5, 0.6, 0.8])
    rows = found(np.exp(-accuracy)[:, None], accuracy, CODES[:6], (0,)).rows.set_index("method")
    assert rows.loc["spearman", "r"] == -1
    assert rows.loc["spearman", ["low", "high"]].isna().all()
    assert -1 < rows.loc["pearson", "r"] < -0.98
    assert rows.loc["spearman", "p"] == pytest.approx(2 / 720, abs=1e-4), "exact: this order and its reverse"


def test_interval_covers_the_true_correlation() -> None:
    rng = np.random.default_rng(2)
    x, noise = rng.normal(size=(2, 120, 11))
    y = -0.8 * x + 0.6 * noise
    hits = []
    for row in range(120):
        table = found(x[row][:, None], y[row], CODES[:11], (0,)).rows
        hits.append(table["low"].iloc[0] <= -0.8 <= table["high"].iloc[0])
    assert 0.9 < np.mean(hits) < 0.99


def test_what_a_covariate_explains_is_gone_once_it_is_held_fixed() -> None:
    covariates = pd.DataFrame({"size": np.linspace(0, 1, 14), "noise": RNG.random(14)}, index=list(CODES))
    size = covariates["size"].to_numpy()
    accuracy, divergence = size + RNG.normal(0, 0.05, 14), (1 - size + RNG.normal(0, 0.05, 14))[:, None]
    rows = found(divergence, accuracy, layers=(0,), covariates=covariates).rows.set_index(["method", "controlled_for"])
    assert rows.index.get_level_values("controlled_for").unique().tolist() == ["", "size", "noise", TOGETHER]
    for method in METHODS:
        assert rows.loc[(method, ""), "r"] < -0.95
        assert abs(rows.loc[(method, "size"), "r"]) < 0.6
        assert rows.loc[(method, "noise"), "r"] < -0.95
        assert rows.loc[(method, "size"), "p"] > 0.02
        assert np.isnan(rows.loc[(method, "size"), ["low", "high"]].tolist()).all()


def test_text_becomes_dummies() -> None:
    covariates = pd.DataFrame({"script": ["A", "A", "A", "B", "B", "B", "C", "C"]}, index=list(CODES[:8]))
    rows = found(DIVERGENCE[:8], ACCURACY[:8], CODES[:8], covariates=covariates).rows
    r = rows[(rows["method"] == "pearson") & (rows["controlled_for"] == "script")]["r"]
    # Holding a group fixed is taking off its mean.
    left = [
        values - values.groupby(covariates["script"].to_numpy()).transform("mean")
        for values in (pd.DataFrame(DIVERGENCE[:8]), pd.DataFrame(ACCURACY[:8]))
    ]
    assert r.tolist() == pytest.approx([stats.pearsonr(left[0][c], left[1][0])[0] for c in range(3)], abs=5.1e-5)


def test_covariates_of_the_table_of_languages() -> None:
    covariates = language_covariates(FERTILITY | {"acm_Arab": 30.0})
    assert covariates.loc["rus_Cyrl", ["script", "resource"]].tolist() == ["Cyrl", 4]
    result = found(covariates=covariates.loc[list(CODES)])
    rows = result.rows[result.rows["method"] == "pearson"].set_index(["controlled_for", "layer"])
    assert rows.loc[("tokens_per_sentence", 4), "r"] < 0
    assert not np.isnan(rows.loc[("script", 4), "r"])
    codes = (*CODES, "acm_Arab")
    unknown = found(np.vstack([DIVERGENCE, DIVERGENCE[:1]]), np.append(ACCURACY, 0.4), codes, covariates=covariates)
    assert "given resource: without acm_Arab, of which it is unknown" in unknown.notes
    assert f"given {TOGETHER}: without acm_Arab, of which it is unknown" in unknown.notes
    # As without the language, which counts where nothing, or what is known of it, is held fixed.
    alone = found(DIVERGENCE, ACCURACY, CODES, covariates=covariates)
    for held, count in (("resource", len(CODES)), ("", len(CODES) + 1)):
        of = unknown.rows[unknown.rows["controlled_for"] == held].reset_index(drop=True)
        without = alone.rows[alone.rows["controlled_for"] == held].reset_index(drop=True)
        assert (of["languages"] == count).all()
        assert of["r"].equals(without["r"]) == (held == "resource")


def test_too_many_and_dependent_covariates_are_said() -> None:
    covariates = pd.DataFrame(
        {"script": list("ABCDEFAB"), "one": np.arange(8.0), "two": 2 * np.arange(8.0)}, index=list(CODES[:8])
    )
    result = found(DIVERGENCE[:8], ACCURACY[:8], CODES[:8], covariates=covariates)
    assert any("given script: its 5 columns leave 1 degrees of freedom of 8" in note for note in result.notes)
    dependent = found(DIVERGENCE[:8], ACCURACY[:8], CODES[:8], covariates=covariates[["one", "two"]])
    assert dependent.notes == (
        f"nothing is computed given {TOGETHER}: covariates depend linearly on one another or do not vary",
    )
    assert dependent.rows[dependent.rows["controlled_for"] == "one"]["r"].notna().all()


def test_few_languages_and_no_variance_are_said_not_computed() -> None:
    few = found(DIVERGENCE[:4], ACCURACY[:4], CODES[:4])
    assert few.notes == ("correlation needs at least 5 languages besides the pivot; there are 4",)
    assert few.rows[["r", "low", "high", "p", "q"]].isna().all(axis=None)
    level = found(accuracy=np.full(14, 0.5))
    assert level.notes == ("accuracy is 0.5 in every language: there is nothing to correlate",)
    flat = DIVERGENCE.copy()
    flat[:, 1] = 0.2
    result = found(flat)
    assert result.notes == ("divergence is the same in every language in layers 5",)
    rows = result.rows.set_index(["method", "layer"])
    assert rows.loc[("pearson", 5)][["r", "low", "p", "q"]].isna().all()
    assert rows.loc[("pearson", 4), "q"] == pytest.approx(2 * rows.loc[("pearson", 4), "p"], abs=1e-4), "two tests"


def test_accuracy_that_a_covariate_explains_wholly_leaves_nothing() -> None:
    covariates = pd.DataFrame({"same": ACCURACY}, index=list(CODES))
    result = found(covariates=covariates)
    assert result.notes == (
        "given same, pearson has no variance left in layers 4, 5, 6",
        "given same, spearman has no variance left in layers 4, 5, 6",
    )


def test_the_same_seed_gives_the_same_numbers() -> None:
    pd.testing.assert_frame_equal(found().rows, found().rows)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"accuracy": np.where(np.arange(14) == 3, np.nan, ACCURACY)}, "rus_Cyrl has accuracy nan"),
        ({"divergence": np.where(DIVERGENCE[2, 1] == DIVERGENCE, np.inf, DIVERGENCE)}, "spa_Latn .* in layer 5"),
        ({"layers": (1, 2)}, "14 languages in 2 layers"),
        ({"codes": CODES[:13] + CODES[:1]}, "twice"),
        ({"covariates": pd.DataFrame({"a": [1.0]}, index=["deu_Latn"])}, "they lack fra_Latn"),
        ({"covariates": pd.DataFrame({TOGETHER: np.arange(14)}, index=list(CODES))}, "cannot be named"),
    ],
)
def test_input_that_cannot_be_is_refused(options, message) -> None:
    with pytest.raises(CorrelationError, match=message):
        found(**options)
