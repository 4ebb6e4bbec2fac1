"""From text by turn to the claim: every stage that a real chat model is run through, on a tiny one."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from pipeline.test_end_to_end import TEXTS, items_of, run_stage
from pipeline.test_turns_stage import SUMS, tiny
from polyroute.results.steering import SteeringSummary, SteerRow
from polyroute.results.turns import TurnsSummary
from tiny import ROOT, raw_params
from tracing.chats import QWEN3, chat_tokenizer

CHAIN = (
    "resolve", "fetch", "trace", "align", "experts", "turns", "evaluate", "score", "plan", "tune", "choose", "steer",
    "judge", "claims",
)  # fmt: skip


def write_study(folder: Path) -> None:
    (folder / "text").mkdir()
    for language, sentences in TEXTS.items():
        (folder / "text" / f"{language}.txt").write_text("\n".join(sentences) + "\n")
        (folder / "text" / f"{language}.tsv").write_text(items_of(sentences))
    rows = "".join(f"{number}\t{question}\t{answer}\n" for number, (question, answer) in enumerate(SUMS))
    (folder / "text" / "sums.tsv").write_text("item_id\tquestion\tanswer\n" + rows)
    tiny(QWEN3).save_pretrained(folder / "models" / "tiny")
    chat_tokenizer(QWEN3).save_pretrained(folder / "models" / "tiny")
    raw = raw_params()
    raw["study"] = {"name": "test", "models": ["tiny"], "pivot": "eng_Latn", "seed": 1}
    raw["languages"] = {"few": list(TEXTS)}
    sums = {"reader": "local", "files": "text/sums.tsv", "text": "question", "reply": "answer", "parallel": False}
    raw["corpora"] = {
        "own": {"reader": "local", "files": "text/{language}.txt"},
        "sums": sums | {"languages": ["eng_Latn"]},
    }
    raw["tasks"] = {"own-task": {"reader": "local", "files": "text/{language}.tsv", "kind": "choice", "text": "sums"}}
    raw["models"] = {
        "tiny": {
            "engine": "transformers", "folder": "models/tiny", "dtype": "float32", "device": "cpu", "batch_tokens": 512,
            "corpora": ["own"], "generic": "own", "tasks": ["own-task"], "languages": "few", "middle": [0, 2],
            "published": {"own-task": {"layers": [0, 2], "tau": 0.1, "rule": "soft", "strength": 1.0}},
            "turns": {"generic": "own", "texts": {"own-task": "sums"}},
        }
    }  # fmt: skip
    raw["mask"]["tasks"], raw["pocket"] = {}, {}
    raw["turns"] |= {"resamples": 99, "sets": 39}
    raw["steer"] |= {"taus": [0.1], "strengths": [1.0], "doses": [0.5], "draws": 1, "mechanism_items": 1}
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))
    (folder / "claims").symlink_to(ROOT / "claims")


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_study(folder)
    for name in CHAIN:
        run_stage(folder, name)
    return folder


def test_as_many_experts_of_each_layer_are_steered_by_turn_and_by_task(study) -> None:
    plans = json.loads((study / "data" / "chosen" / "tiny" / "own-task" / "select.json").read_text())["conditions"]
    sizes = {
        one["name"]: {layer: len(experts) for layer, experts in one["plan"]["experts"].items()}
        for one in plans if one["name"] in ("published", "by-turn", "by-task")
    }  # fmt: skip
    assert len(sizes) == 3
    assert sizes["by-turn"] == sizes["by-task"] == sizes["published"]
    rows = SteerRow.read(study / "metrics" / "tiny")
    assert {"published", "by-turn", "by-task"} <= set(rows["kind"])


def test_they_are_held_against_the_published_experts_and_the_claim_is_asked(study) -> None:
    metrics = study / "metrics" / "tiny"
    found = SteeringSummary.read(metrics).tasks["own-task"].by_turn
    assert (found.than, found.by_turn.items, found.by_task.items) == ("published", 6, 6)
    rows = SteerRow.read(metrics)
    pooled = rows[rows["group"] == "all but the pivot"].set_index("condition")["difference"]
    assert found.by_turn.value == pytest.approx(pooled["by-turn"] - pooled["published"], abs=2e-4)
    assert TurnsSummary.read(metrics).tasks["own-task"].items == len(SUMS)
    assert isinstance(pd.read_csv(metrics / "turns.csv"), pd.DataFrame)
    claim = json.loads((metrics / "claims.json").read_text())["claims"]["own.turn_experts"]
    assert claim["lock"] == "locked"
