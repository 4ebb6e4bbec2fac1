from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asking.seated import LANGUAGES
from interventions import played
from interventions.played import Steered
from polyroute.artifacts.answers import Answers
from polyroute.asking.ask import Asker
from polyroute.ground.errors import AnswerError
from polyroute.interventions.effects import (
    HELPED,
    FindingsError,
    as_released,
    by_pivot_correctness,
    compared,
    judge,
    published,
)
from polyroute.interventions.verdicts import Rule
from polyroute.steering.condition import Condition
from polyroute.steering.plan import Plan

PLAN = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=0.5, experts={1: (1,)})
CONDITIONS = [
    Condition("chosen", "chosen", PLAN),
    Condition("random0", "random", PLAN, draw=0, control_of="chosen"),
    Condition("random1", "random", PLAN, draw=1, control_of="chosen"),
]
DRAWING = {"pivot": "eng_Latn", "confidence": 0.95, "seed": 0}
ITEMS = 60
RULE = Rule(confidence=0.95, studies=200, seed=0)


def answers(rights: dict[str, float], written: str | None = None) -> pd.DataFrame:
    """The first share of items right in each language."""
    rows = [(f"i{n:02d}", language, n < right * ITEMS) for language, right in rights.items() for n in range(ITEMS)]
    table = pd.DataFrame(rows, columns=["item_id", "language", "correct"])
    return table if written is None else table.assign(output_language=written)


BASE = answers({"eng_Latn": 0.9, "deu_Latn": 0.5, "swh_Latn": 0.2})
BETTER = answers({"eng_Latn": 0.85, "deu_Latn": 0.8, "swh_Latn": 0.4})
SAME = answers({"eng_Latn": 0.9, "deu_Latn": 0.5, "swh_Latn": 0.2})


def test_every_condition_is_set_against_the_baseline() -> None:
    table = compared(CONDITIONS, {"baseline": BASE, "chosen": BETTER, "random0": SAME, "random1": SAME}, **DRAWING)
    assert set(table["condition"]) == {"chosen", "random0", "random1"}
    rows = table[table["condition"] == "chosen"].set_index("group")
    assert rows.loc["deu_Latn", "difference"] == pytest.approx(0.3)
    assert (rows.loc["deu_Latn", "gained"], rows.loc["deu_Latn", "lost"]) == (18, 0)
    assert rows.loc[HELPED, "difference"] == pytest.approx(0.25), "the pivot is not among those to be helped"
    assert rows.loc["eng_Latn", "difference"] == pytest.approx(-0.05)
    pooled = table[table["group"] == HELPED].set_index("condition")
    assert pooled.loc["chosen", "q"] == pooled.loc["chosen", "p"], "random sets are adjusted apart"
    assert np.isnan(table["language_changed"]).all()


def judged(given: dict[str, pd.DataFrame], conditions=CONDITIONS):
    return judge(compared(conditions, given, **DRAWING), given, conditions[0], conditions, "eng_Latn", RULE)


def drawn(kind, of: str) -> list[Condition]:
    return [Condition(f"{kind}{draw}", kind, PLAN, draw=draw, control_of=of) for draw in range(19)]


def test_a_plan_is_ranked_among_its_random_sets() -> None:
    given = {"baseline": BASE, "chosen": BETTER, "random0": SAME, "random1": SAME}
    verdict = judged(given)
    assert (verdict.code, verdict.helps, verdict.beyond_random) == ("helps_unranked", True, None), "2 sets are too few"
    assert (verdict.rank_p, verdict.draws, verdict.items) == (pytest.approx(1 / 3), 2, ITEMS)
    assert verdict.pivot_loss == pytest.approx(0.05)
    assert verdict.pivot_change.value == pytest.approx(-0.05)
    many = [CONDITIONS[0], *drawn("random", "chosen")]
    given |= {f"random{draw}": SAME for draw in range(19)}
    verdict = judged(given, many)
    assert (verdict.code, verdict.beyond_random, verdict.rank_p) == ("helps", True, pytest.approx(0.05))
    verdict = judged(given | {"random7": BETTER}, many)
    assert (verdict.code, verdict.beyond_random, verdict.rank_p) == ("random_do_as_well", False, pytest.approx(0.1))


def test_more_random_sets_do_not_make_a_plan_harder_to_tell() -> None:
    given = {"baseline": BASE, "chosen": BETTER} | {f"random{draw}": SAME for draw in range(2)}
    pooled = compared(CONDITIONS, given, **DRAWING).set_index(["condition", "group"])
    assert pooled.loc[("chosen", HELPED), "q"] == pooled.loc[("chosen", HELPED), "p"], "the only plan of its family"


def test_a_published_setting_has_a_verdict_of_its_own() -> None:
    setting = Condition("published", "published", PLAN)
    asked = [*CONDITIONS, setting, *drawn("published-random", "published")]
    given = {"baseline": BASE, "chosen": SAME, "published": BETTER} | {
        one.name: SAME for one in asked if one.control_of
    }
    (found,) = published(compared(asked, given, **DRAWING), given, asked, "published", "eng_Latn", RULE)
    assert (found["condition"], found["verdict"]["code"]) == ("published", "helps")
    assert (found["verdict"]["rank_p"], found["verdict"]["draws"]) == (0.05, 19)


def test_a_condition_of_one_half_is_held_against_the_baseline_there() -> None:
    half = BETTER[BETTER["item_id"] < "i30"]
    table = compared(CONDITIONS[:2], {"baseline": BASE, "chosen": BETTER, "random0": half}, **DRAWING)
    rows = table[table["group"] == "deu_Latn"].set_index("condition")
    assert rows["items"].to_dict() == {"chosen": 60, "random0": 30}
    assert rows.loc["random0", "base"] == 1.0, "the first half are right in German anyway"
    assert rows.loc["chosen", "base"] == 0.5


def test_a_change_of_output_language_is_counted() -> None:
    given = {
        "baseline": BASE.assign(output_language=BASE["language"]),
        "chosen": BETTER.assign(output_language=np.where(BETTER["item_id"] < "i15", "eng_Latn", BETTER["language"])),
    }
    rows = compared(CONDITIONS[:1], given, **DRAWING).set_index("group")["language_changed"]
    assert rows["deu_Latn"] == pytest.approx(0.25)
    assert rows["eng_Latn"] == 0
    assert rows[HELPED] == pytest.approx(0.25)


def test_items_by_what_the_pivot_knows() -> None:
    found = by_pivot_correctness(BASE, "eng_Latn").set_index("language")
    assert list(found.index) == ["deu_Latn", "swh_Latn"]
    row = found.loc["deu_Latn"]
    assert (row["both"], row["pivot_only"], row["language_only"], row["neither"]) == pytest.approx((0.5, 0.4, 0, 0.1))
    with pytest.raises(FindingsError, match="no answers in fra_Latn"):
        by_pivot_correctness(BASE, "fra_Latn")


def test_missing_conditions_are_named() -> None:
    with pytest.raises(FindingsError, match="random0, random1"):
        compared(CONDITIONS, {"baseline": BASE, "chosen": BETTER}, **DRAWING)
    table = compared(CONDITIONS[:1], {"baseline": BASE, "chosen": BETTER}, **DRAWING)
    with pytest.raises(FindingsError, match="random controls were not run"):
        judge(table, {"baseline": BASE, "chosen": BETTER}, CONDITIONS[0], CONDITIONS[:1], "eng_Latn", RULE)
    with pytest.raises(FindingsError, match="it was not run"):
        judge(table, {"baseline": BASE, "chosen": BETTER}, CONDITIONS[1], CONDITIONS, "eng_Latn", RULE)
    with pytest.raises(FindingsError, match="no answers under baseline"):
        compared(CONDITIONS[:1], {"chosen": BETTER}, **DRAWING)


def test_nothing_but_a_baseline_is_nothing_to_compare() -> None:
    with pytest.raises(FindingsError, match="no condition besides the baseline"):
        compared([], {"baseline": BASE}, **DRAWING)


def test_every_condition_is_reported_for_every_language_and_pooled(found: Steered) -> None:
    kinds = set(found.table.kind)
    assert {"chosen", "dose", "rule", "random", "multilingual", "early", "all", "pivot"} <= kinds
    for _, rows in found.table.groupby("condition"):
        assert sorted(rows.group) == sorted([*LANGUAGES, "all but the pivot"])
    assert (found.table.difference - (found.table.edited - found.table.base)).abs().max() < 2e-4
    assert found.summary["not_run"] is None
    assert found.summary["verdict"]["items"] == 12
    assert found.summary["published"] is None
    shares = found.summary["by_pivot_correctness"]
    assert [row["language"] for row in shares] == ["deu_Latn", "swh_Latn"]
    assert all(
        abs(row["both"] + row["pivot_only"] + row["language_only"] + row["neither"] - 1) < 1e-3 for row in shares
    )


def test_scores_between_right_and_wrong_are_not_counted_as_right(folder: Path, found) -> None:
    half_right = played.task_experts(
        folder, right=lambda answers: answers.frame.assign(correct=answers.frame["correct"] * 0.5)
    )
    assert half_right.summary["by_pivot_correctness"] == [], "half right is neither right nor wrong"
    assert set(half_right.table[half_right.table.group != "all but the pivot"].test) == {"exchange"}


def test_scores_that_happen_to_be_whole_are_counted(folder: Path, found: Steered) -> None:
    whole = played.task_experts(
        folder, right=lambda answers: answers.frame.assign(correct=answers.frame["correct"].astype(float))
    )
    assert whole.summary == found.summary


def test_all_are_compared_on_the_same_items_and_chosen_on_others(shared: Steered) -> None:
    items = {
        half: {frozenset(zip(one.frame["item_id"], one.frame["language"], strict=True)) for one in frames.values()}
        for half, frames in shared.answers.items()
    }
    assert len(items["select"]) == len(items["report"]) == 1
    assert not next(iter(items["select"])) & next(iter(items["report"]))
    assert set(shared.table["items"]) == {12}
    base = shared.table.groupby("group")["base"].nunique()
    assert set(base) == {1}, "one baseline for all"


def test_a_condition_with_other_items_is_refused(folder: Path, shared, monkeypatch) -> None:
    ask = Asker.ask

    def forgetful(self, split, chosen, advance=lambda _: None):
        answers = ask(self, split, chosen, advance)
        if split == "report":
            lacking = answers["shared-deu_Latn-0.5"]
            answers["shared-deu_Latn-0.5"] = Answers(lacking.header, lacking.frame.iloc[1:])
        return answers

    monkeypatch.setattr(Asker, "ask", forgetful)
    with pytest.raises(AnswerError, match=r"task \(shared-deu_Latn-0\.5\): item i0 in eng_Latn not answered"):
        played.shared_experts(folder)


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
        columns=["condition", "kind", "group", "difference"],
    )
    assert as_released(table) == {"condition": "shared-eng_Latn-0.5", "difference": 0.03}
