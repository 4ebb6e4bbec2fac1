"""`polyroute plan` on a checkpoint's folder, and what it refuses."""

import shutil

import pytest
from click.testing import CliRunner

from polyroute.cli.verbs import main
from polyroute.steering.plan import Plan
from tiny import ROOT

COMMON = ["plan", "--task", "arithmetic", "--items", "1", "--no-time", "--draws", "19"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    small = {"split: report, items: 400": "split: report, items: 12", "  resamples: 1000\n": "  resamples: 100\n"}
    for before, after in small.items():
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "params.yaml").write_text(text)
    shutil.copytree(ROOT / "models" / "pocket-planted", tmp_path / "own")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_a_file_of_texts_and_a_language_of_no_group(study) -> None:
    sums = "\n".join(f"Anna has {n} coins and finds {n + 1} more. Answer: {2 * n + 1}" for n in range(12))
    (study / "sums.txt").write_text(sums)
    words = ["--model", "own", "--for", "swh_Latn", "--generic", "pocket-sentences", "--text", "sums.txt"]
    done = CliRunner().invoke(
        main, [*COMMON, *words, "--beside", "eng_Latn", "--layers", "3-4", "--out", "out/plan.json"]
    )
    assert done.exit_code == 0, done.output
    assert "Plan for own: " in done.output
    assert "accuracy of arithmetic in swh_Latn" in done.output
    made = Plan.load(study / "out" / "plan.json")
    assert set(made.experts) <= {3, 4}
    assert set(made.verdict.by_language) == {"swh_Latn", "eng_Latn"}
    assert "## By language" in (study / "out" / "plan.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "own", "--for", "swh_Latn", "--task", "arithmetik"], "did you mean arithmetic?"),
        (["--model", "own", "--for", "swh_Latn"], "name it with --generic"),
        (
            ["--model", "own", "--for", "swh_Latn", "--generic", "pocket-sentences", "--text", "nothing"],
            "neither a file",
        ),
        (["--model", "own", "--for", "swh_Latn", "--generic", "none"], "no corpus `none`"),
        (["--model", "own", "--for", "yor_Latn", "--generic", "pocket-sentences"], "does not exist in yor_Latn"),
    ],
)
def test_what_is_missing_is_named(study, words, said) -> None:
    refused = CliRunner().invoke(main, [*COMMON, *words])
    assert refused.exit_code != 0
    assert said in " ".join(refused.output.replace("│", " ").split())
