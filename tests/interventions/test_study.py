"""The study of one task, on a real tiny model: choose on one half, report on the other, keep what is finished."""

from pathlib import Path

import pandas as pd
import pytest
from polyroute.asking.examiner import scored
from polyroute.asking.sitting import Sitting
from polyroute.interventions.study import Studied, study

from asking.seated import EVALUATE, ITEMS, LANGUAGES, SPEC, TASK, loaded_model, sitting, target
from experts.made import random_trace
from interventions.test_plans import settings
from polyroute.artifacts import answers as answer_files
from polyroute.asking.choices import COLUMNS
from polyroute.asking.settings import Asking
from polyroute.interventions.plans import BASELINE, Condition, Conditions, ConditionsError
from polyroute.scoring.settings import Score
from polyroute.stats.settings import Intervals


def studied(folder: Path, delta: float = 0.3) -> Studied:
    def above(tau, layers):
        return {layer: (layer,) for layer in range(layers[0], layers[1] + 1) if delta > tau}

    made = Conditions(target(), settings(), task_experts=above, middle=(1, 1), seed=3)
    generic = random_trace(0, 20, layers=3, experts=8)
    return study(
        sitting(folder), made, pivot="eng_Latn", generic=generic, multilingual=lambda *_: {1: (5,)},
        pivots={"deu_Latn": lambda *_: {1: (6,)}}, published=None, settings=Intervals(resamples=200, confidence=0.9),
        seed=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where answers are, once they were given."""
    return tmp_path_factory.mktemp("answered")


@pytest.fixture(scope="module")
def found(folder: Path) -> Studied:
    return studied(folder)


def test_the_plan_is_the_best_of_the_selection_half(found: Studied) -> None:
    tried = {row["condition"]: row["accuracy"] for row in found.summary["selection"]}
    chosen = found.summary["chosen"]
    assert "baseline" in tried
    assert tried[chosen["condition"]] == max(score for name, score in tried.items() if name != "baseline")
    assert found.plan.source["condition"] == chosen["condition"]
    assert found.plan.experts == {1: (1,)}


def test_selection_and_report_never_share_an_item(found: Studied) -> None:
    by_name = {one.header.condition: one.frame for one in found.answers}
    assert set(by_name["chosen"].split) == {"report"}
    candidates = [frame for name, frame in by_name.items() if name.startswith("tau")]
    assert candidates
    for frame in candidates:
        assert set(frame.split) == {"select"}
        assert not set(frame.item_id) & set(by_name["chosen"].item_id)


def test_every_condition_is_reported_for_every_language_and_pooled(found: Studied) -> None:
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


def test_scores_between_right_and_wrong_are_not_counted_as_right(folder: Path, monkeypatch) -> None:
    def graded(_sitting, answers, _score=None):
        return answers.frame.assign(correct=answers.frame["correct"] * 0.5)

    monkeypatch.setattr(Sitting, "right", graded)
    half_right = studied(folder)
    assert half_right.summary["beside_the_pivot"] == [], "half right is neither right nor wrong"
    assert half_right.summary["detectable"] is None
    assert set(half_right.table[half_right.table.over != "all but the pivot"].test) == {"exchange"}


def test_scores_that_happen_to_be_whole_are_counted(folder: Path, found: Studied, monkeypatch) -> None:
    monkeypatch.setattr(
        Sitting, "right", lambda _, answers: answers.frame.assign(correct=answers.frame["correct"].astype(float))
    )
    assert studied(folder).summary == found.summary


def test_a_study_again_asks_nothing_and_says_the_same(folder: Path, found: Studied, monkeypatch) -> None:
    monkeypatch.setattr("polyroute.asking.choices.score", lambda *_, **__: pytest.fail("asked again"))
    again = studied(folder)
    pd.testing.assert_frame_equal(found.table, again.table)
    assert found.summary == again.summary


def test_other_settings_are_other_answers(tmp_path: Path, monkeypatch) -> None:
    asked = sitting(tmp_path).ask("select", [BASELINE])
    monkeypatch.setattr("polyroute.asking.choices.score", lambda *_, **__: pytest.fail("asked"))
    again = sitting(tmp_path).ask("select", [BASELINE])
    pd.testing.assert_frame_equal(asked["baseline"].frame, again["baseline"].frame)
    with pytest.raises(pytest.fail.Exception, match="asked"):
        Sitting.of(
            "tiny", SPEC.model_copy(update={"batch_tokens": 100}), loaded_model(), "task", TASK, ITEMS,
            Asking.model_validate(EVALUATE), Score(choice="sum"), seed=0, parts=tmp_path,
        ).ask("select", [BASELINE])  # fmt: skip


def test_the_likelihood_that_decides_is_the_one_asked_for(tmp_path: Path) -> None:
    by_sum, by_token = (sitting(tmp_path, choice=choice) for choice in ("sum", "token"))
    answers = by_sum.ask("report", [BASELINE])["baseline"]
    assert by_sum.right(answers).correct.tolist() == answers.frame.correct.tolist()
    assert by_token.right(answers).correct.tolist() == answers.frame.correct_by_token.tolist()


def test_answers_are_written_and_read_back(tmp_path: Path) -> None:
    (answers,) = sitting(tmp_path).ask("report", [BASELINE]).values()
    path = tmp_path / "baseline.parquet"
    answers.write(path)
    back = answer_files.read(path)
    assert back.header == answers.header
    assert back.frame.item_id.tolist() == answers.frame.item_id.tolist()
    assert len(back.frame) == sitting(tmp_path).count("report") == 18
    # Scoring anew needs the file and the items, no model.
    half = ITEMS[ITEMS.split == "report"]
    pd.testing.assert_frame_equal(scored(back.frame[COLUMNS], half, "task", "choice"), answers.frame)


def test_no_expert_above_any_threshold_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConditionsError, match=r"no expert has a Delta above any tau of steer\.taus"):
        studied(tmp_path, delta=0.05)


def test_a_condition_of_the_same_experts_is_answered_once(folder: Path, found: Studied, monkeypatch) -> None:
    monkeypatch.setattr("polyroute.asking.choices.score", lambda *_, **__: pytest.fail("asked again"))
    renamed = Condition("another-name", "chosen", found.plan, (1, 1))
    sitting(folder).ask("report", [renamed])
