"""`polyroute init`: what it writes is sound, small or full, and the first stages run on it."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.test_end_to_end import stage
from polyroute.cli.verbs import main
from polyroute.params.file import read
from polyroute.results.alignment import AlignmentSummary
from tiny import ROOT, make_model, make_tokenizer

TEXTS = {
    "eng_Latn": ["a dog sleeps", "the cat sees a bird", "we go home", "it is cold today"],
    "deu_Latn": ["ein hund schlaeft", "die katze sieht einen vogel", "wir gehen heim", "heute ist es kalt"],
}
LANGUAGES = ["--language", "deu_Latn", "--language", "eng_Latn"]
HUB = "0123456789abcdef0123456789abcdef01234567"


def init(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["init", *words])
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A place for a study, with text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").mkdir()
    for language, sentences in TEXTS.items():
        (tmp_path / "text" / f"{language}.txt").write_text("\n".join(sentences) + "\n")
    return tmp_path


def test_check_passes_and_the_first_stages_run(folder) -> None:
    """As docs/your-own.md has it."""
    make_model().save_pretrained(folder / "models" / "my-checkpoint")
    make_tokenizer().save_pretrained(folder / "models" / "my-checkpoint")
    page = (ROOT / "docs" / "your-own.md").read_text("utf-8")
    (line,) = re.findall(r"^polyroute init (.*)$", page, re.MULTILINE)
    said = init(*shlex.split(line))
    assert said.startswith("params.yaml: 2 languages, small settings\n`polyroute check`")
    checked = CliRunner().invoke(main, ["check"])
    assert checked.exit_code == 0, checked.output
    assert checked.output.splitlines()[0] == "my-checkpoint: transformers, text in 2 languages"
    assert checked.output.splitlines()[-1] == "params.yaml is sound"
    stage(folder, "resolve")
    for name in ("fetch", "trace", "align"):
        stage(folder, name, "--model", "my-checkpoint")
    summary = AlignmentSummary.read(folder / "metrics" / "my-checkpoint")
    assert summary.pivot == "eng_Latn"
    assert list(summary.corpora["text"].languages) == ["deu_Latn"]


def test_a_model_elsewhere_is_linked_as_advised_and_passes(folder, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "tiny"
    make_model().save_pretrained(elsewhere)
    make_tokenizer().save_pretrained(elsewhere)
    words = ["--text", "text/{language}.txt", *LANGUAGES]
    command, name = re.findall(r"`(.*)` and name (\S+)", init(str(elsewhere), *words, code=1))[0]
    subprocess.run(command, shell=True, check=True)
    init(name, *words)
    checked = CliRunner().invoke(main, ["check"])
    assert checked.exit_code == 0, checked.output


def test_a_model_below_models_may_be_named_from_anywhere(folder) -> None:
    make_model().save_pretrained(folder / "models" / "mine")
    init(str(folder / "models" / "mine"), "--text", "text/{language}.txt", *LANGUAGES)
    assert read(Path("params.yaml")).models["mine"].folder == Path("models/mine")


def test_where_there_are_no_stages_it_says_where_they_are(folder) -> None:
    words = ["org/model", "--text", "text/{language}.txt", *LANGUAGES]
    said = "put params.yaml, models/ and text/ into the root of a clone"
    assert said in init(*words)
    (folder / "params.yaml").unlink()
    (folder / "dvc.yaml").touch()
    assert said not in init(*words)


def test_nothing_is_overwritten(folder) -> None:
    (folder / "params.yaml").write_text("mine")
    said = init("org/model", "--text", "text/{language}.txt", *LANGUAGES, code=1)
    assert "params.yaml is there, and is not overwritten" in said
    assert (folder / "params.yaml").read_text() == "mine"
    init("org/model", "--text", "text/{language}.txt", *LANGUAGES, "--out", "other.yaml")
    assert read(Path("other.yaml")).study.models == ["model"]


def test_full_settings_are_those_of_the_study(folder) -> None:
    words = ["org/Some_Model-7B", "--revision", HUB, "--text", "text/{language}.txt", *LANGUAGES]
    said = init(*words, "--full", "--pivot", "deu_Latn", "--name", "own")
    assert "pin" not in said
    full, shipped = read(Path("params.yaml")), read(ROOT / "params.yaml")
    for section in ("trace", "intervals", "align", "nulls", "similarity", "evaluate", "score", "turns"):
        assert getattr(full, section) == getattr(shipped, section)
    assert full.steer == shipped.steer.model_copy(update={"taus": full.steer.taus})
    assert (full.study.pivot, full.languages["mine"]) == ("deu_Latn", ["deu_Latn", "eng_Latn"])
    assert (full.models["own"].hub, full.models["own"].revision) == ("org/Some_Model-7B", HUB)
    assert full.corpora["text"].take is None
    small_said = init(*words[:1], *words[3:], "--out", "small.yaml")
    assert "`polyroute pin` writes the model's commit" in small_said
    small = read(Path("small.yaml"))
    assert small.models["some-model-7b"].revision == "main"
    assert small.corpora["text"].take == 100
    assert small.intervals.resamples < full.intervals.resamples
    assert small.similarity.shuffles < full.similarity.shuffles


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere", *LANGUAGES], "neither the folder of a checkpoint below models/ nor"),
        (["text", *LANGUAGES], "holds no checkpoint"),
        (["outside", *LANGUAGES], "link its files with"),
        (["outside", "--revision", "main", *LANGUAGES], "leave --revision out"),
        (["org/model", "--language", "eng_Latn"], "holds one language"),
        (["org/model", "--language", "eng", "--language", "deu_Latn"], "`eng` is not a FLORES code"),
        (["org/model", *LANGUAGES, "--pivot", "fra_Latn"], "the pivot fra_Latn is not among the languages"),
        (["org/model", *LANGUAGES, "--text", "/elsewhere/{language}.txt"], "is not below `text/`"),
        (["org/model", *LANGUAGES, "--name", "My Model"], "models.My Model"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(folder, words, said) -> None:
    (folder / "outside").mkdir()
    (folder / "outside" / "config.json").write_text("{}")
    assert said in init("--text", "text/{language}.txt", *words, code=1)
    assert not (folder / "params.yaml").exists()
