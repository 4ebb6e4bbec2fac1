"""Names that become parts of paths stay below the folder that they count from."""

from pathlib import Path

import pytest

from polyroute.ground.errors import PolyrouteError
from polyroute.ground.hub import HubSource, SourceError
from polyroute.ground.names import check_corpus, check_names, flaw, flaw_below, plain
from polyroute.ground.paths import Paths
from polyroute.params.file import ParamsError, parse_text
from polyroute.readers.datasets import DatasetCorpus
from polyroute.readers.local import LocalCorpus
from tiny import ROOT

LEAVING = ["", ".", "..", "../x", "/etc", "a/b", "a\\b", "a\0b", "a\nb", "x" * 256]
COMMIT = "0" * 40


@pytest.mark.parametrize("name", LEAVING)
def test_what_is_no_name_is_refused_by_every_path_of_the_study(name) -> None:
    assert flaw(name)
    paths = Paths(Path("study"))
    for made in (
        lambda: paths.trace(name, "c", "eng_Latn"), lambda: paths.trace("m", name, "eng_Latn"),
        lambda: paths.trace("m", "c", name), lambda: paths.corpus("m", name), lambda: paths.recorded_counts("m", name),
        lambda: paths.task_questions("m", name), lambda: paths.key("m", name), lambda: paths.plan("m", name),
        lambda: paths.answers("m", name), lambda: paths.scored("m", name), lambda: paths.metrics(name),
        lambda: paths.figures(name), lambda: paths.pocket_model(name), lambda: paths.chosen(name),
        lambda: paths.conditions(name, "tune"), lambda: paths.stage_settings("m", name), lambda: paths.code(name),
    ):  # fmt: skip
        with pytest.raises(PolyrouteError, match="give it a name without slashes"):
            made()


@pytest.mark.parametrize("name", ["qwen3-30b-a3b", "deu_Latn", "mgsm.1", "..x", "text ä", "x" * 255])
def test_what_is_a_name_stays_as_it_is(name) -> None:
    assert plain(name) == name
    assert Paths().metrics(name) == Path("metrics") / name


@pytest.mark.parametrize("path", ["", "/a", "..", "a/../b", "./a", "a//b", "a/", "a\\..\\b", "a/\0"])
def test_a_path_below_a_folder_has_names_alone(path) -> None:
    assert flaw_below(path)
    assert not flaw_below("data/{language}/{split}-00000.parquet")


@pytest.mark.parametrize(("repository", "path"), [("../..", "a"), ("D/x", "../a"), ("D/x", "/a"), ("/D/x", "a")])
def test_neither_mirror_nor_network_is_asked_for_what_lies_elsewhere(tmp_path, repository, path) -> None:
    (tmp_path / "a").write_text("outside")
    (tmp_path / "mirror" / "hub").mkdir(parents=True)
    asked = []
    for source in (HubSource(tmp_path / "mirror"), HubSource(None, fetch=lambda *given: asked.append(given))):
        with pytest.raises(SourceError, match="out of its folder"):
            source.file(repository, COMMIT, path)
    assert not asked


def test_files_of_a_checkpoint_are_names() -> None:
    listed = ["config.json", "../a.json", "sub/a.json", "a\\b.json", "model.safetensors"]
    source = HubSource(None, list_files=lambda *_: listed)
    assert source.checkpoint_files("D/m", COMMIT) == ["config.json", "model.safetensors"]
    with pytest.raises(SourceError, match="out of its folder"):
        source.checkpoint_files("../m", COMMIT)


@pytest.mark.parametrize(
    ("was", "becomes", "key"),
    [
        ("files: data/{language}/{split}.tsv", "files: ../../x/{language}/{split}.tsv", "corpora.sib200.files"),
        ("hub: Davlan/sib200", "hub: ../..", "corpora.sib200.hub"),
        ("hub: Davlan/sib200", "hub: Davlan", "corpora.sib200.hub"),
        ("splits: [train, dev, test]", "splits: [train, ../x, test]", "corpora.sib200.splits"),
        ("hub: allenai/OLMoE-1B-7B-0125-Instruct", "hub: ../../x", "models.olmoe-1b-7b.hub"),
    ],
)
def test_params_that_lead_out_of_a_data_set_name_the_key(was, becomes, key) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert was in text
    with pytest.raises(ParamsError, match=rf"{key}: .*`"):
        parse_text(text.replace(was, becomes, 1))


def test_files_that_params_calls_otherwise_are_names_too(tmp_path) -> None:
    spec = LocalCorpus(reader="local", files=str(tmp_path / "{language}.txt"), codes={"deu_Latn": "../x"})
    with pytest.raises(PolyrouteError, match=r"deu_Latn is called '../x' there, which is a path"):
        spec.place("deu_Latn", "")
    with pytest.raises(ValueError, match=r"out of its folder"):
        DatasetCorpus(reader="datasets", folder=tmp_path, files="../{language}.txt")


@pytest.mark.parametrize("model", ["Qwen/Qwen3-30B-A3B", "m", "gpt-oss-20b", "org/model_1.5+x"])
def test_a_model_is_named_as_on_a_hub(model: str) -> None:
    check_names(model, "flores_plus.v2")


@pytest.mark.parametrize("model", ["", ".", "..", "../a", "a/../b", "/a", "a/b/c", "a\\b", "a b", "a/", "~", "a\n"])
def test_a_path_is_no_model(model: str) -> None:
    with pytest.raises(ValueError, match=r"`model`: .* is no name of a model"):
        check_names(model, "c")


@pytest.mark.parametrize("corpus", ["", "..", "a/b", "/a", "a\\b", "C:a", ".hidden", "a..b", "a\n", "{language}"])
def test_a_path_is_no_text(corpus: str) -> None:
    with pytest.raises(ValueError, match=r"`corpus`: .* is no name of a text"):
        check_corpus(corpus)
