import numpy as np
import pytest
import torch
from transformers import Llama4ForCausalLM, Llama4TextConfig

import polyroute
from polyroute.artifacts.trace import TraceError
from polyroute.models.routers import RouterCall, find_routers, observe
from polyroute.tracing import collect as collect_module
from polyroute.tracing.collect import TraceSettings, collect, make_header, trace
from polyroute.tracing.pairs import sample_pairs
from tiny import make_model

TEXTS = {"one": "hello world", "two": "a", "three": "the quick brown fox jumps over the dog", "four": "abc abc abc"}


def planned(model):
    """Routers, header and settings, as the stage prepares them."""
    routers, settings = find_routers(model), TraceSettings()
    header = make_header(
        model, routers, settings, name="m", model_digest="", corpus="c", corpus_digest="", language="und"
    )
    return routers, header, settings


def plain_trace(model, tokenizer, texts, settings):
    """The slow reference: one sequence at a time, one token at a time, no padding."""
    routers = find_routers(model)
    result = {name: [] for name in ("tokens", "soft_mass", "topk_mass", "topk_count", "consistency")}
    for item_id, text in texts.items():
        encoding = tokenizer(text, return_special_tokens_mask=True)
        calls: dict[int, RouterCall] = {}
        with torch.no_grad(), observe(routers, lambda router, call, calls=calls: calls.update({router.layer: call})):
            model(input_ids=torch.tensor([encoding["input_ids"]]))
        counted = [t for t, special in enumerate(encoding["special_tokens_mask"]) if not special]
        rows = {name: [] for name in ("soft_mass", "topk_mass", "topk_count", "consistency")}
        for router in routers:
            soft, mass, count = (np.zeros(router.experts) for _ in range(3))
            call = calls[router.layer]
            for t in counted:
                soft += torch.softmax(call.logits_TE[t].double(), 0).numpy() / len(counted)
                weights = call.weights_TK[t].double().numpy()
                for k, expert in enumerate(call.ids_TK[t].tolist()):
                    mass[expert] += weights[k] / weights.sum() / len(counted)
                    count[expert] += 1
            sets = [set(call.ids_TK[t].tolist()) for t in counted]
            pairs = sample_pairs(len(counted), settings.pairs, settings.seed, item_id)
            jaccard = [len(sets[i] & sets[j]) / len(sets[i] | sets[j]) for i, j in pairs]
            for name, value in zip(rows, (soft, mass, count, np.mean(jaccard) if jaccard else np.nan), strict=True):
                rows[name].append(value)
        result["tokens"].append(len(counted))
        for name, value in rows.items():
            result[name].append(value)
    return {name: np.array(value) for name, value in result.items()}


def assert_same(first, second) -> None:
    assert np.array_equal(first.tokens, second.tokens)
    assert np.array_equal(first.topk_count, second.topk_count)
    assert first.columns().keys() == second.columns().keys()
    for name, values in first.columns().items():
        np.testing.assert_allclose(values, second.columns()[name], atol=2e-6)


def test_matches_the_plain_reference(model, tokenizer) -> None:
    settings = TraceSettings(batch_tokens=64, pairs=5, seed=3)
    traced = trace(model, tokenizer, TEXTS, settings=settings)
    for name, expected in plain_trace(model, tokenizer, TEXTS, settings).items():
        np.testing.assert_allclose(traced.columns()[name], expected, atol=2e-6, err_msg=name)
    assert traced.item_ids == tuple(TEXTS)
    np.testing.assert_allclose(traced.soft_mass.sum(-1), 1, atol=1e-5)
    np.testing.assert_allclose(traced.topk_mass.sum(-1), 1, atol=1e-5)
    assert (traced.topk_count.sum(-1) == 2 * traced.tokens[:, None]).all()


def test_without_pairs_measures_over_them_are_nan_and_all_others_as_ever(model, tokenizer) -> None:
    found, expected = (trace(model, tokenizer, TEXTS, settings=TraceSettings(pairs=pairs)) for pairs in (0, 5))
    assert np.isnan(found.columns()["consistency"]).all()
    np.testing.assert_array_equal(found.soft_mass, expected.soft_mass)
    np.testing.assert_array_equal(found.topk_count, expected.topk_count)


@pytest.mark.parametrize(
    "change",
    [{"batch_tokens": 1}, {"batch_tokens": 10_000}, {"padding": "left"}, {"padding": "left", "batch_tokens": 90}],
)
def test_batch_size_and_padding_side_change_nothing(model, tokenizer, change) -> None:
    settings = TraceSettings(batch_tokens=64, pairs=5)
    reference = trace(model, tokenizer, TEXTS, settings=settings)
    assert_same(reference, trace(model, tokenizer, TEXTS, settings=TraceSettings(**({"pairs": 5} | change))))


@pytest.mark.parametrize(("padding", "first", "last"), [("right", 1, 0), ("left", 0, 1)])
def test_padding_stands_on_its_side_and_positions_begin_with_the_text(model, tokenizer, padding, first, last) -> None:
    seen = []
    handle = model.model.register_forward_pre_hook(lambda _, __, kwargs: seen.append(kwargs), with_kwargs=True)
    try:
        trace(model, tokenizer, TEXTS, settings=TraceSettings(batch_tokens=10_000, padding=padding))
    finally:
        handle.remove()
    mask_BS = seen[-1]["attention_mask"]
    assert (mask_BS[:, 0].min(), mask_BS[:, -1].min()) == (first, last)
    if padding == "left":
        positions_BS = seen[-1]["position_ids"]
        for mask_S, positions_S in zip(mask_BS, positions_BS, strict=True):
            assert positions_S[mask_S == 1].tolist() == list(range(int(mask_S.sum())))


@pytest.mark.parametrize("padding", ["right", "left"])
def test_first_tokens_are_routed_as_a_text_of_these_alone(model, tokenizer, padding) -> None:
    settings = TraceSettings(batch_tokens=200, head=5, padding=padding)
    traced = trace(model, tokenizer, TEXTS, settings=settings)
    assert traced.head == 5
    cut = {item: text[:5] for item, text in TEXTS.items() if len(text) >= 5}
    expected = trace(model, tokenizer, cut, settings=TraceSettings()).soft_mass
    assert np.isnan(traced.head_mass[1]).all(), "`a` has one token"
    np.testing.assert_allclose(traced.head_mass[[0, 2, 3]], expected, atol=2e-6)
    assert traced.distributions("head_mass").shape == traced.soft_mass.shape


def test_order_changes_nothing(model, tokenizer) -> None:
    settings = TraceSettings(batch_tokens=64, pairs=5)
    forward = trace(model, tokenizer, TEXTS, settings=settings)
    backward = trace(model, tokenizer, dict(reversed(TEXTS.items())), settings=settings)
    assert backward.item_ids == tuple(reversed(forward.item_ids))
    assert_same(forward, backward.select(np.arange(4)[::-1]))


def test_special_tokens_count_only_when_asked(model, tokenizer) -> None:
    without = trace(model, tokenizer, TEXTS)
    with_them = trace(model, tokenizer, TEXTS, settings=TraceSettings(special_tokens="include"))
    assert (with_them.tokens - without.tokens == 2).all()


def llama4() -> Llama4ForCausalLM:
    """Its `base_model` is the model itself, head and all."""
    torch.manual_seed(0)
    config = Llama4TextConfig(
        vocab_size=64, hidden_size=32, intermediate_size=32, intermediate_size_mlp=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, num_local_experts=4, num_experts_per_tok=1,
        pad_token_id=0, interleave_moe_layer_step=1,
    )  # fmt: skip
    return Llama4ForCausalLM(config).eval()


@pytest.mark.parametrize("make", [make_model, llama4])
def test_no_head_is_run(make, tokenizer, monkeypatch) -> None:
    model = make()
    plan = planned(model)
    monkeypatch.setattr(model.lm_head, "forward", lambda _: pytest.fail("the language model head ran"))
    assert len(collect(model, tokenizer, TEXTS, *plan).item_ids) == 4


def test_out_of_memory_halves_the_batch_and_says_so(model, tokenizer, monkeypatch, caplog) -> None:
    reference = trace(model, tokenizer, TEXTS)
    forward = collect_module._Runner._forward

    def small_memory(self, indices, item_ids):
        if len(indices) > 1:
            raise torch.OutOfMemoryError("device full")
        return forward(self, indices, item_ids)

    monkeypatch.setattr(collect_module._Runner, "_forward", small_memory)
    assert_same(reference, trace(model, tokenizer, TEXTS))
    assert "out of memory with 4 sequences" in caplog.text


@pytest.mark.parametrize("sign", ["CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory"])
def test_what_memory_held_is_remembered(model, tokenizer, monkeypatch, caplog, sign) -> None:
    forward, attempted = collect_module._Runner._forward, []

    def small_memory(self, indices, item_ids):
        attempted.append(len(indices))
        if len(indices) > 2:
            raise RuntimeError(sign)
        return forward(self, indices, item_ids)

    monkeypatch.setattr(collect_module._Runner, "_forward", small_memory)
    texts = {str(number): "abc abc" for number in range(12)}
    trace(model, tokenizer, texts, settings=TraceSettings(batch_tokens=4 * 9))
    assert attempted == [4, 2, 2, 2, 2, 2, 2]
    assert caplog.text.count("out of memory") == 1


def test_a_sequence_too_large_for_memory_is_named(model, tokenizer, monkeypatch) -> None:
    def no_memory(self, indices, item_ids):
        raise torch.OutOfMemoryError("device full")

    monkeypatch.setattr(collect_module._Runner, "_forward", no_memory)
    with pytest.raises(TraceError, match=r"item three .* does not fit into memory by itself"):
        trace(model, tokenizer, {"three": TEXTS["three"]})


def test_other_errors_are_not_taken_for_lack_of_memory(model, tokenizer, monkeypatch) -> None:
    def broken(self, indices, item_ids):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(collect_module._Runner, "_forward", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        trace(model, tokenizer, TEXTS)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_finite_name_the_layer(tokenizer, value) -> None:
    model = make_model()
    plan = planned(model)
    with torch.no_grad():
        model.model.layers[1].mlp.gate.weight[2] = value
    with pytest.raises(TraceError, match=r"layer 1 \(model.layers.1.mlp.gate\).*NaN or infinite"):
        collect(model, tokenizer, TEXTS, *plan)


def test_bad_texts_are_named(model, tokenizer) -> None:
    with pytest.raises(TraceError, match="item empty gives no tokens"):
        trace(model, tokenizer, {"fine": "abc", "empty": ""})
    with pytest.raises(TraceError, match="item long has 42 tokens, more than max_tokens = 10"):
        trace(model, tokenizer, {"long": "a" * 40}, settings=TraceSettings(max_tokens=10))
    with pytest.raises(TraceError, match="no texts"):
        trace(model, tokenizer, {})


def test_a_model_in_training_is_measured_at_rest_and_left_in_training(tokenizer) -> None:
    model = make_model()
    model.config.attention_dropout = 0.5
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    reference = trace(model, tokenizer, TEXTS)
    model.train()
    assert_same(reference, trace(model, tokenizer, TEXTS))
    assert all(module.training for module in model.modules())


def test_bfloat16_moves_single_choices_but_hardly_the_mean(tokenizer) -> None:
    model = make_model().to(torch.bfloat16)
    one = trace(model, tokenizer, TEXTS, settings=TraceSettings(batch_tokens=1))
    many = trace(model, tokenizer, TEXTS, settings=TraceSettings(batch_tokens=10_000))
    np.testing.assert_allclose(one.soft_mass, many.soft_mass, atol=5e-3)
    np.testing.assert_allclose(one.soft_mass.mean(0), many.soft_mass.mean(0), atol=2e-3)


def test_a_single_string_is_not_read_letter_by_letter(model, tokenizer) -> None:
    with pytest.raises(TraceError, match="a single string would be read letter by letter"):
        trace(model, tokenizer, "hello")


def test_the_public_door(model, tokenizer) -> None:
    traced = polyroute.trace(model, tokenizer, ["abc", "a b c"], language="eng_Latn")
    assert traced.item_ids == ("0", "1")
    assert traced.header.layers == (0, 1, 2)
    assert (traced.header.experts, traced.header.top_k) == (8, 2)
