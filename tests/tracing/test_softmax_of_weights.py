"""The reading that the code behind paper 1 took of GPT-OSS."""

import numpy as np
import pytest
import torch

from models.tiny_models import tiny
from polyroute.artifacts.trace import TraceError
from polyroute.measures.divergence import routing_divergence
from polyroute.measures.entropy import routing_entropy
from polyroute.measures.layer_curves import Alignment
from polyroute.models.routers import RouterCall, find_routers, observe
from polyroute.tracing.collect import TraceSettings, trace
from polyroute.tracing.softmax_of_weights import applies, softmax_of_weights
from polyroute.tracing.statistics import BatchAccumulator
from tiny import make_model
from tracing.test_statistics import COUNTED_BS, FakeRouter

TEXTS = {"one": "hello world", "two": "a", "three": "the quick brown fox jumps over the dog"}
NONE = torch.tensor([], dtype=torch.long)


def test_by_hand() -> None:
    # e^.75 = 2.117, e^.25 = 1.284 and twice e^0 = 1 add up to 5.401.
    found = softmax_of_weights(torch.tensor([[0.75, 0.0, 0.25, 0.0]]), NONE)[0].tolist()
    assert found == pytest.approx([2.117 / 5.401, 1 / 5.401, 1.284 / 5.401, 1 / 5.401], abs=1e-4)


def test_it_is_the_mean_over_the_counted_tokens_of_a_sequence() -> None:
    ids_TK = torch.tensor([[0, 1], [1, 2], [0, 0], [2, 3], [0, 1], [0, 1]])
    weights_TK = torch.tensor([[3.0, 1.0], [1.0, 1.0], [np.nan] * 2, [2.0, 0.0], [np.nan] * 2, [np.nan] * 2])
    accumulator = BatchAccumulator(COUNTED_BS, ["a", "b"], experts=4, pairs=3, seed=0, again=True)
    accumulator.add(FakeRouter(), RouterCall(torch.zeros(6, 4), weights_TK, ids_TK))
    found = accumulator.finish([FakeRouter()])["softmax_of_weights"]
    rows = np.exp([[0.75, 0.25, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 1, 0]])
    shares = rows / rows.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found[:, 0], [shares[:2].mean(axis=0), shares[2]], atol=1e-6)


def test_it_is_what_a_second_softmax_of_recorded_weights_gives(tokenizer) -> None:
    """The weights that transformers 4.57 recorded for GPT-OSS, worked out from logits and not from ours."""
    model = tiny("gpt_oss", vocab_size=64, max_position_embeddings=64)
    routers = find_routers(model)
    traced = trace(model, tokenizer, TEXTS)
    for place, text in enumerate(TEXTS.values()):
        calls: dict[int, RouterCall] = {}
        ids = tokenizer(text, return_special_tokens_mask=True)
        with torch.no_grad(), observe(routers, lambda router, call, calls=calls: calls.update({router.layer: call})):
            model(input_ids=torch.tensor([ids["input_ids"]]))
        counted = np.array(ids["special_tokens_mask"]) == 0
        for layer, router in enumerate(routers):
            logits_TE = calls[router.layer].logits_TE.double()
            highest = torch.topk(logits_TE, router.top_k, dim=-1)
            recorded_TE = torch.zeros_like(logits_TE).scatter(1, highest.indices, highest.values.softmax(-1))
            expected_E = recorded_TE.softmax(-1).numpy()[counted].mean(axis=0)
            np.testing.assert_allclose(traced.softmax_of_weights[place, layer], expected_E, atol=1e-6)
    np.testing.assert_allclose(traced.softmax_of_weights.sum(-1), 1, atol=1e-5)


def routed(ids_NK, experts: int = 32) -> np.ndarray:
    """The reading of sequences of one token each, which weights its experts equally."""
    mass = torch.zeros(len(ids_NK), experts).scatter(1, torch.tensor(ids_NK), 1 / len(ids_NK[0]))
    return softmax_of_weights(mass, NONE).double().numpy()


def test_entropy_lies_just_under_that_of_uniform_routing() -> None:
    # GPT-OSS: 4 of 32. As far from uniform as can be is one expert with all the weight: still 0.99 of ln 32.
    assert routing_entropy(routed([[0, 1, 2, 3]]))[0] == pytest.approx(np.log(32), rel=2e-3)
    share = np.exp(1) / (31 + np.exp(1))
    least = -share * np.log(share) - (1 - share) * np.log((1 - share) / 31)
    assert routing_entropy(routed([[5]]))[0] == pytest.approx(least, abs=1e-6)
    assert least / np.log(32) == pytest.approx(0.992, abs=1e-3)


def test_divergence_of_texts_without_a_common_expert_saturates_near_a_half() -> None:
    ours, theirs = routed([[0, 1, 2, 3], [4, 5, 6, 7]])
    assert routing_divergence(ours, theirs) == pytest.approx(0.5, abs=0.1)
    # In first order: deviations from uniform, whose product is -1/28 of their square.
    p, q = ours - 1 / 32, theirs - 1 / 32
    first_order = ((p - q) ** 2).sum() / (2 * ((p**2).sum() + (q**2).sum()))
    assert first_order == pytest.approx((1 + 1 / 7) / 2)
    assert routing_divergence(ours, theirs) == pytest.approx(first_order, abs=0.02)
    assert routing_divergence(ours, ours) == 0
    # The weights themselves are as far apart as can be without one common expert.
    plain = np.zeros((2, 32))
    plain[0, :4] = plain[1, 4:8] = 0.25
    assert routing_divergence(*plain) == pytest.approx(np.log(2) / np.log(8), abs=0.01)


def test_divergence_of_random_routing_lies_near_a_half() -> None:
    """Sequences of 40 tokens that choose 4 of 32 experts at random, each sequence with tastes of its own."""
    rng = np.random.default_rng(0)
    tastes_NE = np.exp(1.5 * rng.standard_normal((60, 32)))
    means = []
    for taste_E in tastes_NE / tastes_NE.sum(axis=1, keepdims=True):
        ids = [rng.choice(32, 4, replace=False, p=taste_E).tolist() for _ in range(40)]
        means.append(routed(ids).mean(axis=0))
    paired = routing_divergence(np.array(means[:30]), np.array(means[30:]))
    assert paired.mean() == pytest.approx(0.5, abs=0.05)


def test_divergence_can_be_read_on_it_where_weights_are_a_softmax_over_the_chosen(tokenizer) -> None:
    model = tiny("gpt_oss", vocab_size=64, max_position_embeddings=64)
    english = trace(model, tokenizer, TEXTS, language="eng_Latn")
    german = trace(
        model, tokenizer, {"one": "hallo welt", "two": "b", "three": "der schnelle fuchs"}, language="deu_Latn"
    )
    assert english.readings == ("soft_mass", "topk_mass", "topk_count", "softmax_of_weights")
    alignment = Alignment(english, nearest=1, resamples=100, confidence=0.95, seed=0, zones=None)
    rows = alignment.language(german).rows
    again = rows[(rows["reading"] == "softmax_of_weights") & (rows["measure"] == "divergence")]
    pair = [each.distributions("softmax_of_weights") for each in (english, german)]
    np.testing.assert_allclose(again["value"], routing_divergence(*pair).mean(axis=0), atol=1e-4)


def test_other_routers_have_none(tokenizer) -> None:
    plain = make_model()
    assert not applies(find_routers(plain))
    traced = trace(plain, tokenizer, TEXTS)
    assert "softmax_of_weights" not in traced.readings
    with pytest.raises(TraceError, match=r"does not hold `softmax_of_weights`.* its routers are softmax>topk\. Run"):
        traced.distributions("softmax_of_weights")


def test_it_is_kept_in_the_file_and_padding_changes_nothing(tokenizer, tmp_path) -> None:
    model = tiny("gpt_oss", vocab_size=64, max_position_embeddings=64)
    traced = trace(model, tokenizer, TEXTS, settings=TraceSettings(padding="left"))
    traced.save(tmp_path / "t.safetensors")
    again = type(traced).load(tmp_path / "t.safetensors", mapped=True)
    assert np.array_equal(again.softmax_of_weights, traced.softmax_of_weights)
    alone = trace(model, tokenizer, TEXTS, settings=TraceSettings(batch_tokens=1))
    np.testing.assert_allclose(alone.softmax_of_weights, traced.softmax_of_weights, atol=2e-6)
    assert traced.select(np.array([2, 0])).softmax_of_weights.shape[0] == 2
