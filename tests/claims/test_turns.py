"""The claim on task experts and the assistant's turn, from turns.json and steer.json."""

from dataclasses import replace
from pathlib import Path

import pytest

from claims import made as claimed
from polyroute.claims.asked import Asked, Found
from polyroute.claims.turns import turn_experts
from polyroute.claims.verdict import judge
from polyroute.results.steering import ByTurn
from polyroute.results.turns import Part, TurnNull, TurnReading, TurnsSummary, TurnSteering, TurnTask

CLAIM = "own.turn_experts"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Asked:
    return claimed.asked(tmp_path_factory.mktemp("study"))


def reading(turn: tuple[float, float, float] | None, r_task: tuple[float, float, float], high: float) -> TurnReading:
    share, mass = (
        Part(**dict(zip(("value", "low", "high"), one or (None,) * 3, strict=True))) for one in (turn, r_task)
    )
    return TurnReading(
        counted="rendered", assistant="question and solution", published=22, turn=3, task_user=20, task_assistant=20,
        turn_share=share, task_share=share, r_turn=mass, r_task=mass, interaction=mass, decision="open",
        null=TurnNull(sets=999, mean=0.1, high=high, p=0.5, unmatched=[]),
    )  # fmt: skip


def summary(*readings: TurnReading, not_run=None) -> TurnsSummary:
    task = TurnTask(text="sums", items=500, tau=0.4, layers=(2, 5), readings=list(readings), overlap=None)
    tasks = {} if not_run else {"arithmetic": task}
    return TurnsSummary(not_run=not_run, passages=None, sequences=0, tasks=tasks, every_task=None)


def told(asked: Asked, turns: TurnsSummary | None, steered: tuple[float, float, float] | None = None) -> Asked:
    results = replace(asked.results, turns=turns)
    if steered is not None:
        value, low90, high90 = steered
        by_turn = TurnSteering(
            condition="by-turn", value=value, low=low90 - 0.01, high=high90 + 0.01, low90=low90, high90=high90, p=0.5,
            items=250, equivalent=False,
        )  # fmt: skip
        tasks = dict(asked.results.steering.tasks)
        changed = {"by_turn": ByTurn(than="published", by_turn=by_turn, by_task=None)}
        tasks["arithmetic"] = tasks["arithmetic"].model_copy(update=changed)
        results = replace(results, steering=replace(asked.results.steering, tasks=tasks))
    return replace(asked, results=results)


def verdict(asked: Asked):
    claims = claimed.committed()
    return judge(replace(claims, by_id={CLAIM: claims.get(CLAIM)}), asked).claims[CLAIM]


def test_the_claim_is_as_it_was_fixed(made) -> None:
    assert verdict(told(made, None)).lock == "locked"


def test_quantities_are_those_of_the_first_reading(made) -> None:
    one = Found(claimed.committed().get(CLAIM))
    turns_experts = told(made, summary(reading((0.1, 0.05, 0.15), (0.9, 0.8, 1.0), 0.3)), (-0.02, -0.03, -0.005))
    turn_experts(turns_experts, one)
    assert one.values["turn_share.value"] == 0.1
    assert (one.values["turn_share.high"], one.values["turn_null"], one.values["r_task.low"]) == (0.15, 0.3, 0.8)
    assert (one.values["steer_turn.ci90_low"], one.values["steer_turn.ci90_high"]) == (-0.03, -0.005)
    assert one.items == 500


@pytest.mark.parametrize(
    ("share", "mass", "steered", "code"),
    [
        ((0.1, 0.05, 0.15), (0.9, 0.8, 1.0), (-0.02, -0.03, -0.005), "replicated"),
        ((0.6, 0.4, 0.8), (0.5, 0.4, 0.6), (-0.02, -0.03, -0.005), "not_replicated"),
        ((0.3, 0.1, 0.5), (0.5, 0.4, 0.6), (0.001, -0.008, 0.009), "not_replicated"),
        ((0.3, 0.1, 0.5), (0.5, 0.4, 0.6), (-0.02, -0.03, -0.005), "inconclusive"),
        ((0.3, 0.1, 0.5), (0.5, 0.4, 0.6), None, "cannot_be_tested"),
        ((0.6, 0.4, 0.8), (0.5, 0.4, 0.6), None, "not_replicated"),
    ],
)
def test_verdicts_follow_what_was_written_down(made, share, mass, steered, code) -> None:
    assert verdict(told(made, summary(reading(share, mass, 0.3)), steered)).code == code


def test_what_is_missing_is_said(made) -> None:
    absent = verdict(told(made, None))
    assert absent.code == "cannot_be_tested"
    assert (absent.missing["turn_share"].kind, absent.missing["turn_share"].what) == ("stage", "turns")
    plain = verdict(told(made, summary(not_run="no_template")))
    assert plain.missing["turn_share"].what == "a chat template"
    idle = verdict(told(made, summary(not_run="no_texts")))
    assert "conversations in `turns`" in idle.missing["turn_share"].what
    few = verdict(told(made, summary(reading(None, (0.9, 0.8, 1.0), 0.3))))
    assert few.missing["turn_share"].what == "task experts above 0.4"
    alone = verdict(told(made, summary(reading((0.1, 0.0, 0.2), (0.9, 0.8, 1.0), 0.3))))
    assert alone.missing["steer_turn"].what == "answers under experts of the turn, by the stage `steer`"


def test_the_file_of_claims_names_a_stage_that_there_is() -> None:
    assert "turns" in claimed.committed().get(CLAIM).needs.stages
    assert (Path(__file__).parents[2] / "pipeline" / "turns.py").is_file()
