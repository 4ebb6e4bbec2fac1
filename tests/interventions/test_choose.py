"""Plans are chosen on either half of the items, and what the other is asked under goes with them."""

from pathlib import Path

import pandas as pd
import pytest

from asking.seated import ITEMS, asker
from interventions import played
from interventions.played import Steered
from interventions.test_plans import conditions
from interventions.test_shared_plans import PUBLISHED
from interventions.test_shared_plans import conditions as shared_conditions
from polyroute.artifacts.answers import Answers
from polyroute.interventions.choose import Chosen, ChosenPlans, TunePlans, choose, choose_shared
from polyroute.interventions.plans import ConditionsError
from polyroute.steering.condition import BASELINE, Condition


def test_the_best_candidate_is_chosen_and_of_equals_the_gentlest() -> None:
    made = conditions().candidates()
    flat = {condition.name: 0.5 for condition in made}
    assert choose(made, flat).name == "tau0.2-soft0.5", "fewest experts, smallest strength"
    assert choose(made, flat | {"tau0.1-activate": 0.6}).name == "tau0.1-activate"
    assert choose(made, flat | {"baseline": 0.9}).name == "tau0.2-soft0.5", "the baseline is no candidate"
    assert choose([BASELINE, *made], flat | {"baseline": 0.9}).name == "tau0.2-soft0.5"


def test_each_halfs_plan_is_the_best_of_the_other(found: Steered) -> None:
    assert found.plan.source["condition"] == found.summary["folds"]["select"]["chosen"]["condition"]
    assert found.plan.experts == {1: (1,)}
    for tried in (found.summary, *found.summary["folds"].values()):
        scores = {row["condition"]: row["accuracy"] for row in tried["selection"]}
        chosen = tried["chosen"]["condition"]
        assert "baseline" in scores
        assert scores[chosen] == max(score for name, score in scores.items() if name != "baseline")


def test_every_item_is_reported_once_and_chosen_on_no_item_of_its_half(found: Steered) -> None:
    halves = {split: one["chosen"].frame for split, one in found.answers.items()}
    assert {split: set(frame["split"]) for split, frame in halves.items()} == {
        "select": {"select"},
        "report": {"report"},
    }
    assert not set(halves["select"]["item_id"]) & set(halves["report"]["item_id"])
    tried = found.tried["tau0.1-soft0.5"].frame
    assert set(tried["item_id"]) == set(halves["select"]["item_id"])
    digest = found.answers["report"]["chosen"].header.condition_digest
    assert digest, "the half `report` was answered under what the half `select` chose"
    assert set(found.table["items"]) == {len(set(ITEMS["item_id"]))}


@pytest.mark.parametrize(("toward", "before"), [("task_experts", "found"), ("shared_experts", "shared")])
def test_a_study_again_asks_nothing_and_says_the_same(folder: Path, request, monkeypatch, toward, before) -> None:
    first = request.getfixturevalue(before)
    monkeypatch.setattr("polyroute.asking.choices.score", lambda *_, **__: pytest.fail("asked again"))
    again = getattr(played, toward)(folder)
    pd.testing.assert_frame_equal(first.table, again.table)
    pd.testing.assert_frame_equal(first.mechanism, again.mechanism)
    assert first.summary == again.summary


def test_no_expert_above_any_threshold_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConditionsError, match=r"no expert has a Delta above any tau of steer\.taus"):
        played.task_experts(tmp_path, delta=0.05)


def test_a_condition_of_the_same_experts_is_answered_once(folder: Path, found: Steered, monkeypatch) -> None:
    monkeypatch.setattr("polyroute.asking.choices.score", lambda *_, **__: pytest.fail("asked again"))
    renamed = Condition("another-name", "chosen", found.plan, (1, 1))
    asker(folder).ask("report", [renamed])


def test_source_and_strength_are_chosen_on_the_other_half(folder: Path, shared) -> None:
    """The release tries strengths on the items that it reports."""
    best = {"select": "shared-deu_Latn-0.1", "report": "shared-eng_Latn-0.5"}

    def right(answers: Answers) -> pd.DataFrame:
        (split,) = answers.frame["split"].unique()
        return answers.frame.assign(correct=answers.header.condition == best[split])

    summary = played.shared_experts(folder, right).summary
    assert {split: fold["chosen"]["condition"] for split, fold in summary["folds"].items()} == best
    assert summary["folds"]["select"]["chosen"] == {
        "condition": "shared-deu_Latn-0.1", "source": "deu_Latn", "strength": 0.1, "experts": 2,
    }  # fmt: skip
    assert {row["condition"]: row["accuracy"] for row in summary["folds"]["select"]["selection"]} == {
        "baseline": 0, "shared-eng_Latn-0.1": 0, "shared-eng_Latn-0.5": 0, "shared-deu_Latn-0.1": 1,
        "shared-deu_Latn-0.5": 0,
    }  # fmt: skip
    assert summary["difference"] == 0, "what is best on one half does nothing on the other"
    assert summary["as_released"] == {"condition": "shared-eng_Latn-0.5", "difference": 0.5}
    assert summary["chosen"]["condition"] == "shared-deu_Latn-0.1", "of equals the gentlest"
    assert not summary["verdict"]["helps"]


def test_controls_go_with_what_was_chosen(shared: Steered) -> None:
    chosen = shared.summary["folds"]["select"]["chosen"]
    by_name = {one.name: one.plan for one in shared_conditions(middle=(1, 1)).candidates()}
    assert by_name[chosen["condition"]].strength == chosen["strength"] == shared.plan.strength
    assert set(shared.table["kind"]) == {
        "shared", "shared-chosen", "shared-random", "shared-published", "shared-published-random",
    }  # fmt: skip
    assert shared.summary["layers"] == [1, 1]
    # The size of an edit says its strength: the controls are pushed by about as much of their logits as the chosen.
    mechanism = shared.mechanism[shared.mechanism["layer"] == 1].set_index("condition")
    assert set(mechanism.index) == set(shared.table["condition"])
    own = mechanism.loc["shared-chosen", "relative_size"]
    assert own == mechanism.loc[chosen["condition"], "relative_size"]
    for draw in (0, 1):
        assert 0.5 < mechanism.loc[f"shared-random{draw}", "relative_size"] / own < 2


def test_a_setting_that_reaches_no_expert_is_told_before_anything_is_chosen() -> None:
    made = shared_conditions(middle=(1, 1))
    flat = {one.name: 0.5 for one in (BASELINE, *made.candidates())}
    with pytest.raises(ConditionsError, match="published_shared"):
        choose_shared(made, flat, PUBLISHED.model_copy(update={"thr": 0.4}), made.settings)


def test_what_was_chosen_goes_on_in_files(tmp_path: Path) -> None:
    made = shared_conditions(middle=(1, 1))
    flat = {one.name: 0.5 for one in (BASELINE, *made.candidates())}
    reported, chosen = choose_shared(made, flat, PUBLISHED, made.settings)
    tune = TunePlans(conditions=tuple(made.candidates()), not_run={"task experts": "there is no in-task text"})
    tune.save(tmp_path / "tune.json")
    assert TunePlans.load(tmp_path / "tune.json") == tune
    toward = {"shared experts": chosen, "task experts": Chosen(not_run="there is no in-task text")}
    ChosenPlans(conditions=tuple(reported), toward=toward).save(tmp_path / "chosen.json")
    back = ChosenPlans.load(tmp_path / "chosen.json")
    assert list(back.conditions) == reported
    assert back.toward == toward
    assert back.toward["shared experts"].reported == tuple(one.name for one in reported)
    assert "shared-chosen" in back.toward["shared experts"].reported
