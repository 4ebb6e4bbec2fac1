"""A task of every kind whose answers are written, from the model to the table: asked, scored, kept, counted."""

from pathlib import Path

import pandas as pd
import pytest
from polyroute.asking.examiner import SCORES, Examiner, by_score, scored

from asking.asked import bytes_tokenizer
from models.tiny_models import tiny
from polyroute.artifacts import answers, questions
from polyroute.artifacts.answers import Answers, AnswersHeader
from polyroute.artifacts.key import joined
from polyroute.asking.generation import COLUMNS
from polyroute.models.load import LoadedModel
from polyroute.models.routers import find_routers
from polyroute.params.models import TransformersModel
from polyroute.readers.fetch import fetch_task
from polyroute.readers.local import LocalTask
from polyroute.scoring import accuracy
from polyroute.scoring.settings import Score
from polyroute.stats.paired import PairedScores

LANGUAGES = ["eng_Latn", "deu_Latn"]
EVALUATE = {
    "chat": False, "thinking": False, "max_new_tokens": 4, "temperature": 0, "top_p": 1,
    "top_k": 0,
}  # fmt: skip
SPEC = TransformersModel.model_validate(
    {
        "engine": "transformers", "folder": "models/tiny", "dtype": "float32", "batch_tokens": 200, "languages": "few",
        "corpora": ["text"], "generic": "text",
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    model = tiny("qwen3_moe", vocab_size=300, max_position_embeddings=64)
    return LoadedModel(model, bytes_tokenizer(), find_routers(model), "d" * 64)


def examiner(loaded: LoadedModel, kind: str, span="inclusion", **changes) -> Examiner:
    task = LocalTask.model_validate({"reader": "local", "files": "text/{language}.jsonl", "kind": kind})
    return Examiner.of(
        loaded, SPEC, "mine", task, Asking.model_validate(EVALUATE | changes), Score(choice="token", span=span), 0
    )


def items(tmp_path: Path, mirror, kind: str) -> pd.DataFrame:
    rows = pd.DataFrame({"item_id": [f"q{n}" for n in range(8)], "prompt": [f"ask {n}" for n in range(8)]})
    for code in LANGUAGES:
        rows.assign(answer="18").to_json(tmp_path / f"{code}.jsonl", orient="records", lines=True)
    spec = LocalTask(reader="local", files=str(tmp_path / "{language}.jsonl"), kind=kind)
    return joined(*fetch_task("mine", spec, LANGUAGES, mirror))


@pytest.mark.parametrize("kind", ["number", "span", "translation"])
def test_what_is_written_goes_all_the_way(loaded, mirror, tmp_path, kind) -> None:
    asked, task = examiner(loaded, kind), items(tmp_path, mirror, kind)
    raw = pd.concat(
        [asked.ask(task[task["language"] == code].reset_index(drop=True)) for code in LANGUAGES], ignore_index=True
    )
    frame = scored(raw, task, "mine", kind)
    header = AnswersHeader(
        model="tiny", model_digest="d", task="mine", task_digest="t", kind=kind, condition="baseline",
        engine="transformers", dtype="float32", device="cpu", settings={}, versions={},
    )  # fmt: skip
    Answers(header, frame).write(tmp_path / "answers.parquet")
    back = answers.read(tmp_path / "answers.parquet")
    pd.testing.assert_frame_equal(scored(back.frame[COLUMNS], task, "mine", kind), frame)
    compared = by_score(back.frame, kind, asked.score)
    table = accuracy.table(compared)
    assert table["language"].tolist() == LANGUAGES
    assert table["accuracy"].between(0, 1).all()
    assert table["truncated"].notna().all()
    assert not PairedScores.from_tables(compared, compared).difference_NV.any()
    assert asked.determining()["generation"]["max_new_tokens"] == 4
    assert accuracy.in_short(table, task, "eng_Latn")["chance"] is None


@pytest.mark.parametrize(
    ("kind", "changes", "score"),
    [
        ("choice", {}, "token"), ("number", {}, "correct"), ("span", {}, "inclusion"), ("span", {"span": "f1"}, "f1"),
        ("span", {"span": "inclusion_as_released"}, "inclusion_as_released"), ("translation", {}, "chrf"),
    ],
)  # fmt: skip
def test_the_score_that_decides_is_the_one_that_is_asked_for(loaded, kind, changes, score) -> None:
    assert examiner(loaded, kind, **changes).score == score
    assert score in SCORES[kind]


def test_every_kind_has_scores_and_a_table() -> None:
    assert set(SCORES) == set(questions.COLUMNS)
