from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.report import findings
from polyroute.results.steering import MechanismRow, SteeringSummary, SteerRow
from report import plausible, plausible_tasks
from report.shown import measure
from tiny import raw_params

LANGUAGES = [
    "Divergence over depth", "Language families", "What goes with routing distance", "Use of experts",
    "Shared and exclusive experts", "Exclusivity and relatives",
]  # fmt: skip


def test_models_without_tasks_have_no_rows_and_empty_tables_are_left_out(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "tiny")
    plausible.write(paths, "counts", 3, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write_nothing(paths, "counts")
    for one in (SteerRow, SteeringSummary, MechanismRow):
        (paths.metrics("tiny") / one.file).unlink()
    found = findings.tables(findings.gather(paths, ["counts", "never-measured", "tiny"]))
    assert list(found) == ["Divergence over depth", "Accuracy", "Divergence and accuracy", "Experts"]
    assert "counts" not in "".join(found.values())


def test_nothing_measured_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PolyrouteError, match=r"of tiny: .* `study\.models` and run `dvc repro`"):
        findings.gather(Paths(tmp_path), ["tiny"])


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A study of two models; the working folder."""
    raw = raw_params()
    raw["study"]["models"] = ["pocket-plain", "pocket-untrained"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    monkeypatch.chdir(tmp_path)
    return Paths(tmp_path)


def test_the_verb_prints_the_models_of_the_study_or_those_named(study: Paths) -> None:
    for model in ("pocket-plain", "pocket-untrained"):
        measure(study, model)
    printed = CliRunner().invoke(main, ["findings"]).output
    assert [printed.count(f"| {model} | arithmetic |") for model in ("pocket-plain", "pocket-untrained")] == [6, 6]
    for title in ("Accuracy", "Divergence and accuracy", "Experts", "Steering", "Steering toward shared experts"):
        assert f"{title}\n\n| model | task |" in printed
    assert "pocket-plain" not in CliRunner().invoke(main, ["findings", "--model", "pocket-untrained"]).output


def test_the_verb_says_what_is_wrong(study: Paths) -> None:
    empty = CliRunner().invoke(main, ["findings"])
    assert empty.exit_code == 1
    assert "run `dvc repro`" in empty.output
    unknown = CliRunner().invoke(main, ["findings", "--model", "pocket-plian"])
    assert unknown.exit_code == 1
    assert "did you mean pocket-plain" in unknown.output


def test_calibrate_and_results_tell_of_tasks(study: Paths) -> None:
    for model in ("pocket-plain", "pocket-untrained"):
        measure(study, model)
    printed = CliRunner().invoke(main, ["calibrate"]).output
    assert "| pocket-plain | arithmetic | taught, 91% in English |" in printed
    printed = CliRunner().invoke(main, ["results"]).output
    assert "does steering help, in points: arithmetic yes, +2.1 [0.9, 3.3]" in printed


def test_models_without_tasks_are_told_where_their_languages_are_compared(measured) -> None:
    assert [one.model for one in measured] == ["tiny", "counts"]
    titles = list(findings.tables(measured))
    assert titles == LANGUAGES, "and nothing of tasks"
