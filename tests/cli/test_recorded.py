"""`polyroute import-counts`: anyone's recording becomes a model of the study, its languages comparable."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.test_end_to_end import stage
from polyroute.artifacts.recorded_counts import Counts
from polyroute.cli.verbs import main
from polyroute.params.file import read
from polyroute.results.alignment import AlignmentSummary
from polyroute.results.similarity import SimilaritySummary
from tiny import ROOT

CODES = ("en", "de", "fr", "ru", "zh", "ja")
LANGUAGES = ("eng_Latn", "deu_Latn", "fra_Latn", "rus_Cyrl", "zho_Hans", "jpn_Jpan")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The repository's params.yaml, and a recording of six languages in two layers of four experts, top 2."""
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (tmp_path / "models").symlink_to(ROOT / "models")
    (tmp_path / "claims").symlink_to(ROOT / "claims")
    for place, code in enumerate(CODES):
        tokens = 100 + place
        first = [tokens, tokens - 10 * place, 10 * place, 0]
        second = [tokens, tokens - place, 0, place]
        counts = {
            str(layer): {"total_tokens": tokens} | {str(e): {"activation_tokens": n} for e, n in enumerate(of)}
            for layer, of in enumerate((first, second, first))
        }
        (tmp_path / f"{code}.json").write_text(json.dumps(counts))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*more: str, files: str = "{language}.json") -> Result:
    named = [word for language in LANGUAGES for word in ("--language", language)]
    shape = ["--layers", "3", "--experts", "4", "--top-k", "2", "--codes", "iso639-1"]
    about = ["--model", "a/b", "--corpus", "mine", "--out", "recorded/own.parquet"]
    return CliRunner().invoke(main, ["import-counts", files, *shape, *about, *named, *more])


def test_without_add_the_entry_is_shown_and_nothing_else_changes(study: Path) -> None:
    done = run()
    assert done.exit_code == 0, done.output
    assert "recorded/own.parquet: 6 languages, 615 tokens" in done.output
    assert "  own:\n    engine: recorded\n    file: recorded/own.parquet\n    corpora: [mine]\n" in done.output
    assert (study / "params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
    assert Counts.read(study / "recorded" / "own.parquet").header.languages == LANGUAGES


def test_with_add_it_goes_through_the_stages_to_tables_and_figures(study: Path) -> None:
    assert "`own` is a model of the study now" in run("--add").output
    file = read(study / "params.yaml")
    assert (file.study.models[0], file.languages["own"]) == ("own", list(LANGUAGES))
    text, before = (study / "params.yaml").read_text(), (ROOT / "params.yaml").read_text()
    assert [line for line in before.splitlines() if line not in text.splitlines()] == [
        next(line for line in before.splitlines() if line.startswith("  models: ["))
    ]
    stage(study, "resolve")
    for name in (
        "fetch",
        "trace",
        "align",
        "draw",
        "nulls",
        "experts",
        "similarity",
        "score",
        "correlate",
        "claims",
        "figures",
    ):
        stage(study, name, "--model", "own")
    folder = study / "metrics" / "own"
    assert AlignmentSummary.read(folder).corpora["mine"].over_languages.languages == 5
    assert SimilaritySummary.read(folder).corpora["mine"].languages == list(LANGUAGES)
    assert {path.stem for path in (study / "figures" / "own").glob("*.png")} >= {"divergence-mine", "tree-mine"}


def test_a_name_that_is_taken_writes_no_entry(study: Path) -> None:
    assert run("--add").exit_code == 0
    text = (study / "params.yaml").read_text()
    again = run("--add")
    assert "models.own is in params.yaml already: write to a file of another name (--out)" in again.output
    assert (study / "params.yaml").read_text() == text


def test_a_pattern_without_language_is_refused(study: Path) -> None:
    assert "no {language} in it" in run(files="a.json").output
