import math

import numpy as np
import pytest
from scipy import stats

from experts.made import make_trace, random_trace
from polyroute.measures.usage import UsageError
from polyroute.measures.utilisation import (
    dead_experts,
    evenness,
    hot_experts,
    max_violation,
    utilisation_table,
)
from polyroute.results.similarity import UtilisationRow
from recorded import recorded_counts

CODES = ("eng_Latn", "deu_Latn", "swh_Latn")
# Uniform is 1/8: never, a twentieth of it, a tenth, three times, and the rest.
LOAD = np.array([0, 0.05 / 8, 0.1 / 8, 3 / 8, 3.05 / 8, 0.6 / 8, 0.6 / 8, 0.6 / 8])


def test_dead_and_hot_experts_by_hand() -> None:
    assert dead_experts(LOAD) == 2, "the one at the threshold is alive"
    assert dead_experts(LOAD, below=0) == 1
    assert dead_experts(LOAD, below=0.7) == 6
    assert hot_experts(LOAD) == 1, "the one at the threshold is not hot"
    assert hot_experts(LOAD, above=2.9) == 2
    assert hot_experts(LOAD, above=4) == 0


def test_max_violation_by_hand_and_at_its_limits() -> None:
    assert max_violation(LOAD) == pytest.approx(3.05 / LOAD.mean() / 8 - 1)
    assert max_violation([4, 1, 2, 1]) == 1, "counts do as well as shares"
    assert max_violation(np.full(16, 1 / 16)) == 0
    assert max_violation(np.eye(16)[0]) == 15
    assert max_violation([0.5, 0.5, 0, 0]) == 4 / 2 - 1, "top-2 choices of 4 experts at most"


def test_evenness_is_entropy_by_its_largest_value() -> None:
    assert evenness(np.full(7, 1 / 7)) == pytest.approx(1)
    assert evenness(np.eye(7)[2]) == 0
    loads = np.random.default_rng(0).dirichlet(np.ones(6), size=9)
    assert evenness(loads) == pytest.approx(stats.entropy(loads, axis=1) / math.log(6))


def test_table_by_hand() -> None:
    counts = {"eng_Latn": [[[4, 4, 0, 0]]], "deu_Latn": [[[16, 0, 16, 0]]]}
    traces = [make_trace(c, [np.sum(c) // 2], language=code, layers=(7,)) for code, c in counts.items()]
    table = utilisation_table(traces, seed=0)
    assert list(table.columns) == UtilisationRow.columns()
    rows = table.set_index("language").to_dict("index")
    assert list(rows) == ["", "eng_Latn", "deu_Latn"]
    whole, english = rows[""], rows["eng_Latn"]
    # All languages: (.5, .25, .25, 0), each language weighing the same.
    assert (whole["layer"], whole["corpus"]) == (7, "text")
    assert whole["entropy"] == pytest.approx(1.5 * math.log(2), abs=1e-4)
    assert (whole["evenness"], whole["dead"], whole["hot"], whole["max_violation"]) == (0.75, 1, 0, 1)
    assert (english["evenness"], english["dead"], english["max_violation"]) == (0.5, 2, 1)
    # An expert that both use is worth 1, one of a language alone 2; their overlap is 1 and 1/2.
    assert english["specificity"] == whole["specificity"] == 1.5
    assert whole["overlap"] == 0.75
    assert whole["information"] == pytest.approx(1 - math.log(2) / (1.5 * math.log(2)), abs=1e-4)
    assert np.isnan([english["overlap"], english["information"], whole["information_null"]]).all()


def test_one_row_a_layer_and_language_and_one_for_all() -> None:
    traces = [random_trace(n, 20, language=code) for n, code in enumerate(CODES)]
    table = utilisation_table(traces, seed=0, permutations=19)
    assert list(zip(table["layer"], table["language"], strict=True)) == [
        (layer, language) for layer in (0, 1, 2) for language in ("", *CODES)
    ]
    whole = table[table["language"] == ""]
    assert whole.notna().all(axis=None)
    assert (whole["information_null"] > 0).all()
    means = table[table["language"] != ""].groupby("layer")["specificity"].mean()
    assert whole["specificity"].to_numpy() == pytest.approx(means.to_numpy(), abs=2e-4)


def test_thresholds_out_of_range_are_refused() -> None:
    for settings in ({"dead_below": 1.0}, {"dead_below": -0.1}, {"hot_above": 0.9}):
        with pytest.raises(UsageError, match="multiples of the uniform load"):
            utilisation_table([random_trace(0, 3)], seed=0, **settings)


def test_on_real_counts_the_last_layers_know_the_language_best() -> None:
    table = utilisation_table(recorded_counts(), seed=0)
    whole = table[table["language"] == ""].set_index("layer")
    zones = [whole["information"].loc[span].mean() for span in (slice(0, 4), slice(10, 39), slice(43, 47))]
    assert zones[2] > zones[0] > zones[1]
    assert whole["overlap"].loc[10:39].mean() > whole["overlap"].loc[43:47].mean()
    assert (table["max_violation"] <= 128 / 8 - 1).all(), "top-8 of 128: no expert holds more than every token"
    swahili, german = (table[table["language"] == code]["entropy"].mean() for code in ("swh_Latn", "deu_Latn"))
    assert swahili < german
    assert whole["information_null"].isna().all()
