"""What a plan's file says of it, in numbers and in words."""

import json
from pathlib import Path
from typing import get_args

import pytest

from polyroute.ground.files import digest
from polyroute.results import steering as results
from polyroute.steering.plan import Plan, PlanError
from polyroute.steering.verdict import NOT_CHECKED, Gain, PlanVerdict, RandomPlans, TokenTime, VerdictCode

PLAN = Plan(
    model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=0.5, experts={1: (2, 3), 4: (0,)},
    source={"task": "quiz"},
)  # fmt: skip
GAIN = Gain(base=0.25, steered=0.4, difference=0.15, low=0.02, high=0.28, items=40)
LOSS = Gain(base=0.9, steered=0.8, difference=-0.1, low=-0.19, high=-0.01, items=40)
STILL = Gain(base=0.5, steered=0.5, difference=0.0, low=-0.05, high=0.05, items=40)


def verdict(code: VerdictCode = "helps", **more) -> PlanVerdict:
    return PlanVerdict(
        **{
            "code": code, "task": "quiz", "score": "sum", "checked": "cross_fitted", "items": "a" * 64,
            "languages": ["swh_Latn"], "gain": GAIN, "random": RandomPlans(draws=99, p=0.01, mean=-0.005),
            "detectable": 0.1, "by_language": {"swh_Latn": GAIN, "eng_Latn": LOSS, "deu_Latn": STILL},
        } | more
    )  # fmt: skip


def checked(**more) -> Plan:
    return PLAN.model_copy(update={"verdict": verdict(**more)})


def test_a_plan_without_a_verdict_says_that_it_was_not_checked(tmp_path: Path) -> None:
    PLAN.save(tmp_path / "plan.json")
    again = Plan.load(tmp_path / "plan.json")
    assert again.verdict is None
    assert str(again) == f"Plan for tiny: soft 0.5, 3 experts in 2 layers from 1 to 4.\n{NOT_CHECKED}"
    assert "verdict" not in json.loads((tmp_path / "plan.json").read_text())


def test_the_verdict_comes_back_and_changes_nothing_of_the_edit(tmp_path: Path) -> None:
    checked(time=TokenTime(base=10.0, steered=10.5, device="cpu")).save(tmp_path / "plan.json")
    again = Plan.load(tmp_path / "plan.json")
    assert again.verdict == verdict(time=TokenTime(base=10.0, steered=10.5, device="cpu"))
    # Answers are kept under the digest of what a plan says; with a verdict it is the same plan.
    assert digest(again.model_dump(mode="json")) == digest(PLAN.model_dump(mode="json"))
    again.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "plan.json").read_bytes()


def test_words_say_what_it_gains_and_costs() -> None:
    assert str(checked(time=TokenTime(base=10.0, steered=10.5, device="cpu"))).splitlines()[1:] == [
        "It helps: accuracy of quiz in swh_Latn 25.0% -> 40.0% (+15.0 [+2.0, +28.0] points), on 40 items of which none "
        "had a part in choosing the plan that it was asked under.",
        "Against 99 matched random plans, which change it by -0.5 points on average (rank p 0.01).",
        "Cost elsewhere: eng_Latn 90.0% -> 80.0% (-10.0 [-19.0, -1.0] points).",
        "Elsewhere no detectable change: deu_Latn 50.0% -> 50.0% (+0.0 [-5.0, +5.0] points).",
        "Time a token on cpu: 10 ms without it, 10.5 ms with it (+5%, of which a few percent are noise).",
    ]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("random_do_as_well", "It does not help more than random experts do"),
        ("hurts", "It hurts"),
        ("too_few_items", "It cannot be seen with this much data"),
        ("cannot_be_told", "It cannot be tested on these items"),
    ],
)
def test_each_verdict_has_its_words(code: VerdictCode, said: str) -> None:
    told = str(checked(code=code))
    assert said in told
    assert "Its time a token was not measured." in told


def test_what_these_items_could_show_is_said_where_nothing_was_seen() -> None:
    assert "A gain below 10.0 points would seldom show" in str(checked(code="too_few_items"))
    assert "No possible gain would show" in str(checked(code="cannot_be_told", detectable=None))
    alone = str(checked(by_language={"swh_Latn": GAIN}, score="chrf"))
    assert "What it costs in other languages was not measured." in alone
    assert "chrF of quiz" in alone


def test_codes_are_those_of_results() -> None:
    assert get_args(VerdictCode) == get_args(results.VerdictCode)


def test_a_verdict_that_cannot_be_is_refused(tmp_path: Path) -> None:
    content = checked().content()
    content["verdict"]["gain"]["base"] = 1.5
    (tmp_path / "plan.json").write_text(json.dumps(content))
    with pytest.raises(PlanError, match=r"verdict\.gain\.base"):
        Plan.load(tmp_path / "plan.json")
