from pathlib import Path

import pytest

from polyroute.ground.paths import Paths
from polyroute.report import correlation, findings
from polyroute.results.correlation import CorrelationSummary, Given, TaskCorrelation
from polyroute.results.model import ModelResults
from report import plausible, plausible_tasks
from report.shown import cells, measure, task_figures, told


def held(root: Path, task: str = "arithmetic", **changed) -> TaskCorrelation:
    """One task of a model that never was."""
    codes = plausible.write(Paths(root), "tiny", 6, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(Paths(root), "tiny", codes, 8)
    return CorrelationSummary.read(Paths(root).metrics("tiny")).tasks[task].model_copy(update=changed)


@pytest.mark.parametrize(
    ("code", "by_family", "agrees", "expected"),
    [
        ("negative", "negative", True, "as the paper: negative in the middle zone"),
        ("negative", None, None, "as the paper: negative in the middle zone (too few families to check)"),
        ("positive", "positive", True, "opposite: positive in the middle zone"),
        (
            "positive", "not_distinguishable", False,
            "opposite: positive in the middle zone (by family not distinguishable from none)",
        ),
        ("not_distinguishable", "not_distinguishable", True, "not distinguishable from none in the middle zone"),
        ("cannot_be_seen", "negative", False, "inconclusive: too few languages (by family negative)"),
        (None, None, None, "no verdict: accuracy is 0.1 in every language"),
    ],
)  # fmt: skip
def test_the_verdict_says_whether_families_bear_it_out(tmp_path: Path, code, by_family, agrees, expected) -> None:
    task = held(tmp_path)
    families = task.by_family.model_copy(update={"verdict": by_family, "agrees": agrees})
    notes = ["accuracy is 0.1 in every language"] if code is None else []
    changed = {"verdict": code, "by_family": families, "notes": notes}
    assert correlation.verdict(task.model_copy(update=changed)) == expected


def test_coefficients_in_words(tmp_path: Path) -> None:
    middle = held(tmp_path).zones["middle"]
    assert correlation.in_words(middle) == "-0.86 [-0.96, -0.66], p 0.002"
    assert correlation.in_words(middle.given["resource"]) == "-0.42, p 0.500", "partial correlations have no interval"
    assert correlation.in_words(Given(r=0.3, p=0.04)) == "0.30, p 0.040", "of either sign"
    assert correlation.in_words(None) == correlation.in_words(Given(r=None, p=None)) == "–"


def test_correlations_are_told_with_what_rivals_leave(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    measure(Paths(tmp_path), "few", 3, notes=("too few languages",))
    table = correlation.correlation_table(findings.gather(Paths(tmp_path), ["tiny", "few"]))
    assert cells(table, "tiny", "arithmetic") == {
        "model": "tiny", "task": "arithmetic", "languages": "6", "r, middle zone": "-0.86 [-0.96, -0.66], p 0.002",
        "interval by family": "[-0.96, -0.66]", "given tokens a sentence": "-0.32, p 0.500",
        "given resource": "-0.42, p 0.500", "early": "0.10 [-0.50, 0.60], p 0.700",
        "late": "0.10 [-0.50, 0.60], p 0.700", "could be seen": "r of ±0.92 or beyond",
        "verdict": "as the paper: negative in the middle zone",
    }  # fmt: skip
    few = cells(table, "few", "arithmetic")
    assert few["verdict"] == "no verdict: too few languages"
    assert few["r, middle zone"] == few["could be seen"] == "–"


def test_no_layer_is_picked_from_the_curve(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    read = ModelResults.read(Paths(tmp_path).metrics("tiny")).correlations
    assert correlation.middle(read, "arithmetic").r == -0.86
    assert correlation.middle(read, "never asked") is None
    assert correlation.middle(None, "arithmetic") is None


def test_the_correlation_says_how_many_languages_and_what_comes_out(tmp_path: Path) -> None:
    task_figures(tmp_path, of=correlation)
    text = told(tmp_path, "correlation-arithmetic")
    assert "over 6 languages" in text
    assert "as the paper: negative in the middle zone" in text
    assert "r -0.86 [-0.96, -0.66], p 0.002" in text
    assert "given tokens a sentence -0.32, p 0.500" in text
    assert "could be seen: r of ±0.92 or beyond" in text
    for name in ("Pearson", "Spearman", "Pearson, given tokens"):
        assert f"<!-- {name} -->" in text
