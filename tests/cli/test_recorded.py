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
        first = [tokens - 1, tokens - 10 * place, 10 * place, 1]
        second = [tokens - 2, tokens - place, 2, place]
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
    assert "recorded/own.parquet: 6 languages, 615 tokens, 3 layers (0 to 2)\n" in done.output
    assert "warning: eng_Latn: layers 0 and 2 have equal counts of every expert" in done.output
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


def test_ranks_are_added_up_and_layers_keep_their_numbers(study: Path) -> None:
    for code, more in zip(("en", "de"), (0, 2), strict=True):
        for rank in (0, 1):
            rows = [f"3,0,{10 + more}", f"3,{1 + rank},{10 + more}", f"4,{2 + rank},{10 + more}", f"4,1,{10 + more}"]
            (study / f"{code}-rank{rank}.csv").write_text("\n".join(["layer_id,expert_id,count", *rows]))
    shape = ["--layers", "2", "--experts", "4", "--top-k", "2", "--codes", "iso639-1"]
    about = ["--model", "a/b", "--corpus", "mine", "--out", "recorded/own.parquet"]
    named = ["--language", "eng_Latn", "--language", "deu_Latn"]
    done = CliRunner().invoke(main, ["import-counts", "{language}-rank*.csv", *shape, *about, *named])
    assert "recorded/own.parquet: 2 languages, 44 tokens, 2 layers (3 to 4)" in done.output, done.output
    found = Counts.read(study / "recorded" / "own.parquet")
    assert found.header.layers == (3, 4)
    assert found.counts_VLE[0].tolist() == [[20, 10, 10, 0], [0, 20, 10, 10]]
    assert sorted(found.header.files) == ["de-rank0.csv", "de-rank1.csv", "en-rank0.csv", "en-rank1.csv"]


@pytest.mark.parametrize(
    ("files", "more", "said"),
    [
        ("a.json", (), "no {language} in it: each language has its own file"),
        ("{split}/{language}.json", (), "{split} means nothing here"),
        ("absent-{language}-*.json", (), "no file of eng_Latn is there that is called absent-en-*.json"),
        ("{language}.json", ("--model", "../../elsewhere"), "`model`: '../../elsewhere' is no name of a model"),
        ("{language}.json", ("--corpus", "/elsewhere"), "`corpus`: '/elsewhere' is no name of a text"),
        ("{language}.json", ("--top-k", "5"), "`top_k: 5` is more than `experts: 4`"),
        ("{language}.json", ("--out", "recorded/My model.parquet"), "My model.parquet is no NAME.parquet"),
        ("{language}.json", ("--language", "eng_Latn"), "eng_Latn is named twice"),
        ("{language}.json", ("--format", "csv"), "its header names 0 columns `layer_id`"),
    ],
)
def test_what_is_no_recording_is_a_sentence_and_writes_nothing(study: Path, files: str, more: tuple, said: str) -> None:
    done = run(*more, files=files)
    assert done.exit_code != 0
    assert said in done.output
    assert isinstance(done.exception, SystemExit)
    assert not list(study.rglob("*.parquet"))
