"""Plans by environment variables: what is read, and what is refused with the variable's name."""

import os
import subprocess
import sys

import pytest

from polyroute.engines.vllm import given
from polyroute.engines.vllm.given import Held, UnknownPlanError, ways_of
from polyroute.steering.plan import Plan, PlanError
from polyroute.workers.errors import EngineError

PLAN = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="soft", strength=0.5, experts={1: (1, 4)})
MASK = Plan(model="tiny", experts_per_layer=8, top_k=2, rule="mask", experts={1: (1, 4)})


@pytest.fixture
def plans(tmp_path, monkeypatch):
    for name in (given.PLAN, given.PLANS, given.SLOTS, given.RULES_TO_COME):
        monkeypatch.delenv(name, raising=False)
    PLAN.save(tmp_path / "soft.json")
    MASK.save(tmp_path / "mask.json")

    def read(**variables: str):
        given.held.cache_clear()
        for name, value in variables.items():
            monkeypatch.setenv(name, value.replace("@", f"{tmp_path}/"))
        return given.held()

    yield read
    given.held.cache_clear()


def test_without_variables_a_process_is_left_alone(plans) -> None:
    assert plans() is None


def test_the_default_and_named_plans_have_slots_of_their_own_and_none_has_slot_0(plans) -> None:
    held = plans(POLYROUTE_PLAN="@soft.json", POLYROUTE_PLANS="hush=@mask.json")
    assert held.slots == 2
    assert [held.slot_of(one) for one in (None, {}, {"plan": "default"}, {"plan": "hush"}, {"plan": "none"})] == [
        1, 1, 1, 2, 0,
    ]  # fmt: skip


def test_without_a_default_requests_that_name_no_plan_follow_none(plans) -> None:
    held = plans(POLYROUTE_PLANS="soft=@soft.json")
    assert held.slot_of(None) == 0
    assert held.key_of(None) is None


def test_an_unknown_plan_is_refused_with_the_names_that_there_are(plans) -> None:
    held = plans(POLYROUTE_PLANS="soft=@soft.json")
    with pytest.raises(UnknownPlanError, match="no plan `loud`: this engine has soft, none"):
        held.name_of({"plan": "loud"})
    with pytest.raises(UnknownPlanError):
        held.name_of({"plan": 3})


def test_prefixes_are_told_apart_by_what_plans_do_not_by_their_names(plans) -> None:
    held = plans(POLYROUTE_PLANS="a=@soft.json,b=@soft.json,c=@mask.json")
    keys = [held.key_of({"plan": name}) for name in "abc"]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"POLYROUTE_PLANS": "soft"}, "POLYROUTE_PLANS: `soft` is not name=file"),
        ({"POLYROUTE_PLANS": "a=@soft.json,a=@mask.json"}, "`a` is there twice"),
        ({"POLYROUTE_PLANS": "none=@soft.json"}, "`none` cannot be the name of a plan"),
        ({"POLYROUTE_SLOTS": "many"}, "POLYROUTE_SLOTS: `many` is not a number"),
        ({"POLYROUTE_SLOTS": "2", "POLYROUTE_RULES": "hard"}, "`hard` is not a rule; there is soft"),
    ],
)
def test_what_cannot_be_read_is_refused_by_the_name_of_its_variable(plans, variables, said) -> None:
    with pytest.raises(EngineError, match=said.replace("(", r"\(")):
        plans(**variables)


def test_a_plan_that_is_absent_is_refused_by_its_file(plans) -> None:
    with pytest.raises(PlanError, match="absent"):
        plans(POLYROUTE_PLAN="@nowhere.json")


def test_plans_to_come_need_room_and_a_rule_that_the_engine_was_started_for() -> None:
    held = Held({}, None, 1, ways_of([], ["soft"]))
    held.hold({"x": PLAN}, "x")
    assert held.slot_of(None) == 1
    with pytest.raises(EngineError, match="POLYROUTE_SLOTS=2"):
        held.hold({"x": PLAN, "y": PLAN})
    with pytest.raises(EngineError, match=r"by mask, and this engine was started for soft .*=mask before"):
        held.hold({"x": MASK})


def test_importing_the_package_imports_no_vllm() -> None:
    script = (
        "import sys\nsys.modules['vllm'] = None\n"
        "import polyroute.engines.vllm.plugin as plugin, polyroute.engines.vllm.worker, polyroute.engines.vllm.checks\n"
        "plugin.register()\nassert not plugin.registered()"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("POLYROUTE")}
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, env=clean)
