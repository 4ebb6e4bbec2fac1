"""A choice counts however small its weight, and a dropped one does not."""

import pytest
import torch
from transformers import MixtralConfig, MixtralForCausalLM, Qwen3MoeForCausalLM

from models.tiny_models import build
from polyroute.models.contract import check_contract
from polyroute.models.routers import RouterCall, find_routers, observe
from polyroute.models.small_weights import kept_above_zero, least
from polyroute.models.trial import trial_inputs
from polyroute.tracing.collect import trace
from tiny import make_model, make_tokenizer


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_least_is_above_zero_and_stays_so(dtype) -> None:
    weight = torch.tensor(least(dtype), dtype=dtype)
    assert weight > 0
    assert weight + 0 > 0


@pytest.mark.parametrize(
    ("selection", "logits", "weights", "kept"),
    [
        # exp(-20) is 2e-9, which float16 rounds to 0; exp(-10) is 5e-5, so a 0 beside it was dropped.
        ("softmax>topk", [0.0, -20.0, -30.0], [1.0, 0.0], [True, True]),
        ("softmax>topk", [0.0, -10.0, -30.0], [1.0, 0.0], [True, False]),
        ("softmax>topk>renormalise", [0.0, -20.0, -30.0], [1.0, 0.0], [True, True]),
        # Many rivals make a share smaller: 1 / 4000 * exp(-9) is 3e-8.
        ("softmax>topk", [0.0, -9.0] + [0.0] * 4000, [1.0, 0.0], [True, True]),
        ("softmax>topk>renormalise", [0.0, -9.0] + [0.0] * 4000, [1.0, 0.0], [True, False]),
        ("sigmoid>topk", [-18.0, -19.0, -30.0], [0.0, 0.0], [True, True]),
        ("sigmoid>topk", [5.0, 4.0, -30.0], [0.9, 0.0], [True, False]),
        ("sigmoid+bias>topk>renormalise", [5.0, -19.0, -30.0], [1.0, 0.0], [True, True]),
        ("sqrtsoftplus>topk", [5.0, -35.0, -40.0], [2.2, 0.0], [True, True]),
        ("sqrtsoftplus>topk", [5.0, -20.0, -40.0], [2.2, 0.0], [True, False]),
        # What a mask closed was not chosen for its score.
        ("softmax>topk", [0.0, -65504.0, -65504.0], [1.0, 0.0], [True, False]),
        ("softmax>topk", [0.0, -1e9, -1e9], [1.0, 0.0], [True, False]),
    ],
)
def test_a_weight_rounded_to_zero_is_told_from_a_dropped_choice(selection, logits, weights, kept) -> None:
    logits_TE = torch.tensor([logits])
    weights_TK = torch.tensor([weights], dtype=torch.float16)
    ids_TK = torch.tensor([[0, 1]])
    found_TK = kept_above_zero(logits_TE, weights_TK, ids_TK, selection)
    assert found_TK.dtype == torch.float16
    assert (found_TK != 0).tolist() == [kept]
    assert torch.equal(found_TK[weights_TK != 0], weights_TK[weights_TK != 0])
    chosen_E = RouterCall(logits_TE, found_TK, ids_TK).chosen_TE()[0]
    assert chosen_E[:2].tolist() == kept


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_counts_add_up_to_k_however_sharp_the_router(dtype) -> None:
    model = make_model(top_k=3)
    with torch.no_grad():
        for layer in model.model.layers:
            layer.mlp.gate.weight *= 100
    found = trace(model.to(dtype), make_tokenizer(), ["the dog runs", "a cat"])
    assert (found.topk_count.sum(-1) == 3 * found.tokens[:, None]).all()


def mixtral(experts: int) -> MixtralForCausalLM:
    config = MixtralConfig(
        vocab_size=64, hidden_size=16, intermediate_size=16, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=1, head_dim=8, max_position_embeddings=256, num_local_experts=experts,
        num_experts_per_tok=experts,
    )  # fmt: skip
    torch.manual_seed(0)
    model = MixtralForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.3)
    return model


@pytest.mark.parametrize(
    "build_model",
    [
        lambda: make_model(experts=8, top_k=8), lambda: make_model(experts=16, top_k=16),  # as wide as hidden states
        lambda: make_model(experts=2, top_k=2), lambda: mixtral(4), lambda: mixtral(8),
    ],
)  # fmt: skip
def test_where_every_expert_is_chosen_weights_are_the_softmax(build_model) -> None:
    model = build_model()
    routers = find_routers(model)
    calls = []
    with torch.no_grad(), observe(routers, lambda _router, call: calls.append(call)):
        model(**trial_inputs(model))
    for logits_TE, weights_TK, ids_TK in calls:
        expected_TK = logits_TE.softmax(-1).gather(-1, ids_TK)
        torch.testing.assert_close(weights_TK, expected_TK)
    assert check_contract(model, routers).selections[0].startswith("softmax>topk")
    found = trace(model, make_tokenizer(), ["the dog runs"], routers=routers)
    assert (found.topk_count == found.tokens[:, None, None]).all()


@pytest.mark.parametrize(
    ("fields", "layers", "top_k"),
    [
        ({"num_experts_per_tok": 1}, [0, 1, 2], 1),
        ({"mlp_only_layers": [0]}, [1, 2], 2),
        ({"mlp_only_layers": [1]}, [0, 2], 2),
        ({"decoder_sparse_step": 2, "num_hidden_layers": 4}, [1, 3], 2),
        ({"decoder_sparse_step": 3}, [2], 2),
    ],
)
def test_layers_keep_the_models_own_numbers(fields, layers, top_k) -> None:
    model = build(Qwen3MoeForCausalLM, **({"decoder_sparse_step": 1} | fields))
    routers = find_routers(model)
    assert [router.layer for router in routers] == layers
    assert {router.top_k for router in routers} == {top_k}
    check_contract(model, routers)
