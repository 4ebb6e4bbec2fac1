from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import findings, steering
from polyroute.results.model import ModelResults, Steering
from report import plausible, plausible_tasks
from report.shown import cells, measure

CODES = ["deu_Latn", "fra_Latn", "swh_Latn"]


def steered(root: Path, **arguments) -> Steering:
    plausible.write(Paths(root), "tiny", 3, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(Paths(root), "tiny", CODES, 8, **arguments)
    return ModelResults.read(Paths(root).metrics("tiny")).steering


def test_doses_are_of_the_chosen_experts_by_strength(tmp_path: Path) -> None:
    rows = steering.doses(steered(tmp_path), "arithmetic")
    assert list(rows.index) == [-0.5, 0.25, 0.5, 0.75, 1.0]
    assert rows["kind"].unique().tolist() == ["dose"]
    of_pivot = steering.doses(steered(tmp_path), "arithmetic", group="eng_Latn")
    assert of_pivot.loc[0.5, "difference"] == pytest.approx(-0.01 * 0.675, abs=1e-4)


def test_a_hard_plan_is_told_without_a_strength(tmp_path: Path) -> None:
    read = steered(tmp_path, rule="activate")
    assert steering.plan(read.tasks["arithmetic"]) == "hard activation, 41 experts above τ 0.1 in layers 1-6"


def test_controls_and_deactivation_are_found(tmp_path: Path) -> None:
    read = steered(tmp_path)
    pooled = steering.pooled(read, "arithmetic")
    assert steering.best_random(read, "arithmetic") == pooled.loc["random2", "difference"]
    assert steering.deactivated(read, "arithmetic")["difference"] == pooled.loc["deactivate", "difference"]
    assert steering.row(pooled, "late") is None
    read = steered(tmp_path / "again", rule="deactivate", draws=0)
    assert steering.best_random(read, "arithmetic") is None
    assert steering.left_out(read.steered["arithmetic"])["late"] == plausible_tasks.LEFT_OUT


def test_tasks_that_were_not_run_are_left_out(tmp_path: Path) -> None:
    assert steering.ran(steered(tmp_path, not_run="no experts")) == []


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("chosen", "chosen plan"), ("activate", "hard activation"), ("deactivate", "deactivation"),
        ("multilingual", "multilingual experts"), ("early", "early layers"), ("all", "all layers"),
        ("pivot-deu_Latn", "other pivot (German)"), ("published", "as published"),
    ],
)  # fmt: skip
def test_conditions_have_plain_names(condition: str, words: str) -> None:
    assert steering.called(condition) == words


def test_steering_is_told_with_its_controls_and_reasons(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    measure(Paths(tmp_path), "not", not_run="no expert above any tau")
    table = steering.steering_table(findings.gather(Paths(tmp_path), ["tiny", "not"]))
    row = cells(table, "tiny", "arithmetic")
    assert row["plan"] == "soft λ 0.5, 41 experts above τ 0.1 in layers 1-6"
    assert (row["base"], row["steered"]) == ("55.0", "57.1")
    assert (row["difference"], row["pivot"], row["best random"]) == ("+2.1 [0.9, 3.3]", "-1.0 (English)", "+0.6")
    assert row["does it help?"] == "yes"
    assert cells(table, "not", "knowledge")["does it help?"] == "not run: no expert above any tau"


def test_steering_toward_shared_experts_is_told_with_its_mechanism(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    measure(Paths(tmp_path), "not", not_run="no pair of languages")
    table = steering.shared_table(findings.gather(Paths(tmp_path), ["tiny", "not"]))
    row = cells(table, "tiny", "arithmetic")
    assert row["plan"] == "magnitude λ 0.3 from English, 14 experts shared with Acehnese (Arabic script) in layers 1-6"
    assert (row["difference"], row["as released"], row["best random"]) == ("+0.8 [-0.4, 2.0]", "+0.8", "+0.2")
    assert (row["rerouted"], row["edit"]) == ("90.0%", "16.0%")
    assert row["does it help?"] == "not distinguishable from the baseline"
    assert (row["items"], row["rank p"]) == ("100", "0.050")
    assert cells(table, "not", "arithmetic")["does it help?"] == "not run: no pair of languages"
