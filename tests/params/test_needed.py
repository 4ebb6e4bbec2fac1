"""Which tasks a study needs, in which languages, and what it says of the languages that they lack."""

from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from polyroute.artifacts.questions import TaskError
from polyroute.cli.verbs import main
from polyroute.params.file import ParamsFile, parse, read
from polyroute.params.needed import Needed, model_languages, model_tasks, study_corpora, study_tasks
from polyroute.readers.local import LocalTask
from polyroute.readers.mgsm import MGSMTask
from tiny import ROOT, raw_params

COMMIT = "f" * 40
SUMS = {"reader": "mgsm", "hub": "o/sums", "revision": COMMIT, "files": "{language}", "items": 250, "prompt": "direct"}


def raw_study(pivot: str = "eng_Latn", **sums: object) -> dict[str, Any]:
    """Two models that are asked the same task in groups of languages that overlap, and one that is not run."""
    raw = raw_params()
    model = {
        "engine": "transformers", "folder": "models/m", "dtype": "float32", "batch_tokens": 8,
        "corpora": ["made"], "generic": "made",
        "tasks": ["sums"],
    }  # fmt: skip
    return raw | {
        "study": raw["study"] | {"models": ["one", "two"], "extra": [], "pivot": pivot},
        "languages": {
            "west": ["deu_Latn", "yor_Latn", "eng_Latn"],
            "east": ["eng_Latn", "pol_Latn", "jpn_Jpan", "deu_Latn", "yor_Latn"],
        },
        "corpora": {"made": {"reader": "sib200", "hub": "o/s", "revision": COMMIT, "files": "{language}", "items": 1}},
        "tasks": {"sums": SUMS | sums, "later": SUMS | {"revision": "main"}, "facts": SUMS},
        "mask": raw["mask"] | {"tasks": {}},
        "models": {
            "one": model | {"languages": "west"},
            "two": model | {"languages": "east", "tasks": ["facts", "sums"]},
            "idle": model | {"languages": "east", "tasks": ["later"]},
        },
    }


def study(pivot: str = "eng_Latn", **sums: object) -> ParamsFile:
    return parse(raw_study(pivot, **sums))


def test_a_task_keeps_the_languages_that_it_has_in_their_order() -> None:
    mgsm = MGSMTask(**SUMS)
    codes = ["yor_Latn", "deu_Latn", "pol_Latn", "eng_Latn"]
    assert mgsm.languages_of(codes) == (["deu_Latn", "eng_Latn"], ["yor_Latn", "pol_Latn"])
    own = LocalTask(reader="local", files="text/{language}.tsv", kind="choice")
    assert own.languages_of(codes) == (codes, [])


def test_a_model_is_asked_its_tasks_in_the_languages_that_they_have() -> None:
    expected = Needed(["eng_Latn", "jpn_Jpan", "deu_Latn"], ["pol_Latn", "yor_Latn"])
    found = model_tasks(study(), "two")
    assert found == {"facts": expected, "sums": expected}
    assert list(found) == ["facts", "sums"]


def test_a_study_needs_a_task_in_the_languages_of_all_its_models() -> None:
    found = study_tasks(study())
    assert found["sums"] == Needed(["eng_Latn", "deu_Latn", "jpn_Jpan"], ["yor_Latn", "pol_Latn"])
    assert list(found) == ["sums", "facts"]


def test_counts_recorded_elsewhere_need_no_task() -> None:
    assert model_tasks(read(ROOT / "params.yaml"), "qwen3-30b-a3b-counts") == {}


def test_the_repositorys_models_can_be_asked_their_tasks() -> None:
    found = model_tasks(read(ROOT / "params.yaml"), "olmoe-1b-7b")
    assert {name: needed.lacking for name, needed in found.items()} == {
        "mgsm": ["yor_Latn", "bam_Latn"], "global-mmlu-medical": ["tha_Thai", "bam_Latn"], "belebele-reading": [],
    }  # fmt: skip


def test_a_pivot_that_a_task_lacks_is_an_error() -> None:
    raw = raw_study("yor_Latn")
    with pytest.raises(TaskError, match=r"models.one.tasks: task `sums` does not exist in the pivot yor_Latn"):
        study_tasks(parse(raw))


def test_a_branch_is_an_error_where_the_study_reads_it_alone() -> None:
    with pytest.raises(TaskError, match=r"tasks.sums.revision is `main`, which moves: run `polyroute pin sums`"):
        study_tasks(study(revision="main"))
    assert "later" not in study_tasks(study())


def test_check_says_what_a_task_lacks(tmp_path, monkeypatch) -> None:
    raw = raw_study()
    (tmp_path / "models" / "m").mkdir(parents=True)
    (tmp_path / "models" / "m" / "config.json").write_text("{}")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["check"])
    assert "task sums: in 3 languages; it lacks yor_Latn, pol_Latn" in told.output
    assert told.exit_code == 0, told.output
    raw["tasks"]["sums"]["revision"] = "main"
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(raw))
    told = CliRunner().invoke(main, ["check"])
    assert "tasks.sums.revision is `main`" in told.output
    assert told.exit_code == 1


def test_a_tasks_text_that_is_also_a_corpus_keeps_all_languages() -> None:
    raw = raw_study()
    raw["tasks"]["sums"]["text"] = "made"
    assert study_corpora(parse(raw))["made"] == ["eng_Latn", "deu_Latn", "yor_Latn", "pol_Latn", "jpn_Jpan"]


def test_the_pivot_comes_first() -> None:
    assert model_languages(study(), "one") == ["eng_Latn", "deu_Latn", "yor_Latn"]
