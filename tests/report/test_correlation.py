from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polyroute.ground.paths import Paths
from polyroute.report import correlation, findings
from polyroute.results.correlation import CorrelationRow, TaskCorrelation
from polyroute.results.model import Correlations, ModelResults
from report import plausible, plausible_tasks
from report.shown import cells, measure, task_figures, told


def found(r: list[float], q: list[float], notes: list[str] | None = None) -> Correlations:
    rows = [
        {"task": "t", "layer": layer, "method": "pearson", "r": r[layer], "q": q[layer]}
        | {"controlled_for": "", "languages": 9}
        for layer in range(len(r))
    ]
    return Correlations(
        "text", {"t": TaskCorrelation(notes=notes or [])}, pd.DataFrame(rows, columns=CorrelationRow.columns())
    )


@pytest.mark.parametrize(
    ("r", "q", "verdict"),
    [
        ([0.1, -0.9, -0.2, 0.1], [0.5, 0.01, 0.5, 0.5], "as the paper: negative in the middle"),
        ([0.1, -0.9, 0.8, 0.1], [0.5, 0.01, 0.2, 0.5], "as the paper: negative in the middle"),
        ([0.1, 0.9, -0.2, 0.1], [0.5, 0.01, 0.5, 0.5], "opposite: positive in the middle"),
        ([0.1, 0.9, -0.9, 0.1], [0.5, 0.01, 0.01, 0.5], "both signs in the middle"),
        ([-0.9, -0.6, -0.2, 0.9], [0.01, 0.05, 0.5, 0.01], "not distinguishable from chance in the middle"),
        ([np.nan] * 4, [np.nan] * 4, "not computed: accuracy is 0.1 in every language"),
    ],
)
def test_the_rule_reads_middle_layers_alone(r: list[float], q: list[float], verdict: str) -> None:
    notes = ["accuracy is 0.1 in every language"] if np.isnan(r).all() else []
    assert correlation.verdict(found(r, q, notes), "t", (1, 2)) == verdict


def test_the_strongest_layer_is_that_of_either_sign() -> None:
    assert correlation.strongest(found([0.1, -0.9, np.nan, 0.95], [1.0] * 4), "t") == 3
    assert correlation.strongest(found([0.1, -0.9, np.nan, 0.5], [1.0] * 4), "t") == 1
    assert correlation.strongest(found([np.nan], [np.nan]), "t") is None


def test_rows_in_words(tmp_path: Path) -> None:
    codes = plausible.write(Paths(tmp_path), "tiny", 2, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(Paths(tmp_path), "tiny", codes, 8)
    read = ModelResults.read(Paths(tmp_path).metrics("tiny")).correlations
    plain = correlation.in_words(correlation.in_layer(read, "arithmetic", 3))
    assert plain == "-0.86 [-0.95, -0.66], q 0.002"
    given = correlation.in_words(correlation.in_layer(read, "arithmetic", 3, correlation.TOKENS))
    assert given == "-0.32, q 0.592", "partial correlations have no interval"
    assert correlation.in_words(correlation.in_layer(read, "arithmetic", 3, "script")) == "–"


def test_correlations_are_told_with_what_rivals_leave(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    measure(Paths(tmp_path), "few", 3, notes=("too few languages",))
    table = correlation.correlation_table(findings.gather(Paths(tmp_path), ["tiny", "few"]))
    row = cells(table, "tiny", "arithmetic")
    assert row["strongest in"] == "layer 3"
    assert row["r"] == "-0.86 [-0.95, -0.66], q 0.002"
    assert row["given tokens a sentence"] == "-0.32, q 0.592"
    assert row["given resource"] == "-0.42, q 0.309"
    assert row["verdict"] == "as the paper: negative in the middle"
    assert cells(table, "few", "arithmetic")["verdict"] == "not computed: too few languages"


def test_the_correlation_says_how_many_languages_and_what_comes_out(tmp_path: Path) -> None:
    task_figures(tmp_path, of=correlation)
    text = told(tmp_path, "correlation-arithmetic")
    assert "over 6 languages" in text
    assert "as the paper: negative in the middle" in text
    assert "strongest in layer 3: r -0.86 [-0.95, -0.66], q 0.002" in text
    assert "given tokens a sentence -0.32, q 0.592" in text
    for name in ("Pearson", "Spearman", "Pearson, given tokens a sentence"):
        assert f"<!-- {name} -->" in text
