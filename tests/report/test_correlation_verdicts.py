from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polyroute.ground.paths import Paths
from polyroute.report import correlations
from polyroute.results.correlation import CorrelationRow, TaskCorrelation
from polyroute.results.model import Correlations, ModelResults
from report import plausible, plausible_tasks


def found(r: list[float], q: list[float], notes: list[str] | None = None) -> Correlations:
    rows = [
        {"task": "t", "layer": layer, "method": "pearson", "given": "", "r": r[layer], "q": q[layer], "languages": 9}
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
        ([-0.9, -0.6, -0.2, 0.9], [0.01, 0.05, 0.5, 0.01], "not told from chance in the middle"),
        ([np.nan] * 4, [np.nan] * 4, "not computed: accuracy is 0.1 in every language"),
    ],
)
def test_the_rule_reads_middle_layers_alone(r: list[float], q: list[float], verdict: str) -> None:
    notes = ["accuracy is 0.1 in every language"] if np.isnan(r).all() else []
    assert correlations.verdict(found(r, q, notes), "t", (1, 2)) == verdict


def test_the_strongest_layer_is_that_of_either_sign() -> None:
    assert correlations.strongest(found([0.1, -0.9, np.nan, 0.95], [1.0] * 4), "t") == 3
    assert correlations.strongest(found([0.1, -0.9, np.nan, 0.5], [1.0] * 4), "t") == 1
    assert correlations.strongest(found([np.nan], [np.nan]), "t") is None


def test_rows_in_words(tmp_path: Path) -> None:
    codes = plausible.write(Paths(tmp_path), "tiny", 2, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(Paths(tmp_path), "tiny", codes, 8)
    read = ModelResults.read(Paths(tmp_path).metrics("tiny")).correlations
    plain = correlations.in_words(correlations.in_layer(read, "arithmetic", 3))
    assert plain == "-0.86 [-0.95, -0.66], q 0.002"
    given = correlations.in_words(correlations.in_layer(read, "arithmetic", 3, correlations.TOKENS))
    assert given == "-0.32, q 0.592", "partial correlations have no interval"
    assert correlations.in_words(correlations.in_layer(read, "arithmetic", 3, "script")) == "–"
