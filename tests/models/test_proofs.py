import gc
import weakref

import pytest
import torch

import polyroute
from polyroute.models import contract
from polyroute.models.contract import check_contract, ensure_contract
from polyroute.models.routers import RouterError, find_routers
from tiny import make_model


@pytest.fixture
def checks(monkeypatch) -> list[int]:
    """One entry a check: how many routers it was of."""
    seen: list[int] = []
    check = contract.check_contract

    def counted(model, routers):
        seen.append(len(routers))
        return check(model, routers)

    monkeypatch.setattr(contract, "check_contract", counted)
    return seen


def test_tracing_again_checks_nothing_again(tokenizer, checks) -> None:
    model = make_model()
    for texts in (["abc"], ["abc"], ["a b c", "cab"]):
        polyroute.trace(model, tokenizer, texts)
    assert checks == [3]


def test_a_check_by_hand_counts(checks) -> None:
    model = make_model()
    routers = find_routers(model)
    check_contract(model, routers)
    ensure_contract(model, routers)
    ensure_contract(model, find_routers(model)[:1])
    assert checks == []


def test_other_routers_are_checked_and_then_known_too(checks) -> None:
    model = make_model()
    routers = find_routers(model)
    for some in (routers[:1], routers[:1], routers[1:], routers):
        ensure_contract(model, some)
    assert checks == [1, 2]


def swap_router(model):
    mlp = model.model.layers[1].mlp
    other = type(mlp.gate)(model.config)
    other.load_state_dict(mlp.gate.state_dict())
    mlp.gate = other.eval()


def write_in_place(model):
    with torch.no_grad():
        model.model.layers[1].mlp.gate.weight.mul_(2)


def write_an_expert(model):
    with torch.no_grad():
        model.model.layers[0].mlp.experts.down_proj.mul_(2)


def put_in_a_weight(model):
    gate = model.model.layers[1].mlp.gate
    gate.weight = torch.nn.Parameter(gate.weight.detach().clone())


def replace_data(model):
    gate = model.model.layers[1].mlp.gate
    gate.weight.data = gate.weight.data.clone()


def load_weights(model):
    model.load_state_dict({name: weight.clone() for name, weight in model.state_dict().items()})


def cast(model):
    model.to(torch.bfloat16)


def other_kernel(model):
    model.set_experts_implementation("eager")


@pytest.mark.parametrize(
    "change",
    [swap_router, write_in_place, write_an_expert, put_in_a_weight, replace_data, load_weights, cast, other_kernel],
)
def test_a_changed_model_is_checked_once_more(tokenizer, checks, change) -> None:
    model = make_model()
    polyroute.trace(model, tokenizer, ["abc"])
    change(model)
    polyroute.trace(model, tokenizer, ["abc"])
    polyroute.trace(model, tokenizer, ["abc"])
    assert checks == [3, 3]


def train_and_rest(model):
    model.train()
    model.eval()


def steer_it(model):
    with polyroute.edit(find_routers(model), lambda _router, logits_TE: logits_TE + 1), torch.no_grad():
        model(input_ids=torch.tensor([[3, 4]]))


def take_gradients(model):
    model(input_ids=torch.tensor([[3, 4]])).logits.sum().backward()


@pytest.mark.parametrize("use", [train_and_rest, steer_it, take_gradients])
def test_a_used_model_is_not_checked_again(tokenizer, checks, use) -> None:
    model = make_model()
    polyroute.trace(model, tokenizer, ["abc"])
    use(model)
    polyroute.trace(model, tokenizer, ["abc"])
    assert checks == [3]


def test_another_model_is_checked(tokenizer, checks) -> None:
    for _ in range(2):
        polyroute.trace(make_model(), tokenizer, ["abc"])
    assert checks == [3, 3]


def test_a_breach_is_not_remembered_as_a_proof(monkeypatch) -> None:
    model = make_model()
    routers = find_routers(model)
    experts = model.model.layers[1].mlp.experts
    forward = experts.forward
    # Experts that run whatever the router says.
    monkeypatch.setattr(
        experts, "forward", lambda states, ids, weights: forward(states, torch.zeros_like(ids), weights * 0)
    )
    for _ in range(2):
        with pytest.raises(RouterError, match="did not change the model's output"):
            ensure_contract(model, routers)


def test_weights_that_torch_does_not_count_are_checked_every_time(checks) -> None:
    with torch.inference_mode():
        model = make_model()
    for _ in range(2):
        ensure_contract(model, find_routers(model))
    assert checks == [3, 3]


def test_nothing_keeps_a_model_alive(tokenizer) -> None:
    model = make_model()
    polyroute.trace(model, tokenizer, ["abc"])
    gone = [weakref.ref(model), weakref.ref(model.model.layers[0].mlp.gate), weakref.ref(model.lm_head.weight)]
    del model
    gc.collect()
    assert [one() for one in gone] == [None, None, None]
