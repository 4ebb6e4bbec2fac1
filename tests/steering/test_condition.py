"""Files of conditions: whole plans come back, and what is no such file is refused in a sentence."""

import pytest

from polyroute.ground.files import digest, read_checked_json, write_checked_json
from polyroute.steering.condition import BASELINE, AskedConditions, Condition, ConditionError, ConditionFile
from polyroute.steering.plan import Plan

SHAPE = {"model": "tiny", "model_digest": "a" * 64, "layers": 3, "experts_per_layer": 8, "top_k": 2}
SOURCE = {"task": "mgsm", "tau": 0.1 + 0.2, "items": 250, "all": True, "shared": ["eng_Latn", "deu_Latn"]}
PLANS = {
    "soft": Plan(**SHAPE, rule="soft", strength=1.0, experts={0: (5, 1), 2: (3,)}, std="sample", source=SOURCE),
    "activate": Plan(**SHAPE, rule="activate", experts={1: (0, 1, 2)}, eps="std", seed=7, allow_more_than_k=True),
    "deactivate": Plan(model="tiny", experts_per_layer=8, top_k=2, rule="deactivate", experts={10: (4,), 9: (3,)}),
    "mask": Plan(**SHAPE, rule="mask", experts={1: (0, 1, 2, 3, 4, 5)}),
    "magnitude": Plan(
        **SHAPE, rule="magnitude", strength=-0.022, arithmetic="model", experts={0: (1, 5), 2: (3,)},
        weights={0: {1: 0.1 + 0.2, 5: 1 / 3}, 2: {3: 0}},
    ),
}  # fmt: skip


def named(rule: str) -> Condition:
    return Condition(f"{rule}-eng_Latn-0.5", "exclusive", PLANS[rule], (0, 2), 1, target="eng_Latn", range="early")


@pytest.mark.parametrize("rule", PLANS)
def test_a_plan_comes_back_bit_by_bit(tmp_path, rule) -> None:
    given = ConditionFile(conditions=(named(rule),))
    given.save(tmp_path / "a.json")
    found = ConditionFile.load(tmp_path / "a.json")
    (one,) = found.conditions
    assert one == named(rule)
    plan = one.plan
    assert plan.model_dump() == PLANS[rule].model_dump()
    assert digest(plan.model_dump(mode="json")) == digest(PLANS[rule].model_dump(mode="json"))
    assert {key: type(value) for key, value in plan.source.items()} == {
        key: type(value) for key, value in PLANS[rule].source.items()
    }
    for name, one in (("b", plan), ("c", PLANS[rule])):
        one.save(tmp_path / f"{name}.json")
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "c.json").read_bytes()
    found.save(tmp_path / "again.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "again.json").read_bytes()


def test_weights_keep_every_bit(tmp_path) -> None:
    ConditionFile(conditions=(named("magnitude"),)).save(tmp_path / "a.json")
    (one,) = ConditionFile.load(tmp_path / "a.json").conditions
    assert one.plan.weights == {0: {1: 0.30000000000000004, 5: 0.3333333333333333}, 2: {3: 0.0}}


def test_conditions_keep_their_order_and_the_baseline_does_nothing(tmp_path) -> None:
    given = (named("mask"), BASELINE, named("soft"))
    ConditionFile(conditions=given).save(tmp_path / "a.json")
    found = ConditionFile.load(tmp_path / "a.json").conditions
    assert found == given
    assert (found[1].plan, found[1].layers, found[1].draw, found[1].target, found[1].range) == (None,) * 5


class Told(ConditionFile):
    reason: str
    languages: tuple[str, ...]


def test_asking_reads_of_a_file_what_it_needs(tmp_path) -> None:
    Told(conditions=(named("soft"),), reason="why", languages=("eng_Latn",)).save(tmp_path / "a.json")
    asked = AskedConditions.load(tmp_path / "a.json")
    assert (asked.conditions, asked.languages) == ((named("soft"),), ("eng_Latn",))
    ConditionFile(conditions=()).save(tmp_path / "b.json")
    assert AskedConditions.load(tmp_path / "b.json").languages is None
    with pytest.raises(ConditionError, match=r"a\.json holds no conditions .*languages: Extra inputs"):
        ConditionFile.load(tmp_path / "a.json")


def test_a_file_that_holds_no_conditions_is_refused_in_a_sentence(tmp_path) -> None:
    path = tmp_path / "a.json"

    def refused(match: str) -> None:
        with pytest.raises(ConditionError, match=match) as caught:
            ConditionFile.load(path)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    refused("is absent: `dvc repro` computes it")
    ConditionFile(conditions=(named("soft"),)).save(path)
    whole = path.read_bytes()
    for damaged in (whole[:-1], b"\xff" + whole):
        path.write_bytes(damaged)
        refused("is damaged: its content is not what its checksum says; delete it and make it anew")
    path.write_bytes(whole)
    content = read_checked_json(path)
    for change, key in (
        ({"conditions": [{"name": "one", "kind": "unheard-of", "plan": None}]}, r"conditions\.0\.kind: "),
        ({"conditions": [{"name": "one", "kind": "dose", "plan": {"model": "tiny"}}]}, r"conditions\.0\.plan\.\w+: "),
        ({"masks": []}, "masks: Extra inputs"),
        ({"conditions": 3}, "conditions: "),
    ):
        write_checked_json(path, content | change)
        refused(key)
    path.write_text("[]")
    refused("carries no checksum")
