"""Which entries rerun a paper's numbers, and how they join the study; a rerun itself is in tests/pipeline."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from polyroute.cli import published, study
from polyroute.cli.verbs import main
from polyroute.ground.frozen import ParamsError
from polyroute.params import file as params
from polyroute.report.published import PublishedNumber, as_text
from tiny import ROOT

QWEN = ["qwen3-30b-a3b-published", "qwen3-30b-a3b-published-paper2"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for name in ("claims", "recorded"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_model_stands_for_its_entries_with_a_preset() -> None:
    file = params.read(ROOT / "params.yaml")
    for name in ("qwen3-30b-a3b", "qwen3-30b-a3b-passages"):
        assert published.entries(file, name) == QWEN
    assert published.entries(file, QWEN[1]) == [QWEN[1]]
    with pytest.raises(ParamsError, match="`olmoe` is no model of a paper; did you mean olmoe-1b-7b"):
        published.entries(file, "olmoe")


def test_a_run_adds_the_entries_to_the_study_once_and_runs_them_alone(folder: Path, monkeypatch) -> None:
    ran = []
    monkeypatch.setattr(study, "run", lambda models, jobs: ran.append((models, jobs)))
    before = params.read(folder / "params.yaml").study
    for _ in range(2):
        done = CliRunner().invoke(main, ["published", "qwen3-30b-a3b", "--run", "--jobs", "2"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert ran == [(QWEN, 2)] * 2
    after = params.read(folder / "params.yaml").study
    assert set(after.models) - set(before.models) == set(after.extra) - set(before.extra) == set(QWEN)
    assert len(after.models) == len(before.models) + 2
    assert "mgsm: gain" in done.stdout


def test_numbers_are_shown_in_their_units_with_what_could_have_been_seen() -> None:
    gain = PublishedNumber(1, "mine", "gain", "mgsm", None, 0.026, "N", "table", 0.01, -0.005, 0.025, 0.93, "before")
    lacking = PublishedNumber(1, "mine", "accuracy", "mgsm", "swh_Latn", 0.524, "N", "table", missing="not run: score")
    _, _, _, first, second, *_ = as_text("mine", [gain, lacking]).splitlines()
    assert first.split() == [
        "mgsm:",
        "gain",
        "+2.6",
        "N",
        "+1.0",
        "[-0.5,",
        "+2.5]",
        "yes:",
        "power",
        "0.93",
        "before",
        "table",
    ]
    assert second.split() == ["mgsm,", "Swahili:", "accuracy", "52.4", "N", "not", "run:", "score", "–", "table"]
    assert as_text("mine", [gain, lacking]).endswith("\n\nTo rerun them: polyroute published mine --run")
    assert as_text("mine", []) == "no number of mine was published"
    assert "Note: A published accuracy is one run" in as_text("mine", [gain])
    second = PublishedNumber(2, "mine", "quantity", "p2.a: r", None, 0.1, "P", "finding")
    assert "Note: FLORES, Chinese: the published column is no measurement" in as_text("mine", [second])
