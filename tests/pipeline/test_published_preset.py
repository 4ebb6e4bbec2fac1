"""The published preset of paper 1 on tiny random models of its four architectures, each with a chat template in the
style of its own, on files in the data sets' own layouts; of OLMoE from fetch to claims and `polyroute published`."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from models.tiny_models import tiny
from pipeline.test_end_to_end import stage
from polyroute.artifacts.trace import read_header
from polyroute.cli import published as rerun
from polyroute.cli.verbs import main
from polyroute.ground.paths import Paths
from polyroute.params import file as params
from polyroute.params.published import published
from polyroute.results.claims import ClaimsSummary
from polyroute.results.steering import HELPED, SteeringSummary, SteerRow
from readers.corpus_files import jsonl
from readers.test_conversations import group
from tiny import ROOT, raw_params
from tracing.chats import HARMONY, OLMOE, PHI, QWEN3, chat_tokenizer

LANGUAGES = {"eng_Latn": "en", "deu_Latn": "de", "fra_Latn": "fr", "swh_Latn": "sw", "ben_Beng": "bn"}
MODELS = {
    "olmoe-1b-7b-published": ("olmoe", OLMOE),
    "qwen3-30b-a3b-published": ("qwen3_moe", QWEN3),
    "phi35-moe-published": ("phimoe", PHI),
    "gpt-oss-20b-published": ("gpt_oss", HARMONY),
}
WHOLE, *OTHERS = MODELS
TO_PLAN = ("fetch", "trace", "align", "experts", "plan")
PURPOSES = ("evaluate", "tune", "mask")
REST = (
    "similarity",
    "draw",
    "nulls",
    "evaluate",
    "score",
    "correlate",
    "plan",
    "tune",
    "choose",
    "steer",
    "mask",
    "judge",
    "claims",
)
PLAN = {"layers": [0, 2], "tau": 0.0, "rule": "soft", "strength": 0.5}


def put_data(hub: Path, brought: dict) -> None:
    """A few rows of each data set, where the preset looks for them."""

    def put(entry: dict, path: str) -> Path:
        file = hub / entry["hub"] / path
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    reading, maths, medical = (brought["tasks"][f"published-{name}"] for name in ("reading", "mgsm", "medical"))
    for code, short in LANGUAGES.items():
        rows = [
            {
                "link": f"page{place // 2}", "question_number": str(place % 2 + 1), "question": f"{short} {place}?",
                "flores_passage": f"{short} town {place // 2}. It lies at river {place // 2}.", "dialect": code,
                **{f"mc_answer{option}": f"{short} {option}" for option in range(1, 5)},
                "correct_answer_num": str(place % 4 + 1),
            }
            for place in range(12)
        ]  # fmt: skip
        put(reading, reading["files"].replace("{language}", code)).write_text(jsonl(*rows))
        put(maths, maths["files"].replace("{language}", short)).write_text(
            "".join(f"{short}: {place} + 2?\t{place + 2}\n" for place in range(8))
        )
        questions = [
            {
                "sample_id": f"{subject}/test/{place}", "subject": subject, "question": f"{short} {subject} {place}?",
                **{f"option_{letter}": f"{short} {letter}" for letter in "abcd"}, "answer": "ABCD"[place % 4],
            }
            for subject in ("nutrition", "virology")
            for place in range(4)
        ]  # fmt: skip
        path = medical["files"].replace("{language}", short).replace("{split}", "test")
        pd.DataFrame(questions).to_parquet(put(medical, path))
    problems, instructions = (brought["corpora"][f"published-{name}"] for name in ("maths", "medicine"))
    put(problems, problems["files"]).write_text(jsonl(*(row for number in range(9) for row in group(number))))
    asked = [
        {"instruction": f"Dose {place}?", "input": "<noinput>", "output": f"{place} mg a day."} for place in range(8)
    ]
    path = instructions["files"].replace("{split}", "train")
    pd.DataFrame(asked).to_parquet(put(instructions, path))


def small(brought: dict) -> dict:
    """The preset's corpora and tasks, with as many items as the files hold."""
    corpora, tasks = brought["corpora"], brought["tasks"]
    changes = {
        "published-passages": {"items": 6}, "published-maths": {"take": 6},
        "published-medicine": {"items": 8, "take": 6},
    }  # fmt: skip
    asked = {
        "published-mgsm": {"items": 8, "max_new_tokens": 3},
        "published-medical": {
            "items": 8, "positions": "first", "per_subject": 4, "subjects": ["nutrition", "virology"],
        },
        "published-reading": {"items": 12},
    }  # fmt: skip
    return {
        "corpora": {name: corpora[name] | change for name, change in changes.items()},
        "tasks": {name: tasks[name] | change for name, change in asked.items()},
    }


def write_params(folder: Path, models: Sequence[str] = tuple(MODELS)) -> None:
    raw = raw_params()
    hubs = {name: raw["models"][name] for name in models}
    raw |= small(published().brings)
    raw["models"] = {
        name: {key: value for key, value in entry.items() if key != "turns"} | {
            "dtype": "float32", "device": "cpu", "batch_tokens": 512, "middle": [1, 1],
            "shape": {"layers": 3, "experts": 8, "top_k": 2}, "zones": None,
            "published": {"published-mgsm": PLAN, "published-medical": PLAN},
            "steer": {"taus": [0.0], "strengths": [0.5], "doses": [1.0], "draws": 1, "mechanism_items": 1},
        }
        for name, entry in hubs.items()
    }  # fmt: skip
    raw["study"] = {
        "name": "rerun", "models": list(models), "extra": [], "distances": [], "pivot": "eng_Latn", "seed": 1
    }  # fmt: skip
    raw["languages"] = {name: list(codes) for name, codes in raw["languages"].items() if "published" in name}
    raw["languages"]["published"] = list(LANGUAGES)
    raw["pocket"], raw["mask"]["tasks"], raw["distances"] = {}, {}, {}
    raw["nulls"]["most_weights"], raw["similarity"]["shuffles"] = 1, 100
    raw["intervals"]["resamples"] = raw["similarity"]["resamples"] = 100
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))


def run(folder: Path, name: str, model: str) -> str:
    script, purpose = ("ask", ["--purpose", name]) if name in PURPOSES else (name, [])
    return stage(folder, script, *purpose, "--model", model).stdout


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("rerun")
    hub = folder / "mirror" / "hub"
    put_data(hub, published().brings)
    write_params(folder)
    file = params.read(folder / "params.yaml")
    for name, (architecture, template) in MODELS.items():
        place = hub / file.models[name].hub
        tiny(architecture, vocab_size=300, max_position_embeddings=1024).save_pretrained(place)
        chat_tokenizer(template).save_pretrained(place)
    for name in ("claims", "recorded"):
        (folder / name).symlink_to(ROOT / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POLYROUTE_MIRROR", str(folder / "mirror"))
        stage(folder, "resolve")
        for model in MODELS:
            for name in TO_PLAN:
                run(folder, name, model)
        yield folder


@pytest.mark.parametrize("model", list(MODELS))
def test_every_model_is_traced_as_a_chat_and_planned(study: Path, model: str) -> None:
    for corpus in ("published-passages", "published-maths", "published-medicine"):
        about = read_header(study / "data" / "traces" / model / corpus / "eng_Latn.safetensors")
        assert {"text": "chat", "counted": "rendered"}.items() <= about.settings.items()
        assert ("date" in about.settings and about.settings["date"] is not None) == (model == "gpt-oss-20b-published")
    plans = study / "data" / "plans" / model / "tune"
    assert {path.stem for path in plans.glob("*.json")} >= {"published-mgsm", "published-medical"}


@pytest.fixture(scope="module")
def whole(study: Path) -> Path:
    for name in REST:
        run(study, name, WHOLE)
    return study


def shown(folder: Path, *arguments: str) -> str:
    before = Path.cwd()
    os.chdir(folder)
    try:
        done = CliRunner().invoke(main, ["published", *arguments], catch_exceptions=False)
    finally:
        os.chdir(before)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_before_a_run_the_stage_that_has_not_run_is_named(study: Path, tmp_path: Path) -> None:
    shutil.copy(study / "params.yaml", tmp_path)
    for name in ("claims", "recorded"):
        (tmp_path / name).symlink_to(ROOT / name)
    rows = json.loads(shown(tmp_path, "gpt-oss-20b", "--json"))["numbers"]
    assert {row["missing"] for row in rows} == {"not run: trace", "not asked: global_mgsm"}
    assert {row["rerun"] for row in rows} == {None}
    (gain,) = (row for row in rows if (row["kind"], row["what"], row["language"]) == ("gain", "mgsm", None))
    assert (gain["published"], gain["certainty"], gain["power"], gain["power_of"]) == (0.026, "N", 0.93, "before")


def test_a_rerun_stands_beside_what_was_published(whole: Path) -> None:
    assert "olmoe-1b-7b-published (paper 1)" in shown(whole, "olmoe-1b-7b")
    steered = SteeringSummary.read(whole / "metrics" / WHOLE).tasks
    assert steered["published-mgsm"].published is not None
    assert steered["published-reading"].not_run, "it has no text of its own"
    claims = ClaimsSummary.read(whole / "metrics" / WHOLE).claims
    assert claims["p1.u_shape"].values["em.value"], "divergence was measured"
    assert claims["p1.gain.qwen3.mgsm"].missing["diff"].kind == "model", "it is a claim on another model"


def test_gains_and_accuracies_are_those_of_the_results(whole: Path) -> None:
    """The results of the tiny OLMoE as if they were another model's, of which gains were published."""
    model = "gpt-oss-20b-published"
    folder = whole / "metrics" / model
    shutil.copytree(whole / "metrics" / WHOLE, folder, dirs_exist_ok=True)
    file, paths = params.read(whole / "params.yaml"), Paths(whole)
    rows = {(one.kind, one.what, one.language): one for one in rerun.numbers(file, paths, [model])}
    table = SteerRow.read(folder)
    table = table[(table["task"] == "published-mgsm") & (table["kind"] == "published")].set_index("group")
    for language in (None, "swh_Latn"):
        found, row = rows["gain", "mgsm", language], table.loc[language or HELPED]
        assert (found.rerun, found.low, found.high) == (row["difference"], row["low"], row["high"])
        assert rows["steered", "mgsm", language].rerun == row["edited"]
    accuracy = pd.read_csv(folder / "accuracy.csv").set_index(["task", "language"])
    assert rows["accuracy", "mgsm_paper1", "swh_Latn"].rerun == accuracy.loc[("published-mgsm", "swh_Latn"), "accuracy"]
    others = [code for code in LANGUAGES if code != "eng_Latn"]
    mean = accuracy.loc["published-medical"].loc[others, "accuracy"].mean()
    assert rows["accuracy", "global_mmlu_medical_paper1", None].rerun == pytest.approx(mean, abs=1e-4)
    assert rows["accuracy", "belebele", "kan_Knda"].missing == "not asked in kan_Knda"
    assert rows["experts", "mgsm", None].rerun >= 1
