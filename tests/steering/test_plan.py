"""Steering plans: a round trip, and every mistake refused with its key or its difference."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from polyroute.models.taps import FromOutputs, Router, Site
from polyroute.steering.plan import Plan, PlanError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHA256 = "a" * 64

FIELDS: dict[str, Any] = {
    "model": "tiny",
    "model_digest": COMMIT,
    "layers": 3,
    "experts_per_layer": 8,
    "top_k": 2,
    "rule": "soft",
    "strength": 0.5,
    "experts": {0: [5, 1], 2: [3]},
    "source": {"task": "mgsm", "tau": 0.3, "items": 250, "all": True, "layers": [0, 2]},
}


def routers(layers: int = 3, experts: int = 8, top_k: int = 2) -> list[Router]:
    site = Site(0, experts, FromOutputs(2, 1))
    return [
        Router(layer, f"model.layers.{layer}.mlp.gate", nn.Identity(), experts, top_k, "softmax>topk", site)
        for layer in range(layers)
    ]


def write(folder: Path, **changes: Any) -> Path:
    content = {"format": 1, **FIELDS, "experts": {"0": [5, 1], "2": [3]}, **changes}
    path = folder / "plan.json"
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}), encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------- the file


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"strength": -1, "std": "sample", "model_digest": SHA256},
        {"rule": "activate", "strength": None, "eps": "std", "seed": 7, "model_digest": None, "layers": None},
        {"rule": "deactivate", "strength": None, "source": {}},
        {"rule": "activate", "strength": None, "allow_more_than_k": True, "experts": {1: [0, 1, 2]}},
        {"rule": "mask", "strength": None, "experts": {1: [0, 1, 2, 3, 4, 5]}},
        {"arithmetic": "model"},
        {"rule": "magnitude", "strength": 0.022, "weights": {0: {5: 0.683, 1: 0.1 + 0.2}, 2: {3: 0}}},
        {"rule": "magnitude", "strength": -1, "weights": {0: {5: 1, 1: 3.5}, 2: {3: 1}}, "arithmetic": "model"},
    ],
)
def test_a_plan_comes_back_from_its_file(tmp_path, changes) -> None:
    plan = Plan(**FIELDS | changes)
    plan.save(tmp_path / "a.json")
    loaded = Plan.load(str(tmp_path / "a.json"))
    assert loaded == plan
    assert {key: type(value) for key, value in loaded.source.items()} == {
        key: type(value) for key, value in plan.source.items()
    }
    loaded.save(tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_a_saved_plan_that_was_changed_is_refused_and_one_without_checksum_is_read(tmp_path) -> None:
    path, plan = tmp_path / "plan.json", Plan(**FIELDS)
    plan.save(path)
    text = path.read_text()
    path.write_text(text.replace('"top_k": 2', '"top_k": 3'))
    with pytest.raises(
        PlanError, match=r"plan.json is damaged: .* where a change is meant, delete `checksum` from its `source`"
    ):
        Plan.load(path)
    content = json.loads(text)
    del content["source"]["checksum"]
    path.write_text(json.dumps(content))
    assert Plan.load(path) == plan


def test_the_file_is_plain_and_in_the_order_of_layers(tmp_path) -> None:
    experts = {layer: [layer % 8, 7] for layer in (10, 9, 2) if layer % 8 != 7}
    Plan(**FIELDS | {"layers": 11, "experts": experts}).save(tmp_path / "plan.json")
    content = json.loads((tmp_path / "plan.json").read_text())
    assert list(content["experts"]) == ["2", "9", "10"]
    assert content["experts"]["10"] == [2, 7]
    assert (content["format"], content["std"], content["eps"], content["seed"]) == (1, "population", "variance", 0)


MAGNITUDE: dict[str, Any] = {"rule": "magnitude", "strength": 0.022}
WEIGHTS: dict[str, Any] = {"0": {"5": 0.4, "1": 0.6}, "2": {"3": 0.5}}


def test_weights_are_plain_in_the_file_and_in_the_order_of_layers_and_experts(tmp_path) -> None:
    fields = {"layers": 11, "experts": {10: [7, 2], 9: [1]}, "weights": {10: {7: 0.7, 2: 0.2}, 9: {1: 0.1}}}
    Plan(**FIELDS | MAGNITUDE | fields).save(tmp_path / "plan.json")
    content = json.loads((tmp_path / "plan.json").read_text())
    assert list(content["weights"].items()) == [("9", {"1": 0.1}), ("10", {"2": 0.2, "7": 0.7})]
    assert list(content["weights"]["10"]) == ["2", "7"]
    loaded = Plan.load(tmp_path / "plan.json")
    assert loaded.weights == {9: {1: 0.1}, 10: {2: 0.2, 7: 0.7}}
    assert [list(weights) for weights in (loaded.weights or {}).values()] == [[1], [2, 7]]


def test_plans_of_older_rules_keep_their_bytes_and_digests(tmp_path) -> None:
    """Earlier versions refuse a key that they do not know, and finished answers are kept under what a plan holds."""
    for fields in ({}, {"rule": "deactivate", "strength": None}):
        plan = Plan(**FIELDS | fields)
        plan.save(tmp_path / "plan.json")
        content = json.loads((tmp_path / "plan.json").read_text())
        assert set(content) == set(Plan.model_fields) - {"weights", "arithmetic"} == set(plan.model_dump(mode="json"))
    assert set(Plan(**FIELDS | {"arithmetic": "model"}).model_dump()) == set(Plan.model_fields) - {"weights"}


def test_plans_written_before_there_were_weights_are_read(tmp_path) -> None:
    plan = Plan.load(write(tmp_path))
    assert (plan.weights, plan.arithmetic) == (None, "float32")


def test_weights_may_come_from_arrays() -> None:
    weights = {np.int64(0): {np.int64(5): np.float32(0.5), 1: np.float64(0.25)}, 2: {3: torch.tensor(0.75).item()}}
    plan = Plan(**FIELDS | MAGNITUDE | {"weights": weights})
    assert plan.weights == {0: {1: 0.25, 5: 0.5}, 2: {3: 0.75}}


def test_order_of_layers_and_experts_means_nothing(tmp_path) -> None:
    plan = Plan.load(write(tmp_path, experts={"2": [3], "0": [5, 1]}))
    assert plan.experts == {0: (1, 5), 2: (3,)}
    assert list(plan.experts) == [0, 2]
    assert plan == Plan(**FIELDS)


def test_a_plan_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Plan(**FIELDS).strength = 1.0


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"strength": float("nan")}, "strength: Input should be a finite number"),
    ({"strength": float("-inf")}, "strength: Input should be a finite number"),
    ({"strength": "0.5"}, "strength: Input should be a valid number"),
    ({"strength": ...}, "strength: the rule soft needs one"),
    ({"rule": "activate"}, "strength: the rule activate takes none"),
    ({"rule": "hard"}, "rule: `hard` is not a rule; there is soft, activate, deactivate, mask, magnitude"),
    ({"rule": ...}, "rule: Field required"),
    ({"std": "both"}, "std: Input should be 'population' or 'sample'"),
    ({"eps": 1e-6}, "eps: Input should be 'variance' or 'std'"),
    ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
    ({"model": ""}, "model: String should have at least 1 character"),
    ({"model_digest": "main"}, "model_digest: String should match"),
    ({"top_k": 9}, "top_k: 9 is more than experts_per_layer, which is 8"),
    ({"top_k": 2.5}, "top_k: Input should be a valid integer"),
    ({"experts": {}}, "experts: is empty"),
    ({"experts": [3]}, "experts: must be an object of layers"),
    ({"experts": {"0": []}}, "experts: layer 0 must have a list of at least one expert"),
    ({"experts": {"0": 3}}, "experts: layer 0 must have a list"),
    ({"experts": {"0": [3, 1, 3]}}, "experts: layer 0 has expert 3 more than once"),
    ({"experts": {"0": [-1]}}, "experts: layer 0 has `-1`, which is not the id of an expert"),
    ({"experts": {"0": [1.0]}}, "experts: layer 0 has `1.0`"),
    ({"experts": {"0": [True]}}, "experts: layer 0 has `True`"),
    ({"experts": {"2": [8]}}, "experts.2: there is no expert 8; the model has 0 to 7"),
    ({"experts": {"-1": [3]}}, "experts: `-1` is not the number of a layer"),
    ({"experts": {"first": [3]}}, "experts: `first` is not the number of a layer"),
    ({"experts": {"0": [3], "00": [3]}}, "experts: `00` is not the number of a layer"),
    ({"source": {"tau": float("nan")}}, "source.tau"),
    ({"lambda": 0.5}, "lambda: unknown key; there is format, model,"),
    (
        {"rule": "activate", "strength": ..., "experts": {"2": [1, 2, 3]}},
        "experts.2: 3 experts are activated, but a token is sent to 2; name no more",
    ),
    (
        {"rule": "deactivate", "strength": ..., "experts": {"2": [0, 1, 2, 3, 4, 5, 6]}},
        "experts.2: 7 of 8 experts are deactivated, but a token is sent to 2",
    ),
    (
        {"rule": "mask", "strength": ..., "experts": {"2": [0, 1, 2, 3, 4, 5, 6]}},
        "experts.2: 7 of 8 experts are masked, but a token is sent to 2, some of them among these; name fewer",
    ),
    ({"rule": "mask"}, "strength: the rule mask takes none"),
    ({"rule": "mask", "strength": ..., "weights": WEIGHTS}, "weights: the rule mask takes none; leave it out"),
    ({"weights": WEIGHTS}, "weights: the rule soft takes none; leave it out"),
    (MAGNITUDE, "weights: the rule magnitude needs them"),
    ({**MAGNITUDE, "strength": ..., "weights": WEIGHTS}, "strength: the rule magnitude needs one"),
    ({**MAGNITUDE, "weights": {"0": {"5": 0.4}, "2": {"3": 0.5}}}, "weights.0: expert 1 is to be moved and has no"),
    ({**MAGNITUDE, "weights": {"2": {"3": 0.5}}}, "weights.0: expert 1, 5 is to be moved and has no weight"),
    ({**MAGNITUDE, "weights": {**WEIGHTS, "1": {"0": 1.0}}}, "weights.1: expert 0 has a weight and is not among those"),
    ({**MAGNITUDE, "weights": {**WEIGHTS, "2": {"3": 1, "4": 1}}}, "weights.2: expert 4 has a weight and is not among"),
    (
        {**MAGNITUDE, "weights": {**WEIGHTS, "2": {"3": -0.1}}},
        "weights.2.3: Input should be greater than or equal to 0",
    ),
    ({**MAGNITUDE, "weights": {**WEIGHTS, "2": {"3": float("nan")}}}, "weights.2.3: Input should be a finite number"),
    ({**MAGNITUDE, "weights": {**WEIGHTS, "2": {"3": float("inf")}}}, "weights.2.3: Input should be a finite number"),
    ({**MAGNITUDE, "weights": {**WEIGHTS, "2": {"3": "1"}}}, "weights.2.3: Input should be a valid number"),
    ({**MAGNITUDE, "weights": {**WEIGHTS, "2": {"3": True}}}, "weights.2.3: Input should be a valid number"),
    (
        {**MAGNITUDE, "weights": {**WEIGHTS, "2": {"x": 1}}},
        "weights: layer 2 has `x`, which is not the id of an expert",
    ),
    (
        {**MAGNITUDE, "weights": {**WEIGHTS, "2": [0.5]}},
        'weights: layer 2 must be an object, as in {"10": {"3": 0.41}}',
    ),
    ({**MAGNITUDE, "weights": {**WEIGHTS, "-1": {}}}, "weights: has `-1`, which is not the number of a layer"),
    ({**MAGNITUDE, "weights": [0.5]}, "weights: must be an object, as in"),
    ({"arithmetic": "bfloat16"}, "arithmetic: Input should be 'float32' or 'model'"),
    (
        {"rule": "mask", "strength": ..., "arithmetic": "model"},
        "arithmetic: `model` is for soft and magnitude; the rule mask has none to choose, leave it out",
    ),
    ({"rule": "activate", "strength": ..., "arithmetic": "model"}, "arithmetic: `model` is for soft and magnitude"),
]


@pytest.mark.parametrize(("changes", "said"), MISTAKES, ids=[said[:60] for _, said in MISTAKES])
def test_a_mistake_is_refused_with_its_key(tmp_path, changes, said) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(PlanError) as error:
        Plan.load(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_every_mistake_is_named_at_once(tmp_path) -> None:
    with pytest.raises(PlanError, match=r"(?s)strength: .*experts: layer 2"):
        Plan.load(write(tmp_path, strength=float("inf"), experts={"2": [1, 1]}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a steering plan: Expecting value"),
        ("[1]", "is not a steering plan: it holds no object"),
        ('{"format": 1, "experts": {"8": [1], "8": [2]}}', "it has the key `8` twice"),
        ('{"format": 2}', "format is 2; this version of polyroute reads format 1"),
        ("{}", "format is missing; this version"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(tmp_path, text, said) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(PlanError) as error:
        Plan.load(path)
    assert f"{path}" in str(error.value)
    assert said in str(error.value)


def test_absent_and_unreadable_files_are_named(tmp_path) -> None:
    with pytest.raises(PlanError, match=r"plan\.json is absent"):
        Plan.load(tmp_path / "plan.json")
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match=r"plan\.json is not a steering plan: .*utf-8"):
        Plan.load(tmp_path / "plan.json")


# ------------------------------------------------------------------------------------------------- the model


def test_a_plan_fits_its_model() -> None:
    plan = Plan(**FIELDS)
    plan.check(routers())
    plan.check(routers(), model_digest=COMMIT)
    Plan(**FIELDS | {"model_digest": None}).check(routers(), model_digest=SHA256)
    Plan(**FIELDS | {"layers": None}).check(routers(layers=30))


def test_a_commit_and_a_digest_of_files_are_not_compared() -> None:
    Plan(**FIELDS).check(routers(), model_digest=SHA256)


@pytest.mark.parametrize(
    ("here", "said"),
    [
        ({"layers": 4}, "  layers is 3 in the plan, 4 here"),
        ({"layers": 2}, "  experts.2: layer 2 has no router here"),
        ({"layers": 0}, "  layers is 3 in the plan, 0 here"),
        ({"experts": 16}, "  experts_per_layer is 8 in the plan, 16 here"),
        ({"experts": 4}, "  experts.0: expert 5 is not here; layer 0 has 0 to 3"),
        ({"top_k": 4}, "  top_k is 2 in the plan, 4 here"),
    ],
)
def test_another_model_is_refused_with_the_difference(here, said) -> None:
    with pytest.raises(PlanError, match="the plan is for tiny and does not fit this model") as error:
        Plan(**FIELDS).check(routers(**here))
    assert said in str(error.value).split("\n")


def test_another_digest_is_refused_with_all_other_differences() -> None:
    other = COMMIT[::-1]
    with pytest.raises(PlanError) as error:
        Plan(**FIELDS).check(routers(layers=2, experts=4, top_k=1), model_digest=other)
    assert str(error.value).split("\n")[1:] == [
        f"  model_digest is {COMMIT} in the plan, {other} here",
        "  experts_per_layer is 8 in the plan, 4 here",
        "  top_k is 2 in the plan, 1 here",
        "  layers is 3 in the plan, 2 here",
        "  experts.0: expert 5 is not here; layer 0 has 0 to 3",
        "  experts.2: layer 2 has no router here",
    ]


def test_two_routers_in_a_planned_layer_are_told_from_one() -> None:
    pair = [*routers(), replace(routers()[2], name="model.layers.2.attention.gate")]
    with pytest.raises(PlanError, match=r"experts\.2: layer 2 has 2 routers here \(model\.layers\.2\.mlp\.gate, model"):
        Plan(**FIELDS).check(pair)
    Plan(**FIELDS | {"experts": {0: [1]}}).check(pair)


def test_ids_may_come_from_arrays(tmp_path) -> None:
    found = Plan(**FIELDS | {"experts": {np.int64(2): list(np.array([6, 3]))}})
    assert found.experts == {2: (3, 6)}
    found.save(tmp_path / "plan.json")
    assert Plan.load(tmp_path / "plan.json") == found


def test_a_plan_in_python_refuses_what_a_file_does() -> None:
    with pytest.raises(ValidationError, match="more than once"):
        Plan(**FIELDS | {"experts": {0: [1, 1]}})
    with pytest.raises(ValidationError, match="finite"):
        Plan(**FIELDS | {"strength": torch.inf})


# -------------------------------------------------------------------------------------------- made for a model


def test_a_plan_for_a_model_has_its_shape(model) -> None:
    plan = Plan.for_model(model, experts={np.int64(2): np.array([3, 1]), 0: {5}})
    assert (plan.layers, plan.experts_per_layer, plan.top_k) == (3, 8, 2)
    assert (plan.rule, plan.strength, plan.experts) == ("soft", 0.5, {0: (5,), 2: (1, 3)})
    assert Plan.for_model(model, {1: [0]}, "mask", routers=routers(), source={"of": "me"}).source == {"of": "me"}


@pytest.mark.parametrize(
    ("experts", "options", "said"),
    [
        ({7: [1]}, {}, "experts.7: layer 7 has no router here"),
        ({1: [8]}, {}, "experts.1: there is no expert 8; the model has 0 to 7"),
        ({}, {}, "experts: is empty"),
        ({1: [1]}, {"rule": "magnitude"}, "strength: the rule magnitude needs one"),
        ({1: [1]}, {"rule": "push"}, "rule: `push` is not a rule"),
        ({1: [1]}, {"colour": "red"}, "colour: unknown key"),
    ],
)
def test_a_plan_that_a_model_cannot_have_is_refused(model, experts, options, said) -> None:
    with pytest.raises(PlanError, match=said):
        Plan.for_model(model, experts, routers=routers(), **options)
