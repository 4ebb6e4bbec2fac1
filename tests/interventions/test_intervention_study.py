"""The study of one task, on a real tiny model: choose on one half, report on the other, keep what is finished."""

from pathlib import Path

import pandas as pd
import pytest

from evaluation.asked import bytes_tokenizer
from evaluation.asked import items as choice_items
from experts.made import random_trace
from interventions.test_conditions import settings
from models.tiny_models import tiny
from polyroute.evaluation import answers as answer_files
from polyroute.evaluation.choice import COLUMNS
from polyroute.evaluation.study import scored
from polyroute.interventions.conditions import BASELINE, Condition, Conditions, ConditionsError, Target
from polyroute.interventions.sitting import Sitting
from polyroute.interventions.study import Studied, study
from polyroute.models.load import LoadedModel
from polyroute.models.routers import find_routers
from polyroute.params import Align, Evaluate, LocalTask, TransformersModel

LANGUAGES = ["eng_Latn", "deu_Latn", "swh_Latn"]
ITEMS = pd.concat(
    [choice_items(*[(f"{code} {n}", [" a", " bc", " d"]) for n in range(12)], language=code) for code in LANGUAGES],
    ignore_index=True,
)
TASK = LocalTask.model_validate({"reader": "local", "files": "text/x.tsv", "kind": "choice"})
SPEC = TransformersModel.model_validate(
    {
        "engine": "transformers", "folder": "models/tiny", "dtype": "float32", "batch_tokens": 200, "languages": "few",
        "corpora": ["text"],
    }
)  # fmt: skip
EVALUATE = {
    "chat": False, "thinking": False, "likeliest": "sum", "max_new_tokens": 4, "temperature": 0, "top_p": 1, "top_k": 0,
}  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> LoadedModel:
    model = tiny("qwen3_moe", vocab_size=300)
    return LoadedModel(model, bytes_tokenizer(), find_routers(model), "d" * 64)


def sitting(loaded: LoadedModel, folder: Path, **changes) -> Sitting:
    asked = Evaluate.model_validate(EVALUATE | changes)
    return Sitting.of("tiny", SPEC, loaded, "task", TASK, ITEMS, asked, seed=0, parts=folder)


def studied(loaded: LoadedModel, folder: Path, delta: float = 0.3) -> Studied:
    routers = loaded.routers
    target = Target(
        "tiny", loaded.digest, "task", tuple(router.layer for router in routers), routers[0].experts, routers[0].top_k
    )

    def above(tau, layers):
        return {layer: (layer,) for layer in range(layers[0], layers[1] + 1) if delta > tau}

    made = Conditions(target, settings(), task_experts=above, middle=(1, 1), seed=3)
    generic = random_trace(0, 20, layers=len(routers), experts=routers[0].experts)
    return study(
        sitting(loaded, folder), made, pivot="eng_Latn", generic=generic, multilingual=lambda *_: {1: (5,)},
        pivots={"deu_Latn": lambda *_: {1: (6,)}}, published=None, settings=Align(resamples=200, confidence=0.9,
        shuffles=5), seed=3,
    )  # fmt: skip


def test_the_plan_is_the_best_of_the_selection_half(loaded, tmp_path: Path) -> None:
    found = studied(loaded, tmp_path)
    tried = {row["condition"]: row["accuracy"] for row in found.summary["selection"]}
    chosen = found.summary["chosen"]
    assert "baseline" in tried
    assert tried[chosen["condition"]] == max(score for name, score in tried.items() if name != "baseline")
    assert found.plan.source["condition"] == chosen["condition"]
    assert found.plan.experts == {1: (1,)}


def test_selection_and_report_never_share_an_item(loaded, tmp_path: Path) -> None:
    found = studied(loaded, tmp_path)
    by_name = {one.header.condition: one.frame for one in found.answers}
    assert set(by_name["chosen"].split) == {"report"}
    candidates = [frame for name, frame in by_name.items() if name.startswith("tau")]
    assert candidates
    for frame in candidates:
        assert set(frame.split) == {"select"}
        assert not set(frame.item_id) & set(by_name["chosen"].item_id)


def test_every_condition_is_reported_for_every_language_and_pooled(loaded, tmp_path: Path) -> None:
    found = studied(loaded, tmp_path)
    kinds = set(found.table.kind)
    assert {"chosen", "dose", "rule", "random", "multilingual", "early", "all", "pivot"} <= kinds
    for _, rows in found.table.groupby("condition"):
        assert sorted(rows.over) == sorted([*LANGUAGES, "all but the pivot"])
    assert (found.table.difference - (found.table.other - found.table.base)).abs().max() < 2e-4
    assert set(found.summary["verdict"]) == {"helps", "beyond_random", "rank_p", "pivot_loss", "words"}
    shares = found.summary["beside_the_pivot"]
    assert [row["language"] for row in shares] == ["deu_Latn", "swh_Latn"]
    assert all(
        abs(row["both"] + row["pivot_only"] + row["language_only"] + row["neither"] - 1) < 1e-3 for row in shares
    )


def test_a_study_again_asks_nothing_and_says_the_same(loaded, tmp_path: Path, monkeypatch) -> None:
    first = studied(loaded, tmp_path)
    monkeypatch.setattr("polyroute.evaluation.choice.score", lambda *_, **__: pytest.fail("asked again"))
    again = studied(loaded, tmp_path)
    pd.testing.assert_frame_equal(first.table, again.table)
    assert first.summary == again.summary


def test_other_settings_are_other_answers(loaded, tmp_path: Path, monkeypatch) -> None:
    asked = sitting(loaded, tmp_path).ask("select", [BASELINE])
    monkeypatch.setattr("polyroute.evaluation.choice.score", lambda *_, **__: pytest.fail("asked"))
    again = sitting(loaded, tmp_path).ask("select", [BASELINE])
    pd.testing.assert_frame_equal(asked["baseline"].frame, again["baseline"].frame)
    with pytest.raises(pytest.fail.Exception, match="asked"):
        Sitting.of(
            "tiny", SPEC.model_copy(update={"batch_tokens": 100}), loaded, "task", TASK, ITEMS,
            Evaluate.model_validate(EVALUATE), seed=0, parts=tmp_path,
        ).ask("select", [BASELINE])  # fmt: skip


def test_the_likelihood_that_decides_is_the_one_asked_for(loaded, tmp_path: Path) -> None:
    by_sum, by_token = (sitting(loaded, tmp_path, likeliest=likeliest) for likeliest in ("sum", "token"))
    answers = by_sum.ask("report", [BASELINE])["baseline"]
    assert by_sum.right(answers).correct.tolist() == answers.frame.correct.tolist()
    assert by_token.right(answers).correct.tolist() == answers.frame.correct_by_token.tolist()


def test_answers_are_written_and_read_back(loaded, tmp_path: Path) -> None:
    (answers,) = sitting(loaded, tmp_path).ask("report", [BASELINE]).values()
    path = tmp_path / "baseline.parquet"
    answers.write(path)
    back = answer_files.read(path)
    assert back.header == answers.header
    assert back.frame.item_id.tolist() == answers.frame.item_id.tolist()
    assert len(back.frame) == sitting(loaded, tmp_path).count("report") == 18
    # Scoring anew needs the file and the items, no model.
    half = ITEMS[ITEMS.split == "report"]
    pd.testing.assert_frame_equal(scored(back.frame[COLUMNS], half, "task", "choice"), answers.frame)


def test_no_expert_above_any_threshold_is_an_error_that_says_so(loaded, tmp_path: Path) -> None:
    with pytest.raises(ConditionsError, match=r"no expert has a Delta above any tau of steer\.taus"):
        studied(loaded, tmp_path, delta=0.05)


def test_a_condition_of_the_same_experts_is_answered_once(loaded, tmp_path: Path, monkeypatch) -> None:
    found = studied(loaded, tmp_path)
    monkeypatch.setattr("polyroute.evaluation.choice.score", lambda *_, **__: pytest.fail("asked again"))
    renamed = Condition("another-name", "chosen", found.plan, (1, 1))
    sitting(loaded, tmp_path).ask("report", [renamed])
