from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.ground.errors import PolyrouteError
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.report import findings
from polyroute.results.quantities import Middle
from polyroute.results.steering import MechanismRow, SteeringSummary, SteerRow
from report import plausible, plausible_masks, plausible_tasks
from tiny import ROOT

OF_PAPER_1 = ("Accuracy", "Divergence and accuracy", "Experts", "Steering")


def measure(paths: Paths, model: str, count: int = 6, **arguments) -> None:
    codes = plausible.write(paths, model, count, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write(paths, model, codes, 8, **arguments)


def cells(table: str, model: str, task: str) -> dict[str, str]:
    """A row by column."""
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return next(dict(zip(head, row, strict=True)) for row in rows if row[:2] == [model, task])


def test_accuracy_is_told_with_its_range_and_chance(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    row = cells(findings.accuracy(findings.gather(Paths(tmp_path), ["tiny"])), "tiny", "knowledge")
    assert row["pivot"] == "98.0 (English)"
    assert (row["others"], row["chance"], row["languages"], row["items"]) == ("50.0", "25.0", "7", "100")
    assert row["worst"] == "20.0 (Afrikaans)"
    assert row["best"] == "80.0 (Acehnese (Arabic script))"


def test_correlations_are_told_with_what_rivals_leave(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    measure(Paths(tmp_path), "few", 3, notes=("too few languages",))
    table = findings.correlated(findings.gather(Paths(tmp_path), ["tiny", "few"]))
    row = cells(table, "tiny", "arithmetic")
    assert row["strongest in"] == "layer 3"
    assert row["r"] == "-0.86 [-0.95, -0.66], q 0.002"
    assert row["given tokens a sentence"] == "-0.32, q 0.592"
    assert row["given resource"] == "-0.42, q 0.309"
    assert row["verdict"] == "as the paper: negative in the middle"
    assert cells(table, "few", "arithmetic")["verdict"] == "not computed: too few languages"


def test_experts_are_told_at_the_smallest_tau_and_where_the_papers_sets_never_meet(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    row = cells(findings.experts(findings.gather(Paths(tmp_path), ["tiny"])), "tiny", "arithmetic")
    assert row["task experts"] == "40 above 0.1, 13 above 0.3"
    assert row["in both"] == "9 above 0.1 (chance 9.4), 0 above 0.3 (chance 0.3)"
    assert (row["domain divergence"], row["middle"]) == ("cap", "layers 1-6")
    assert findings.middle(Middle(layers=(3, 3), found=False, reason="flat")) == "layer 3, not found: by default"


def test_steering_is_told_with_its_controls_and_reasons(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    measure(Paths(tmp_path), "not", not_run="no expert above any tau")
    table = findings.steered(findings.gather(Paths(tmp_path), ["tiny", "not"]))
    row = cells(table, "tiny", "arithmetic")
    assert row["plan"] == "soft λ 0.5, 41 experts above τ 0.1 in layers 1-6"
    assert (row["base"], row["steered"]) == ("55.0", "57.1")
    assert (row["difference"], row["pivot"], row["best random"]) == ("+2.1 [0.9, 3.3]", "-1.0 (English)", "+0.6")
    assert row["does it help?"] == "yes"
    assert cells(table, "not", "knowledge")["does it help?"] == "not run: no expert above any tau"


def test_steering_toward_shared_experts_is_told_with_its_mechanism(tmp_path: Path) -> None:
    measure(Paths(tmp_path), "tiny")
    measure(Paths(tmp_path), "not", not_run="no pair of languages")
    table = findings.steered_to_shared(findings.gather(Paths(tmp_path), ["tiny", "not"]))
    row = cells(table, "tiny", "arithmetic")
    assert row["plan"] == "magnitude λ 0.3 from English, 14 experts shared with Acehnese (Arabic script) in layers 1-6"
    assert (row["difference"], row["as released"], row["best random"]) == ("+0.8 [-0.4, 2.0]", "+0.8", "+0.2")
    assert (row["sent elsewhere"], row["edit"]) == ("90.0%", "12.0%")
    assert row["does it help?"] == "no: not told from the baseline"
    assert cells(table, "not", "arithmetic")["does it help?"] == "not run: no pair of languages"


def test_masks_are_told_by_range_from_the_first_layers_on(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    plausible_masks.write(paths, "tiny", plausible.write(
        paths, "tiny", 3, 8, measures=("divergence",), readings=("soft_mass",)
    ), scores=("accuracy",))  # fmt: skip
    table = findings.masked(findings.gather(paths, ["tiny"]))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert [row[3] for row in rows] == ["early (0-1)", "middle (3-4)", "late (6-7)"]
    assert rows[0][4:7] == ["-12.0 [-14.0, -10.0]", "-0.1 [-2.1, 1.9]", "-0.4 [-2.4, 1.6]"]
    assert rows[1][7] == "no loss told in its own language"


def test_models_without_tasks_have_no_rows_and_empty_tables_are_left_out(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    measure(paths, "tiny")
    plausible.write(paths, "counts", 3, 8, measures=("divergence",), readings=("soft_mass",))
    plausible_tasks.write_nothing(paths, "counts")
    for one in (SteerRow, SteeringSummary, MechanismRow):
        (paths.metrics("tiny") / one.file).unlink()
    found = findings.tables(findings.gather(paths, ["counts", "never-measured", "tiny"]))
    assert list(found) == ["Accuracy", "Divergence and accuracy", "Experts"]
    assert "counts" not in "".join(found.values())


def test_nothing_measured_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PolyrouteError, match=r"of tiny: .* `study\.models` and run `dvc repro`"):
        findings.gather(Paths(tmp_path), ["tiny"])


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A study of two models; the working folder."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    raw["study"]["models"] = ["pocket-plain", "pocket-untrained"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    monkeypatch.chdir(tmp_path)
    return Paths(tmp_path)


def test_the_verb_prints_the_models_of_the_study_or_those_named(study: Paths) -> None:
    for model in ("pocket-plain", "pocket-untrained"):
        measure(study, model)
    printed = CliRunner().invoke(main, ["findings"]).output
    assert [printed.count(f"| {model} | arithmetic |") for model in ("pocket-plain", "pocket-untrained")] == [5, 5]
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


def test_the_documents_show_what_findings_prints() -> None:
    given = params.read(ROOT / "params.yaml")
    try:
        measured = findings.gather(Paths(ROOT), [*given.study.models, "qwen3-30b-a3b-counts"])
    except PolyrouteError as error:
        pytest.skip(str(error))
    shown = {name: (ROOT / name).read_text() for name in ("README.md", "docs/languages.md")}
    for title, table in findings.tables(measured).items():
        name = "README.md" if title in OF_PAPER_1 else "docs/languages.md"
        assert table in shown[name], f"{title} in {name}"
