"""Leaving the lower layers out changes no bit, whatever the architecture and whatever calls the model."""

import pytest
import torch

from models.tiny_models import EXPERTS, tiny
from polyroute.models.routers import edit, find_routers, observe
from polyroute.steering.apply import steer
from polyroute.steering.lower_layers import LowerLayers, LowerLayersError
from polyroute.steering.plan import Plan

TOKENS_BS = torch.tensor([[5, 9, 33, 7, 60], [11, 2, 40, 21, 3]])
CHOICES_RT = torch.tensor([[4, 8], [15, 16], [23, 42], [17, 2]])
ZOO: dict = {}


@pytest.fixture(params=["qwen3_moe", "gpt_oss", "phimoe", "deepseek_v3", "mixtral", "olmoe"])
def found(request):
    if request.param not in ZOO:
        model = tiny(request.param)
        ZOO[request.param] = model, find_routers(model)
    return ZOO[request.param]


def push(router, logits_TE):
    """A steering rule as any other."""
    return logits_TE + torch.linspace(-1, 1, EXPERTS)


def scored(model) -> torch.Tensor:
    """A prompt, then two continuations of each over its cache."""
    with torch.inference_mode():
        told = model(TOKENS_BS, use_cache=True)
        told.past_key_values.batch_repeat_interleave(2)
        rest = model(CHOICES_RT, past_key_values=told.past_key_values)
    return torch.cat([told.logits.flatten(), rest.logits.flatten()])


def generated(model) -> torch.Tensor:
    return model.generate(
        TOKENS_BS, max_new_tokens=6, do_sample=False, attention_mask=torch.ones_like(TOKENS_BS), pad_token_id=0,
        output_logits=True, return_dict_in_generate=True, eos_token_id=-1,
    )  # fmt: skip


def last_router(routers):
    return [router for router in routers if router.layer == 2]


def test_scores_of_an_intervention_are_the_same_bits(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {2}, routers)
    plain = scored(model)
    with edit(last_router(routers), push):
        steered = scored(model)
    assert not torch.equal(plain, steered)
    with lower.record():
        assert torch.equal(scored(model), plain)
    for _ in range(2):
        with lower.replay(2), edit(last_router(routers), push):
            assert torch.equal(scored(model), steered)
        with lower.replay(2):
            assert torch.equal(scored(model), plain)
    assert torch.equal(scored(model), plain), "nothing is left behind"


@pytest.mark.parametrize(
    "rule", [{"rule": "mask"}, {"rule": "magnitude", "strength": 3.0, "weights": {2: {1: 0.5, 6: 1}}}]
)
def test_a_plan_of_any_rule_is_replayed_below_its_first_layer(found, rule) -> None:
    model, routers = found
    plan = Plan(model="tiny", experts_per_layer=EXPERTS, top_k=2, experts={2: (1, 6)}, **rule)
    lower = LowerLayers(model, {min(plan.experts)}, routers)
    with lower.record():
        scored(model)
    with steer(model, plan, routers=routers):
        steered = scored(model)
        with lower.replay(min(plan.experts)):
            assert torch.equal(scored(model), steered)


def test_generation_that_takes_another_way_is_computed(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {2}, routers)
    with edit(last_router(routers), push):
        steered = generated(model)
    with lower.record():
        plain = generated(model)
    with lower.replay(2), edit(last_router(routers), push):
        again = generated(model)
    assert torch.equal(again.sequences, steered.sequences)
    assert all(torch.equal(a, b) for a, b in zip(again.logits, steered.logits, strict=True))
    with lower.replay(2):
        assert torch.equal(generated(model).sequences, plain.sequences)


def test_prompts_after_another_way_are_left_out_again(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {2}, routers)
    batches = [TOKENS_BS.flip(column) for column in (0, 1)]

    def texts(ids: torch.Tensor | None = None) -> list[torch.Tensor]:
        """Prompts, each with a token more: the given one or the likeliest."""
        told = []
        with torch.inference_mode():
            for batch in batches:
                first = model(batch, use_cache=True)
                token = first.logits[:, -1:].argmax(-1) if ids is None else ids
                told += [first.logits, model(token, past_key_values=first.past_key_values).logits]
        return told

    other = torch.tensor([[7], [9]])
    with edit(last_router(routers), push):
        expected = texts(other)
    with lower.record():
        texts()
    with lower.replay(2), edit(last_router(routers), push), observe(routers, lambda *_: None) as calls:
        found_again = texts(other)
    assert all(torch.equal(a, b) for a, b in zip(found_again, expected, strict=True))
    below = [calls[router] for router in routers if router.layer < 2]
    assert below
    assert set(below) == {2}, "the tokens that differ, and neither prompt"


def test_equal_ids_at_other_positions_are_computed(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {2}, routers)
    shifted = torch.tensor([[0, 0, 0, 1, 2]] * 2)
    mask = torch.tensor([[0, 0, 1, 1, 1]] * 2)
    with torch.inference_mode():
        expected = model(TOKENS_BS, attention_mask=mask, position_ids=shifted).logits
        with lower.record():
            model(TOKENS_BS, position_ids=torch.arange(5).expand(2, 5))
        with lower.replay(2):
            assert torch.equal(model(TOKENS_BS, attention_mask=mask, position_ids=shifted).logits, expected)


def test_lower_layers_are_not_run_again(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {2}, routers)
    with lower.record():
        scored(model)
    with lower.replay(2), observe(routers, lambda *_: None, require_calls=False) as calls:
        scored(model)
    assert {router.layer for router in routers if calls[router]} == {2}


def test_other_inputs_are_computed(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {2}, routers)
    other = TOKENS_BS.flip(0)
    with torch.inference_mode():
        expected = model(other).logits
        with lower.record():
            model(TOKENS_BS)
        with lower.replay(2):
            assert torch.equal(model(other).logits, expected)
            assert torch.equal(model(other).logits, expected), "more calls than were recorded"


def test_layer_zero_has_nothing_below_it(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {0}, routers)
    with lower.record():
        plain = scored(model)
    with lower.replay(0):
        assert torch.equal(scored(model), plain)


def test_conditions_may_begin_at_different_layers(found) -> None:
    model, routers = found
    lower = LowerLayers(model, {0, 1, 2}, routers)
    with lower.record():
        scored(model)
    for first in (2, 0, 1):
        edited = [router for router in routers if router.layer >= first]
        with edit(edited, push):
            steered = scored(model)
        with lower.replay(first), edit(edited, push):
            assert torch.equal(scored(model), steered), first


def test_nothing_recorded_is_said(found) -> None:
    model, routers = found
    with pytest.raises(LowerLayersError, match="nothing was recorded"), LowerLayers(model, {1}, routers).replay(1):
        pass
    with pytest.raises(LowerLayersError, match="layer 2, only for"), LowerLayers(model, {1}, routers).replay(2):
        pass


def test_an_exception_leaves_the_model_as_it_was(found) -> None:
    model, routers = found
    plain = scored(model)
    lower = LowerLayers(model, {2}, routers)
    with pytest.raises(KeyboardInterrupt), lower.record():  # noqa: PT012 (the second line is the exception)
        scored(model)
        raise KeyboardInterrupt
    assert torch.equal(scored(model), plain)
    assert not any("forward" in block.__dict__ for block in model.model.layers)


def test_a_layer_beyond_the_model_is_refused(found) -> None:
    with pytest.raises(LowerLayersError, match="layer 9"):
        LowerLayers(found[0], {9}, found[1])
