"""The stages' scripts on a tiny model and the user's own text, as DVC runs them."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from pipeline.test_stages import load_script
from polyroute.ground.files import read_checked_json, write_checked_json
from polyroute.steering.plan import Plan
from tiny import ROOT, make_model, make_tokenizer, raw_params

TEXTS = {
    "eng_Latn": ["the dog runs", "a cat sleeps here", "we see the house"],
    "deu_Latn": ["der hund rennt", "eine katze schlaeft hier", "wir sehen das haus"],
    "fra_Latn": ["le chien court", "un chat dort ici", "nous voyons la maison"],
}


@dataclass
class Done:
    """What a stage said, and whether it succeeded."""

    stdout: str
    stderr: str
    returncode: int


def stage(folder: Path, script: str, *arguments: str, check: bool = True) -> Done:
    """Run a stage's script in the folder of a study, in this process: torch is imported once for all stages."""
    script_main = load_script(ROOT / "pipeline" / f"{script}.py").main
    before = Path.cwd()
    os.chdir(folder)
    try:
        done = CliRunner(env={"MLFLOW_TRACKING_URI": None}).invoke(script_main, arguments)
    finally:
        os.chdir(before)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert not check or done.exit_code == 0, done.stderr
    return Done(done.stdout, done.stderr, done.exit_code)


ASKING = ("evaluate", "tune", "mask")
"""Stages of the script `ask`."""
INTERVENING = ("evaluate", "score", "plan", "tune", "choose", "steer", "mask", "judge")
"""From traces and experts to verdicts."""


def run_stage(folder: Path, name: str) -> str:
    """What a stage of the tiny model says."""
    script, purpose = ("ask", ["--purpose", name]) if name in ASKING else (name, [])
    return stage(folder, script, *purpose, *([] if name == "resolve" else ["--model", "tiny"])).stdout


def write_params(folder: Path, languages: list[str], tasks: tuple[str, ...] = ("own-task",)) -> None:
    raw = raw_params()
    model = {"engine": "transformers", "folder": "models/tiny", "dtype": "float32", "device": "cpu", "batch_tokens": 64}
    masked = {"languages": "few", "tasks": ["own-task"]}
    raw["models"] = {
        "tiny": model | {"corpora": ["own"], "generic": "own", "tasks": list(tasks), "languages": "few", "mask": masked}
    }
    raw["mask"] |= {"k": 64, "draws": 1, "tasks": {}, "mechanism_items": 1}
    raw["steer"] |= {"draws": 5, "mechanism_items": 1}
    raw["intervals"]["resamples"] = 100
    raw["study"] = {"name": "test", "models": ["tiny"], "pivot": "eng_Latn", "seed": 1}
    raw["languages"] = {"few": languages}
    raw["corpora"] = {
        "own": {"reader": "local", "files": "text/{language}.txt"},
        "problems": {"reader": "local", "files": "text/problems.txt", "parallel": False},
    }
    raw["tasks"] = {
        "own-task": {"reader": "local", "files": "text/{language}.tsv", "kind": "choice", "text": "problems"},
        "no-text": {"reader": "local", "files": "text/{language}.tsv", "kind": "choice"},
    }
    raw["pocket"] = {}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))


def items_of(sentences: list[str]) -> str:
    """A task of the user's own: which of two words ends a sentence, three items in each split."""
    rows = ["item_id\tsplit\tprompt\tchoice_1\tchoice_2\tanswer"]
    for split in ("select", "report"):
        for number, sentence in enumerate(sentences):
            begun, _, end = sentence.rpartition(" ")
            choices = [f" {end}", " xyz"] if number % 2 else [" xyz", f" {end}"]
            answer = "1" if number % 2 else "2"
            rows.append("\t".join([f"{split}-{number}", split, f"{split} {begun}", *choices, answer]))
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    (folder / "text").mkdir()
    for language, sentences in TEXTS.items():
        (folder / "text" / f"{language}.txt").write_text("\n".join(sentences) + "\n")
        (folder / "text" / f"{language}.tsv").write_text(items_of(sentences))
    (folder / "text" / "problems.txt").write_text("two and two\nthree and one\n")
    make_model().save_pretrained(folder / "models" / "tiny")
    make_tokenizer().save_pretrained(folder / "models" / "tiny")
    write_params(folder, ["eng_Latn", "deu_Latn"])
    stage(folder, "resolve")
    fetched = stage(folder, "fetch", "--model", "tiny")
    assert "task own-task: 6 items in 2 languages" in fetched.stdout
    traced = stage(folder, "trace", "--model", "tiny")
    assert "3 traces" in traced.stdout
    stage(folder, "align", "--model", "tiny")
    stage(folder, "figures", "--model", "tiny")
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    found = (path for name in ("data", "metrics", "figures") for path in (folder / name).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_every_output_is_there(study) -> None:
    assert set(files_of(study)) >= {
        "data/inputs/tiny/corpora/own.parquet",
        "data/inputs/tiny/corpora/problems.parquet",
        "data/inputs/tiny/keys/own-task.parquet",
        "data/inputs/tiny/questions/own-task.parquet",
        "data/traces/tiny/manifest.json",
        "data/traces/tiny/vocabulary.parquet",
        "data/traces/tiny/own/deu_Latn.safetensors",
        "data/traces/tiny/own/eng_Latn.safetensors",
        "data/traces/tiny/problems/eng_Latn.safetensors",
        "figures/tiny/divergence-own.png",
        "metrics/tiny/align.json",
        "metrics/tiny/curves.json",
        "metrics/tiny/layers.csv",
    }
    table = pd.read_csv(study / "metrics" / "tiny" / "layers.csv")
    assert set(table["measure"]) == {
        "divergence", "divergence_pooled", "unrelated_divergence", "alignment", "entropy", "entropy_pooled",
        "consistency", "consistency_far",
    }  # fmt: skip
    assert set(table["layer"]) == {0, 1, 2}
    curves = json.loads((study / "metrics" / "tiny" / "curves.json").read_text())
    assert {(row["language"], row["layer"]) for row in curves} == {("deu_Latn", layer) for layer in range(3)}


def test_no_output_tells_where_or_when_it_was_made(study) -> None:
    for name, content in files_of(study).items():
        assert str(study).encode() not in content, name
        if len(os.uname().nodename) > 6:  # a shorter one turns up in compressed bytes by chance
            assert os.uname().nodename.encode() not in content, name


def test_running_again_gives_the_same_bytes(study) -> None:
    before = files_of(study)
    again = stage(study, "trace", "--model", "tiny")
    assert "3 were finished before" in again.stdout
    stage(study, "fetch", "--model", "tiny")
    stage(study, "align", "--model", "tiny")
    stage(study, "figures", "--model", "tiny")
    assert files_of(study) == before


def test_adding_a_language_computes_that_language_only(study) -> None:
    write_params(study, ["eng_Latn", "deu_Latn", "fra_Latn"])
    try:
        stage(study, "resolve")
        stage(study, "fetch", "--model", "tiny")
        before = files_of(study)
        traced = stage(study, "trace", "--model", "tiny")
        assert "4 traces" in traced.stdout
        assert "3 were finished before" in traced.stdout
        assert "data/traces/tiny/own/fra_Latn.safetensors" in set(files_of(study)) - set(before)
    finally:
        write_params(study, ["eng_Latn", "deu_Latn"])
        stage(study, "resolve")


@pytest.fixture(scope="module")
def intervened(study) -> Iterator[dict[str, str]]:
    """What the stages say of a task with in-task text and one without; low thresholds leave experts to steer by."""
    write_params(study, ["eng_Latn", "deu_Latn"], tasks=("no-text", "own-task"))
    raw = yaml.safe_load((study / "params.yaml").read_text())
    raw["steer"]["taus"] = [0.0]
    raw["mask"]["tasks"] = {}
    (study / "params.yaml").write_text(yaml.safe_dump(raw))
    yield {name: run_stage(study, name) for name in ("resolve", "fetch", "trace", "align", "experts", *INTERVENING)}
    write_params(study, ["eng_Latn", "deu_Latn"])
    stage(study, "resolve")


def test_exclusive_experts_are_masked_in_every_range(study, intervened) -> None:
    for name in ("early", "middle", "late"):
        assert f"judge@tiny: own-task, {name} layers masked: own " in intervened["judge"]
    table = pd.read_csv(study / "metrics" / "tiny" / "mask.csv")
    assert set(table["evaluated"]) == {"eng_Latn", "deu_Latn"}
    assert {"exclusive", "random"} <= set(table["kind"])
    assert table["rerouted"].max() > 0, "tokens go elsewhere"
    left_out = json.loads((study / "metrics" / "tiny" / "mask.json").read_text())["tasks"]["own-task"]["left_out"]
    masks = table.groupby(["range", "target"])
    assert len(masks) + len([one for one in left_out if "random" not in one["name"]]) == 6
    assert (study / "data" / "answers" / "tiny" / "mask" / "own-task").is_dir()


def test_a_task_without_text_is_said_to_have_no_experts_and_the_others_are_steered(study, intervened) -> None:
    assert "no-text, toward task experts: not run: tasks.no-text.text names no in-task text" in intervened["plan"]
    tasks = json.loads((study / "metrics" / "tiny" / "steer.json").read_text())["tasks"]
    assert "names no in-task text" in tasks["no-text"]["not_run"]
    assert tasks["own-task"]["not_run"] is None
    assert set(pd.read_csv(study / "metrics" / "tiny" / "steer.csv")["task"]) == {"own-task"}


def test_a_plan_is_handed_on_with_its_verdict_and_none_where_nothing_was_steered(study, intervened) -> None:
    (file,) = (study / "plans" / "tiny").iterdir()
    assert file.name == "own-task.json"
    plan = Plan.load(file)
    assert plan.verdict is not None
    steered = json.loads((study / "metrics" / "tiny" / "steer.json").read_text())["tasks"]["own-task"]
    assert (plan.verdict.code, plan.verdict.task) == (steered["verdict"]["code"], "own-task")
    assert plan.source["condition"] == steered["chosen"]["condition"]


def test_a_scorer_that_changes_asks_nothing(study, intervened) -> None:
    """Scoring reads files; without a model in reach the stages that score run all the same."""
    model = study / "models" / "tiny"
    model.rename(study / "models" / "elsewhere")
    try:
        for name in ("score", "choose", "judge"):
            assert "Traceback" not in run_stage(study, name)
    finally:
        (study / "models" / "elsewhere").rename(model)


def test_a_task_in_none_of_the_masked_languages_is_said_not_to_be_run_and_the_rest_is_judged(
    study, intervened, tmp_path
) -> None:
    for name in ("data", "metrics", "settings"):
        shutil.copytree(study / name, tmp_path / name)
    shutil.rmtree(tmp_path / "data" / "answers" / "tiny" / "mask")
    plans = tmp_path / "data" / "plans" / "tiny" / "mask" / "own-task.json"
    write_checked_json(plans, read_checked_json(plans) | {"languages": []})
    assert "own-task: nothing to ask" in run_stage(tmp_path, "mask")
    assert (
        "own-task, masks: not run: the task exists in none of the masked languages (eng_Latn, deu_Latn)"
        in run_stage(tmp_path, "judge")
    )
    folder = tmp_path / "metrics" / "tiny"
    assert json.loads((folder / "mask.json").read_text()) == {"tasks": {}}
    assert pd.read_csv(folder / "mask.csv").empty
    for name in ("steer.csv", "steer.json", "mechanism.csv", "turned.csv"):
        assert (folder / name).read_bytes() == (study / "metrics" / "tiny" / name).read_bytes()


def test_a_mistake_is_told_in_a_sentence(study) -> None:
    raw = (study / "params.yaml").read_text()
    (study / "params.yaml").write_text(raw.replace("folder: models/tiny", "folder: models/nowhere"))
    try:
        done = stage(study, "resolve", check=False)
    finally:
        (study / "params.yaml").write_text(raw)
    assert done.returncode == 1
    assert "models.tiny: models/nowhere holds no checkpoint (no config.json)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_checkpoint_that_changed_under_its_settings_is_not_traced(study) -> None:
    config = study / "models" / "tiny" / "config.json"
    raw = config.read_text()
    config.write_text(raw + "\n")
    try:
        done = stage(study, "trace", "--model", "tiny", check=False)
    finally:
        config.write_text(raw)
    assert done.returncode == 1
    assert "the files of models/tiny are others than settings/tiny was made for: run `dvc repro resolve`" in done.stderr
