"""The few numbers that DVC shows are those of the stage's other files."""

from pathlib import Path

import pandas as pd
import pytest

from polyroute.ground.paths import Paths
from polyroute.measures.layer_curves import in_short
from polyroute.results.accuracy import AccuracyMetrics
from polyroute.results.alignment import AlignmentMetrics, AlignmentSummary
from polyroute.results.correlation import CorrelationMetrics
from polyroute.results.experts import ExpertsMetrics
from polyroute.results.masking import InterventionMetrics
from polyroute.results.similarity import SimilarityMetrics
from polyroute.results.steering import HELPED, SteerRow
from polyroute.results.table import ResultsError
from report import plausible_tasks
from tiny import ROOT

METRICS = ROOT / "metrics"
PLAIN = METRICS / "pocket-plain"
OTHERS = (AccuracyMetrics, CorrelationMetrics, ExpertsMetrics, InterventionMetrics, SimilarityMetrics)
COMMITTED = [(folder, one) for folder in sorted(METRICS.iterdir()) for one in OTHERS if (folder / one.file).exists()]


@pytest.mark.parametrize(
    ("folder", "metrics"), COMMITTED, ids=lambda one: getattr(one, "file", getattr(one, "name", ""))
)
def test_a_committed_summary_is_what_its_tables_say(folder: Path, metrics) -> None:
    assert metrics.read(folder) == metrics.of(folder)


def test_a_stage_that_has_run_has_its_summary() -> None:
    ran = {"accuracy.json": 6, "correlation.json": 6, "experts.json": 6, "steer.json": 6, "similarity.json": 6}
    assert {file: len(list(METRICS.glob(f"*/{file}"))) for file in ran} == ran
    assert len(COMMITTED) == sum(ran.values())
    assert len(list(METRICS.glob("*/summary/align.json"))) == len(list(METRICS.glob("*/align.json"))) == 11


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in METRICS.glob("*/align.json")), ids=lambda folder: folder.name
)
def test_alignment_in_short_is_the_mean_over_languages(folder: Path) -> None:
    short = AlignmentMetrics.read(folder).root
    for corpus, one in AlignmentSummary.read(folder).corpora.items():
        assert short[corpus].model_dump(exclude_unset=True) == in_short(one.model_dump(exclude_unset=True))


def test_accuracy_has_the_language_that_is_answered_worst() -> None:
    by_hand = pd.read_csv(PLAIN / "accuracy.csv").query("task == 'arithmetic'")["accuracy"]
    arithmetic = AccuracyMetrics.of(PLAIN).root["arithmetic"]
    assert arithmetic.lowest == by_hand.min() == 0.25
    assert arithmetic.pivot == 1.0


def test_steering_is_the_chosen_plan_over_all_but_the_pivot() -> None:
    rows = SteerRow.read(PLAIN).set_index(["task", "condition", "group"])
    steered = InterventionMetrics.of(PLAIN).steer["arithmetic"]
    row = rows.loc[("arithmetic", "chosen", HELPED)]
    assert (steered.base, steered.edited, steered.low, steered.q) == (row["base"], row["edited"], row["low"], row["q"])


def test_a_correlation_is_that_of_the_middle_zone(tmp_path: Path) -> None:
    codes = ["deu_Latn", "fra_Latn", "spa_Latn", "rus_Cyrl", "jpn_Jpan"]
    plausible_tasks.write_correlation(Paths(tmp_path), "tiny", codes, 4, ("sums",), sign=-1.0, notes=())
    one = CorrelationMetrics.of(Paths(tmp_path).metrics("tiny")).root["sums"]
    assert (one.r, one.p, one.rho, one.r_controlled_for_all) == (-0.86, 0.002, -0.774, None)
    assert (one.verdict, one.agrees_by_family, one.languages) == ("negative", True, 5)


def test_a_task_that_was_not_correlated_is_left_out(tmp_path: Path) -> None:
    plausible_tasks.write_correlation(Paths(tmp_path), "tiny", [], 2, ("sums",), sign=-1.0, notes=("too few",))
    assert CorrelationMetrics.of(Paths(tmp_path).metrics("tiny")).root == {}


def test_a_summary_that_is_absent_names_its_stage_and_model(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="`dvc repro score@mine` writes it"):
        AccuracyMetrics.read(tmp_path / "mine")
