from pathlib import Path

import pandas as pd
import pytest
from polyroute.asking.sitting import Sitting

from asking.seated import preferring, sitting, target
from interventions.test_plans import settings
from polyroute.artifacts.answers import Answers
from polyroute.ground.errors import AnswerError
from polyroute.interventions.effects import HELPED
from polyroute.interventions.plans import ConditionsError
from polyroute.interventions.settings import PublishedShared, Steer
from polyroute.interventions.shared_plans import SharedConditions, SharedStudied, as_released, study_shared
from polyroute.stats.settings import Intervals

# Ten tokens, top-2 of 8 experts. Kept of English: .8 .6 .4 of experts 0, 1, 2; of German .8 .6 .2 of 5, 1, 0.
TRACES = {
    "eng_Latn": preferring("eng_Latn", [8, 6, 4, 1, 1, 0, 0, 0]),
    "deu_Latn": preferring("deu_Latn", [2, 6, 1, 0, 0, 8, 2, 1]),
}
WEIGHTS = {"eng_Latn": {0: 0.8, 1: 0.5}, "deu_Latn": {0: 0.2, 1: 0.5}}
PUBLISHED = PublishedShared(layers=(0, 1), k=2, thr=0.7, strengths={"deu_Latn": 0.3})


def conditions(middle=(1, 2), seed: int = 3, steer: Steer | None = None) -> SharedConditions:
    """k = 48 of 128, so 3 of 8; thr = 0.85."""
    return SharedConditions(target(), steer or settings(nearest=4), TRACES, middle=middle, seed=seed)


def test_candidates_are_either_source_with_every_strength() -> None:
    made = conditions()
    assert (made.k, made.pair, made.experts) == (3, ("eng_Latn", "deu_Latn"), {1: (0, 1), 2: (0, 1)})
    found = {one.name: one for one in made.candidates()}
    assert list(found) == [
        "shared-eng_Latn-0.1", "shared-eng_Latn-0.5", "shared-deu_Latn-0.1", "shared-deu_Latn-0.5",
    ]  # fmt: skip
    for name, one in found.items():
        _, source, strength = name.split("-")
        assert (one.kind, one.layers) == ("shared", (1, 2))
        assert (one.plan.rule, one.plan.strength, one.plan.arithmetic) == ("magnitude", float(strength), "float32")
        assert one.plan.experts == made.experts
        assert one.plan.weights == {layer: pytest.approx(WEIGHTS[source]) for layer in (1, 2)}
        assert one.plan.source == {
            "task": "task", "condition": name, "source": source, "shared": ["eng_Latn", "deu_Latn"], "k": 3,
            "thr": 0.85,
        }  # fmt: skip


def test_controls_are_other_experts_with_the_same_weights() -> None:
    made = conditions()
    chosen = made.candidates()[1]
    controls = made.controls(chosen)
    assert [(one.name, one.kind, one.draw, one.layers) for one in controls] == [
        (f"shared-random{draw}", "shared-random", draw, (1, 2)) for draw in (0, 1)
    ]
    for one in controls:
        assert (one.plan.rule, one.plan.strength) == ("magnitude", 0.5)
        for layer, experts in chosen.plan.experts.items():
            drawn = one.plan.experts[layer]
            assert len(drawn) == len(experts)
            assert not set(drawn) & set(experts)
            weights = [list(plan.weights[layer].values()) for plan in (one.plan, chosen.plan)]
            assert weights[0] == weights[1] == pytest.approx([0.8, 0.5])
    assert controls == conditions().controls(chosen)
    assert len({str(one.plan.experts) for seed in range(5) for one in conditions(seed=seed).controls(chosen)}) > 1


def test_the_papers_setting_is_run_as_it_stands() -> None:
    (one,) = conditions().published(PUBLISHED)
    assert (one.name, one.kind, one.layers) == ("shared-published-deu_Latn", "shared-published", (0, 1))
    plan = one.plan
    assert plan.experts == {0: (1,), 1: (1,)}, "its own k, not the share of a layer of 128"
    assert plan.weights == {layer: pytest.approx({1: 0.5}) for layer in (0, 1)}
    assert (plan.rule, plan.strength, plan.arithmetic) == ("magnitude", 0.3, "model")
    assert (plan.source["k"], plan.source["thr"], plan.source["source"]) == (2, 0.7, "deu_Latn")
    assert conditions().published(None) == []


def test_a_pair_that_shares_nothing_says_what_to_change() -> None:
    magnitude = {"k": 48, "thr": 0.4, "strengths": [0.1]}
    with pytest.raises(
        ConditionsError,
        match=r"task on tiny: eng_Latn and deu_Latn share no expert in layers 1 to 2 at k = 3 and thr = 0\.4; "
        r"raise thr or k of steer\.magnitude",
    ):
        conditions(steer=settings(magnitude=magnitude))
    with pytest.raises(ConditionsError, match=r"layers 0 to 1 at k = 2.*models\.tiny\.published_shared"):
        conditions().published(PUBLISHED.model_copy(update={"thr": 0.4}))


def studied(folder: Path, published: PublishedShared | None = PUBLISHED) -> SharedStudied:
    return study_shared(
        sitting(folder), conditions(middle=(1, 1)), pivot="eng_Latn", published=published,
        settings=Intervals(resamples=200, confidence=0.9), seed=3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("parts")


@pytest.fixture(scope="module")
def found(folder: Path) -> SharedStudied:
    return studied(folder)


def test_source_and_strength_are_chosen_on_the_selection_half_alone(folder: Path, found, monkeypatch) -> None:
    """The release tries strengths on the items that it reports."""
    best = {"select": "shared-deu_Latn-0.1-select", "report": "shared-eng_Latn-0.5"}

    def right(_sitting, answers: Answers, _score=None) -> pd.DataFrame:
        (split,) = answers.frame["split"].unique()
        return answers.frame.assign(correct=answers.header.condition == best[split])

    monkeypatch.setattr(Sitting, "right", right)
    summary = studied(folder).summary
    assert summary["chosen"] == {
        "condition": "shared-deu_Latn-0.1", "source": "deu_Latn", "strength": 0.1, "experts": 2, "difference": 0.0,
    }  # fmt: skip
    assert summary["as_released"] == {"condition": "shared-eng_Latn-0.5", "difference": 1.0}
    assert {row["condition"]: row["accuracy"] for row in summary["selection"]} == {
        "baseline": 0, "shared-eng_Latn-0.1": 0, "shared-eng_Latn-0.5": 0, "shared-deu_Latn-0.1": 1,
        "shared-deu_Latn-0.5": 0,
    }  # fmt: skip
    assert not summary["verdict"]["helps"]


def test_controls_go_with_what_was_chosen(found: SharedStudied) -> None:
    chosen = found.summary["chosen"]
    by_name = {one.name: one.plan for one in conditions(middle=(1, 1)).candidates()}
    assert by_name[chosen["condition"]].strength == chosen["strength"]
    accuracy = {row["condition"]: row["accuracy"] for row in found.summary["selection"]}
    assert accuracy[chosen["condition"]] == max(value for name, value in accuracy.items() if name != "baseline")
    assert set(found.table["kind"]) == {"shared", "shared-random", "shared-published"}
    assert found.summary["layers"] == [1, 1]
    # The size of an edit says its strength: the controls are pushed by about as much of their logits as the chosen.
    mechanism = found.mechanism[found.mechanism["layer"] == 1].set_index("condition")
    assert set(mechanism.index) == set(found.table["condition"])
    own = mechanism.loc[chosen["condition"], "relative"]
    for draw in (0, 1):
        assert 0.5 < mechanism.loc[f"shared-random{draw}", "relative"] / own < 2


def test_all_are_compared_on_the_same_items_and_chosen_on_others(found: SharedStudied) -> None:
    frames = {one.header.condition: one.frame for one in found.answers}
    items = {
        half: {frozenset(zip(frame["item_id"], frame["language"], strict=True)) for name, frame in frames.items()
               if name.endswith("-select") == (half == "select")}
        for half in ("select", "report")
    }  # fmt: skip
    assert len(items["select"]) == len(items["report"]) == 1
    assert not next(iter(items["select"])) & next(iter(items["report"]))
    assert set(found.table["items"]) == {6}
    base = found.table.groupby("over")["base"].nunique()
    assert set(base) == {1}, "one baseline for all"


def test_a_condition_with_other_items_is_refused(folder: Path, found, monkeypatch) -> None:
    ask = Sitting.ask

    def forgetful(self, split, chosen, advance=lambda _: None):
        answers = ask(self, split, chosen, advance)
        if split == "report":
            lacking = answers["shared-deu_Latn-0.5"]
            answers["shared-deu_Latn-0.5"] = Answers(lacking.header, lacking.frame.iloc[1:])
        return answers

    monkeypatch.setattr(Sitting, "ask", forgetful)
    with pytest.raises(AnswerError, match=r"shared-deu_Latn-0\.5.*different items: 1 are in the baseline only"):
        studied(folder)


def test_a_setting_that_reaches_no_expert_is_told_before_anything_is_asked(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(Sitting, "ask", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(ConditionsError, match="published_shared"):
        studied(tmp_path, PUBLISHED.model_copy(update={"thr": 0.4}))


def test_a_study_again_asks_nothing_and_says_the_same(folder: Path, found: SharedStudied, monkeypatch) -> None:
    monkeypatch.setattr("polyroute.asking.choices.score", lambda *_, **__: pytest.fail("asked again"))
    again = studied(folder)
    pd.testing.assert_frame_equal(found.table, again.table)
    assert found.summary == again.summary


def test_the_releases_choice_is_the_best_of_those_reported() -> None:
    table = pd.DataFrame(
        [
            ("shared-eng_Latn-0.1", "shared", HELPED, 0.01),
            ("shared-eng_Latn-0.5", "shared", HELPED, 0.03),
            ("shared-deu_Latn-0.1", "shared", HELPED, 0.03),
            ("shared-deu_Latn-0.1", "shared", "deu_Latn", 0.2),
            ("shared-random0", "shared-random", HELPED, 0.09),
            ("shared-published-deu_Latn", "shared-published", HELPED, 0.08),
        ],
        columns=["condition", "kind", "over", "difference"],
    )
    assert as_released(table) == {"condition": "shared-eng_Latn-0.5", "difference": 0.03}
